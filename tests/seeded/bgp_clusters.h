/// Sound clusters that speak BGP, of several shapes, and mistakes to put into them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/random_cluster.h"

namespace polecat::testing {

/// Objects, one a line, so that a mistake is known by its line.
struct BgpCluster {
    std::string shape;
    std::vector<std::string> objects;

    std::string text() const; ///< object `i` is on line 2 * i + 1
    /// Those that hold all of `words`.
    std::vector<std::size_t> with(const std::vector<std::string>& words) const;
};

inline constexpr const char* kBgpShapes[] = {"mesh", "reflectors", "racks", "peers"};
BgpCluster bgp_cluster(const std::string& shape, Random& random);

struct BgpMistake {
    std::string name;
    /// Edits one object. Its line; nullopt: the cluster has no place for this mistake.
    std::function<std::optional<std::size_t>(BgpCluster&, Random&)> put;
};
std::vector<BgpMistake> bgp_mistakes();

} // namespace polecat::testing
