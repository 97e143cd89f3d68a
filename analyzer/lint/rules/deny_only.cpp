// Policies that were to close one thing and close everything: what no rule of a tier takes is
// denied at its end, so Deny rules alone let nothing through.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analyzer/labels/label_space.h"
#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using decision::Direction;
using policy::Action;
using policy::EntityRule;
using policy::OrderedTier;
using policy::Policy;
using policy::Rule;

namespace {

const std::vector<Rule>& rules_in(const Policy& policy, Direction direction) {
    return direction == Direction::Ingress ? policy.ingress : policy.egress;
}

bool acts_in(const Policy& policy, Direction direction) {
    return direction == Direction::Ingress ? policy.ingress_type : policy.egress_type;
}

/// Nobody in particular: no selector but all(), no nets but every address.
bool means_everybody(const EntityRule& end) {
    const auto open = [](const Box<policy::SelectorField>& field) {
        return !field || field->parsed.is_all();
    };
    const auto& [nets, not_nets, selector, not_selector, namespace_selector, accounts, services,
                 ports, not_ports, domains, nodes, span] = end;
    const bool every_net =
        nets.empty() ||
        std::any_of(nets.begin(), nets.end(), [](const auto& net) { return net->prefix == 0; });
    return every_net && open(selector) && open(namespace_selector) && !not_selector &&
           not_nets.empty() && !accounts && !services && ports.empty() && not_ports.empty() &&
           domains.empty() && !nodes;
}

/// Closes a direction on purpose, if only of one family.
bool denies_everything(const Rule& rule) {
    const auto& [action, ip_version, protocol, not_protocol, icmp, not_icmp, source, destination,
                 http, name, index, span, action_span, unread, any_action] = rule;
    return action == Action::Deny && !protocol && !not_protocol && !icmp && !not_icmp && !http &&
           means_everybody(source) && means_everybody(destination);
}

bool lets_through(const Rule& rule) {
    return rule.action == Action::Allow || rule.action == Action::Pass;
}

/// Something is denied, something else is left, and nothing is let through, nor may be by a rule
/// that could not be read.
bool only_denies(const std::vector<Rule>& rules) {
    return std::any_of(rules.begin(), rules.end(),
                       [](const Rule& rule) { return rule.action == Action::Deny; }) &&
           std::none_of(rules.begin(), rules.end(), [](const Rule& rule) {
               return lets_through(rule) || denies_everything(rule) || rule.unread.known();
           });
}

class DenyOnlyChecker {
  public:
    DenyOnlyChecker(Context& context, Diagnostics& out) : context_(context), out_(out) {}

    void run() {
        each_policy(context_, [&](const OrderedTier&, const Policy& policy) {
            for (const Direction direction : {Direction::Ingress, Direction::Egress})
                if (only_denies(rules_in(policy, direction)))
                    only_denying_.insert({policy_name(policy), direction});
        });
        each_policy(context_, [&](const OrderedTier& tier, const Policy& policy) {
            // Before translation and without tracking, what no rule takes goes on.
            if (tier.default_action == Action::Pass || *policy.pre_dnat || *policy.do_not_track ||
                policy.staged_action == "Delete" || policy.meta.unread.known())
                return;
            std::vector<std::string> directions, cut_off;
            for (const Direction direction : {Direction::Ingress, Direction::Egress})
                if (acts_in(policy, direction) &&
                    only_denying_.contains({policy_name(policy), direction}))
                    if (const auto found = cut_off_by(tier, policy, direction); !found.empty()) {
                        directions.emplace_back(decision::to_string(direction));
                        cut_off = found;
                    }
            if (!directions.empty())
                report(tier, policy, fmt::format("{}", fmt::join(directions, " and ")), cut_off);
        });
    }

  private:
    using Key = std::pair<policy::PolicyName, Direction>;

    /// Who may do nothing more in that direction.
    std::vector<std::string> cut_off_by(const OrderedTier& tier, const Policy& policy,
                                        Direction direction) {
        bool governs = false;
        std::vector<std::string> cut_off;
        for (const decision::ObjectId id : context_.select(policy::subject_of(policy))) {
            const auto* program = program_of(id, direction);
            if (program == nullptr)
                continue;
            governs = true;
            if (none_but_denies(*program, policy, direction))
                cut_off.push_back(context_.object(id).name);
        }
        if (!governs && nobody_else(tier, policy, direction))
            cut_off.emplace_back("all that it selects");
        return cut_off;
    }

    const decision::GroupProgram* program_of(decision::ObjectId id, Direction direction) const {
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            if (const auto* found =
                    context_.lowered.find(id, direction, decision::Hook::Normal, family))
                return found;
        return nullptr;
    }

    /// Staged policy counts for what is staged: both may be enforced together.
    static bool counts_for(const Policy& policy, bool other_is_staged) {
        return !other_is_staged || policy::is_staged(policy.kind);
    }

    /// Whatever else of the policy's tier governs the endpoint has only Deny rules as well.
    bool none_but_denies(const decision::GroupProgram& program, const Policy& policy,
                         Direction direction) const {
        const auto& blocks = program.slots.policies();
        return std::all_of(blocks.begin(), blocks.end(), [&](const decision::PolicyBlock& block) {
            return !counts_for(policy, block.staged) || block.tier != *policy.tier ||
                   only_denying_.contains({block.policy, direction});
        });
    }

    /// No endpoint that could exist is governed by another policy of the tier as well.
    bool nobody_else(const OrderedTier& tier, const Policy& policy, Direction direction) const {
        const selector::Selector subject = policy::subject_of(policy);
        return std::all_of(tier.policies.begin(), tier.policies.end(), [&](const Policy* each) {
            const bool elsewhere = !policy::is_global(policy.kind) &&
                                   !policy::is_global(each->kind) &&
                                   policy.meta.space != each->meta.space;
            return each == &policy || elsewhere || each->staged_action == "Delete" ||
                   !counts_for(policy, policy::is_staged(each->kind)) ||
                   !acts_in(*each, direction) ||
                   only_denying_.contains({policy_name(*each), direction}) ||
                   analyzer::find_labels({subject, policy::subject_of(*each)}, {}).kind ==
                       analyzer::LabelAnswer::Kind::No;
        });
    }

    void report(const OrderedTier& tier, const Policy& policy, const std::string& directions,
                const std::vector<std::string>& cut_off) {
        auto& diagnostic = out_.report(Code::DenyOnly, policy.meta.span,
                                       {policy.meta.name, directions, listed(cut_off)});
        diagnostic.about(name_of(policy))
            .with_note(fmt::format("a policy isolates what it governs: what no rule of tier {} "
                                   "takes is denied at its end, and no other policy of the tier "
                                   "lets anything through there",
                                   tier.name))
            .with_hint("to let the rest through, end the rules with `- action: Allow`, or with "
                       "`- action: Pass` for later tiers to decide");
        if (policy::is_staged(policy.kind))
            diagnostic.with_note("it is staged: this holds once it is enforced");
    }

    Context& context_;
    Diagnostics& out_;
    std::set<Key> only_denying_;
};

} // namespace

void check_deny_only(Context& context, Diagnostics& out) {
    DenyOnlyChecker(context, out).run();
}

} // namespace polecat::lint
