/// What policies and rules select, whoever sends what: the query `emptiness` and its parts.
/// For the judge of queries (queries.h).
#pragma once

#include <set>
#include <vector>

#include "tests/conformance/runner/configuration.h"

namespace polecat::conformance {

/// The selections of a configuration that match nothing. Must not outlive the configuration.
class Selections {
  public:
    explicit Selections(const Configuration& of);

    /// Endpoints that a policy governs.
    const std::set<decision::ObjectId>& subject(const PolicyRef& policy) const;
    /// Sides of a rule that match no endpoint, no network set and no address; 0 to 2. The policy's
    /// own side counts in Calico's rules: endpoints that it governs and the rule names.
    std::size_t empty_sides(const PolicyRef& policy, const RuleRef& rule) const;
    /// Rules of that action in that direction whose two sides both match something.
    bool has_rule(const PolicyRef& policy, policy::Direction direction,
                  policy::Action action) const;

  private:
    struct Found {
        const policy::Policy* policy = nullptr; ///< as Calico's
        std::set<decision::ObjectId> subject;
    };
    const Found& find(const PolicyRef& policy) const;
    bool is_within(const decision::Object& object, const policy::EntityRule& entity) const;
    bool names_something(const policy::EntityRule& entity, const policy::Policy& policy) const;
    bool names_subject(const policy::EntityRule& entity, const Found& found) const;

    const Configuration& of_;
    std::vector<Found> found_;
};

} // namespace polecat::conformance
