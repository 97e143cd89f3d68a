/// Manifests seldom hold BlockAffinities. Where the input has none for an address, the block that
/// the address's node would have of its pool.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/policy/cluster.h"
#include "ir/routing/cluster.h"

namespace polecat::routing {

/// nullopt: no pool holds the address.
std::optional<Block> block_of_pool(const policy::Cluster& cluster, const net::Address& address);

/// Gives each node of `into` the blocks of the pods that run there. A block that pods of several
/// nodes have part in is nobody's.
void assume_blocks(const policy::Cluster& cluster, ClusterRouting& into);

} // namespace polecat::routing
