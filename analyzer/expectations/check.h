/// Judges expectations: what a PolicyTest says must hold of a cluster.
#pragma once

#include <string>
#include <vector>

#include "ir/decision/lowered.h"
#include "ir/expectation.h"

namespace polecat::analyzer {

/// One question of an expectation file that was asked.
struct CaseResult {
    std::string question; ///< "shop/web -> shop/db 5432/TCP"
    std::string expected; ///< "deny by application/db"
    std::string found;    ///< "allow by security/all", with the reason of a depends
    bool passed = false;
    Span span; ///< in the expectation file
};

struct TestResult {
    std::vector<CaseResult> results; ///< one for each row of cases; one for each connectivity pair
    bool passed() const;
};

/// A row of `cases` is one result: the first combination that fails, or the whole row.
TestResult judge(const expectation::Test& test, const decision::LoweredCluster& cluster);

} // namespace polecat::analyzer
