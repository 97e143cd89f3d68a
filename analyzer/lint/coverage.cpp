// Who is governed: too many (host endpoints, system pods), or too few.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/hypothetical.h"
#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using decision::Direction;
using decision::Object;
using policy::Action;
using policy::Policy;

namespace {

constexpr const char* kSystemNamespaces[] = {"kube-system", "calico-system", "calico-apiserver",
                                             "tigera-operator"};

bool is_system(std::string_view space) {
    return std::find(std::begin(kSystemNamespaces), std::end(kSystemNamespaces), space) !=
           std::end(kSystemNamespaces);
}

bool has_automatic_host_endpoints(const policy::Cluster& cluster) {
    for (const policy::OtherObject& each : cluster.others)
        if (each.kind == "KubeControllersConfiguration" &&
            each.spec.is("controllers.node.hostEndpoint.autoCreate", "Enabled"))
            return true;
    return false;
}

/// A global policy of Calico without any selector governs host endpoints as well.
void check_hosts(Context& context, Diagnostics& out) {
    std::vector<std::string> hosts;
    for (const policy::HostEndpoint& each : context.cluster.host_endpoints)
        hosts.push_back(each.meta.name);
    const bool automatic = has_automatic_host_endpoints(context.cluster);
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

bool ends_open(const std::vector<policy::Rule>& rules) {
    if (rules.empty())
        return false;
    const policy::Rule& last = rules.back();
    return (last.action == Action::Pass || last.action == Action::Allow) && !last.protocol &&
           !last.source.selector && last.source.nets.empty() && !last.destination.selector &&
           last.destination.nets.empty() && last.destination.ports.empty();
}

/// Pods without which nothing else works: DNS, Calico's own.
class SystemPods {
  public:
    explicit SystemPods(const Context& context) : context_(context) {
        for (const Object& object : context.lowered.world.objects)
            if (const auto space = object.labels.find(policy::kNamespaceLabel);
                space && object.kind == Object::Kind::Workload && is_system(*space))
                there_.emplace_back(*space, &object.labels);
        if (there_.empty()) {
            selector::Labels labels;
            const std::string prefix(policy::kNamespacePrefix);
            labels.set(policy::kNamespaceLabel, "kube-system");
            labels.set(policy::kOrchestratorLabel, "k8s");
            labels.set("k8s-app", "kube-dns");
            labels.set(prefix + "projectcalico.org/name", "kube-system");
            labels.set(prefix + "kubernetes.io/metadata.name", "kube-system");
            for (const policy::Namespace& each : context.cluster.namespaces)
                if (each.meta.name == "kube-system")
                    for (const auto& [label, value] : each.meta.labels)
                        labels.set(prefix + std::string(label), value);
            assumed_ = labels;
            there_.emplace_back("kube-system", &assumed_);
        }
    }

    /// The namespaces of those that match.
    std::set<std::string> selected(const selector::Selector& selector) const {
        std::set<std::string> out;
        for (const auto& [space, labels] : there_)
            if (selector.matches(*labels))
                out.insert(space);
        return out;
    }

  private:
    const Context& context_;
    std::vector<std::pair<std::string, const selector::Labels*>> there_;
    selector::Labels assumed_;
};

void check_system(Context& context, Diagnostics& out) {
    const SystemPods pods(context);
    each_policy(context, [&](const policy::OrderedTier& tier, const Policy& policy) {
        if (policy.kind != policy::PolicyKind::GlobalNetworkPolicy ||
            tier.default_action == Action::Pass || *policy.pre_dnat || *policy.do_not_track)
            return;
        const bool closes = (policy.ingress_type && !ends_open(policy.ingress)) ||
                            (policy.egress_type && !ends_open(policy.egress));
        const auto spaces = pods.selected(policy::subject_of(policy));
        if (closes && !spaces.empty())
            out.report(Code::SelectsSystem, policy.meta.span,
                       {policy.meta.name, listed({spaces.begin(), spaces.end()})})
                .about(name_of(policy))
                .with_hint("leave them out: `namespaceSelector: projectcalico.org/name not in "
                           "{'kube-system', 'calico-system', 'tigera-operator'}`");
    });
}

bool is_isolated(const Context& context, const decision::Endpoint& endpoint, Direction direction) {
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        const auto* program =
            context.lowered.find(endpoint.object, direction, decision::Hook::Normal, family);
        if (program == nullptr)
            continue;
        for (const decision::PolicyBlock& block : program->slots.policies())
            if (!block.staged)
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
            if (endpoint.is_host_endpoint || endpoint.host_network || !space || is_system(*space))
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
