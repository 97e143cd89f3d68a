#include "driver/rollout/tables.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "backends/bpf/plan.h"
#include "backends/iptables/plan.h"
#include "driver/rollout/costs.h"
#include "driver/rollout/filter.h"

namespace polecat::driver {

namespace {

using Tables = RulesSide::Tables;
using StepKind = bpf::Plan::Step::Kind;

/// Seconds for a byte of tables, and for a word of those in use (docs/bpf.md).
constexpr double kByte = 2.9e-9, kWord = 2e-6;

RolloutStep told(const bpf::Plan::Step& step, const Tables& after) {
    RolloutStep out;
    out.what = step.what;
    if (step.kind == StepKind::Tables) {
        out.bytes = after.tables.tables.size() * sizeof after.tables.tables.front();
        out.seconds = static_cast<double>(out.bytes) * kByte;
    } else if (step.kind == StepKind::Words) {
        out.bytes = step.words.size() * sizeof step.words.front().value;
        out.seconds = static_cast<double>(step.words.size()) * kWord;
    } else {
        out.work = iptables::work_of(step.text);
        out.bytes = step.text.size();
        out.seconds = seconds_for(out.work, kIptablesCosts);
    }
    if (step.family == net::Family::V6) // of rules
        out.what += " (IPv6)";
    return out;
}

/// Things of the tables by name or address. What stays is written once more where all tables are.
class TableComparer {
  public:
    TableComparer(const Tables* before, const Tables& after, bool anew)
        : before_(before), after_(after), stays_(anew ? &Tally::anew : &Tally::stay) {}

    void add_to(PartList& out) const {
        add_programs(out);
        add_entries(
            out, PartKind::Addresses, "addresses of endpoints",
            [](const Tables& of) -> const auto& { return of.node.image.addresses; });
        add_entries(
            out, PartKind::Networks, "other addresses",
            [](const Tables& of) -> const auto& { return of.node.image.outside; });
    }

  private:
    void add_programs(PartList& out) const {
        static const std::map<std::string, Shared<backends::ProgramImage>> kNone;
        const auto& was = before_ == nullptr ? kNone : before_->node.image.programs;
        const auto& is = after_.node.image.programs;
        std::map<std::string, std::pair<Tally, Tally>> all; // itself, and its cells
        const auto count = [&](const auto& programs, std::size_t Tally::*how) {
            for (const auto& [name, program] : programs) {
                all[name].first.*how = 1;
                all[name].second.*how = program->cells.size();
            }
        };
        count(was, &Tally::go);
        for (const auto& [name, program] : is) {
            auto& [itself, cells] = all[name];
            const bool there = itself.go != 0;
            itself = cells = {};
            itself.*(there ? stays_ : &Tally::come) = 1;
            cells.*(there ? stays_ : &Tally::come) = program->cells.size();
        }
        for (const auto& [name, tallies] : all) {
            RulesPart part;
            part.kind = PartKind::Program;
            part.name = name;
            PartTable::count(part, name, tallies.first, tallies.second, part.maps, part.elements);
            out.add(std::move(part));
        }
    }

    template <class Of>
    void add_entries(PartList& out, PartKind kind, const char* name, const Of& of) const {
        const auto& is = of(after_);
        const std::remove_cvref_t<decltype(is)> none;
        const auto& was = before_ == nullptr ? none : of(*before_);
        Tally whole, entries;
        whole.*(before_ == nullptr ? &Tally::come : stays_) = 1;
        for (const auto& [key, identity] : is) {
            const auto found = was.find(key);
            ++(entries.*(found != was.end() && found->second == identity ? stays_ : &Tally::come));
        }
        for (const auto& [key, identity] : was) {
            const auto found = is.find(key);
            entries.go += found == is.end() || found->second != identity ? 1 : 0;
        }
        RulesPart part;
        part.kind = kind;
        part.name = name;
        PartTable::count(part, name, whole, entries, part.maps, part.elements);
        out.add(std::move(part));
    }

    const Tables* before_;
    const Tables& after_;
    std::size_t Tally::*stays_;
};

void take_plan(NodeRollout& out, const Tables* before, const Tables& after) {
    bpf::Held held;
    if (before != nullptr)
        held = {before->tables.tables,
                before->listed ? *before->listed : bpf::rules_around(before->node), false};
    const bpf::Plan plan = bpf::plan(held, after.tables, after.node);
    const auto has = [&](StepKind kind) {
        return std::any_of(plan.steps.begin(), plan.steps.end(),
                           [&](const auto& each) { return each.kind == kind; });
    };
    out.state = before == nullptr    ? NodeRollout::State::Fresh
                : plan.steps.empty() ? NodeRollout::State::Same
                                     : NodeRollout::State::Changes;
    out.parts = compare_filter_parts(held.rules, bpf::rules_around(after.node),
                                     has(StepKind::Rules) ? WrittenAnew::All : WrittenAnew::None);
    TableComparer(before, after, has(StepKind::Tables)).add_to(out.parts);
    out.judges_anew = plan.judges_anew;
    out.forget = plan.forget;
    for (const bpf::Plan::Step& step : plan.steps)
        out.steps.push_back(told(step, after));
}

void add_uses(NodeRollout& out, RulesSide& side, const Tables& of) {
    ProgramUses uses = side.uses(out.node, of.node.image);
    uses.merge(side.filter_uses(out.node, of.node.host));
    for (const RulesPart& part : out.parts.parts)
        if (const auto use = uses.find(part.name);
            part.kind == PartKind::Program && use != uses.end())
            out.uses.insert(*use);
}

} // namespace

NodeRollout table_rollout(RulesSide& base, RulesSide& head, const std::string& node,
                          const std::optional<NodeRollout>& why) {
    NodeRollout out;
    out.node = node;
    const auto before = base.nodes().contains(node)
                            ? base.tables(node)
                            : Result<std::optional<Tables>>(std::optional<Tables>());
    const auto after = head.tables(node);
    if (!before || !after) {
        out.why = before ? "HEAD: " + after.error() : "BASE: " + before.error();
        return out;
    }
    if (!*after) {
        out.state = *before ? NodeRollout::State::Left : NodeRollout::State::NotTold;
        out.why = *before ? "HEAD has nothing for it" : "neither has anything for it";
        return out;
    }
    take_plan(out, *before ? &**before : nullptr, **after);
    if (out.state == NodeRollout::State::Changes) {
        out.unexplained = !why || why->unexplained;
        if (why)
            out.reasons = why->reasons;
    }
    add_uses(out, head, **after);
    if (*before)
        add_uses(out, base, **before);
    return out;
}

} // namespace polecat::driver
