/// Clusters as manifests, of the same make as those on which rival analysers were measured: N pods
/// in N/40 namespaces and N/4 apps, M NetworkPolicies over labels, namespaces, ipBlocks and ports.
#pragma once

#include <cstdint>
#include <string>

namespace polecat::bench {

/// `nodes`: one for every 30 pods where it is 0.
std::string cluster_manifests(std::size_t pods, std::size_t policies, std::uint64_t seed,
                              std::size_t nodes = 0);
/// One policy with that many ipBlocks, and 29 pods.
std::string many_blocks(std::size_t blocks);

} // namespace polecat::bench
