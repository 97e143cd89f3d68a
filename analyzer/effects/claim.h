/// What lint claims of a rule, policy or tier when it says that something does nothing.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <variant>

#include "analyzer/effects/effects.h"

namespace polecat::analyzer {

struct Claim {
    enum class What : std::uint8_t {
        NeverDecides,  ///< what comes before takes every flow that it matches
        NeverAnywhere, ///< the same of a rule at every endpoint that could exist
        NeverMatches,  ///< no packet between any ends that could exist matches the rule
        NeverReached,  ///< no flow comes to its place
        NotNeeded,     ///< without it every verdict is the same
    } what = What::NeverDecides;
    std::variant<RuleKey, PolicyName, std::string> about; ///< a tier by its name
    auto operator<=>(const Claim&) const = default;

    /// Whatever endpoints exist.
    bool is_about_all() const { return what == What::NeverAnywhere || what == What::NeverMatches; }
};

} // namespace polecat::analyzer
