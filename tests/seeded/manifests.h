/// Manifests of a cluster in order, and of one with a mistake in it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "templates.h"

namespace polecat::testing {

inline constexpr const char* kSeedFiles[] = {
    "seeds-policy.yaml", "seeds-rules.yaml",     "seeds-tiers.yaml",
    "seeds-hosts.yaml",  "seeds-bgp.yaml",       "seeds-ipam.yaml",
    "seeds-calico.yaml", "seeds-selectors.yaml", "seeds-routes.yaml"};
inline constexpr const char* kBases[] = {"kubernetes", "calico", "hosts", "bgp", "ipam"};

/// A cluster as text, and the lines in which the finding must be.
struct Manifests {
    std::string text;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> here;
    std::vector<std::string> verdicts;
};

/// `seed`: the mistake to put in; nullptr: none.
Manifests manifests_of(const std::string& base, const Seed* seed, Random& random,
                       const std::string& family);

/// How many clusters each mistake is put into.
std::size_t clusters_for_each();

} // namespace polecat::testing
