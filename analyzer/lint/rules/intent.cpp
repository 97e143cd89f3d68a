// Policies that are well-formed and hardly say what was meant: they allow everything, only log,
// pass to nothing, allow one kind of ICMP of two.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using decision::Direction;
using net::Family;
using policy::Action;
using policy::OrderedTier;
using policy::Policy;
using policy::Rule;

namespace {

bool is_normal(const Policy& policy) {
    return !policy::is_staged(policy.kind) && !*policy.pre_dnat && !*policy.do_not_track;
}

bool only_logs(const std::vector<Rule>& rules) {
    return !rules.empty() && std::all_of(rules.begin(), rules.end(), [](const Rule& rule) {
        return rule.action == Action::Log;
    });
}

class IntentChecker {
  public:
    IntentChecker(Context& context, Diagnostics& out)
        : context_(context), out_(out), dual_stack_(context.uses(Family::V4).value_or(false) &&
                                                    context.uses(Family::V6).value_or(false)) {}

    void run() {
        each_policy(context_, [&](const OrderedTier& tier, const Policy& policy) {
            if (policy.ingress_type && policy.staged_action != "Delete")
                denies_one_family(policy, policy.ingress, Direction::Ingress);
            if (policy.egress_type && policy.staged_action != "Delete")
                denies_one_family(policy, policy.egress, Direction::Egress);
            if (!is_normal(policy))
                return;
            restricts_nothing(policy);
            for (const Direction direction : {Direction::Ingress, Direction::Egress}) {
                const bool in = direction == Direction::Ingress;
                if (!(in ? policy.ingress_type : policy.egress_type))
                    continue;
                const auto& rules = in ? policy.ingress : policy.egress;
                if (only_logs(rules) && tier.default_action == Action::Deny)
                    log_only(policy, direction);
                one_family(policy, rules, direction);
                if (comes_last(tier))
                    passes_to_nothing(policy, rules, direction);
            }
        });
    }

  private:
    diag::Diagnostic& report(Code code, const Policy& policy, const Span& span,
                             std::initializer_list<std::string_view> args) {
        return out_.report(code, span, args).about(name_of(policy));
    }

    static std::string rule_name(const Rule& rule, Direction direction) {
        return fmt::format("{}[{}]", decision::to_string(direction), rule.manifest_index);
    }

    /// A policy that restricts one direction and says of the other that all of it is allowed says
    /// what it means.
    void restricts_nothing(const Policy& policy) {
        if ((policy.ingress_type && !allows_everything(policy.ingress)) ||
            (policy.egress_type && !allows_everything(policy.egress)))
            return;
        const auto& policies = context_.effects().policies;
        const auto found = policies.find(policy_name(policy));
        if (found != policies.end() ? found->second.effect.needed : has_restriction_beside(policy))
            return; // it opens what others close
        const char* directions = !policy.egress_type    ? "ingress"
                                 : !policy.ingress_type ? "egress"
                                                        : "ingress and egress";
        report(Code::AllowsEverything, policy, policy.meta.span, {policy.meta.name, directions})
            .as_usual(); // it says so
    }

    /// Another policy restricts, in the namespace or everywhere, what this one opens.
    bool has_restriction_beside(const Policy& policy) const {
        bool found = false;
        each_policy(context_, [&](const OrderedTier&, const Policy& other) {
            const bool near = policy::is_global(other.kind) || policy::is_global(policy.kind) ||
                              other.meta.space == policy.meta.space;
            found =
                found ||
                (near && is_normal(other) &&
                 ((policy.ingress_type && other.ingress_type &&
                   !allows_everything(other.ingress)) ||
                  (policy.egress_type && other.egress_type && !allows_everything(other.egress))));
        });
        return found;
    }

    // --- Log -------------------------------------------------------------------------------------

    /// A policy that only logs isolates all the same. Reported where no other policy of the tier
    /// allows the endpoint anything.
    void log_only(const Policy& policy, Direction direction) {
        std::vector<std::string> denied;
        for (const decision::Endpoint& endpoint : context_.lowered.endpoints)
            if (const auto* program = program_of(endpoint.object, direction))
                if (logs_alone(*program, policy_name(policy)))
                    denied.push_back(context_.object(endpoint.object).name);
        if (!denied.empty())
            report(Code::LogOnly, policy, policy.meta.span,
                   {policy.meta.name, decision::to_string(direction), listed(denied)})
                .with_hint("Log does not decide: add a rule with Allow or Pass after it");
    }

    const decision::GroupProgram* program_of(decision::ObjectId id, Direction direction) const {
        for (const Family family : {Family::V4, Family::V6})
            if (const auto* found =
                    context_.lowered.find(id, direction, decision::Hook::Normal, family))
                return found;
        return nullptr;
    }

    bool logs_alone(const decision::GroupProgram& program, const policy::PolicyName& key) const {
        for (const decision::PolicyBlock& block : program.slots.policies()) {
            if (block.policy != key)
                continue;
            const auto& stage = context_.lowered.program(program.program).stages[block.stage];
            return std::all_of(stage.entries.begin(), stage.entries.end(),
                               [](const decision::Entry& entry) {
                                   return entry.staged || entry.action == Action::Log;
                               });
        }
        return false;
    }

    // --- Pass ------------------------------------------------------------------------------------

    /// Nothing can come after it: it is `default` or stands behind, and no later tier has policies.
    bool comes_last(const OrderedTier& tier) const {
        const auto* built_in = std::find_if(
            std::begin(policy::kBuiltInTiers), std::end(policy::kBuiltInTiers),
            [](const policy::BuiltInTier& each) { return each.name == policy::kDefaultTier; });
        return &tier == &context_.policies.tiers.back() &&
               (tier.name == built_in->name || !tier.order || *tier.order >= built_in->order);
    }

    void passes_to_nothing(const Policy& policy, const std::vector<Rule>& rules,
                           Direction direction) {
        for (const Rule& rule : rules)
            if (rule.action == Action::Pass && !rule.any_action)
                report(Code::PassInLastTier, policy, rule.span, {rule_name(rule, direction)})
                    .with_hint("write Allow or Deny, whichever is meant");
    }

    // --- ICMP ------------------------------------------------------------------------------------

    /// A rule that says ipVersion means the one family.
    void one_family(const Policy& policy, const std::vector<Rule>& rules, Direction direction) {
        const auto allows = [&](const Rule& rule, net::Protocol protocol) {
            return rule.action == Action::Allow && (!rule.protocol || **rule.protocol == protocol);
        };
        if (!dual_stack_ || std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
                return allows(rule, net::kIcmpV6);
            }))
            return;
        for (const Rule& rule : rules)
            if (allows(rule, net::kIcmp) && rule.protocol && !rule.ip_version &&
                only_named(rule.source) && only_named(rule.destination))
                report(Code::IcmpOneFamily, policy, rule.protocol->span,
                       {rule_name(rule, direction)})
                    .with_hint("IPv6 finds neighbours and packet sizes by ICMPv6: add a rule for "
                               "it, or say ipVersion: 4");
    }

    /// Nets are of one family by themselves.
    static bool only_named(const policy::EntityRule& end) {
        return end.nets.empty() && end.not_nets.empty();
    }

    /// ICMP denied by a policy that says nothing of ICMPv6, or the other way round, and what comes
    /// after lets the other one through.
    void denies_one_family(const Policy& policy, const std::vector<Rule>& rules,
                           Direction direction) {
        if (policy.meta.unread.known())
            return;
        const auto names = [](const Rule& rule, net::Protocol protocol) {
            return rule.unread.known() || (rule.protocol && **rule.protocol == protocol) ||
                   (rule.not_protocol && **rule.not_protocol == protocol);
        };
        for (const auto& [denied, left, family] :
             {std::tuple(net::kIcmp, net::kIcmpV6, Family::V6),
              std::tuple(net::kIcmpV6, net::kIcmp, Family::V4)}) {
            const auto found =
                std::find_if(rules.begin(), rules.end(), [&, one = denied](const Rule& rule) {
                    return rule.action == Action::Deny && rule.protocol && **rule.protocol == one &&
                           !rule.ip_version && only_named(rule.source) &&
                           only_named(rule.destination);
                });
            if (found == rules.end() ||
                std::any_of(rules.begin(), rules.end(),
                            [&, other = left](const Rule& rule) { return names(rule, other); }))
                continue;
            const auto pinged = let_through(policy, direction, left, family);
            if (!pinged.empty())
                report(Code::IcmpDenyOneFamily, policy, found->protocol->span,
                       {rule_name(*found, direction), net::to_string_protocol(denied),
                        net::to_string_protocol(left), listed(pinged)})
                    .with_hint(fmt::format("add the same rule for {}, or say ipVersion: {}",
                                           net::to_string_protocol(left),
                                           family == Family::V6 ? 4 : 6));
        }
    }

    /// Endpoints with an address of the family where something from the policy on lets the protocol
    /// through.
    std::vector<std::string> let_through(const Policy& policy, Direction direction,
                                         net::Protocol protocol, Family family) const {
        const auto hook = *policy.pre_dnat       ? decision::Hook::PreDnat
                          : *policy.do_not_track ? decision::Hook::Untracked
                                                 : decision::Hook::Normal;
        std::vector<std::string> out;
        for (const decision::Endpoint& endpoint : context_.lowered.endpoints) {
            const decision::Object& object = context_.object(endpoint.object);
            const auto* program =
                may_have(object, family)
                    ? context_.lowered.find(endpoint.object, direction, hook, family)
                    : nullptr;
            if (program != nullptr && lets_through(*program, policy_name(policy), protocol))
                out.push_back(object.name);
        }
        return out;
    }

    bool may_have(const decision::Object& object, Family family) const {
        return object.addresses_known
                   ? std::any_of(object.addresses.begin(), object.addresses.end(),
                                 [&](const auto& each) { return each.family == family; })
                   : dual_stack_;
    }

    bool lets_through(const decision::GroupProgram& group, const policy::PolicyName& key,
                      net::Protocol protocol) const {
        const decision::Program& program = context_.lowered.program(group.program);
        for (const decision::PolicyBlock& block : group.slots.policies()) {
            if (block.policy != key)
                continue;
            const decision::Stage& stage = program.stages[block.stage];
            for (std::size_t i = block.first; i < stage.entries.size(); ++i) {
                const decision::Entry& entry = stage.entries[i];
                const bool counts = !entry.staged || i < block.first + block.count;
                if (counts && may_match(*entry.match, protocol) && entry.action != Action::Log &&
                    (entry.action != Action::Deny || for_everybody(entry)))
                    return entry.action != Action::Deny;
            }
            return stage.end == decision::StageEnd::Next;
        }
        return false;
    }

    static bool may_match(const decision::Match& match, net::Protocol protocol) {
        return (!match.protocol || *match.protocol == protocol) && match.not_protocol != protocol;
    }

    static bool for_everybody(const decision::Entry& entry) {
        const decision::Match& match = *entry.match;
        return match.source == decision::EndMatch{} && match.destination == decision::EndMatch{};
    }

    Context& context_;
    Diagnostics& out_;
    const bool dual_stack_;
};

} // namespace

void check_intent(Context& context, Diagnostics& out) {
    if (!context.policies.tiers.empty())
        IntentChecker(context, out).run();
}

} // namespace polecat::lint
