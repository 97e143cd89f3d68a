/// What nodes cost as nftables rulesets, and clusters that go far along one axis each.
#pragma once

#include <string>
#include <vector>

#include "ir/policy/cluster.h"

namespace polecat::bench {

/// The ruleset of each of these nodes: made, written, parsed and read back.
void rulesets_of(const std::string& name, const policy::Cluster& cluster,
                 const std::vector<std::string>& nodes);

/// Pods db and web on node-0000, and a policy for db that grows.
std::string many_selectors(std::size_t count);    ///< each rule by a label of its own
std::string many_ports(std::size_t count);        ///< each with a port of its own
std::string many_source_ports(std::size_t count); ///< each with two ports of its own
std::string grid(std::size_t count);              ///< each with a net and a port of its own
/// Remote pods that are all told apart, half of which may ask db.
std::string many_identities(std::size_t count);
/// Pods of one node that each run a policy of their own.
std::string many_groups(std::size_t count);

} // namespace polecat::bench
