/// How deep chains lead to others. Nftables, which the nft variant of iptables writes to, takes no
/// rules where a packet may go through more than 16, wherever it would return.
#pragma once

#include <cstddef>

#include "artefact/iptables/ruleset.h"
#include "backends/iptables/image.h"

namespace polecat::iptables {

/// Chains one after the other, with the kernel's own that they are hooked to.
inline constexpr std::size_t kMostLevels = 16;
/// Of which a program has these, where before it come the kernel's chain and four, and after it
/// what denies.
inline constexpr std::size_t kProgramLevels = kMostLevels - 6;

/// The longest way from a hook.
std::size_t levels_of(const Table& table);
/// Whether emit() keeps to kMostLevels.
bool fits(const FilterImage& image);

/// How many levels each stage of a program may take, long ones more than one where there is room.
std::vector<std::size_t> share_levels(const FilterProgram& program, std::size_t levels);

} // namespace polecat::iptables
