/// What differs between two bundles, by what it is.
#pragma once

#include <string>
#include <vector>

#include "artefact/bundle/records.h"

namespace polecat::driver {

/// Names, sorted. What has other content under the same name is changed.
struct ComeAndGone {
    std::vector<std::string> come, gone, changed;
    bool empty() const { return come.empty() && gone.empty() && changed.empty(); }
};

struct BundleChanges {
    ComeAndGone nodes;      ///< what runs on them
    ComeAndGone endpoints;  ///< "node1 shop/web"
    ComeAndGone programs;   ///< "ingress IPv4 of NetworkPolicy shop/db"; changed: or who runs them
    ComeAndGone predicates; ///< texts; changed: what they hold of
    ComeAndGone addresses;  ///< changed: other identities
    bool settings = false, ranges = false, places = false;
    bool empty() const;
};

BundleChanges changes(const bundle::Contents& before, const bundle::Contents& after);

} // namespace polecat::driver
