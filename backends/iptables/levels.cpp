#include "backends/iptables/levels.h"

#include <algorithm>
#include <map>

#include "backends/iptables/cut.h"
#include "backends/iptables/iptables.h"

namespace polecat::iptables {

namespace {

/// No chain leads to itself.
class LevelCounter {
  public:
    explicit LevelCounter(const Table& table) {
        for (const Chain& each : table.chains)
            chains_.try_emplace({each.table, each.name}, Counted{&each});
    }

    std::size_t from(In table, const std::string& name) {
        const auto found = chains_.find({table, name});
        if (found == chains_.end())
            return 1; // of others
        auto& [chain, levels] = found->second;
        if (levels > 0)
            return levels;
        std::size_t below = 0;
        for (const Rule& rule : chain->rules)
            if (rule.target.kind == Target::Kind::Jump || rule.target.kind == Target::Kind::Goto)
                below = std::max(below, from(table, rule.target.name));
        return levels = 1 + below;
    }

  private:
    struct Counted {
        const Chain* chain = nullptr;
        std::size_t levels = 0; ///< 0: not counted yet
    };
    std::map<std::pair<In, std::string>, Counted> chains_;
};

} // namespace

std::size_t levels_of(const Table& table) {
    LevelCounter counter(table);
    std::size_t most = 0;
    for (const HookRule& each : hooks_of(table))
        most = std::max(most, 1 + counter.from(each.table, each.chain));
    return most;
}

bool fits(const FilterImage& image) {
    if (image.frame.attached.empty()) // only what kProgramLevels counts
        return std::all_of(image.programs.begin(), image.programs.end(), [](const auto& each) {
            return each.second.stages.size() <= kProgramLevels;
        });
    const Ruleset rules = emit(image);
    return levels_of(rules.v4) <= kMostLevels && levels_of(rules.v6) <= kMostLevels;
}

std::vector<std::size_t> share_levels(const FilterProgram& program, std::size_t levels) {
    std::vector<std::size_t> out(program.stages.size(), 1), longest;
    for (std::size_t i = 0; i < program.stages.size(); ++i)
        if (program.stages[i].rules.size() >= kShortestCut)
            longest.push_back(i);
    std::stable_sort(longest.begin(), longest.end(), [&](std::size_t a, std::size_t b) {
        return program.stages[a].rules.size() > program.stages[b].rules.size();
    });
    const std::size_t spare = levels - std::min(levels, out.size());
    for (std::size_t i = 0; i < longest.size(); ++i)
        out[longest[i]] += spare / longest.size() + (i < spare % longest.size() ? 1 : 0);
    return out;
}

} // namespace polecat::iptables
