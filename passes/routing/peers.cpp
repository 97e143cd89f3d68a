// BGPPeers, with the nodes at both ends.
#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "passes/routing/parts.h"

namespace polecat::passes::routing_parts {

namespace {

using diag::Code;
using routing::BgpNode;
using routing::BgpPeer;
using routing::NodeIndex;

constexpr std::int64_t kHoldTime = 240; ///< BIRD's, which a keepalive must not exceed

/// "10.0.0.1", "10.0.0.1:1790", "[fd00::1]:1790" in two.
std::pair<std::string, std::uint16_t> host_and_port(const std::string& text) {
    const std::size_t colon = text.rfind(':');
    const bool bracketed = text.starts_with('[') && colon != 0 && text[colon - 1] == ']';
    const bool v4 = colon != std::string::npos && text.find(':') == colon;
    if (!bracketed && !v4)
        return {text, 0};
    std::uint16_t port = 0;
    std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
    return {bracketed ? text.substr(1, colon - 2) : text.substr(0, colon), port};
}

class Peers {
  public:
    Peers(const Input& input, routing::ClusterRouting& into) : input_(input), into_(into) {
        for (NodeIndex i = 0; i < into_.nodes.size(); ++i)
            for (const auto& address : {into_.nodes[i].v4, into_.nodes[i].v6})
                if (address)
                    by_text_[net::to_string(address->address)].push_back(i);
        for (const policy::OtherObject& each : input_.cluster.others)
            if (each.kind == "BGPFilter")
                filters_.insert(each.meta.name);
    }

    void run() {
        for (const policy::OtherObject& each : input_.cluster.others)
            if (each.kind == "BGPPeer")
                add(each);
        std::stable_sort(into_.peers.begin(), into_.peers.end(),
                         [](const BgpPeer& a, const BgpPeer& b) { return a.name < b.name; });
        for (std::uint32_t i = 0; i < into_.peers.size(); ++i) {
            const BgpPeer& peer = into_.peers[i];
            if (!peer.global)
                for (const NodeIndex node : peer.nodes)
                    into_.nodes[node].peers.push_back(i);
            if (peer.reverse)
                for (const NodeIndex node : peer.remote)
                    into_.nodes[node].named_by.push_back(i);
        }
    }

  private:
    void add(const policy::OtherObject& object) {
        const policy::Settings& spec = object.spec;
        BgpPeer peer;
        peer.name = object.meta.name;
        peer.origin = origin_of(object);
        const auto node = spec.text("node");
        const auto own = selector(spec, "nodeSelector");
        peer.global = !own && (!node || node->value.empty());
        if (own || peer.global) {
            for (NodeIndex i = 0; i < into_.nodes.size(); ++i)
                if (peer.global || own->parsed.matches(into_.nodes[i].labels))
                    peer.nodes.push_back(i);
        } else if (const auto found = into_.find(node->value)) {
            peer.nodes.push_back(*found);
        }
        settings(object, peer);
        if (ends(object, peer))
            into_.peers.push_back(std::move(peer));
    }

    static std::optional<policy::SelectorField> selector(const policy::Settings& spec,
                                                         std::string_view field) {
        auto found = spec.selector(field);
        return found && !found->text.empty() ? found : std::nullopt;
    }

    // --- the other end ---------------------------------------------------------------------------

    /// False: nobody is named, or nobody that BIRD takes.
    bool ends(const policy::OtherObject& object, BgpPeer& peer) {
        const policy::Settings& spec = object.spec;
        if (selector(spec, "localWorkloadSelector")) {
            peer.to = BgpPeer::To::Workloads;
            peer.reverse = false;
            workloads(object, peer);
        } else if (const auto theirs = selector(spec, "peerSelector")) {
            peer.to = BgpPeer::To::Nodes;
            for (NodeIndex i = 0; i < into_.nodes.size(); ++i)
                if (theirs->parsed.matches(into_.nodes[i].labels))
                    peer.remote.push_back(i);
        } else {
            return address(object, peer);
        }
        return true;
    }

    bool address(const policy::OtherObject& object, BgpPeer& peer) {
        const auto text = object.spec.text("peerIP");
        const auto [host, port] = host_and_port(text ? text->value : "");
        const auto address = net::parse_address(host);
        if (!address) {
            if (!text || text->value.empty()) // otherwise refused by the reader
                input_.diagnostics.report(Code::PeerWithoutEnd, object.meta.span, {peer.name})
                    .about(peer.origin.object)
                    .with_hint("set peerIP, peerSelector or localWorkloadSelector");
            return false;
        }
        if (peer.as == 0)
            refuse(object, "peerIP", "peerIP needs an asNumber");
        if (address->family == net::Family::V6 && (address->high >> 54) == (0xfe80U >> 6))
            refuse(object, "peerIP",
                   "a link-local neighbour needs an interface, which a BGPPeer "
                   "can't name");
        peer.address = *address;
        peer.address_text = host;
        peer.is_node = by_text_.contains(host);
        peer.remote = nodes_with(host, peer.as, port);
        peer.port = port;
        if (port == 0 && !peer.remote.empty())
            peer.port = into_.nodes[peer.remote.front()].own_port.value_or(into_.port.value_or(0));
        return true;
    }

    /// Port 0: any. A node's own port alone is not enough where the cluster's is another: Calico.
    std::vector<NodeIndex> nodes_with(const std::string& text, net::AsNumber as,
                                      std::uint16_t port) const {
        std::vector<NodeIndex> out;
        const auto found = by_text_.find(text);
        if (found == by_text_.end())
            return out;
        for (const NodeIndex i : found->second) {
            const BgpNode& node = into_.nodes[i];
            const bool other_port =
                (node.own_port && *node.own_port != port) || (into_.port && *into_.port != port);
            if (into_.as_of(node) == (as == 0 ? into_.as : as) && (port == 0 || !other_port))
                out.push_back(i);
        }
        return out;
    }

    void workloads(const policy::OtherObject& object, BgpPeer& peer) {
        if (const auto& status = input_.options.endpoint_status) {
            for (const routing::EndpointStatus& each : *status)
                if (each.peer == peer.name)
                    peer.workloads.push_back(
                        {std::nullopt, each.v4, each.v6, {peer.origin.object, each.span}});
            return;
        }
        const auto selected = object.spec.selector("localWorkloadSelector");
        for (const policy::Workload& each : input_.cluster.workloads) {
            const auto node = into_.find(each.node);
            if (!node || each.host_network || each.finished ||
                !selected->parsed.matches(each.pod_labels))
                continue;
            BgpPeer::WorkloadEnd end{
                node,
                {},
                {},
                {each.kind + " " + each.meta.space + "/" + each.meta.name, each.meta.span}};
            for (const At<net::Cidr>& net : each.addresses)
                if (auto& into = net->family() == net::Family::V4 ? end.v4 : end.v6; !into)
                    into = net->base;
            peer.workloads.push_back(std::move(end));
        }
    }

    // --- what sessions are like ------------------------------------------------------------------

    void settings(const policy::OtherObject& object, BgpPeer& peer) {
        const policy::Settings& spec = object.spec;
        peer.as = as_number(spec, "asNumber").value_or(0);
        peer.local_as = own_as_number(input_, spec, "localASNumber");
        for (const At<std::string>& name : spec.texts("filters"))
            if (filters_.contains(name.value)) // Calico passes over others
                peer.filters.push_back(name.value);
        peer.password = password(input_, object, "password");
        peer.max_restart_seconds = in_range(object, "maxRestartTime", 0, kLongestRestart);
        peer.keepalive_seconds = in_range(object, "keepaliveTime", 1, kHoldTime);
        if (const auto hops = spec.integer("ttlSecurity"); hops && hops->value != 0)
            peer.ttl_security_hops = static_cast<std::uint8_t>(hops->value);
        peer.use_node_address = !spec.is("sourceAddress", "None");
        if (spec.is("nextHopMode", "Keep"))
            peer.next_hop = routing::NextHop::Keep;
        else if (spec.is("nextHopMode", "Self"))
            peer.next_hop = routing::NextHop::Self;
        peer.keep_next_hop_outside =
            !spec.has("nextHopMode") && spec.is_true("keepOriginalNextHop");
        if (const auto number = spec.integer("numAllowedLocalASNumbers"))
            peer.allowed_local_as = static_cast<std::uint32_t>(number->value);
        if (const auto via = spec.address("reachableBy"))
            peer.reachable_by = via->value;
        peer.reverse = !spec.is("reversePeering", "Manual");
    }

    std::optional<std::uint32_t> in_range(const policy::OtherObject& object,
                                          const std::string& field, std::int64_t low,
                                          std::int64_t high) {
        const auto value = seconds(object.spec, field);
        if (value && (*value < low || *value > high))
            refuse(object, field, fmt::format("{} must be {} to {} seconds", field, low, high));
        return value;
    }

    void refuse(const policy::OtherObject& object, const std::string& field,
                const std::string& rule) {
        const routing::Origin origin = origin_of(object, field);
        input_.diagnostics.report(Code::RefusedByBird, origin.span, {rule}).about(origin.object);
    }

    const Input& input_;
    routing::ClusterRouting& into_;
    std::map<std::string, std::vector<NodeIndex>> by_text_; ///< nodes by address
    std::set<std::string> filters_;
};

} // namespace

void add_peers(const Input& input, routing::ClusterRouting& into) {
    Peers(input, into).run();
}

} // namespace polecat::passes::routing_parts
