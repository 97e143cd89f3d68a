#include "driver/rollout/filter.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "backends/iptables/plan.h"
#include "driver/rollout/costs.h"

namespace polecat::driver {

namespace {

constexpr std::string_view kOwn = "polecat-";

class FilterComparer {
  public:
    PartList run(const iptables::Ruleset& before, const iptables::Ruleset& after,
                 WrittenAnew anew) {
        compare_sets(before, after);
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            compare_tables(before.table(family), after.table(family), anew,
                           family == net::Family::V4 ? "" : " (IPv6)");
        return parts_.take();
    }

  private:
    RulesPart& part_of(const iptables::Set& set) {
        if (const std::string program = program_of_set(set.name); !program.empty())
            return parts_.at(PartKind::Program, program);
        return parts_.at(set.name.ends_with("-pods") ? PartKind::Workloads : PartKind::Predicates,
                         set.name);
    }

    void compare_sets(const iptables::Ruleset& before, const iptables::Ruleset& after) {
        for (const iptables::Set& set : after.sets) {
            const iptables::Set* was = before.find_set(set.name);
            Tally sets, members;
            (was == nullptr ? sets.come : sets.stay) = 1;
            for (const iptables::Member& each : set.members)
                ++(was != nullptr &&
                           std::binary_search(was->members.begin(), was->members.end(), each)
                       ? members.stay
                       : members.come);
            members.go = was == nullptr ? 0 : was->members.size() - members.stay;
            RulesPart& to = part_of(set);
            PartTable::count(to, set.name, sets, members, to.maps, to.elements);
        }
        for (const iptables::Set& set : before.sets)
            if (after.find_set(set.name) == nullptr) {
                RulesPart& to = part_of(set);
                PartTable::count(to, set.name, {0, 1, 0, 0}, {0, set.members.size(), 0, 0}, to.maps,
                                 to.elements);
            }
    }

    void compare_tables(const iptables::Table& before, const iptables::Table& after,
                        WrittenAnew anew, const char* family) {
        const auto part_of_chain = [&](const iptables::Chain& chain) -> RulesPart& {
            const std::string program = program_of_chain(chain.name);
            return program.empty() ? parts_.at(PartKind::Chain, chain.name + family)
                                   : parts_.at(PartKind::Program, program);
        };
        for (const iptables::Chain& chain : after.chains) {
            const iptables::Chain* was = before.find(chain.name, chain.table);
            Tally chains, rules;
            RulesPart& to = part_of_chain(chain);
            if (was == nullptr) {
                chains.come = 1;
                rules.come = chain.rules.size();
            } else {
                const auto left = iptables::unnumbered(*was);
                auto rest = left.rules;
                for (const iptables::Rule& rule : chain.rules) {
                    const auto same = std::find(rest.begin(), rest.end(), rule);
                    ++(same == rest.end() ? rules.come : rules.stay);
                    if (same != rest.end())
                        rest.erase(same);
                }
                rules.go = rest.size();
                chains.stay = 1;
                const bool differs = left != chain;
                if (differs || anew == WrittenAnew::All ||
                    (anew == WrittenAnew::Numbered && iptables::says_number(chain))) {
                    std::swap(rules.stay, rules.anew);
                    std::swap(chains.stay, chains.anew);
                    to.reordered = to.reordered || (differs && !rules.come && !rules.go);
                }
            }
            PartTable::count(to, chain.name, chains, rules, to.chains, to.rules);
        }
        for (const iptables::Chain& chain : before.chains)
            if (after.find(chain.name, chain.table) == nullptr) {
                RulesPart& to = part_of_chain(chain);
                PartTable::count(to, chain.name, {0, 1, 0, 0}, {0, chain.rules.size(), 0, 0},
                                 to.chains, to.rules);
            }
    }

    PartTable parts_;
};

void take_plan(NodeRollout& out, const iptables::Plan& plan, const iptables::Ruleset& before) {
    out.parts = compare_filter_parts(before, plan.result,
                                     plan.judges_anew ? WrittenAnew::Numbered : WrittenAnew::None);
    out.judges_anew = plan.judges_anew;
    out.forget = plan.forget;
    for (const iptables::Plan::Step& each : plan.steps)
        out.steps.push_back({fmt::format("{} ({})", each.what, each.command), each.work,
                             each.text.size(), seconds_for(each.work, kIptablesCosts)});
}

} // namespace

std::string program_of_chain(const std::string& chain) {
    const std::size_t end = chain.find('-', kOwn.size());
    if (!chain.starts_with(kOwn) || end == std::string::npos)
        return {};
    return program_in(chain.substr(kOwn.size(), end - kOwn.size()));
}

std::string program_of_set(const std::string& set) {
    for (const char* which : {"-from-", "-to-"})
        if (const std::size_t at = set.find(which); at != std::string::npos)
            return program_in(set.substr(set.rfind('-') + 1));
    return {};
}

PartList compare_filter_parts(const iptables::Ruleset& before, const iptables::Ruleset& after,
                              WrittenAnew anew) {
    return FilterComparer().run(before, after, anew);
}

NodeRollout filter_rollout(RulesSide& base, RulesSide& head, const std::string& node,
                           const std::optional<NodeRollout>& why) {
    using State = NodeRollout::State;
    NodeRollout out;
    out.node = node;
    const auto before = base.held_filter(node);
    const auto after = head.wanted_filter(node);
    if (!before || !after) {
        out.why = before ? "HEAD: " + after.error() : "BASE: " + before.error();
        return out;
    }
    if (!*after) {
        out.state = *before ? State::Left : State::NotTold;
        out.why = *before ? "HEAD has nothing for it" : "neither has anything for it";
        return out;
    }
    if (!*before) {
        out.state = State::Fresh;
        take_plan(out, iptables::plan_from_nothing(**after), {});
    } else {
        const auto plan = iptables::plan(**before, **after);
        if (!plan) {
            out.why = "no plan leads there: " + plan.error();
            return out;
        }
        out.state = plan->steps.empty() ? State::Same : State::Changes;
        take_plan(out, *plan, **before);
    }
    if (out.state == State::Changes) {
        out.unexplained = !why || why->unexplained;
        if (why)
            out.reasons = why->reasons;
    }
    ProgramUses uses = head.filter_uses(node, **after);
    if (const auto image =
            *before ? iptables::read_back(**before) : Result<iptables::FilterImage>(Error{}))
        uses.merge(base.filter_uses(node, *image));
    for (const RulesPart& part : out.parts.parts)
        if (const auto use = uses.find(part.name); use != uses.end())
            out.uses.insert(*use);
    return out;
}

} // namespace polecat::driver
