#include "cli/polecat/reach/trail_print.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analyzer/explain/trail.h"

namespace polecat::cli {

using analyzer::ConnectionSet;
using analyzer::SetStep;
using decision::Direction;

namespace {

std::string_view verb(const SetStep& step) {
    switch (step.action) {
    case decision::Action::Allow:
        return "allows";
    case decision::Action::Deny:
        return "denies";
    case decision::Action::Pass:
        return step.is_rule ? "passes" : "goes on with";
    case decision::Action::Log:
        return "logs";
    }
    return "";
}

/// What a step is called, and the tier it is in.
std::pair<std::string, std::string> names(const SetStep& step, const decision::Slot& slot,
                                          Direction direction) {
    const bool profile = slot.tier.empty();
    if (slot.kind == decision::Slot::Kind::EndOfProgram)
        return {"after all policy", "nothing matched"};
    if (slot.kind == decision::Slot::Kind::Failsafe)
        return {"failsafe ports",
                step.is_rule ? "FelixConfiguration, whatever policy says" : "nothing more matches"};
    return {profile ? "profile " + slot.policy.name : "tier " + slot.tier,
            step.is_rule || slot.kind == decision::Slot::Kind::AdminDown
                ? analyzer::describe(slot, direction)
                : "nothing more matches"};
}

/// Policies of a stage that have no rule in this direction: they isolate all the same.
std::vector<const decision::PolicyBlock*> without_rules(const decision::GroupProgram& program,
                                                        std::size_t stage) {
    std::vector<const decision::PolicyBlock*> out;
    for (const decision::PolicyBlock& block : program.slots.policies())
        if (block.stage == stage && block.count == 0 && !block.staged)
            out.push_back(&block);
    return out;
}

} // namespace

std::string TrailPrinter::text(const std::vector<SetStep>& trail,
                               const decision::GroupProgram& program,
                               const ConnectionSet& traffic) const {
    std::string out;
    const Direction direction = cluster_.program(program.program).direction;
    std::string last;
    for (const SetStep& step : analyzer::narrowed(trail, traffic)) {
        const decision::Slot& slot = program.slots[step.slot.value];
        if (!step.is_rule)
            for (const auto* block : without_rules(program, step.stage))
                out += fmt::format("      {:<22} {}: has no {} rule{}\n", "tier " + block->tier,
                                   policy::to_string(block->policy), decision::to_string(direction),
                                   place(block->span));
        const auto [tier, what] = names(step, slot, direction);
        std::string outcome = "does not match";
        if (!step.taken.sure.empty())
            outcome = fmt::format("{} {}", verb(step), described(step.taken.sure));
        if (!step.taken.is_certain())
            outcome += fmt::format("{}perhaps {} {}", step.taken.sure.empty() ? "" : "; ",
                                   verb(step), described(step.taken.may - step.taken.sure));
        if (step.taken.sure.empty() && !step.taken.is_certain())
            outcome = fmt::format("perhaps {} {}", verb(step), described(step.taken.may));
        std::string line =
            fmt::format("    {} {:<22} {}: {}{}\n", step.taken.may.empty() ? " " : ">", tier, what,
                        outcome, place(slot.span));
        // One rule of a Kubernetes policy is several of Calico's.
        if (line != last || !step.taken.may.empty())
            out += line;
        last = std::move(line);
    }
    return out;
}

std::string TrailPrinter::json(const std::vector<SetStep>& trail,
                               const decision::GroupProgram& program,
                               const ConnectionSet& traffic) const {
    using nlohmann::json;
    json steps = json::array();
    const Direction direction = cluster_.program(program.program).direction;
    for (const SetStep& step : analyzer::narrowed(trail, traffic)) {
        const decision::Slot& slot = program.slots[step.slot.value];
        if (!step.is_rule)
            for (const auto* block : without_rules(program, step.stage)) {
                json entry{{"tier", "tier " + block->tier},
                           {"what", policy::to_string(block->policy)},
                           {"outcome", "no rule"}};
                if (block->span.known())
                    entry["at"] = sources_.describe(block->span);
                steps.push_back(std::move(entry));
            }
        const auto [tier, what] = names(step, slot, direction);
        json entry{{"tier", tier}, {"what", what}};
        entry["outcome"] = step.taken.may.empty() ? "no match" : policy::to_string(step.action);
        if (!step.taken.sure.empty())
            entry["connections"] = described(step.taken.sure);
        if (!step.taken.is_certain())
            entry["depends"] = described(step.taken.may - step.taken.sure);
        if (slot.span.known())
            entry["at"] = sources_.describe(slot.span);
        if (steps.empty() || !step.taken.may.empty() || steps.back() != entry)
            steps.push_back(std::move(entry));
    }
    return json{{"direction", decision::to_string(direction)}, {"steps", steps}}.dump();
}

} // namespace polecat::cli
