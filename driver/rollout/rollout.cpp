#include "driver/rollout/rollout.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

#include "backends/nftables/plan.h"
#include "backends/nftables/reachable.h"
#include "backends/node/numbers.h"
#include "driver/rollout/costs.h"
#include "driver/rollout/filter.h"
#include "driver/rollout/tables.h"

namespace polecat::driver {

std::size_t NodeRollout::bytes() const {
    return std::accumulate(steps.begin(), steps.end(), std::size_t{0},
                           [](std::size_t sum, const auto& each) { return sum + each.bytes; });
}

double NodeRollout::seconds() const {
    return std::accumulate(steps.begin(), steps.end(), 0.0,
                           [](double sum, const auto& each) { return sum + each.seconds; });
}

std::size_t Rollout::count(NodeRollout::State state) const {
    return static_cast<std::size_t>(std::count_if(
        nodes.begin(), nodes.end(), [&](const NodeRollout& each) { return each.state == state; }));
}

namespace {

class Roller {
  public:
    Roller(RulesSide& base, RulesSide& head) : base_(base), head_(head), reasons_(base, head) {}

    NodeRollout of(const std::string& node) {
        NodeRollout out;
        out.node = node;
        const auto before = base_.held(node);
        if (!before) {
            out.why = "BASE: " + before.error();
            return out;
        }
        const auto after = head_.wanted(node);
        if (!after) {
            out.why = "HEAD: " + after.error();
            return out;
        }
        if (!*after) {
            out.state = *before ? NodeRollout::State::Left : NodeRollout::State::NotTold;
            out.why = *before ? "HEAD has nothing for it" : "neither has anything for it";
            return out;
        }
        if (*before)
            change(out, **before, **after);
        else
            load(out, **after);
        return out;
    }

    const std::vector<Reason>& reasons() const { return reasons_.all(); }

  private:
    void load(NodeRollout& out, const backends::NodeImage& image) {
        out.state = NodeRollout::State::Fresh;
        take(out, backends::plan_from_nothing(image), {}, {}, image);
    }

    void change(NodeRollout& out, const RulesSide::Held& before, backends::NodeImage after) {
        // Options of compile, which a rollout repeats, and no policy.
        after.report_group = before.image.report_group;
        if (head_.input() != nullptr)
            after.flow_mark_bit = before.image.flow_mark_bit;
        if (!before.may_have_more && before.image == after) {
            out.state = NodeRollout::State::Same;
            out.parts = compare_parts(before.rules, before.rules, false, after.flow_mark_bit);
            return;
        }
        const auto plan = before.may_have_more ? backends::plan(before.rules, after)
                                               : backends::plan(before.rules, before.image, after);
        if (!plan) {
            out.why = "no plan leads there: " + plan.error();
            return;
        }
        out.state = plan->steps.empty() ? NodeRollout::State::Same : NodeRollout::State::Changes;
        take(out, *plan,
             before.may_have_more ? backends::without_unreachable(before.rules) : before.rules,
             before.image, after);
    }

    void take(NodeRollout& out, const backends::Plan& plan, const nft::Ruleset& before,
              const backends::NodeImage& image, const backends::NodeImage& after) {
        out.parts = compare_parts(before, plan.result, plan.judges_anew, after.flow_mark_bit);
        out.judges_anew = plan.judges_anew;
        out.forget = plan.forget;
        for (const backends::Plan::Step& step : plan.steps)
            out.steps.push_back(
                {step.what, step.work, step.text().size(), seconds_for(step.work, kNftCosts)});
        const ProgramUses was =
            out.state == NodeRollout::State::Fresh ? ProgramUses{} : base_.uses(out.node, image);
        const ProgramUses is = named_as_loaded(head_.uses(out.node, after), plan.result);
        if (out.state == NodeRollout::State::Changes) {
            auto found = reasons_.of({image, after, out.parts, was, is});
            out.reasons = std::move(found.indices);
            out.unexplained = !found.complete;
        }
        for (const RulesPart& part : out.parts.parts) {
            const ProgramUses& from = part.change == PartChange::Goes ? was : is;
            if (const auto use = from.find(part.name);
                part.kind == PartKind::Program && use != from.end())
                out.uses.insert(*use);
        }
    }

    /// A plan gives a program another name where the node has that name for something else.
    static ProgramUses named_as_loaded(const ProgramUses& uses, const nft::Ruleset& loaded) {
        ProgramUses out;
        for (const auto& [name, use] : uses) {
            std::string other = name;
            for (int i = 0; i < 3 && loaded.find_chain(other) == nullptr; ++i)
                other = "p" + backends::digest_of(other, 12);
            out.emplace(std::move(other), use);
        }
        return out;
    }

    RulesSide& base_;
    RulesSide& head_;
    Reasons reasons_;
};

} // namespace

Rollout roll_out(RulesSide& base, RulesSide& head, const RolloutRequest& request) {
    Rollout out;
    out.target = request.target;
    out.base = base.name();
    out.head = head.name();
    for (const RulesSide* side : {&base, &head})
        for (std::string& note : side->notes())
            out.notes.push_back(std::move(note));
    if (auto numbers = base.numbers())
        head.number_by(std::move(*numbers));
    std::set<std::string> nodes = base.nodes();
    nodes.merge(head.nodes());
    if (!request.node.empty())
        nodes = {request.node};
    Roller roller(base, head);
    const bool compared = base.input() != nullptr && head.input() != nullptr;
    for (const std::string& node : nodes)
        if (request.target == "nftables")
            out.nodes.push_back(roller.of(node));
        else // why is the same whatever carries it out
            out.nodes.push_back((request.target == "bpf" ? table_rollout : filter_rollout)(
                base, head, node, compared ? std::optional(roller.of(node)) : std::nullopt));
    out.reasons = roller.reasons();
    return out;
}

} // namespace polecat::driver
