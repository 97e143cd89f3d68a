/// What a rule, a policy or a tier does.
#pragma once

namespace polecat::analyzer {

/// What was seen of a unit so far.
struct UnitEffect {
    bool matches = false; ///< some flow matches one of its rules
    bool decides = false; ///< some such flow is not taken by what comes before
    bool reached = false; ///< some flow comes to its place
    bool needed = false;  ///< without it some verdict would be (or may be) another

    /// Nothing that is still to come could add to it.
    bool complete() const { return matches && decides && reached && needed; }
};

} // namespace polecat::analyzer
