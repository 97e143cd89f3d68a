/// What must hold of a node whatever judges its packets beside iptables' own rules: rules of
/// policies, or the BPF classifier.
#pragma once

#include <cstdint>

#include "tests/kernel/node.h"

namespace polecat::kernel_test {

struct FilterTally {
    std::size_t flows = 0, allowed = 0;
    std::size_t open = 0; ///< eval says depends
};
/// A random cluster: real packets, and every verdict must be the one that eval gives along the
/// path. `translated`: to services.
void check_random_cluster(std::uint64_t seed, const Node::Loader& loader, FilterTally& direct,
                          FilterTally& translated);
/// That enough was sent to say something; tells the figures.
void check_tallies(const char* target, std::uint64_t seeds, const FilterTally& direct,
                   const FilterTally& translated);

void check_forging(const Node::Loader& loader);
void check_gateway(const Node::Loader& loader);
/// A change of policy under a flow from both its sides.
void check_change(const Node::Loader& loader);

} // namespace polecat::kernel_test
