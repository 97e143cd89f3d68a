/// Numbers of generations that rules of ours in this machine's kernel say, whatever target they are
/// of: two that stand beside each other must never have the same, as one would let pass what it
/// takes for its own verdict.
#pragma once

#include <cstdint>
#include <set>
#include <string_view>

#include "artefact/iptables/ruleset.h"
#include "runtime/iptables.h"
#include "support/result.h"

namespace polecat::driver {

using FlowNumbers = std::set<std::uint16_t>;

/// Of all chains.
FlowNumbers numbers_in(const iptables::Table& table);
/// Of a table that nft(8) lists. An error where its flow marks are at other bits than those of
/// iptables, and some are the same.
Result<FlowNumbers> numbers_in_nft(std::string_view listing);

/// Of the nftables target's table. Nothing where there is no nft(8).
Result<FlowNumbers> numbers_of_nftables();
/// Of chains of both families. Nothing where this variant is not installed.
Result<FlowNumbers> numbers_of_iptables(runtime::Iptables variant);

} // namespace polecat::driver
