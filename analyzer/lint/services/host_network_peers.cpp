// Rules that mean pods in the network of their node, which no selector matches.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using decision::Object;
using policy::EntityRule;
using selector::Selector;

namespace {

/// Labels that people give pods: a rule for all pods of a namespace does not mean these.
bool asks_for_labels(const Selector& selector) {
    const selector::Term& term = selector.term();
    return (!term.label.empty() && !term.label.starts_with("projectcalico.org/")) ||
           std::any_of(term.children.begin(), term.children.end(), asks_for_labels);
}

/// Pods of the control plane that the kubelet runs without a manifest of the cluster.
struct StaticPod {
    const char *space, *name, *label, *value;
};
constexpr StaticPod kStaticPods[] = {
    {"kube-system", "kube-apiserver", "component", "kube-apiserver"},
    {"kube-system", "etcd", "component", "etcd"},
    {"kube-system", "kube-controller-manager", "component", "kube-controller-manager"},
    {"kube-system", "kube-scheduler", "component", "kube-scheduler"},
    {"openshift-kube-apiserver", "kube-apiserver", "app", "openshift-kube-apiserver"}};

struct HostPod {
    std::string name;
    selector::Labels labels;
    const policy::Workload* workload = nullptr; ///< nullptr: a static pod
};

class HostNetworkPeersChecker {
  public:
    HostNetworkPeersChecker(Context& context, Diagnostics& out) : context_(context), out_(out) {
        for (const policy::Workload& each : context.cluster.workloads)
            workloads_.emplace(each.meta.span, &each);
        for (const decision::Endpoint& endpoint : context.lowered.endpoints) {
            const Object& object = context.object(endpoint.object);
            if (endpoint.host_network)
                pods_.push_back({object.name, object.labels, workload_of(object)});
        }
        for (const StaticPod& each : kStaticPods)
            add_static(each);
    }

    void run() {
        each_rule(context_, [&](const RuleView& view) {
            check(view, view.rule.source, "source");
            check(view, view.rule.destination, "destination");
        });
    }

  private:
    const policy::Workload* workload_of(const Object& object) const {
        const auto found = workloads_.find(object.span);
        return found == workloads_.end() ? nullptr : found->second;
    }

    void add_static(const StaticPod& pod) {
        HostPod out{fmt::format("{}/{} (a static pod)", pod.space, pod.name), {}, nullptr};
        out.labels.set(pod.label, pod.value);
        if (std::string_view(pod.label) == "component")
            out.labels.set("tier", "control-plane");
        out.labels.set(policy::kNamespaceLabel, pod.space);
        out.labels.set(policy::kOrchestratorLabel, "k8s");
        policy::Namespace own;
        own.meta.name = pod.space;
        for (const policy::Namespace& space : context_.cluster.namespaces)
            if (space.meta.name == pod.space)
                own = space;
        for (const auto& [label, value] : policy::inherited_labels(own))
            out.labels.set(label, value);
        static_pods_.push_back(std::move(out));
    }

    void check(const RuleView& view, const EntityRule& end, const char* side) {
        const std::string space = policy::is_global(view.policy.kind) ? "" : view.policy.meta.space;
        const auto peers = policy::peers_of(end, space);
        if (!peers)
            return;
        const bool by_labels = end.selector && asks_for_labels(end.selector->parsed);
        const bool by_space = policy::is_present(end.namespace_selector) &&
                              !end.namespace_selector->parsed.matches(selector::Labels{});
        if (!by_labels && !by_space)
            return;
        const std::vector<decision::ObjectId> others = context_.select(*peers);
        if (is_host_named(others))
            return; // what stands for the nodes
        auto found = by_labels ? named(*peers, end, others) : of_space(view, *peers, end, others);
        std::erase_if(found, [&](const HostPod* pod) {
            return pod->workload != nullptr &&
                   !context_.cluster.may_meet(pod->workload->meta.span, view.policy.meta.span);
        });
        if (found.empty())
            return;
        std::vector<std::string> names;
        for (const HostPod* pod : found)
            names.push_back("pod " + pod->name);
        const auto& field = by_labels ? end.selector : end.namespace_selector;
        out_.report(Code::HostNetworkPeer,
                    field->span.known() ? field->span
                    : end.span.known()  ? end.span
                                        : view.rule.span,
                    {listed(names), fmt::format("{} of rule {}", side, rule_name(view))})
            .about(name_of(view.policy))
            .with_hint("name the addresses of the nodes, or select their host endpoints");
    }

    std::vector<const HostPod*> named(const Selector& peers, const EntityRule& end,
                                      const std::vector<decision::ObjectId>& others) const {
        const auto found = matching(pods_, peers, end);
        return found.empty() && others.empty() ? matching(static_pods_, peers, end) : found;
    }

    /// Where a namespace is named and no pod of it: one that has no others, as far as the input
    /// shows it whole, or a port that only these have.
    std::vector<const HostPod*> of_space(const RuleView& view, const Selector& peers,
                                         const EntityRule& end,
                                         const std::vector<decision::ObjectId>& others) const {
        const auto found = matching(pods_, peers, end);
        if (found.empty())
            return {};
        if (!only_short_lived(others))
            return view.direction == decision::Direction::Egress
                       ? those_with_ports(view.rule, found, others)
                       : std::vector<const HostPod*>{};
        // Every cluster has pods with a network of their own in kube-system.
        const bool known =
            matching(static_pods_, peers, end).empty() &&
            std::all_of(found.begin(), found.end(), [&](const HostPod* pod) {
                const auto space = pod->labels.find(policy::kNamespaceLabel);
                return space && context_.extent.known_pods_of(std::string(*space)).has_value();
            });
        return known ? found : std::vector<const HostPod*>{};
    }

    static std::vector<const HostPod*> matching(const std::vector<HostPod>& pods,
                                                const Selector& peers, const EntityRule& end) {
        std::vector<const HostPod*> out;
        for (const HostPod& pod : pods)
            if (peers.matches(pod.labels) &&
                !(end.not_selector && end.not_selector->parsed.matches(pod.labels)))
                out.push_back(&pod);
        return out;
    }

    bool is_host_named(const std::vector<decision::ObjectId>& others) const {
        return std::any_of(others.begin(), others.end(), [&](decision::ObjectId id) {
            return context_.object(id).kind != Object::Kind::Workload;
        });
    }

    /// Those that the rule speaks of by its ports: nobody else there listens to them.
    std::vector<const HostPod*>
    those_with_ports(const policy::Rule& rule, const std::vector<const HostPod*>& pods,
                     const std::vector<decision::ObjectId>& others) const {
        std::vector<const HostPod*> out;
        for (const decision::ObjectId id : others) {
            const policy::Workload* other = workload_of(context_.object(id));
            if (other == nullptr || other->listens.empty() || names_port_of(rule, *other))
                return out;
        }
        for (const HostPod* pod : pods)
            if (pod->workload != nullptr && names_port_of(rule, *pod->workload))
                out.push_back(pod);
        return out;
    }

    /// Jobs, which nobody means by their namespace.
    bool only_short_lived(const std::vector<decision::ObjectId>& others) const {
        return std::all_of(others.begin(), others.end(), [&](decision::ObjectId id) {
            const Object& object = context_.object(id);
            const policy::Workload* workload = workload_of(object);
            return object.manifest_kind == "Job" || object.manifest_kind == "CronJob" ||
                   (workload != nullptr && workload->owner_kind == "Job");
        });
    }

    static bool names_port_of(const policy::Rule& rule, const policy::Workload& pod) {
        return std::any_of(pod.listens.begin(), pod.listens.end(), [&](const auto& each) {
            return (!rule.protocol || **rule.protocol == each.protocol) &&
                   std::any_of(rule.destination.ports.begin(), rule.destination.ports.end(),
                               [&](const policy::Port& port) {
                                   const auto* range = std::get_if<net::PortRange>(&port.value);
                                   return range != nullptr
                                              ? range->first <= each.port &&
                                                    each.port <= range->last
                                              : std::get<std::string>(port.value) == each.name;
                               });
        });
    }

    Context& context_;
    Diagnostics& out_;
    std::map<Span, const policy::Workload*> workloads_; ///< by the place of their name
    std::vector<HostPod> pods_, static_pods_;
};

} // namespace

void check_host_network_peers(Context& context, Diagnostics& out) {
    HostNetworkPeersChecker(context, out).run();
}

} // namespace polecat::lint
