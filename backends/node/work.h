/// What a transaction has the kernel of a node do, counted: what it costs is a matter of these.
#pragma once

#include <compare>
#include <cstddef>

namespace polecat::backends {

struct Work {
    std::size_t elements_in = 0;      ///< into maps and sets, ranges aside
    std::size_t ranges_in = 0;        ///< into those that have ranges of keys
    std::size_t elements_out = 0;     ///< each named
    std::size_t elements_dropped = 0; ///< with the map or set that holds them
    std::size_t maps_in = 0, maps_out = 0, chains_in = 0, chains_out = 0;
    std::size_t rules_in = 0, rules_out = 0; ///< those of a chain that is written anew as well

    Work& operator+=(const Work& more) {
        elements_in += more.elements_in;
        ranges_in += more.ranges_in;
        elements_out += more.elements_out;
        elements_dropped += more.elements_dropped;
        maps_in += more.maps_in;
        maps_out += more.maps_out;
        chains_in += more.chains_in;
        chains_out += more.chains_out;
        rules_in += more.rules_in;
        rules_out += more.rules_out;
        return *this;
    }
    auto operator<=>(const Work&) const = default;
};

} // namespace polecat::backends
