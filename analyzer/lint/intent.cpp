// Policies that are well-formed and hardly say what was meant: they allow everything, only log,
// pass to nothing, allow one kind of ICMP of two.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/pools.h"

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

/// Every flow comes to an Allow rule that takes all, and nothing before it denies or passes.
bool allows_all(const std::vector<Rule>& rules) {
    for (const Rule& rule : rules) {
        if (rule.action == Action::Deny || rule.action == Action::Pass)
            return false;
        if (rule.action == Action::Allow && is_unconditional(rule))
            return true;
    }
    return false;
}

bool only_logs(const std::vector<Rule>& rules) {
    return !rules.empty() && std::all_of(rules.begin(), rules.end(), [](const Rule& rule) {
        return rule.action == Action::Log;
    });
}

class IntentChecker {
  public:
    IntentChecker(Context& context, Diagnostics& out)
        : context_(context), out_(out), dual_stack_(is_dual_stack()) {}

    void run() {
        each_policy(context_, [&](const OrderedTier& tier, const Policy& policy) {
            if (!is_normal(policy))
                return;
            for (const Direction direction : {Direction::Ingress, Direction::Egress}) {
                const bool in = direction == Direction::Ingress;
                if (!(in ? policy.ingress_type : policy.egress_type))
                    continue;
                const auto& rules = in ? policy.ingress : policy.egress;
                if (allows_all(rules))
                    report(Code::AllowsEverything, policy, policy.meta.span,
                           {policy.meta.name, decision::to_string(direction)});
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

    // --- Log -------------------------------------------------------------------------------------

    /// A policy that only logs isolates all the same. Reported where no other policy of the tier
    /// allows the endpoint anything.
    void log_only(const Policy& policy, Direction direction) {
        std::vector<std::string> denied;
        for (const decision::Endpoint& endpoint : context_.lowered.endpoints)
            if (const auto* program = program_of(endpoint.object, direction))
                if (logs_alone(*program, analyzer::key_of(policy)))
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

    bool logs_alone(const decision::GroupProgram& program, const analyzer::PolicyKey& key) const {
        for (const decision::PolicyBlock& block : program.slots.policies()) {
            if (analyzer::PolicyKey{block.kind, block.space, block.name, block.kind_of_policy} !=
                key)
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
        constexpr double kDefaultTier = 1e6;
        return &tier == &context_.policies.tiers.back() &&
               (tier.name == "default" || !tier.order || *tier.order >= kDefaultTier);
    }

    void passes_to_nothing(const Policy& policy, const std::vector<Rule>& rules,
                           Direction direction) {
        for (const Rule& rule : rules)
            if (rule.action == Action::Pass)
                report(Code::PassInLastTier, policy, rule.span, {rule_name(rule, direction)})
                    .with_hint("write Allow or Deny, whichever is meant");
    }

    // --- ICMP ------------------------------------------------------------------------------------

    bool is_dual_stack() const {
        bool v4 = false, v6 = false;
        for (const Pool& pool : pools_of(context_.cluster))
            (pool.cidr.family() == Family::V4 ? v4 : v6) |= pool.for_pods && !pool.disabled;
        for (const decision::Endpoint& endpoint : context_.lowered.endpoints)
            for (const net::Address& address : context_.object(endpoint.object).addresses)
                (address.family == Family::V4 ? v4 : v6) = true;
        return v4 && v6;
    }

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
