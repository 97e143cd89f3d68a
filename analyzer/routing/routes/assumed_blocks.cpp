#include "analyzer/routing/routes/assumed_blocks.h"

#include <algorithm>
#include <map>
#include <set>

namespace polecat::routing {

namespace {

/// Blocks of the input, by length.
using Known = std::map<std::uint8_t, std::set<net::Cidr>>;

Known known_blocks(const ClusterRouting& cluster) {
    Known out;
    for (const BgpNode& node : cluster.nodes)
        for (const Block& block : node.blocks)
            out[block.cidr.prefix].insert(block.cidr);
    return out;
}

bool holds(const Known& known, const net::Address& address) {
    return std::any_of(known.begin(), known.end(), [&](const auto& each) {
        return each.first <= net::width(address.family) &&
               each.second.contains(net::block_of(address, each.first));
    });
}

} // namespace

std::optional<Block> block_of_pool(const policy::Cluster& cluster, const net::Address& address) {
    constexpr std::int64_t kSize4 = 26, kSize6 = 122;
    for (const policy::IpPool& pool : cluster.pools) {
        if (!pool.cidr.contains(address))
            continue;
        const bool own = pool.path == "spec";
        const std::string at = own ? "" : pool.path.substr(pool.path.rfind("ipPools")) + ".";
        const auto given = pool.spec.integer(at + "blockSize");
        const auto size = static_cast<std::uint8_t>(given ? given->value
                                                    : address.family == net::Family::V4 ? kSize4
                                                                                        : kSize6);
        return Block{net::block_of(address, size),
                     size != net::width(address.family),
                     true,
                     {"IPPool " + pool.meta.name, pool.meta.span}};
    }
    return std::nullopt;
}

void assume_blocks(const policy::Cluster& cluster, ClusterRouting& into) {
    const Known known = known_blocks(into);
    struct Assumed {
        Block block;
        std::set<NodeIndex> nodes;
    };
    std::map<net::Cidr, Assumed> assumed;
    for (const policy::Workload& pod : cluster.workloads) {
        const auto node = pod.host_network || pod.finished ? std::nullopt : into.find(pod.node);
        for (const At<net::Cidr>& each : pod.addresses)
            if (node && !holds(known, each->base))
                if (auto block = block_of_pool(cluster, each->base)) {
                    const net::Cidr cidr = block->cidr;
                    auto& place = assumed.try_emplace(cidr, Assumed{*block, {}}).first->second;
                    place.nodes.insert(*node);
                }
    }
    for (auto& [cidr, each] : assumed)
        if (each.nodes.size() == 1)
            into.nodes[*each.nodes.begin()].blocks.push_back(std::move(each.block));
}

} // namespace polecat::routing
