/// Chains and sets of ours that this machine's kernel has, read and changed by iptables(8) and
/// ipset(8).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "artefact/iptables/ruleset.h"
#include "runtime/iptables.h"

namespace polecat::driver {

struct HeldRules {
    iptables::Ruleset rules;
    /// That flows are judged under; nothing where no chain says one.
    std::optional<std::uint16_t> number;
    bool has_hooks = false; ///< and they come first, in both families
};
Result<HeldRules> held_rules(runtime::Iptables variant);

/// The number that other rules are loaded with. Where it may be on flows already, all of conntrack
/// goes first.
Result<std::uint16_t> next_number(const HeldRules& held);

/// Sends packets to the chains, before whatever else stands there.
Result<bool> put_hooks_first(runtime::Iptables variant);

/// Deletes their connections from conntrack.
Result<bool> forget(const std::vector<net::Address>& addresses);

} // namespace polecat::driver
