#include "analyzer/routing/routes/route_search.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analyzer/routing/propagation/exchange.h"
#include "analyzer/routing/routes/assumed_blocks.h"
#include "analyzer/routing/routes/kernel_route.h"
#include "analyzer/routing/routes/route_stops.h"
#include "analyzer/routing/sessions/sessions.h"
#include "ir/policy/cluster_routes.h"
#include "ir/policy/pools.h"

namespace polecat::routing {

namespace {

bool is_turned_off(const policy::Cluster& cluster) {
    return std::any_of(cluster.others.begin(), cluster.others.end(), [](const auto& each) {
        return each.kind == "Installation" && each.spec.is("bgp", "Disabled");
    });
}

std::string_view named(net::Family family) {
    return net::to_string(family);
}

std::optional<policy::Pool> pool_with(const policy::Cluster& cluster, const net::Cidr& cidr) {
    for (policy::Pool& each : policy::pools_of(cluster))
        if (each.cidr == cidr)
            return std::move(each);
    return std::nullopt;
}

bool has_sessions(const Propagation::Run& run, SpeakerIndex speaker) {
    return std::any_of(run.network.links.begin(), run.network.links.end(),
                       [&](const Link& link) { return link.to == speaker; });
}

} // namespace

bool is_about_bgp(const policy::Cluster& cluster) {
    return std::any_of(cluster.others.begin(), cluster.others.end(), [](const auto& each) {
        return each.kind == "BGPPeer" || each.kind == "BGPConfiguration" ||
               each.kind == "BGPFilter";
    });
}

/// One address family: who learns what.
struct RouteSearch::Family {
    Propagation model;
    std::vector<net::Cidr> prefixes; ///< ascending
    std::set<std::uint8_t> lengths;  ///< of them
    std::vector<net::Address> routers;
    bool one_network = true; ///< all nodes see each other without a router

    Family(const ClusterRouting& routing, const Routers& all, net::Family family,
           const LowerNode& lower)
        : model(routing, all.list, family, lower), prefixes(model.prefixes()) {
        for (const policy::FabricRouter& each : all.list)
            if (each.address.value.family == family)
                routers.push_back(each.address.value);
        for (const net::Cidr& each : prefixes)
            lengths.insert(each.prefix);
        std::optional<net::Cidr> network;
        for (const BgpNode& node : routing.nodes)
            if (const auto& address = node.of(family)) {
                one_network = one_network && (!network || *network == address->subnet);
                network = address->subnet;
            }
    }
    /// The longest that holds the address.
    std::optional<net::Cidr> holding(const net::Address& address) const {
        for (auto length = lengths.rbegin(); length != lengths.rend(); ++length)
            if (const net::Cidr block = net::block_of(address, *length);
                std::binary_search(prefixes.begin(), prefixes.end(), block))
                return block;
        return std::nullopt;
    }
};

RouteSearch::RouteSearch(const policy::Cluster& cluster, const ClusterRouting& routing,
                         const std::vector<NodeRouting>& forms, LowerNode lower)
    : cluster_(cluster), routing_(routing), forms_(forms), lower_(std::move(lower)),
      speaks_(is_about_bgp(cluster) && !is_turned_off(cluster)),
      routers_(fabric_routers(cluster, forms)) {
    if (!speaks_)
        return;
    assume_blocks(cluster, routing_);
    for (const policy::Node& each : cluster.nodes)
        for (const bool v4 : {true, false})
            if (each.spec.has(v4 ? "ipv4VXLANTunnelAddr" : "ipv6VXLANTunnelAddr") ||
                each.meta.annotations.contains(v4 ? "projectcalico.org/IPv4VXLANTunnelAddr"
                                                  : "projectcalico.org/IPv6VXLANTunnelAddr"))
                (v4 ? tunnel_ends_v4_ : tunnel_ends_v6_).insert(each.meta.name);
}

RouteSearch::~RouteSearch() = default;

RouteSearch::Family& RouteSearch::of(net::Family family) {
    auto& place = family == net::Family::V4 ? v4_ : v6_;
    if (!place)
        place = std::make_unique<Family>(routing_, routers_, family, lower_);
    return *place;
}

std::optional<NodeIndex> RouteSearch::node(const std::string& name) const {
    return speaks_ ? routing_.find(name) : std::nullopt;
}

// --- between nodes -------------------------------------------------------------------------------

std::optional<MissingRoute> RouteSearch::to_pod(const std::string& from, const std::string& to,
                                                const net::Address& pod, Detail detail) {
    const auto source = node(from), target = node(to);
    if (!source || !target || source == target)
        return std::nullopt;
    const Pool* pool = pool_of(pod);
    if (pool == nullptr)
        return std::nullopt; // whose address it is the input does not say
    if (!routing_.nodes[*source].of(pod.family) || !routing_.nodes[*target].of(pod.family))
        return without_address(*source, *target, pod.family);
    if (pool->kernel == KernelAction::Reject)
        return by_felix(*source, *target, pod, *pool);
    const auto& blocks = routing_.nodes[*target].blocks;
    const auto block = std::find_if(blocks.begin(), blocks.end(), [&](const Block& each) {
        return each.originates && each.cidr.contains(pod);
    });
    if (block == blocks.end())
        return std::nullopt; // borrowed of another node's block, or nobody's
    const auto [place, fresh] = answers_.try_emplace({*source, *target, block->cidr, detail});
    if (fresh && !felix_may(*source, *target, *pool))
        place->second = by_bgp(*source, *target, block->cidr, detail);
    return place->second;
}

const Pool* RouteSearch::pool_of(const net::Address& pod) const {
    const auto& pools = routing_.of(pod.family).pools;
    const auto pool = std::find_if(pools.begin(), pools.end(),
                                   [&](const Pool& each) { return each.cidr.contains(pod); });
    return pool == pools.end() ? nullptr : &*pool;
}

bool RouteSearch::may_miss(const net::Address& pod) {
    const Pool* pool = speaks_ ? pool_of(pod) : nullptr;
    if (pool == nullptr)
        return false;
    for (const BgpNode& each : routing_.nodes)
        if (!each.of(pod.family) && (each.v4 || each.v6))
            return true;
    if (pool->kernel == KernelAction::Reject)
        return !(pod.family == net::Family::V4 ? tunnel_ends_v4_ : tunnel_ends_v6_).empty();
    const auto prefix = of(pod.family).holding(pod);
    if (!prefix)
        return false;
    const auto [place, fresh] = may_miss_.try_emplace(*prefix, true);
    if (fresh)
        place->second = is_missed(*prefix);
    return place->second;
}

bool RouteSearch::is_missed(const net::Cidr& prefix) {
    Family& family = of(prefix.family());
    const Run& run = family.model.run(prefix);
    if (!run.spread.settled || !family.one_network)
        return true;
    for (SpeakerIndex i = 0; i < run.groups.size(); ++i) {
        const auto& form = run.network.speakers[i].form.of(prefix.family());
        const auto route = kernel_route(form, run.spread.paths[i]);
        if (form.address && (!route || route->rejected))
            return true;
    }
    return false;
}

/// Only where the node is known by its address of the other family.
std::optional<MissingRoute> RouteSearch::without_address(NodeIndex from, NodeIndex to,
                                                         net::Family family) const {
    for (const NodeIndex each : {to, from}) {
        const BgpNode& node = routing_.nodes[each];
        if (node.of(family) || (!node.v4 && !node.v6))
            continue;
        MissingRoute out;
        out.reason = fmt::format("node {} has no {} address: Calico makes no {} routes {} it",
                                 node.name, named(family), named(family), each == to ? "to" : "on");
        out.trail.push_back({fmt::format("node {}", node.name), node.origin});
        return out;
    }
    return std::nullopt;
}

/// Whether Felix makes the route besides BIRD, as far as the input says.
bool RouteSearch::felix_may(NodeIndex from, NodeIndex to, const Pool& pool) const {
    if (by_wireguard(from, to, pool.cidr.family()))
        return true;
    const auto felix = policy::routes_of_felix(cluster_, routing_.nodes[from].name);
    const auto given = felix ? pool_with(cluster_, pool.cidr) : std::nullopt;
    return given && (policy::uses_ipip(*given) ? felix->ipip : felix->plain);
}

/// WireGuard's table comes before the main one. Manifests by hand have no node's address of it.
bool RouteSearch::by_wireguard(NodeIndex from, NodeIndex to, net::Family family) const {
    const auto& nodes = routing_.nodes;
    return policy::has_wireguard_on(cluster_, nodes[from].name, family) &&
           ((nodes[from].wireguard(family) && nodes[to].wireguard(family)) ||
            std::none_of(nodes.begin(), nodes.end(),
                         [&](const BgpNode& each) { return each.wireguard(family).has_value(); }));
}

/// Felix knows where every block is, and needs both ends of a VXLAN tunnel.
std::optional<MissingRoute> RouteSearch::by_felix(NodeIndex from, NodeIndex to,
                                                  const net::Address& pod, const Pool& pool) const {
    const bool v4 = pod.family == net::Family::V4;
    const auto given = pool_with(cluster_, pool.cidr);
    const auto& subnet = routing_.nodes[from].of(pod.family)->subnet;
    if (!given)
        return std::nullopt;
    const bool tunnel = given->encapsulation == policy::Encapsulation::Vxlan ||
                        (given->encapsulation == policy::Encapsulation::VxlanCrossSubnet &&
                         !subnet.contains(routing_.nodes[to].of(pod.family)->address));
    if (!tunnel)
        return std::nullopt;
    const std::set<std::string>& ends = v4 ? tunnel_ends_v4_ : tunnel_ends_v6_;
    for (const NodeIndex each : {to, from}) {
        const BgpNode& node = routing_.nodes[each];
        if (ends.empty() || ends.contains(node.name)) // manifests by hand have none
            continue;
        if (by_wireguard(from, to, pod.family))
            break;
        MissingRoute out;
        out.reason = fmt::format("node {} has no address of its VXLAN tunnel, as other nodes have: "
                                 "Felix makes no tunnel to it",
                                 node.name);
        out.trail.push_back({fmt::format("node {}", node.name), node.origin});
        out.trail.push_back({fmt::format("VXLAN for {}", net::to_string(pool.cidr)), pool.origin});
        return out;
    }
    return std::nullopt;
}

std::optional<MissingRoute> RouteSearch::by_bgp(NodeIndex from, NodeIndex to,
                                                const net::Cidr& prefix, Detail detail) {
    Family& family = of(prefix.family());
    const Run& run = family.model.run(prefix);
    MissingRoute out;
    out.reason = fmt::format("node {} has no route to {} of node {}", routing_.nodes[from].name,
                             net::to_string(prefix), routing_.nodes[to].name);
    if (!run.spread.settled) {
        out.certain = false;
        out.unless =
            "the right route comes first: BGP has several outcomes here, or none that lasts";
        return out;
    }
    const auto source = family.model.speaker(run, from, prefix);
    const auto target = family.model.speaker(run, to, prefix);
    if (!source || !target || run.network.speakers[*source].form.node.empty() ||
        run.network.speakers[*target].form.node.empty())
        return std::nullopt; // refused, which is told elsewhere
    const auto& form = run.network.speakers[*source].form.of(prefix.family());
    if (const auto route = kernel_route(form, run.spread.paths[*source])) {
        if (!route->rejected)
            return across_networks(from, to, prefix, run);
        if (route->rejected->kind == StepKind::NextHop)
            return std::nullopt; // Felix writes it, for WireGuard
        out.reason += ": it learns of it, and keeps it out of its kernel";
        out.trail.push_back({to_string(*route->rejected), route->rejected->origin});
        return out;
    }
    doubts(run, prefix.family(), from, out);
    if (detail == Detail::Gap)
        return out;
    if (!has_sessions(run, *source))
        explain_without_sessions(from, out);
    if (!has_sessions(run, *target))
        explain_without_sessions(to, out);
    if (out.trail.empty())
        explain(run, source, {{*source, from}, {*target, to}}, out);
    return out;
}

/// The route is there, straight to the other node; but a router stands between.
std::optional<MissingRoute> RouteSearch::across_networks(NodeIndex from, NodeIndex to,
                                                         const net::Cidr& prefix, const Run& run) {
    const net::Family family = prefix.family();
    const NodeAddress &here = *routing_.nodes[from].of(family),
                      &there = *routing_.nodes[to].of(family);
    const auto source = of(family).model.speaker(run, from, prefix);
    const auto route =
        kernel_route(run.network.speakers[*source].form.of(family), run.spread.paths[*source]);
    const bool straight =
        !route->tunnel && std::all_of(run.spread.paths[*source].begin(),
                                      run.spread.paths[*source].end(), [&](const Path& each) {
                                          return !each.journey.empty() && each.journey.size() == 1;
                                      });
    const bool masks =
        here.subnet.prefix < net::width(family) && there.subnet.prefix < net::width(family);
    if (!straight || !masks || here.subnet.contains(there.address) ||
        there.subnet.contains(here.address) || !of(family).routers.empty() ||
        !routers_.ambiguous.empty())
        return std::nullopt;
    MissingRoute out;
    out.certain = false;
    out.reason = fmt::format(
        "nodes {} and {} are in different networks ({}, {}), packets to {} go unencapsulated, and "
        "no router hears of it",
        routing_.nodes[from].name, routing_.nodes[to].name, net::to_string(here.subnet),
        net::to_string(there.subnet), net::to_string(prefix));
    out.unless = "the routers between them have routes that are not in the input";
    for (const Pool& pool : routing_.of(family).pools)
        if (pool.cidr.contains(prefix.base))
            out.trail.push_back({"no encapsulation", pool.origin});
    out.trail.push_back({net::to_string(here.subnet), here.origin});
    out.trail.push_back({net::to_string(there.subnet), there.origin});
    return out;
}

void RouteSearch::explain(const Run& run, std::optional<SpeakerIndex> at,
                          const std::map<SpeakerIndex, NodeIndex>& asked,
                          MissingRoute& into) const {
    std::map<SpeakerIndex, std::string> names;
    for (const auto& [speaker, node] : asked)
        names.emplace(speaker, "node " + routing_.nodes[node].name);
    for (MissingRoute::Step& each : stop_steps(run.network, run.spread, at, names))
        into.trail.push_back(std::move(each));
    if (into.trail.empty())
        into.trail.push_back({"no chain of BGP sessions leads there", {}});
}

void RouteSearch::explain_without_sessions(NodeIndex node, MissingRoute& into) const {
    into.trail.push_back(
        {fmt::format("node {} has no BGP session that establishes", routing_.nodes[node].name),
         routing_.nodes[node].origin});
    for (const SessionFault& each : sessions(cluster_, routing_, forms_, node).faults)
        if (each.certain) {
            into.trail.push_back(
                {fmt::format("with {}: {}", each.neighbor, each.reason), each.here});
            break;
        }
}

/// What stands elsewhere and may lead there all the same.
void RouteSearch::doubts(const Run& run, net::Family family, NodeIndex from, MissingRoute& into) {
    std::vector<std::string> unless;
    for (SpeakerIndex i = 0; i < run.network.speakers.size(); ++i)
        if (run.network.speakers[i].fabric && !run.spread.paths[i].empty()) {
            const NodeRouting& router = run.network.speakers[i].form;
            unless.push_back(fmt::format(
                "node {} has a static or default route to router {}, which hears of it",
                routing_.nodes[from].name, router.node.empty() ? router.router_id : router.node));
            break;
        }
    for (const BgpPeer& peer : routing_.peers)
        if (peer.to == BgpPeer::To::Nodes && (peer.remote.empty() || peer.nodes.empty())) {
            unless.push_back(fmt::format(
                "nodes are missing from the input: BGPPeer {} selects none", peer.name));
            break;
        }
    for (const net::Address& each : routers_.ambiguous)
        if (each.family == family) {
            unless.push_back(fmt::format("a router passes it on: the inventory has several at {}",
                                         net::to_string(each)));
            break;
        }
    into.certain = unless.empty();
    into.unless = fmt::format("{}", fmt::join(unless, ", or "));
}

// --- from outside --------------------------------------------------------------------------------

std::optional<MissingRoute> RouteSearch::to_pod_from_outside(const std::string& to,
                                                             const net::Address& pod) {
    const auto target = node(to);
    if (!target)
        return std::nullopt;
    const auto& blocks = routing_.nodes[*target].blocks;
    const auto block = std::find_if(blocks.begin(), blocks.end(), [&](const Block& each) {
        return each.originates && each.cidr.contains(pod);
    });
    if (block == blocks.end())
        return std::nullopt;
    return told_nobody(block->cidr, target,
                       fmt::format("BGP tells no router of {} of node {}",
                                   net::to_string(block->cidr), routing_.nodes[*target].name));
}

std::optional<MissingRoute> RouteSearch::to_service_from_outside(const net::Address& address,
                                                                 const std::string& field) {
    if (!speaks_ || of(address.family).routers.empty())
        return std::nullopt;
    const auto prefix = of(address.family).holding(address);
    if (prefix)
        return told_nobody(*prefix, std::nullopt,
                           fmt::format("BGP tells no router of {}, where the service's address {} "
                                       "lies",
                                       net::to_string(*prefix), net::to_string(address)));
    const policy::OtherObject* settings = policy::default_object(cluster_, "BGPConfiguration");
    if (settings == nullptr || settings->spec.size(field) == 0)
        return std::nullopt; // somebody else announces it
    MissingRoute out;
    out.certain = false;
    out.reason = fmt::format("no node announces the service's address {}", net::to_string(address));
    out.unless = "somebody else than Calico announces it";
    out.trail.push_back({fmt::format("{} does not lead to it", field),
                         {"BGPConfiguration default", settings->spec.span(field)}});
    return out;
}

/// Of what the outside does besides BGP the input says nothing.
std::optional<MissingRoute> RouteSearch::told_nobody(const net::Cidr& prefix,
                                                     std::optional<NodeIndex> node,
                                                     std::string reason) {
    Family& family = of(prefix.family());
    const Run& run = family.model.run(prefix);
    const auto& speakers = run.network.speakers;
    const auto& links = run.network.links;
    const bool peers = std::any_of(links.begin(), links.end(),
                                   [&](const Link& link) { return speakers[link.to].fabric; });
    if (!peers || !run.spread.settled || !routers_.ambiguous.empty())
        return std::nullopt; // BGP is not how the outside comes in, or nobody knows
    for (SpeakerIndex i = 0; i < speakers.size(); ++i)
        if (speakers[i].fabric && !run.spread.paths[i].empty())
            return std::nullopt;
    MissingRoute out;
    out.certain = false;
    out.reason = std::move(reason);
    out.unless = "the network outside has routes of its own";
    std::map<SpeakerIndex, NodeIndex> asked;
    if (const auto speaker = node ? family.model.speaker(run, *node, prefix) : std::nullopt) {
        asked.emplace(*speaker, *node);
        if (!has_sessions(run, *speaker))
            explain_without_sessions(*node, out);
    }
    if (out.trail.empty())
        explain(run, std::nullopt, asked, out);
    return out;
}

} // namespace polecat::routing
