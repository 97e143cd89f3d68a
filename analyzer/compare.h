/// Two versions of a cluster compared, exactly: which flows does the second open, which does it
/// close. Flows of endpoints that only one version has are not counted.
#pragma once

#include <string>

#include "ir/decision/lowered.h"

namespace polecat::analyzer {

struct Comparison {
    bool opens = false, closes = false;
    /// Some flow is not decided in one of the versions.
    bool depends = false;
    std::string opened_example, closed_example; ///< "shop/web -> shop/db TCP 5432"
};

Comparison compare(const decision::LoweredCluster& base, const decision::LoweredCluster& head);

} // namespace polecat::analyzer
