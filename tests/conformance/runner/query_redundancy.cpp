// Queries about one configuration's policies and rules: which match nothing, which can go.
#include <algorithm>

#include "tests/conformance/runner/query_parts.h"

namespace polecat::conformance {

using policy::Action;
using policy::Direction;

namespace {

bool contains(const std::vector<PolicyRef>& list, const PolicyRef& policy) {
    return std::find(list.begin(), list.end(), policy) != list.end();
}

/// What the rules of a policy match, each by itself.
class RuleMatches {
  public:
    RuleMatches(const Configuration& of, const PolicyRef& policy, std::vector<RuleRef> rules)
        : rules_(std::move(rules)) {
        for (const RuleRef& rule : rules_) {
            actions_.push_back(action_of(of.cluster, policy, rule));
            alone_.push_back(with_rule_alone(of, policy, rule));
        }
    }

    /// A rule and those of its list that match the same and do the same.
    std::vector<RuleRef> twins(std::size_t rule) const {
        std::vector<RuleRef> out;
        for (std::size_t i = 0; i < rules_.size(); ++i)
            if (i == rule || (rules_[i].direction == rules_[rule].direction &&
                              actions_[i] == actions_[rule] && same_flows(alone_[i], alone_[rule])))
                out.push_back(rules_[i]);
        return out;
    }

  private:
    std::vector<RuleRef> rules_;
    std::vector<Action> actions_;
    std::vector<Configuration> alone_;
};

/// Two Calico policies of one tier and order that govern a common endpoint, one with a rule that
/// allows and the other with one that denies in the same direction.
bool conflict(const Configuration& configuration, const Selections& selections,
              const PolicyRef& one, const PolicyRef& other) {
    const auto& a = configuration.cluster.policies[one.index];
    const auto& b = configuration.cluster.policies[other.index];
    const auto order = [](const policy::Policy& each) {
        return each.order ? std::optional<double>(**each.order) : std::nullopt;
    };
    if (*a.tier != *b.tier || order(a) != order(b))
        return false;
    const auto &mine = selections.subject(one), &theirs = selections.subject(other);
    if (std::none_of(mine.begin(), mine.end(),
                     [&](decision::ObjectId id) { return theirs.contains(id); }))
        return false;
    const auto against = [&](Direction direction) {
        const auto has = [&](const PolicyRef& policy, Action action) {
            return selections.has_rule(policy, direction, action);
        };
        return (has(one, Action::Allow) && has(other, Action::Deny)) ||
               (has(one, Action::Deny) && has(other, Action::Allow));
    };
    return (a.ingress_type && b.ingress_type && against(Direction::Ingress)) ||
           (a.egress_type && b.egress_type && against(Direction::Egress));
}

/// The first conflict, in words; empty: there is none.
std::string find_conflict(const Configuration& configuration, const Selections& selections) {
    const auto policies = policies_of(configuration.cluster);
    for (std::size_t i = 0; i < policies.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (!policies[i].is_kubernetes() && !policies[j].is_kubernetes() &&
                conflict(configuration, selections, policies[i], policies[j]))
                return to_string(policies[j].name) + " and " + to_string(policies[i].name) +
                       " conflict";
    return "";
}

} // namespace

bool is_vacuous(const Configuration& configuration) {
    return same_flows(configuration, without_policies(configuration));
}

std::vector<PolicyRef> redundant_policies(const Configuration& configuration) {
    std::vector<PolicyRef> out;
    const auto policies = policies_of(configuration.cluster);
    if (policies.size() < 2)
        return out;
    for (const PolicyRef& policy : policies)
        if (same_flows(configuration, without_policy(configuration, policy)))
            out.push_back(policy);
    return out;
}

std::vector<RuleRef> redundant_rules(const Configuration& configuration, const PolicyRef& policy) {
    std::vector<RuleRef> out;
    const auto rules = rules_of(configuration.cluster, policy);
    const RuleMatches matches(configuration, policy, rules);
    for (std::size_t i = 0; i < rules.size(); ++i) {
        const auto twins = matches.twins(i);
        if (twins.size() > 1 ||
            same_flows(configuration, without_rules(configuration, policy, twins)))
            out.push_back(rules[i]);
    }
    return out;
}

void count_emptiness(const Configuration& configuration, Tally& tally) {
    const Selections selections(configuration);
    for (const PolicyRef& policy : policies_of(configuration.cluster)) {
        if (selections.subject(policy).empty())
            tally.add(to_string(policy.name) + " is empty");
        for (const RuleRef& rule : rules_of(configuration.cluster, policy))
            if (selections.empty_sides(policy, rule) > 0)
                tally.add(to_string(policy, rule) + " is empty");
    }
}

void count_redundancy(const Configuration& configuration, Tally& tally) {
    const auto redundant = redundant_policies(configuration);
    for (const PolicyRef& policy : redundant)
        tally.add(to_string(policy.name) + " is redundant");
    for (const PolicyRef& policy : policies_of(configuration.cluster)) {
        if (contains(redundant, policy))
            continue;
        for (const RuleRef& rule : redundant_rules(configuration, policy))
            tally.add(to_string(policy, rule) + " is redundant");
    }
}

void count_sanity(const Configuration& configuration, Tally& tally) {
    if (policies_of(configuration.cluster).empty())
        return;
    const Selections selections(configuration);
    if (const auto found = find_conflict(configuration, selections); !found.empty()) {
        tally.add(found); // what the policies mean is then open: nothing else is looked for
        return;
    }
    const bool vacuous = is_vacuous(configuration);
    if (vacuous)
        tally.add(configuration.name + " is vacuous");
    const auto redundant = vacuous ? std::vector<PolicyRef>{} : redundant_policies(configuration);
    for (const PolicyRef& policy : policies_of(configuration.cluster)) {
        if (selections.subject(policy).empty()) {
            tally.add(to_string(policy.name) + " is empty");
            continue;
        }
        std::vector<RuleRef> empty;
        for (const RuleRef& rule : rules_of(configuration.cluster, policy))
            if (const std::size_t sides = selections.empty_sides(policy, rule); sides > 0) {
                tally.add(to_string(policy, rule) + " is empty", sides);
                empty.push_back(rule);
            }
        if (vacuous)
            continue;
        if (contains(redundant, policy)) {
            tally.add(to_string(policy.name) + " is redundant");
            continue;
        }
        for (const RuleRef& rule : redundant_rules(configuration, policy))
            if (std::find(empty.begin(), empty.end(), rule) == empty.end())
                tally.add(to_string(policy, rule) + " is redundant");
    }
}

} // namespace polecat::conformance
