/// What single ends let through, found when it is asked for: for questions about few of the many
/// pairs of a large cluster. The same answers as ConnectivityMap's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "analyzer/ends/end_groups.h"
#include "analyzer/flows/program_view.h"
#include "analyzer/flows/stored_flows.h"

namespace polecat::analyzer {

class SideFlows {
  public:
    /// All must outlive this. Sets are numbers of `store`, which several versions may share.
    SideFlows(const decision::LoweredCluster& cluster, const decision::Identities& identities,
              net::Family family, const HttpAtoms& atoms, SetStore& store);

    const EndGroups& ends() const { return ends_; }

    /// What the policy of group `own` says of what it sends to (egress) or gets from each group.
    std::vector<SetBounds> row(decision::Direction direction, std::uint32_t own);
    /// What both ends let through.
    SetBounds between(std::uint32_t source, std::uint32_t destination);

  private:
    /// A program as endpoints that run it see the world.
    struct Side {
        ProgramView<StoredFlows> view;
        std::vector<std::vector<std::optional<SetBounds>>> cells; ///< by own and other class
    };

    Side& side_of(decision::ProgramId id);
    SetBounds cell(Side& side, std::uint32_t own, std::uint32_t other_class);
    SetBounds one_side(decision::Direction direction, std::uint32_t own, std::uint32_t other);

    const decision::LoweredCluster& cluster_;
    SetStore& store_;
    MatchSets matches_;
    EndGroups ends_;
    SetStore::Id everything_ = 0;
    /// Of an end that has no program.
    SetBounds without_program(std::uint32_t own) const {
        return {ends_.list()[own].unsure ? 0 : everything_, everything_};
    }

    std::vector<std::unique_ptr<Side>> by_program_; ///< nullptr: not asked for yet
};

} // namespace polecat::analyzer
