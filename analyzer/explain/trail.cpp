#include "analyzer/explain/trail.h"

#include <fmt/format.h>

#include "ir/decision/mismatch.h"

namespace polecat::analyzer {

using decision::Slot;
using decision::Step;

namespace {

std::string tier_of(const Slot& slot) {
    if (slot.kind == Slot::Kind::EndOfProgram)
        return "after all tiers and profiles";
    if (slot.kind == Slot::Kind::UnreadEndpoint)
        return "whatever governs it";
    return slot.tier.empty() ? "profile " + slot.policy.name : "tier " + slot.tier;
}

std::string outcome_of(const Step& step, const Slot& slot) {
    switch (step.outcome) {
    case Step::Outcome::NoMatch:
        return "does not match";
    case Step::Outcome::Match:
        return fmt::format("matches: {}", policy::to_string(slot.action));
    case Step::Outcome::Unknown:
        return fmt::format("may match ({})", policy::to_string(slot.action));
    case Step::Outcome::End:
        return slot.action == policy::Action::Pass ? "Pass: goes on"
                                                   : std::string(policy::to_string(slot.action));
    }
    return "";
}

} // namespace

std::string describe(const Slot& slot, decision::Direction direction) {
    switch (slot.kind) {
    case Slot::Kind::Rule:
        return fmt::format("{} {}[{}]", policy::to_string(slot.policy),
                           decision::to_string(direction), slot.rule_index);
    case Slot::Kind::EndOfTier:
        return slot.tier.empty() ? "profile " + slot.policy.name + " is missing or has no match"
                                 : "end of tier " + slot.tier;
    case Slot::Kind::EndOfProgram:
        return "end of all policy";
    case Slot::Kind::AdminDown:
        return "the endpoint is down";
    case Slot::Kind::UnreadEndpoint:
        return policy::to_string(slot.policy) + (slot.tier.empty()
                                                     ? ", which could not be read"
                                                     : ": " + slot.tier + " is not known");
    case Slot::Kind::Failsafe:
        return "failsafe ports of FelixConfiguration, whatever policy says";
    }
    return "";
}

std::string decider(const Slot& slot, decision::Direction direction) {
    constexpr std::string_view kOfNamespace = "kns.";
    const std::string& name = slot.policy.name;
    if (slot.kind != Slot::Kind::Rule || slot.policy.manifest_kind != "Profile" ||
        !name.starts_with(kOfNamespace))
        return describe(slot, direction);
    return fmt::format("the default of namespace {}, as no policy decides (Profile {})",
                       name.substr(kOfNamespace.size()), name);
}

namespace {

/// Policies of a tier that have no rule in this direction isolate all the same.
void add_without_rules(const decision::Attribution& slots, std::size_t stage,
                       decision::Direction direction, std::vector<TrailLine>& out) {
    for (const decision::PolicyBlock& block : slots.policies()) {
        if (block.stage != stage || block.count != 0 || block.staged)
            continue;
        out.push_back({"tier " + block.tier,
                       policy::to_string(block.policy),
                       fmt::format("has no {} rule", decision::to_string(direction)),
                       false,
                       false,
                       {},
                       block.span});
    }
}

std::vector<std::string> failed(const decision::LoweredCluster& cluster, const ir::HopVerdict& hop,
                                const Step& step) {
    const auto& stages = cluster.program(hop.program->program).stages;
    for (const decision::Entry& entry : stages[step.stage].entries)
        if (entry.slot == step.slot)
            return decision::failing_parts(entry.match, cluster.predicates, cluster.world,
                                           hop.flow);
    return {};
}

bool says_the_same(const TrailLine& a, const TrailLine& b) {
    return a.tier == b.tier && a.what == b.what && a.outcome == b.outcome && a.span == b.span;
}

} // namespace

std::vector<TrailLine> trail_of(const decision::LoweredCluster& cluster,
                                const ir::HopVerdict& hop) {
    const decision::Program& program = cluster.program(hop.program->program);
    const decision::Attribution& slots = hop.program->slots;
    std::vector<TrailLine> out;
    for (const Step& step : hop.decision.trail) {
        const Slot& slot = slots[step.slot.value];
        if (slot.kind == Slot::Kind::EndOfTier && !slot.tier.empty())
            add_without_rules(slots, step.stage, program.direction, out);
        TrailLine line;
        line.tier = tier_of(slot);
        line.what = slot.kind == Slot::Kind::Rule || slot.kind == Slot::Kind::UnreadEndpoint
                        ? describe(slot, program.direction)
                        : "nothing more matches";
        line.matched = step.outcome != Step::Outcome::NoMatch;
        if (!line.matched)
            line.failed = failed(cluster, hop, step);
        line.would_allow = !line.matched && slot.action == policy::Action::Allow;
        line.decisive = line.matched && step.slot == hop.decision.slot;
        const bool goes_on = step.outcome == Step::Outcome::End && !line.decisive &&
                             step.stage < program.stages.size() &&
                             program.stages[step.stage].end == decision::StageEnd::Next;
        // A tier of staged policies only goes on, whatever its default.
        line.outcome = goes_on ? "Pass: goes on" : outcome_of(step, slot);
        line.span = slot.span;
        // What could not be read is a slot for each thing that it may do.
        if (!out.empty() && step.outcome == Step::Outcome::Unknown &&
            says_the_same(out.back(), line))
            out.back().decisive |= line.decisive;
        else
            out.push_back(std::move(line));
    }
    return out;
}

std::vector<const decision::PolicyBlock*> isolating(const ir::HopVerdict& hop) {
    std::vector<const decision::PolicyBlock*> out;
    if (hop.program == nullptr || hop.skipped != ir::HopVerdict::Skipped::No ||
        hop.verdict != decision::Verdict::Deny)
        return out;
    const Slot& slot = hop.program->slots[hop.decision.slot.value];
    if (slot.kind != Slot::Kind::EndOfTier || slot.tier.empty())
        return out;
    for (const decision::PolicyBlock& block : hop.program->slots.policies())
        if (block.tier == slot.tier && !block.staged)
            out.push_back(&block);
    return out;
}

std::string describe(const ir::Hop& hop, const decision::World& world) {
    const decision::Object& object = world.object(hop.endpoint);
    const std::string hook =
        hop.hook == decision::Hook::Normal ? "" : std::string(decision::to_string(hop.hook)) + " ";
    return fmt::format("{}{}{} of {} {}", hop.of_answers ? "the answers: " : "", hook,
                       decision::to_string(hop.direction), object.manifest_kind, object.name);
}

std::string_view to_string(ir::HopVerdict::Skipped skipped) {
    switch (skipped) {
    case ir::HopVerdict::Skipped::No:
        return "";
    case ir::HopVerdict::Skipped::Failsafe:
        return "a failsafe port is always open";
    case ir::HopVerdict::Skipped::Accepted:
        return "accepted by an earlier hook of this host";
    case ir::HopVerdict::Skipped::RouterIcmp:
        return "neighbour discovery and routers' ICMPv6 always pass";
    case ir::HopVerdict::Skipped::Encapsulation:
        return "VXLAN and IPIP from pods are dropped (allowVXLANPacketsFromWorkloads, "
               "allowIPIPPacketsFromWorkloads)";
    case ir::HopVerdict::Skipped::NotTranslated:
        return "doNotTrack policy took the packet: without a connection it is not translated to a "
               "backend";
    case ir::HopVerdict::Skipped::NoConnection:
        return "doNotTrack policy took packets of this flow: they belong to no connection, so the "
               "answers are dropped or not translated back";
    }
    return "";
}

} // namespace polecat::analyzer
