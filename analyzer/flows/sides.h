/// What each end lets through by itself, and towards whom: the connectivity of a cluster in one IP
/// family in a form that grows with its policies, not with the square of its ends. A connection
/// from A to B is allowed where the egress side of A allows it towards B and the ingress side of B
/// allows it from A.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>
#include <utility>
#include <vector>

#include "analyzer/algebra/http_atoms.h"
#include "analyzer/algebra/set_store.h"
#include "analyzer/ends/end_groups.h"
#include "analyzer/flows/map.h"

namespace polecat::analyzer {

/// Groups of ends by number, as ranges (first and last) in ascending order.
using GroupRanges = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

/// Adds groups that follow all others.
void append(GroupRanges& ranges, std::uint32_t first, std::uint32_t last);

class Sides {
  public:
    /// Cluster and identities must outlive this.
    Sides(const decision::LoweredCluster& cluster, const decision::Identities& identities,
          net::Family family);

    /// What is open towards some ends; `peers`: number of a set of ends.
    struct Opening {
        SetBounds connections;
        std::uint32_t peers = 0;
        auto operator<=>(const Opening&) const = default;
    };
    /// Groups of endpoints that let the same through in a direction. No openings: nothing.
    struct Side {
        decision::Direction direction = decision::Direction::Egress;
        std::vector<std::uint32_t> groups;
        std::vector<Opening> openings; ///< no two share an end of a flow and a connection
    };

    const std::vector<EndGroup>& groups() const { return ends_.list(); } ///< endpoints first
    const std::vector<Side>& list() const { return sides_; }
    /// Every set of ends that some opening names, each once.
    const std::deque<GroupRanges>& peers() const { return peers_; }
    /// Id 0 is the empty set.
    const ConnectionSet& set(std::uint32_t id) const { return store_[id]; }
    std::size_t sets() const { return store_.size(); } ///< ids are below
    const HttpAtoms& http() const { return atoms_; }

  private:
    void add_program(const decision::Program& program, const std::vector<std::uint32_t>& owners);
    std::vector<Opening> openings(const std::vector<SetBounds>& by_class,
                                  const GroupClasses::Partition& partition);
    void add_side(decision::Direction direction, std::vector<std::uint32_t> owners,
                  std::vector<Opening> openings);
    std::uint32_t intern(GroupRanges ranges);

    EndGroups ends_;
    HttpAtoms atoms_;
    SetStore store_;
    std::vector<Side> sides_;
    std::deque<GroupRanges> peers_;
    std::unordered_map<std::size_t, std::vector<std::uint32_t>> peers_by_hash_, sides_by_hash_;
};

} // namespace polecat::analyzer
