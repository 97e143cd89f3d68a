/// What a node's kernel gets of the ways in which the node learnt a prefix.
#pragma once

#include <optional>
#include <vector>

#include "analyzer/routing/propagation/propagation.h"

namespace polecat::routing {

struct KernelRoute {
    net::Cidr prefix;
    bool blackhole = false;              ///< the node's own
    std::vector<net::Address> next_hops; ///< ascending; several: ECMP
    bool tunnel = false;                 ///< through kTunnelDevice, else the next hop's device
    std::optional<std::uint32_t> metric;
    std::optional<Step> rejected; ///< set: BIRD does not write it, and why
};

/// nullopt: no paths. Of those that are equally good the kernel gets all (merge paths).
std::optional<KernelRoute> kernel_route(const FamilyRouting& node, const std::vector<Path>& paths);

} // namespace polecat::routing
