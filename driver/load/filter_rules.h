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
};
Result<HeldRules> held_rules(runtime::Iptables variant);

/// The number that other rules are loaded with. Where it may be on flows already, all of conntrack
/// goes first.
Result<std::uint16_t> next_number(const HeldRules& held);

/// Whether packets are sent to these chains before they meet rules of others; and sees to it.
bool hooks_come_first(const HeldRules& held, const iptables::Ruleset& wanted);
Result<bool> put_hooks_first(runtime::Iptables variant, const iptables::Ruleset& wanted);

} // namespace polecat::driver
