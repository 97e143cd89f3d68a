/// Why the rules of a node change: what of the two versions came, went or changed, as far as the
/// node shows it.
#pragma once

#include <memory>
#include <vector>

#include "driver/rollout/changes.h"
#include "driver/rollout/parts.h"
#include "driver/rollout/side.h"

namespace polecat::driver {

/// One node, before and after.
struct NodeChange {
    const backends::NodeImage& before;
    const backends::NodeImage& after;
    const PartList& parts;
    const ProgramUses& uses_before;
    const ProgramUses& uses_after;
};

/// Where both sides are manifests, these are compared; otherwise reasons are what rules show and
/// what names can be put to it.
class Reasons {
  public:
    Reasons(const RulesSide& base, const RulesSide& head);
    ~Reasons();
    Reasons(const Reasons&) = delete;
    Reasons& operator=(const Reasons&) = delete;

    struct Found {
        std::vector<std::size_t> indices; ///< into all(), sorted
        bool complete = true;             ///< false: something changes for which there is none
    };
    Found of(const NodeChange& change);
    const std::vector<Reason>& all() const;

    struct State; ///< for reasons.cpp

  private:
    std::unique_ptr<State> state_;
};

} // namespace polecat::driver
