/// Rules of others in what `iptables-save` lists, as far as they touch what ours find of flows.
/// Source: iptables-extensions(8).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace polecat::iptables {

/// Chains are "FORWARD of table filter".
struct OtherRules {
    /// Bits of the conntrack mark that a chain may change.
    struct Marks {
        std::string chain;
        std::uint32_t bits = 0;
        auto operator<=>(const Marks&) const = default;
    };
    std::vector<Marks> marks;
    /// Chains with a CONNMARK that this version does not know.
    std::vector<std::string> unknown;
    /// Chains that send some packets to chains of ours; those that send all are hooks.
    std::vector<std::string> into_ours;
};
Result<OtherRules> other_rules(std::string_view listing);

} // namespace polecat::iptables
