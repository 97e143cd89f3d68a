// Policies on their own: what their rules match, whoever the endpoints are.
#include "passes/lowering/parts.h"

namespace polecat::passes {

using decision::PolicyRules;
using policy::Direction;
using policy::Policy;

namespace {

decision::Program program_of(const Policy& policy, Direction direction, net::Family family,
                             const policy::Cluster& cluster, decision::LoweredCluster& into) {
    const lowering::DomainSets no_domains;
    const lowering::RuleContext context{
        cluster,     into.predicates,
        &no_domains, policy::is_global(policy.kind) ? "" : policy.meta.space,
        direction,   family,
        &policy};
    decision::Program out;
    out.direction = direction;
    out.family = family;
    decision::Stage& stage = out.stages.emplace_back();
    for (const policy::Rule& rule :
         direction == Direction::Ingress ? policy.ingress : policy.egress)
        for (const decision::Match& match : lowering::lower_rule(rule, context))
            for (const policy::Action action : lowering::actions_of(rule))
                stage.entries.push_back(
                    {match, action, false, decision::SlotId{rule.manifest_index}});
    return out;
}

} // namespace

PolicyRules lower_policies(const policy::Cluster& cluster,
                           const policy::OrderedPolicies& policies) {
    PolicyRules out;
    for (const policy::NetworkSet& set : cluster.network_sets)
        if (!set.allowed_egress_domains.empty())
            return out; // rules then mean domains of sets as well
    for (std::uint32_t tier = 0; tier < policies.tiers.size(); ++tier) {
        out.passes.push_back(policies.tiers[tier].default_action == policy::Action::Pass);
        for (const Policy* policy : policies.tiers[tier].policies) {
            if (policy->staged_action == "Delete" || *policy->do_not_track || *policy->pre_dnat)
                continue;
            PolicyRules::Policy& each = out.list.emplace_back();
            each.policy = policy;
            each.tier = tier;
            each.subject = policy::subject_of(*policy);
            for (const Direction direction : {Direction::Ingress, Direction::Egress})
                for (const net::Family family : {net::Family::V4, net::Family::V6}) {
                    each.programs[direction == Direction::Egress][family == net::Family::V6] =
                        decision::ProgramId{static_cast<std::uint32_t>(out.rules.programs.size())};
                    out.rules.programs.push_back(
                        program_of(*policy, direction, family, cluster, out.rules));
                }
        }
    }
    return out;
}

} // namespace polecat::passes
