/// What is not known for certain, from both sides. All answers of the analyzer come so: `depends`
/// is what is in `may` and not in `sure`.
#pragma once

#include <type_traits>

namespace polecat::analyzer {

template <class T> struct Bounds {
    T sure{}; ///< what holds whatever the unknown is
    T may{};  ///< that, or what may hold; contains `sure`

    bool is_certain() const { return sure == may; }
    auto operator<=>(const Bounds&) const = default;
};

/// What both let through. Numbers of sets meet in their store.
template <class Set>
requires(!std::is_integral_v<Set>) Bounds<Set> meet(const Bounds<Set>& a, const Bounds<Set>& b) {
    return {a.sure & b.sure, a.may & b.may};
}

} // namespace polecat::analyzer
