/// Rules for one port that ask who sends (or who receives) as blocks of few: a packet of nobody
/// that a block's rules ask for goes past all of them at once.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "backends/iptables/image.h"

namespace polecat::iptables {

/// Asks whether an address is in any of the sets.
struct AnyOf {
    bool source = false;
    std::vector<std::string> sets; ///< sorted, each once; empty: everybody
    auto operator<=>(const AnyOf&) const = default;
};

struct Block {
    AnyOf of; ///< of nobody else does a rule of it match a packet
    std::vector<std::uint32_t> rules;
};

/// More rules than these one after the other are worth blocks.
inline constexpr std::size_t kLongestBlock = 16;

/// `places` of `rules` in their order, in at most `most` blocks, of which the last is for
/// everybody. One block: it does not pay.
std::vector<Block> blocks(const std::vector<FilterRule>& rules,
                          const std::vector<std::uint32_t>& places, std::size_t most);

/// "polecat-any4-0123456789ab": the set of all that are in any of them.
std::string any_set(const std::vector<std::string>& sets, net::Family family);
bool is_any_set(std::string_view name);
/// That set. `sets`: by name, of predicates.
Set union_of(const std::vector<std::string>& names, net::Family family,
             const std::map<std::string, Set>& sets);

} // namespace polecat::iptables
