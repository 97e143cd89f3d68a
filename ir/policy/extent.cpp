#include "ir/policy/extent.h"

#include <algorithm>
#include <functional>
#include <vector>

#include "ir/policy/dns.h"
#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::policy {

using selector::Op;
using selector::Selector;
using selector::Term;

namespace {

enum class Answer { No, Maybe, Yes };

/// Evaluates with `leaf` for tests of one label.
Answer evaluate(const Selector& selector, const std::function<Answer(const Selector&)>& leaf) {
    const Term& term = selector.term();
    const auto of_children = [&](Answer from, bool greatest) {
        for (const Selector& child : term.children) {
            const Answer each = evaluate(child, leaf);
            from = greatest ? std::max(from, each) : std::min(from, each);
            if (from == (greatest ? Answer::Yes : Answer::No))
                break; // whatever the others say
        }
        return from;
    };
    switch (term.op) {
    case Op::All:
    case Op::Global:
        return Answer::Yes;
    case Op::Not: {
        const Answer inner = evaluate(term.children.front(), leaf);
        return inner == Answer::Maybe ? inner : inner == Answer::Yes ? Answer::No : Answer::Yes;
    }
    case Op::And:
        return of_children(Answer::Yes, false);
    case Op::Or:
        return of_children(Answer::No, true);
    default:
        return leaf(selector);
    }
}

Answer exactly(bool holds) {
    return holds ? Answer::Yes : Answer::No;
}

/// A label that the name of a namespace decides.
bool is_name_of_namespace(std::string_view label) {
    if (label.starts_with(kNamespacePrefix)) {
        label.remove_prefix(kNamespacePrefix.size());
        return label == kCalicoNameLabel || label == kNameLabel;
    }
    return label == kNamespaceLabel;
}

/// Written when a pod starts, or on network sets that Calico makes: no manifest has it.
bool is_set_at_run_time(std::string_view label) {
    static constexpr std::string_view kLabels[] = {"pod-template-hash",
                                                   "controller-revision-hash",
                                                   "pod-template-generation",
                                                   "controller-uid",
                                                   "job-name",
                                                   "batch.kubernetes.io/controller-uid",
                                                   "batch.kubernetes.io/job-name",
                                                   "batch.kubernetes.io/job-completion-index",
                                                   "statefulset.kubernetes.io/pod-name",
                                                   "apps.kubernetes.io/pod-index",
                                                   "security.istio.io/tlsMode"};
    static constexpr std::string_view kPrefixes[] = {
        "endpoints.projectcalico.org/", "service.istio.io/", "linkerd.io/", "acme.cert-manager.io/",
        "topology.kubernetes.io/"};
    return std::find(std::begin(kLabels), std::end(kLabels), label) != std::end(kLabels) ||
           std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                       [&](std::string_view prefix) { return label.starts_with(prefix); }) ||
           (label.starts_with(kNamespacePrefix) &&
            is_set_by_platform(label.substr(kNamespacePrefix.size())));
}

bool asks_for_run_time_label(const Selector& selector) {
    const Term& term = selector.term();
    return is_set_at_run_time(term.label) ||
           std::any_of(term.children.begin(), term.children.end(), asks_for_run_time_label);
}

/// For more than the name.
bool asks_for_label_of_namespace(const Selector& selector) {
    const Term& term = selector.term();
    return (term.label.starts_with(kNamespacePrefix) && !is_name_of_namespace(term.label)) ||
           std::any_of(term.children.begin(), term.children.end(), asks_for_label_of_namespace);
}

/// Of something in namespace `space`, whose labels are these if its object is there.
bool may_be_in(const Selector& selector, const std::string& space,
               const std::optional<Labels>& labels) {
    return evaluate(selector, [&](const Selector& test) {
               const std::string& label = test.term().label;
               Labels one;
               if (is_name_of_namespace(label))
                   one.set(label, space);
               else if (!label.starts_with(kNamespacePrefix) || !labels)
                   return Answer::Maybe;
               else if (const auto value = labels->find(label.substr(kNamespacePrefix.size())))
                   one.set(label, *value);
               return exactly(test.matches(one));
           }) != Answer::No;
}

/// Of something in a namespace that is none of the `known` ones.
template <class Names> bool may_be_elsewhere(const Selector& selector, const Names& known) {
    return evaluate(selector, [&](const Selector& test) {
               const Term& term = test.term();
               const bool all_known =
                   std::all_of(term.values.begin(), term.values.end(),
                               [&](const std::string& value) { return known.contains(value); });
               if (!is_name_of_namespace(term.label))
                   return Answer::Maybe;
               if (term.op == Op::Has)
                   return Answer::Yes;
               if (term.op == Op::Equal || term.op == Op::In)
                   return all_known ? Answer::No : Answer::Maybe;
               if (term.op == Op::NotEqual || term.op == Op::NotIn)
                   return all_known ? Answer::Yes : Answer::Maybe;
               return Answer::Maybe;
           }) != Answer::No;
}

/// It speaks of a namespace by name that is none of the `known` ones.
template <class Names> bool names_other_namespace(const Selector& selector, const Names& known) {
    const Term& term = selector.term();
    const bool asks = term.op == Op::Equal || term.op == Op::In;
    return (asks && is_name_of_namespace(term.label) &&
            std::any_of(term.values.begin(), term.values.end(),
                        [&](const std::string& value) { return !known.contains(value); })) ||
           std::any_of(term.children.begin(), term.children.end(),
                       [&](const Selector& child) { return names_other_namespace(child, known); });
}

/// Of a host endpoint or a global network set.
bool may_be_global(const Selector& selector) {
    return evaluate(selector, [](const Selector& test) {
               const std::string& label = test.term().label;
               const bool of_pods = label == kNamespaceLabel || label == kServiceAccountLabel ||
                                    label.starts_with(kNamespacePrefix) ||
                                    label.starts_with(kServiceAccountPrefix);
               return of_pods ? exactly(test.matches({})) : Answer::Maybe;
           }) != Answer::No;
}

bool is_dns(const Labels& labels) {
    return std::any_of(std::begin(kDnsLabels), std::end(kDnsLabels),
                       [&](const auto& each) { return labels.find(each.first) == each.second; });
}

/// Whoever sets a cluster up puts pods there that few repositories have.
bool is_of_platform(std::string_view space) {
    static constexpr std::string_view kPrefixes[] = {"kube-", "openshift-", "calico-", "tigera-"};
    return space.ends_with("-system") ||
           std::any_of(std::begin(kPrefixes), std::end(kPrefixes),
                       [&](std::string_view prefix) { return space.starts_with(prefix); });
}

std::string every_pod_of(const std::vector<std::string>& spaces) {
    return "every pod of namespace" + std::string(spaces.size() == 1 ? " " : "s ") +
           listed(spaces) + " is in the input";
}

} // namespace

Extent::Extent(const Cluster& cluster, bool told_whole)
    : told_whole_(told_whole), whole_(told_whole) {
    for (const Namespace& each : cluster.namespaces) {
        Space& space = spaces_[each.meta.name];
        if (!each.meta.labels_unread)
            space.labels = each.meta.labels;
    }
    for (const Workload& each : cluster.workloads) {
        spaces_[each.meta.space].has_workloads = true;
        whole_ = whole_ || is_dns(each.pod_labels);
    }
    // Nodes and pods without those of DNS are a part; nodes alone are a cluster of hosts.
    whole_ = whole_ || (cluster.workloads.empty() &&
                        std::any_of(cluster.nodes.begin(), cluster.nodes.end(),
                                    [](const Node& each) { return !each.is_calico; }));
    for (auto& [name, space] : spaces_)
        space.in_part = !whole_ && is_of_platform(name);
    for (const auto& [space, object] : cluster.unread_pods)
        spaces_[space].in_part = true;
    for (const std::string& space : cluster.spaces_in_part)
        spaces_[space].in_part = true;
    // An Ingress leads to what is installed otherwise.
    std::set<std::pair<std::string, std::string>> services;
    for (const Service& each : cluster.services)
        services.emplace(each.meta.space, each.meta.name);
    for (const RequestRoute& route : cluster.request_routes)
        for (const RequestRoute::Backend& each : route.backends)
            if (!services.contains({each.space, each.service}))
                spaces_[each.space].in_part = true;
    for (const NetworkSet& each : cluster.network_sets)
        if (each.meta.labels_unread)
            (each.meta.space.empty() ? global_in_part_ : spaces_[each.meta.space].in_part) = true;
    for (const HostEndpoint& each : cluster.host_endpoints)
        global_in_part_ = global_in_part_ || each.meta.labels_unread;
    hosts_ = (whole_ || !cluster.host_endpoints.empty()) && !has_automatic_host_endpoints(cluster);
    global_sets_ = whole_ || std::any_of(cluster.network_sets.begin(), cluster.network_sets.end(),
                                         [](const auto& set) { return set.meta.space.empty(); });
}

std::optional<std::string> Extent::known(const Selector& selector, Ends ends) const {
    if (asks_for_run_time_label(selector))
        return std::nullopt;
    const bool global = may_be_global(selector), elsewhere = may_be_elsewhere(selector, spaces_);
    const bool knows_global = hosts_ || (ends == Ends::Peers && global_sets_);
    if ((global && (!knows_global || global_in_part_)) || (elsewhere && !whole_))
        return std::nullopt;
    std::vector<std::string> shown;
    bool bare = false; // a namespace without workloads may be meant
    for (const auto& [name, space] : spaces_) {
        if (!may_be_in(selector, name, space.labels))
            continue;
        if (space.in_part ||
            (!space.labels && !told_whole_ && asks_for_label_of_namespace(selector)))
            return std::nullopt;
        if (space.has_workloads)
            shown.push_back(name);
        else
            bare = true;
    }
    // In a picture of the whole cluster a namespace without pods has none, unless it is just what
    // the selector speaks of: then it is more likely that they come later.
    if (told_whole_)
        return "the input is the whole cluster";
    if (bare && (!whole_ || shown.empty()))
        return std::nullopt;
    if (elsewhere && shown.empty() && names_other_namespace(selector, spaces_))
        return std::nullopt;
    if (elsewhere)
        return "the input is the whole cluster";
    if (!shown.empty())
        return every_pod_of(shown);
    if (!global) // not even one that is not in the input
        return "namespaces have the labels that the input gives them";
    return std::string("every host endpoint") +
           (ends == Ends::Peers ? " and global network set" : "") + " is in the input";
}

std::optional<std::string> Extent::known_endpoints_of(const Policy& policy) const {
    const Selector subject = subject_of(policy);
    if (!*policy.pre_dnat && !*policy.do_not_track)
        return known(subject, Ends::Endpoints);
    const Selector hosts = Selector::negate(Selector::has(std::string(kNamespaceLabel)));
    return known(Selector::all_of({subject, hosts}), Ends::Endpoints);
}

std::optional<std::string> Extent::known_pods_of(const std::string& space) const {
    const auto found = spaces_.find(space);
    if (found == spaces_.end() || !found->second.has_workloads || found->second.in_part)
        return std::nullopt;
    return every_pod_of({space});
}

const Labels* Extent::labels_of_namespace(const std::string& space) const {
    const auto found = spaces_.find(space);
    return found == spaces_.end() || !found->second.labels ? nullptr : &*found->second.labels;
}

bool has_automatic_host_endpoints(const Cluster& cluster) {
    return std::any_of(cluster.others.begin(), cluster.others.end(), [](const auto& each) {
        return each.kind == "KubeControllersConfiguration" &&
               each.spec.is("controllers.node.hostEndpoint.autoCreate", "Enabled");
    });
}

} // namespace polecat::policy
