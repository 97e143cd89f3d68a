/// The questions by kind, a file each. For queries.cpp.
#pragma once

#include <stdexcept>
#include <string>

#include "analyzer/diff/two_worlds.h"
#include "tests/conformance/runner/configuration.h"
#include "tests/conformance/runner/emptiness.h"
#include "tests/conformance/runner/queries.h"

namespace polecat::conformance {

/// Some flow is not decided.
struct Undecided : std::runtime_error {
    Undecided() : std::runtime_error("some flow is not decided") {}
};

/// Counts things and remembers what they were.
class Tally {
  public:
    void add(const std::string& what, std::size_t count = 1) {
        answer_.count += count;
        if (count > 0)
            answer_.details += (answer_.details.empty() ? "" : "; ") + what;
    }
    QueryAnswer take() { return std::move(answer_); }

  private:
    QueryAnswer answer_;
};

std::string to_string(const PolicyRef& policy, const RuleRef& rule);

/// Throws Undecided.
analyzer::TwoWorlds compare(const Configuration& first, analyzer::FlowsOf of_first,
                            const Configuration& second, analyzer::FlowsOf of_second);
bool same_flows(const Configuration& first, const Configuration& second);

// --- query_redundancy.cpp ------------------------------------------------------------------------

bool is_vacuous(const Configuration& configuration);
/// The policies without which every flow gets the same verdict; none where there is only one.
std::vector<PolicyRef> redundant_policies(const Configuration& configuration);
std::vector<RuleRef> redundant_rules(const Configuration& configuration, const PolicyRef& policy);

void count_emptiness(const Configuration& configuration, Tally& tally);
void count_redundancy(const Configuration& configuration, Tally& tally);
void count_sanity(const Configuration& configuration, Tally& tally);

// --- query_captured.cpp --------------------------------------------------------------------------

void count_captured(const Configuration& configuration, Tally& tally);

} // namespace polecat::conformance
