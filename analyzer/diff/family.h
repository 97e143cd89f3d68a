/// Two versions of a cluster compared in one IP family. For analyzer/diff/diff.cpp.
#pragma once

#include "analyzer/diff/diff.h"
#include "analyzer/diff/same.h"
#include "ir/decision/identity.h"

namespace polecat::analyzer {

/// A version with the identities of its ends.
struct DiffSide {
    const decision::LoweredCluster& cluster;
    const decision::Identities& identities;
};

/// `same`, `atoms`: of both versions. Sets `depends` where some flow is not decided in one of them.
FamilyDiff diff_family(const DiffSide& base, const DiffSide& head, Sameness& same,
                       net::Family family, const HttpAtoms& atoms, bool& depends,
                       bool with_programs);

} // namespace polecat::analyzer
