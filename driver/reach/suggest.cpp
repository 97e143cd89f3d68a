#include "driver/reach/suggest.h"

#include <algorithm>

#include <fmt/format.h>

#include "analyzer/diff/diff.h"
#include "driver/diff/rows.h"
#include "driver/reach/suggest_rule.h"
#include "frontend/load.h"

namespace polecat::driver {

namespace {

using decision::Direction;
using decision::LoweredCluster;
using decision::Slot;
using decision::Verdict;
using policy::PolicyKind;

/// A policy that a rule may be added to.
struct Candidate {
    policy::PolicyName policy;
    std::string tier;
    Span span;
    std::optional<std::uint32_t> before; ///< index in the manifest's list; absent: at the end
    std::size_t endpoints = 0;           ///< that it governs
};

/// The first hop of some way that does not allow, and that a rule could change; nullptr: none.
const ir::HopVerdict* refusal_of(const ir::FlowVerdict& verdict) {
    for (const Verdict wanted : {Verdict::Deny, Verdict::Depends})
        for (const ir::WayVerdict& way : verdict.ways)
            for (const ir::HopVerdict& hop : way.hops)
                if (hop.verdict == wanted && way.verdict != Verdict::Allow)
                    return &hop;
    return nullptr;
}

std::size_t governed_by(const LoweredCluster& cluster, const decision::PolicyBlock& block) {
    std::size_t out = 0;
    for (const decision::Group& group : cluster.groups)
        for (const auto& [key, program] : group.programs) {
            const auto& blocks = program.slots.policies();
            if (std::any_of(blocks.begin(), blocks.end(),
                            [&](const auto& each) { return each.policy == block.policy; })) {
                out += group.members.size();
                break;
            }
        }
    return out;
}

const decision::PolicyBlock* block_of(const decision::GroupProgram& program, const Slot& slot) {
    for (const decision::PolicyBlock& block : program.slots.policies())
        if (block.policy == slot.policy)
            return &block;
    return nullptr;
}

Candidate candidate_of(const LoweredCluster& cluster, const decision::PolicyBlock& block,
                       std::optional<std::uint32_t> before) {
    return {block.policy, block.tier, block.span, before, governed_by(cluster, block)};
}

/// Where a rule would decide before what denies; those that govern the fewest endpoints first.
std::vector<Candidate> candidates_of(const LoweredCluster& cluster, const ir::HopVerdict& hop) {
    const decision::GroupProgram& program = *hop.program;
    const Slot& slot = program.slots[hop.decision.slot.value];
    std::vector<Candidate> out;
    const auto before_rule = [&](const Slot& rule) {
        if (const auto* block = block_of(program, rule); block != nullptr && !rule.tier.empty())
            out.push_back(candidate_of(cluster, *block, rule.rule_index));
    };
    if (slot.kind == Slot::Kind::Rule)
        before_rule(slot);
    else if (slot.kind == Slot::Kind::EndOfTier && !slot.tier.empty()) {
        for (const decision::PolicyBlock& block : program.slots.policies())
            if (block.tier == slot.tier && !block.staged)
                out.push_back(candidate_of(cluster, block, std::nullopt));
    } else {
        // No tier denies, the profile does: a rule that passes it on there can be preceded.
        for (const decision::Step& step : hop.decision.trail)
            if (const Slot& passed = program.slots[step.slot.value];
                step.outcome == decision::Step::Outcome::Match && passed.kind == Slot::Kind::Rule &&
                passed.action == policy::Action::Pass)
                before_rule(passed);
    }
    std::stable_sort(out.begin(), out.end(), [](const Candidate& a, const Candidate& b) {
        return a.endpoints < b.endpoints;
    });
    return out;
}

template <class T, class Test>
T* find(std::vector<T>& list, const Candidate& wanted, const Test& same_kind) {
    for (T& each : list)
        if (each.meta.space == wanted.policy.space && each.meta.name == wanted.policy.name &&
            same_kind(each))
            return &each;
    return nullptr;
}

template <class Rule>
void insert(std::vector<Rule>& rules, Rule rule, std::optional<std::uint32_t> before) {
    const auto at = before && *before < rules.size()
                        ? rules.begin() + static_cast<std::ptrdiff_t>(*before)
                        : rules.end();
    rules.insert(at, std::move(rule));
}

/// A policy of the same kind around the rule, for reading it.
std::string document_of(const Candidate& into, Direction direction, const std::string& rule) {
    const bool kubernetes = into.policy.kind == PolicyKind::KubernetesNetworkPolicy;
    const bool cluster = into.policy.kind == PolicyKind::KubernetesClusterNetworkPolicy;
    const bool old = cluster && into.policy.manifest_kind != "ClusterNetworkPolicy";
    std::string out = fmt::format("apiVersion: {}\nkind: {}\nmetadata:\n  name: \"{}\"\n",
                                  kubernetes ? "networking.k8s.io/v1"
                                  : old      ? "policy.networking.k8s.io/v1alpha1"
                                  : cluster  ? "policy.networking.k8s.io/v1alpha2"
                                             : "projectcalico.org/v3",
                                  into.policy.manifest_kind, into.policy.name);
    if (!into.policy.space.empty())
        out += "  namespace: \"" + into.policy.space + "\"\n";
    out += "spec:\n";
    const bool ingress = direction == Direction::Ingress;
    if (cluster) {
        out += "  subject: {namespaces: {}}\n";
        if (into.policy.manifest_kind != "BaselineAdminNetworkPolicy")
            out += "  priority: 1\n";
        if (!old)
            out += into.tier == policy::kAdminTier ? "  tier: Admin\n" : "  tier: Baseline\n";
    } else {
        out += kubernetes ? "  podSelector: {}\n  policyTypes: "
                          : "  tier: \"" + into.tier + "\"\n  types: ";
        out += ingress ? "[Ingress]\n" : "[Egress]\n";
    }
    out += ingress ? "  ingress:\n" : "  egress:\n";
    for (std::size_t start = 0; start < rule.size();) {
        const std::size_t stop = rule.find('\n', start);
        out += "  " + rule.substr(start, stop - start) + "\n";
        start = stop + 1;
    }
    return out;
}

/// Puts the only rule of the one policy into the other.
template <class Policy>
bool take_rule(std::vector<Policy>& read, Policy* into, Direction direction,
               std::optional<std::uint32_t> before) {
    if (read.empty() || into == nullptr)
        return false;
    const bool ingress = direction == Direction::Ingress;
    auto& from = ingress ? read.front().ingress : read.front().egress;
    if (from.empty())
        return false;
    insert(ingress ? into->ingress : into->egress, std::move(from.front()), before);
    return true;
}

/// Reads the rule as one would from a file and puts it into the policy. False: it is refused.
bool apply(policy::Cluster& manifests, const Candidate& into, Direction direction,
           const std::string& rule) {
    Sources sources;
    diag::Diagnostics diagnostics;
    policy::Cluster read;
    const FileId file = sources.add("suggestion", document_of(into, direction, rule));
    frontend::load_documents(yaml::read_documents(sources, file, diagnostics), read, diagnostics);
    if (diagnostics.has_errors())
        return false;
    if (into.policy.kind == PolicyKind::KubernetesNetworkPolicy)
        return take_rule(read.kubernetes_policies,
                         find(manifests.kubernetes_policies, into,
                              [](const auto& each) { return each.staged_action.empty(); }),
                         direction, into.before);
    if (into.policy.kind == PolicyKind::KubernetesClusterNetworkPolicy)
        return take_rule(
            read.cluster_policies,
            find(manifests.cluster_policies, into,
                 [&](const auto& each) { return each.kind == into.policy.manifest_kind; }),
            direction, into.before);
    policy::Policy* policy = find(manifests.policies, into,
                                  [&](const auto& each) { return each.kind == into.policy.kind; });
    if (!take_rule(read.policies, policy, direction, into.before))
        return false;
    auto& rules = direction == Direction::Ingress ? policy->ingress : policy->egress;
    for (std::uint32_t i = 0; i < rules.size(); ++i)
        rules[i].manifest_index = i;
    return true;
}

class Search {
  public:
    Search(const policy::Cluster& manifests, const LoweredCluster& cluster,
           const passes::LowerOptions& options, const ir::PathQuery& query)
        : before_(cluster), options_(options), query_(query), manifests_(manifests) {}

    Suggestion run() {
        constexpr int kMostEdits = 4;
        for (int i = 0; i <= kMostEdits; ++i) {
            const LoweredCluster& now = after_ ? *after_ : before_;
            const auto verdict = ir::judge_flow(now, query_);
            if (verdict.verdict == Verdict::Allow)
                return finish();
            const ir::HopVerdict* refusal = refusal_of(verdict);
            if (refusal == nullptr || refusal->program == nullptr ||
                refusal->skipped != ir::HopVerdict::Skipped::No)
                return none("no policy denies it" +
                            (verdict.reason.empty() ? "" : ": " + verdict.reason));
            if (refusal->hop.of_answers)
                return none("untracked policy takes its answers");
            if (!edit(now, *refusal))
                return none(why_);
        }
        return none("more policies deny it than are edited at once");
    }

  private:
    static Suggestion none(std::string why) { return {{}, std::move(why), {}}; }

    bool edit(const LoweredCluster& now, const ir::HopVerdict& refusal) {
        const auto candidates = candidates_of(now, refusal);
        if (candidates.empty())
            why_ = "what denies it is no rule or tier of a policy that could be edited: it takes "
                   "a new policy";
        const Direction direction = refusal.hop.direction;
        for (const Candidate& each : candidates) {
            const auto rule =
                rule_text(now, {each.policy, direction, refusal.flow, each.endpoints > 1});
            if (!rule) {
                why_ = rule.error();
                continue;
            }
            if (try_edit(refusal, each, *rule))
                return true;
        }
        return false;
    }

    /// Keeps the edit where this hop then no longer refuses that flow.
    bool try_edit(const ir::HopVerdict& refusal, const Candidate& into, const std::string& rule) {
        policy::Cluster edited = manifests_;
        const Direction direction = refusal.hop.direction;
        why_ = fmt::format("no single rule in {} {} would allow it", into.policy.manifest_kind,
                           into.policy.name);
        if (!apply(edited, into, direction, rule))
            return false;
        auto lowered = passes::lower(edited, options_).cluster;
        const auto* program =
            lowered.find(refusal.hop.endpoint, direction, refusal.hop.hook, refusal.flow.family);
        if (program == nullptr || decision::eval(lowered.program(program->program),
                                                 lowered.predicates, lowered.world, refusal.flow)
                                          .verdict != Verdict::Allow)
            return false;
        manifests_ = std::move(edited);
        const std::string list = direction == Direction::Ingress ? "spec.ingress" : "spec.egress";
        edits_.push_back({to_string(into.policy), into.span,
                          into.before ? fmt::format("{}, before its rule [{}]", list, *into.before)
                                      : list + ", at the end",
                          rule});
        after_ = std::move(lowered);
        return true;
    }

    Suggestion finish() {
        Suggestion out{edits_, "", {}};
        const auto changes = analyzer::diff(before_, *after_);
        for (const DiffRow& row : diff_rows(changes, *after_))
            out.opens.push_back(fmt::format("{}: {} -> {}  {}", to_string(row.kind), row.from,
                                            row.to, row.connections));
        return out;
    }

    const LoweredCluster& before_;
    const passes::LowerOptions& options_;
    const ir::PathQuery& query_;
    policy::Cluster manifests_; ///< with the edits so far
    std::optional<LoweredCluster> after_;
    std::vector<Edit> edits_;
    std::string why_;
};

} // namespace

Suggestion suggest(const policy::Cluster& manifests, const LoweredCluster& cluster,
                   const passes::LowerOptions& options, const ir::PathQuery& query) {
    return Search(manifests, cluster, options, query).run();
}

} // namespace polecat::driver
