/// Small values of the routing form: where a thing comes from, communities, route priorities.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ir/net/address.h"
#include "ir/net/as_number.h"
#include "support/source.h"

namespace polecat::routing {

/// The object, and the line of it, that something was made from. Two routing forms are equal
/// wherever they come from, so origins always compare equal.
struct Origin {
    std::string object; ///< "BGPPeer rack1"; empty: nothing in the input, Calico's default
    Span span;

    bool operator==(const Origin&) const { return true; }
};

/// A BGP community: two 16-bit numbers, or three of 32 bits (large).
struct Community {
    std::vector<std::uint32_t> parts;

    bool is_large() const { return parts.size() == 3; }
    auto operator<=>(const Community&) const = default;
};
/// "65000:1", "65000:1:2"; nullopt: not of that form, or a number too large.
std::optional<Community> parse_community(std::string_view text);
std::string to_string(const Community& community);

/// A route's priority is the kernel's metric: lower is better. Between nodes it travels as local
/// preference, of which higher is better.
inline constexpr std::uint32_t kHighestPriority = 2147483647;
inline constexpr std::uint32_t kUsualPriority = 1024;       ///< where nothing is configured
inline constexpr std::uint32_t kUsualLocalPreference = 100; ///< BGP's, of routes without one
inline constexpr std::uint32_t kElevatedPreference = 200;   ///< beats routes to local workloads
/// Modulo 2^32, as BIRD counts: a local preference above kHighestPriority wraps.
constexpr std::uint32_t priority_of(std::uint32_t local_preference) {
    return kHighestPriority - local_preference;
}
constexpr std::uint32_t local_preference_of(std::uint32_t priority) {
    return kHighestPriority - priority;
}

/// The pattern of an interface: `*` stands for any text, also for none.
bool matches_interface(std::string_view pattern, std::string_view name);

} // namespace polecat::routing
