/// The other side of what a policy lets through. For analyzer/lint only.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "analyzer/lint/context.h"

namespace polecat::lint {

/// Why nothing passes a policy that lets something through: all whom it names are isolated in the
/// other direction, by policies that let nothing through to them either.
class PeerIsolation {
  public:
    explicit PeerIsolation(Context& context) : context_(context) {}
    /// Empty: something else is the reason.
    std::string of(const policy::Policy& policy);

  private:
    void index();
    std::vector<std::string> isolating(const std::set<decision::ObjectId>& workloads,
                                       decision::Direction direction,
                                       const std::set<decision::ObjectId>& others);

    Context& context_;
    bool indexed_ = false; ///< when first asked: most inputs have no policy that does nothing
    std::vector<const policy::Policy*> policies_; ///< in their order
    std::map<std::pair<decision::Direction, decision::ObjectId>, std::vector<std::size_t>>
        governing_; ///< of an object in a direction: places of policies
};

} // namespace polecat::lint
