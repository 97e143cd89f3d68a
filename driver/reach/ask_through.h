/// Open questions to who is behind a service's address or a node's port. Nodes on the way may put
/// their own address in the place of the source, so the policies of the two ends alone don't tell.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "driver/reach/ask.h"

namespace polecat::driver {

/// A rule, or what else decides, and where it stands.
struct DecidedBy {
    std::string direction, rule, at; ///< `at` empty: it stands in no file
    auto operator<=>(const DecidedBy&) const = default;
    std::string text() const {
        return direction + " " + rule + (at.empty() ? "" : "   (" + at + ")");
    }
};

/// Answers, and of each row who allows and why what is not known is so.
struct ThroughAnswers {
    analyzer::Answers answers;
    std::vector<std::set<DecidedBy>> by;
    std::vector<std::string> reasons;
};

/// Each source is judged on its way to `question.through` (given), outside addresses by one of
/// those that no policy tells apart.
ThroughAnswers answers_through(const decision::LoweredCluster& cluster, const Sources& sources,
                               const analyzer::Questions& questions, const Question& question);

} // namespace polecat::driver
