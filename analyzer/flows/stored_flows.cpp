#include "analyzer/flows/stored_flows.h"

namespace polecat::analyzer {

using decision::Action;
using decision::Identity;
using Sets = MatchSets::Sets;

/// As ProgramFlows walks.
Sets StoredFlows::walk(const std::vector<LiveEntries::Live>& live) {
    SetStore& store = sets_.store();
    SetStore::Id rest = sets_.everything(); // what some run still carries
    SetStore::Id may_allow = 0, may_deny = 0;
    auto next = live.begin();
    for (std::uint32_t i = 0; i < program_.stages.size(); ++i) {
        const decision::Stage& stage = program_.stages[i];
        SetStore::Id passed = 0;
        for (; next != live.end() && next->stage == i; ++next) {
            const Action action = stage.entries[next->entry].action;
            if (action == Action::Log)
                continue;
            SetStore::Id& into = action == Action::Pass    ? passed
                                 : action == Action::Allow ? may_allow
                                                           : may_deny;
            into = store.unite(into, store.intersect(rest, next->sets.may));
            rest = store.subtract(rest, next->sets.yes);
        }
        if (stage.end == decision::StageEnd::Next) {
            rest = store.unite(rest, passed);
        } else {
            may_deny = store.unite(may_deny, rest);
            rest = passed;
        }
    }
    SetStore::Id& into = program_.otherwise == Action::Allow ? may_allow : may_deny;
    into = store.unite(into, rest);
    return {store.subtract(may_allow, may_deny), may_allow};
}

Sets StoredFlows::between(const Identity& source, const Identity& destination) {
    const std::vector<LiveEntries::Live>& live = entries_.between(source, destination);
    const auto [place, added] = known_.try_emplace(live);
    if (added)
        place->second = walk(live);
    return place->second;
}

} // namespace polecat::analyzer
