/// Chains and sets of ours that this machine's kernel has, read and changed by iptables(8) and
/// ipset(8).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "driver/load/numbers.h"

namespace polecat::driver {

struct HeldRules {
    iptables::Ruleset rules;
    /// That chains say, also those that nothing leads to any more.
    FlowNumbers numbers;
};
Result<HeldRules> held_rules(runtime::Iptables variant);

/// The number that other rules are loaded with: after all that these say, the other variant's, and
/// those of nftables. Where it may be on flows already, all of conntrack goes first.
Result<std::uint16_t> next_number(const HeldRules& held, runtime::Iptables variant);

/// Both variants ask the same sets, which neither can change or destroy as its own while the other
/// does: an error says how to take the rules of the other one away.
Result<bool> stands_alone(runtime::Iptables variant);

/// Whether packets are sent to these chains before they meet rules of others; and sees to it.
bool hooks_come_first(const HeldRules& held, const iptables::Ruleset& wanted);
Result<bool> put_hooks_first(runtime::Iptables variant, const iptables::Ruleset& wanted);

} // namespace polecat::driver
