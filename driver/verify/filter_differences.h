/// Where a node's iptables and ipset are not those of the policy: chain by chain and set by set, as
/// equal policies have equal ones.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "artefact/iptables/ruleset.h"
#include "driver/verify/differences.h"

namespace polecat::driver {

/// The endpoint of an address; empty: none.
using NameAt = std::function<std::string(const net::Address&)>;

/// In words, pods first. Empty: they are the same but for numbers of generations and what sets say
/// for people. Both sorted.
std::vector<Difference> filter_differences(const iptables::Ruleset& rules,
                                           const iptables::Ruleset& policy, const NameAt& name_at);
/// Packets that do not come to a node's chains before they meet rules of others, or come to others
/// of ours.
std::vector<Difference> hook_differences(const iptables::Ruleset& listed,
                                         const iptables::Ruleset& policy);

/// Takes chains and sets away that the policy does not have, and says how many. Only once the hooks
/// and all the others are compared it is known that nothing leads to them.
std::size_t take_left_over(iptables::Ruleset& listed, const iptables::Ruleset& policy);

} // namespace polecat::driver
