// One node's routing form.
#include "passes/routing/node.h"

#include <algorithm>

#include <fmt/format.h>

#include "support/sha2.h"

namespace polecat::passes {

namespace {

using diag::Code;
using routing::FamilyRouting;

/// As Calico hashes: below the multicast addresses.
std::string hashed_id(const std::string& node) {
    auto bytes = sha256(node);
    if (bytes[0] > 223)
        bytes[0] = static_cast<std::uint8_t>(bytes[0] - 32);
    return fmt::format("{}.{}.{}.{}", bytes[0], bytes[1], bytes[2], bytes[3]);
}

class NodePass {
  public:
    NodePass(const routing::ClusterRouting& cluster, routing::NodeIndex node,
             diag::Diagnostics& diagnostics)
        : cluster_(cluster), index_(node), node_(cluster.nodes[node]), diagnostics_(diagnostics) {}

    std::optional<routing::NodeRouting> run() {
        out_.node = node_.name;
        out_.origin = node_.origin;
        out_.local_as = cluster_.as_of(node_);
        out_.listen_port = cluster_.port_of(node_);
        out_.logging = node_.logging;
        out_.ignored_interfaces = cluster_.ignored_interfaces;
        out_.ignored_interfaces.insert(out_.ignored_interfaces.end(), {"cali*", "kube-ipvs*"});
        if (!find_router_id())
            return std::nullopt;
        out_.v4.family = net::Family::V4;
        out_.v6.family = net::Family::V6;
        for (FamilyRouting* family : {&out_.v4, &out_.v6})
            fill(*family, cluster_.of(family->family));
        return std::move(out_);
    }

  private:
    /// One of 32 bits, for both families.
    bool find_router_id() {
        const std::string& given = cluster_.router_id;
        out_.router_id = given == "hash"  ? hashed_id(node_.name)
                         : !given.empty() ? given
                         : node_.v4       ? net::to_string(node_.v4->address)
                                          : "";
        const auto id = net::parse_address(out_.router_id);
        if (id && id->family == net::Family::V4)
            return true;
        if (given.empty())
            diagnostics_.report(Code::NoRouterId, node_.origin.span, {node_.name})
                .about(node_.origin.object)
                .with_hint("give it an IPv4 address, or take `--router-id hash`");
        else
            diagnostics_.report(Code::RefusedByBird, node_.origin.span,
                                {fmt::format("router ID `{}` is no IPv4 address", given)});
        return false;
    }

    void fill(FamilyRouting& out, const routing::FamilyShared& shared) {
        if (const auto& address = node_.of(out.family))
            out.address = address->address;
        out.listen_on_address = cluster_.bind_node_address && out.enabled();
        out.normal_priority = shared.normal_priority;
        routing_parts::add_sessions(cluster_, index_, out_, out.family, diagnostics_);
        for (const routing::Block& block : node_.blocks)
            if (block.cidr.family() == out.family)
                out.blocks.push_back(block);
        services(out, shared);
        exports(out, shared);
        kernel(out, shared);
    }

    void services(FamilyRouting& out, const routing::FamilyShared& shared) const {
        if (!node_.announces_services)
            return;
        auto& lines = out.services;
        lines = shared.announced_ranges;
        lines.insert(lines.end(), shared.services.begin(), shared.services.end());
        for (const routing::PrefixLine& line : node_.services)
            if (line.prefix.family() == out.family)
                lines.push_back(line);
        std::stable_sort(lines.begin(), lines.end(),
                         [](const auto& a, const auto& b) { return a.prefix < b.prefix; });
        lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    }

    void exports(FamilyRouting& out, const routing::FamilyShared& shared) const {
        routing::ExportRules& rules = out.exports;
        rules.reject_interfaces_inside = {"*.cali", "*.calico"};
        if (cluster_.tunnels_by_felix)
            rules.reject_interfaces_inside.emplace_back(routing::kTunnelDevice);
        rules.reject_interfaces = {"bpf*.cali"};
        if (!node_.communities)
            rules.communities = shared.communities;
        else
            for (const routing::CommunityLine& line : *node_.communities)
                if (line.prefix.family() == out.family)
                    rules.communities.push_back(line);
        if (node_.cluster_id)
            rules.accept_as_reflector = shared.reflected;
        for (const routing::Pool& pool : shared.pools)
            (pool.exported ? rules.accept_pools : rules.reject_pools)
                .push_back({pool.cidr, pool.origin});
        for (auto* list : {&rules.accept_pools, &rules.reject_pools})
            std::stable_sort(list->begin(), list->end(),
                             [](const auto& a, const auto& b) { return a.prefix < b.prefix; });
    }

    void kernel(FamilyRouting& out, const routing::FamilyShared& shared) const {
        routing::KernelRules& rules = out.kernel;
        rules.reject_services = shared.kept_from_kernel;
        if (node_.wireguard(out.family))
            for (const routing::BgpNode& other : cluster_.nodes)
                if (other.wireguard(out.family) && other.of(out.family) && other.name != node_.name)
                    rules.reject_next_hops.push_back(
                        {other.of(out.family)->address, other.of(out.family)->origin});
        std::sort(rules.reject_next_hops.begin(), rules.reject_next_hops.end(),
                  [](const auto& a, const auto& b) { return a.next_hop < b.next_hop; });
        const bool v4 = out.family == net::Family::V4;
        if (v4 && !out.enabled())
            return; // Calico has no subnet to compare next hops with, and leaves pools out
        for (const routing::Pool& pool : shared.pools) {
            routing::KernelPool line{pool.cidr, pool.kernel, {}, pool.origin};
            if (pool.cross_subnet && pool.kernel == routing::KernelAction::Tunnel)
                line.direct_inside = node_.v4->subnet;
            if (v4 || pool.kernel == routing::KernelAction::Reject)
                rules.pools.push_back(std::move(line));
        }
    }

    const routing::ClusterRouting& cluster_;
    const routing::NodeIndex index_;
    const routing::BgpNode& node_;
    diag::Diagnostics& diagnostics_;
    routing::NodeRouting out_;
};

} // namespace

std::optional<routing::NodeRouting> node_routing(const routing::ClusterRouting& cluster,
                                                 routing::NodeIndex node,
                                                 diag::Diagnostics& diagnostics) {
    return NodePass(cluster, node, diagnostics).run();
}

} // namespace polecat::passes
