// Who is governed: too many (host endpoints, system pods), or too few.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/hypothetical.h"
#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::lint {

using decision::Direction;
using decision::Object;
using policy::Action;
using policy::Policy;

namespace {

/// A global policy of Calico without any selector governs host endpoints as well.
void check_hosts(Context& context, Diagnostics& out) {
    std::vector<std::string> hosts;
    for (const policy::HostEndpoint& each : context.cluster.host_endpoints)
        hosts.push_back(each.meta.name);
    const bool automatic = policy::has_automatic_host_endpoints(context.cluster);
    if (hosts.empty() && !automatic)
        return;
    each_policy(context, [&](const policy::OrderedTier&, const Policy& policy) {
        const bool implicit = policy.kind == policy::PolicyKind::GlobalNetworkPolicy &&
                              !policy::is_present(policy.selector) &&
                              !policy::is_present(policy.namespace_selector) &&
                              !policy::is_present(policy.service_account_selector);
        const bool for_hosts = *policy.apply_on_forward || *policy.pre_dnat || *policy.do_not_track;
        if (implicit && !for_hosts)
            out.report(Code::SelectsHostsToo, policy.meta.span,
                       {policy.meta.name,
                        hosts.empty() ? "those that kube-controllers makes" : listed(hosts)})
                .about(name_of(policy))
                .with_hint("for pods only: `selector: has(projectcalico.org/namespace)`");
    });
}

/// How much the rules of a policy let through, or on to later tiers.
enum class Lets { Nothing, Something, Everything };

Lets what_rules_let(const std::vector<policy::Rule>& rules) {
    const auto lets = [](const policy::Rule& rule) {
        return rule.action == Action::Pass || rule.action == Action::Allow;
    };
    for (const policy::Rule& rule : rules)
        if (policy::asks_nothing(rule) && rule.action != Action::Log)
            return lets(rule)                                      ? Lets::Everything
                   : std::any_of(rules.begin(), rules.end(), lets) ? Lets::Something
                                                                   : Lets::Nothing;
    return std::any_of(rules.begin(), rules.end(), lets) ? Lets::Something : Lets::Nothing;
}

bool denies_the_rest(const std::vector<policy::Rule>& rules) {
    return std::any_of(rules.begin(), rules.end(), [](const policy::Rule& rule) {
        return rule.action == Action::Deny && policy::asks_nothing(rule);
    });
}

const std::vector<policy::Rule>& rules_of(const Policy& policy, Direction direction) {
    return direction == Direction::Ingress ? policy.ingress : policy.egress;
}

bool governs(const Policy& policy, Direction direction) {
    return direction == Direction::Ingress ? policy.ingress_type : policy.egress_type;
}

/// Pods without which nothing else works: DNS, Calico's own.
class SystemPods {
  public:
    explicit SystemPods(const Context& context) : context_(context) {
        for (const Object& object : context.lowered.world.objects)
            if (const auto space = object.labels.find(policy::kNamespaceLabel);
                space && object.kind == Object::Kind::Workload && object.selectable &&
                is_system_namespace(*space))
                there_.emplace_back(*space, object.labels);
        if (there_.empty())
            there_.emplace_back("kube-system", assumed());
    }

    /// Reports the policy where it leaves system pods without anything in some direction, or with
    /// only a part of it.
    void check(const policy::OrderedTier& tier, const Policy& policy, Diagnostics& out) const {
        std::set<std::string> spaces;
        Lets least = Lets::Everything;
        const selector::Selector subject = policy::subject_of(policy);
        for (const auto& [space, labels] : there_)
            for (const Direction direction : {Direction::Ingress, Direction::Egress})
                if (governs(policy, direction) && subject.matches(labels))
                    if (const Lets lets = left(tier, policy, labels, direction);
                        lets != Lets::Everything) {
                        spaces.insert(space);
                        least = std::min(least, lets);
                    }
        if (spaces.empty())
            return;
        auto& diagnostic = out.report(Code::SelectsSystem, policy.meta.span,
                                      {policy.meta.name, listed({spaces.begin(), spaces.end()})});
        diagnostic.about(name_of(policy))
            .with_hint("leave them out: `namespaceSelector: projectcalico.org/name not in "
                       "{'kube-system', 'calico-system', 'tigera-operator'}`");
        if (least == Lets::Something)
            diagnostic.severity = diag::Severity::Warning;
    }

  private:
    /// The DNS pods, where no system pods are in the input.
    selector::Labels assumed() const {
        policy::Namespace system;
        system.meta.name = "kube-system";
        if (const auto* given = context_.extent.labels_of_namespace(system.meta.name))
            system.meta.labels = *given;
        selector::Labels labels = policy::inherited_labels(system);
        labels.set(policy::kNamespaceLabel, system.meta.name);
        labels.set(policy::kOrchestratorLabel, "k8s");
        labels.set("k8s-app", "kube-dns");
        return labels;
    }

    /// What the policy and the others of its tier let through at a pod.
    static Lets left(const policy::OrderedTier& tier, const Policy& policy,
                     const selector::Labels& pod, Direction direction) {
        const auto& own = rules_of(policy, direction);
        Lets out = what_rules_let(own);
        bool behind = false;
        for (const Policy* each : tier.policies) {
            behind = behind || each == &policy;
            if (each != &policy && !policy::is_staged(each->kind) && governs(*each, direction) &&
                !(behind && denies_the_rest(own)) && policy::subject_of(*each).matches(pod))
                out = std::max(out, what_rules_let(rules_of(*each, direction)));
        }
        return out;
    }

    const Context& context_;
    std::vector<std::pair<std::string, selector::Labels>> there_;
};

void check_system(Context& context, Diagnostics& out) {
    const SystemPods pods(context);
    each_policy(context, [&](const policy::OrderedTier& tier, const Policy& policy) {
        if (policy.kind == policy::PolicyKind::GlobalNetworkPolicy &&
            tier.default_action != Action::Pass && !*policy.pre_dnat && !*policy.do_not_track)
            pods.check(tier, policy, out);
    });
}

bool is_isolated(const Context& context, const decision::Endpoint& endpoint, Direction direction) {
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        const auto* program =
            context.lowered.find(endpoint.object, direction, decision::Hook::Normal, family);
        if (program != nullptr && program->slots.any_enforced())
            return true;
    }
    return false;
}

void check_unprotected(Context& context, Diagnostics& out) {
    std::map<std::string, Span> spans;
    for (const policy::Namespace& each : context.cluster.namespaces)
        spans[each.meta.name] = each.meta.span;
    for (const Direction direction : {Direction::Ingress, Direction::Egress}) {
        struct Count {
            std::vector<std::string> open;
            std::size_t all = 0;
            Span first;
        };
        std::map<std::string, Count> by_space;
        for (const decision::Endpoint& endpoint : context.lowered.endpoints) {
            const Object& object = context.object(endpoint.object);
            const auto space = object.labels.find(policy::kNamespaceLabel);
            if (endpoint.is_host_endpoint || endpoint.host_network || !space ||
                is_system_namespace(*space))
                continue;
            Count& count = by_space[std::string(*space)];
            ++count.all;
            if (is_isolated(context, endpoint, direction))
                continue;
            count.open.push_back(object.name.substr(object.name.find('/') + 1));
            if (!count.first.known())
                count.first = object.span;
        }
        const std::string name(decision::to_string(direction));
        for (const auto& [space, count] : by_space) {
            if (count.open.empty())
                continue;
            const Span span = spans[space].known() ? spans[space] : count.first;
            if (count.open.size() == count.all)
                out.report(Code::NoDefaultDeny, span, {space, name}).about("Namespace " + space);
            else
                out.report(
                       Code::UnprotectedWorkload, count.first,
                       {name, counted(count.open.size(), "workload"), space, listed(count.open)})
                    .about("Namespace " + space);
        }
    }
}

} // namespace

void check_coverage(Context& context, Diagnostics& out) {
    check_hosts(context, out);
    check_system(context, out);
    check_unprotected(context, out);
}

} // namespace polecat::lint
