/// Changes cut up so that each has causes of its own: the same policies decide about all its ends
/// and connections, before and now. For analyzer/diff/family.cpp.
#pragma once

#include <functional>
#include <vector>

#include "analyzer/diff/diff.h"
#include "ir/decision/identity.h"

namespace polecat::analyzer {

/// One version, and what an end (an index of FamilyDiff::ends) is in it.
struct CauseSide {
    const decision::LoweredCluster& cluster;
    std::function<const decision::Identity&(std::uint32_t)> identity;
};

class CauseSplitter {
  public:
    /// All must outlive it; `ends` may still grow.
    CauseSplitter(CauseSide base, CauseSide head, const std::vector<DiffEnd>& ends,
                  const HttpAtoms& atoms, net::Family family)
        : base_(std::move(base)), head_(std::move(head)), ends_(ends), atoms_(atoms),
          family_(family) {}

    /// The parts of a change between all of its ends, explained. Ends are told apart by an example.
    std::vector<FlowChange> split(FlowChange whole);

  private:
    using Ends = std::vector<std::uint32_t>;
    FlowChange explained(const FlowChange& whole, Ends sources, Ends destinations) const;
    template <class Change>
    std::vector<Ends> by_cause(const Ends& ends, const Change& change_of) const;
    ConnectionSet decided_alike(const FlowChange& change) const;
    void add_by_connections(FlowChange change, std::vector<FlowChange>& out) const;

    CauseSide base_, head_;
    const std::vector<DiffEnd>& ends_;
    const HttpAtoms& atoms_;
    net::Family family_;
    std::size_t asked_ = 0; ///< pairs of ends
};

} // namespace polecat::analyzer
