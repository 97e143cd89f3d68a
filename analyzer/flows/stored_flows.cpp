#include "analyzer/flows/stored_flows.h"

#include "analyzer/flows/stage_walk.h"

namespace polecat::analyzer {

using decision::Identity;

namespace {

/// Entries in the program's order, whatever stage they are of.
struct LiveMatches {
    const std::vector<LiveEntries::Live>& live;
    mutable std::size_t next = 0;

    template <class Act> void each(std::size_t stage, const Act& act) const {
        bool wanted = true;
        for (; next < live.size() && live[next].stage <= stage; ++next)
            wanted = wanted && (live[next].stage < stage || act(live[next].entry, live[next].sets));
    }
};

} // namespace

SetBounds StoredFlows::walk(const std::vector<LiveEntries::Live>& live) {
    const StoredSets sets{sets_.store(), sets_.everything()};
    const LiveMatches matches{live};
    return AllowedWalk(program_, sets, matches).run();
}

SetBounds StoredFlows::between(const Identity& source, const Identity& destination) {
    if (!entries_)
        entries_.emplace(program_, sets_);
    const std::vector<LiveEntries::Live>& live = entries_->between(source, destination);
    const auto [place, added] = known_.try_emplace(live);
    if (added)
        place->second = walk(live);
    return place->second;
}

} // namespace polecat::analyzer
