/// Clusters that speak BGP, and what their routing costs.
#pragma once

#include <string>

#include "ir/policy/cluster.h"

namespace polecat::bench {

/// Calico nodes in racks of 20, each with a block of the pool; reflectors that all others peer
/// with, and with each other; reflectors peer with a router, through a filter.
std::string routing_manifests(std::size_t nodes, std::size_t reflectors,
                              unsigned fabric_as = 65001);

/// Configurations of BIRD for every node, each read back and compared. Prints phases.
void bird_of(const std::string& name, const policy::Cluster& cluster);

/// Who learns what: every prefix once, then all that one client and one reflector learn, into their
/// kernels. Prints phases.
void propagation_of(const std::string& name, const policy::Cluster& cluster);

/// What `polecat diff` says of routing where the fabric's BGPPeer expects another AS number. Prints
/// phases.
void routing_diff_of(const std::string& name, const policy::Cluster& before,
                     const policy::Cluster& now);

/// Calico nodes in a full mesh.
std::string mesh_manifests(std::size_t nodes);

/// Every session, checked from both ends, and what will not establish. Prints phases.
void sessions_of(const std::string& name, const policy::Cluster& cluster);

} // namespace polecat::bench
