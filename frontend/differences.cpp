#include "frontend/differences.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "frontend/kinds/kinds.h"

namespace polecat::frontend {

namespace {

using yaml::Member;
using yaml::Node;

/// What the API server writes into an object, which says nothing about what was meant.
bool is_server_side(std::string_view key) {
    static constexpr std::string_view kKeys[] = {
        "managedFields",     "resourceVersion", "uid",
        "creationTimestamp", "generation",      "kubectl.kubernetes.io/last-applied-configuration"};
    return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

/// Every member of `a` is in `b`, and says the same there.
bool has_members(const Node& a, const Node& b) {
    return std::all_of(a.members.begin(), a.members.end(), [&](const Member& each) {
        const Node* other = b.find(each.key);
        return is_server_side(each.key) || (other != nullptr && say_the_same(each.value, *other));
    });
}

/// The node at "spec.template.metadata"; nullptr: it is not there.
const Node* node_at(const Node& root, std::string_view path) {
    const Node* out = &root;
    while (!path.empty() && out != nullptr) {
        const std::size_t dot = path.find('.');
        out = out->is_mapping() ? out->find(path.substr(0, dot)) : nullptr;
        path = dot == std::string_view::npos ? "" : path.substr(dot + 1);
    }
    return out;
}

bool say_the_same_at(const Node& a, const Node& b, std::string_view path) {
    const Node* one = node_at(a, path);
    const Node* other = node_at(b, path);
    return one == nullptr || other == nullptr ? one == other : say_the_same(*one, *other);
}

/// What its containers have under a key.
std::vector<const Node*> listed_parts(const Node& root, std::string_view containers,
                                      std::string_view key) {
    std::vector<const Node*> out;
    if (const Node* list = node_at(root, containers))
        for (const Node& each : list->items)
            if (const Node* part = node_at(each, key))
                out.push_back(part);
    return out;
}

/// One that leaves it open has the default.
bool say_the_same_at(const Node& a, const Node& b, std::string_view path, std::string_view usual) {
    const auto value_of = [&](const Node& root) {
        const Node* node = node_at(root, path);
        return node == nullptr || node->is_null() ? std::string(usual) : node->text;
    };
    return value_of(a) == value_of(b);
}

/// Labels that policies select namespaces by; admission and the namespace's name aside.
std::map<std::string, std::string> labels_of(const Node& root) {
    std::map<std::string, std::string> out;
    if (const Node* labels = node_at(root, "metadata.labels"))
        for (const Member& each : labels->members)
            if (each.key != "kubernetes.io/metadata.name" &&
                !each.key.starts_with("pod-security.kubernetes.io/"))
                out.emplace(each.key, each.value.text);
    return out;
}

bool have_the_same(const Node& a, const Node& b, std::string_view containers,
                   std::string_view key) {
    const auto one = listed_parts(a, containers, key), other = listed_parts(b, containers, key);
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](const Node* x, const Node* y) { return say_the_same(*x, *y); });
}

bool mentions(const Node& node, std::string_view word) {
    return (node.is_scalar() && node.text.find(word) != std::string::npos) ||
           std::any_of(node.items.begin(), node.items.end(),
                       [&](const Node& each) { return mentions(each, word); }) ||
           std::any_of(node.members.begin(), node.members.end(), [&](const Member& each) {
               return each.key == word || mentions(each.value, word);
           });
}

} // namespace

bool say_the_same(const Node& a, const Node& b) {
    if (a.kind != b.kind)
        return false;
    if (a.is_mapping())
        return has_members(a, b) && has_members(b, a);
    if (a.is_sequence())
        return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(),
                          say_the_same);
    return a.is_null() || (a.text == b.text && yaml::resolve_scalar(a) == yaml::resolve_scalar(b));
}

bool say_the_same_of_policy(const Node& a, const Node& b, std::string_view kind) {
    const auto same_at = [&](std::initializer_list<std::string_view> paths) {
        return std::all_of(paths.begin(), paths.end(),
                           [&](std::string_view path) { return say_the_same_at(a, b, path); });
    };
    if (kind == "Namespace" || kind == "ServiceAccount")
        return labels_of(a) == labels_of(b);
    if (kind == "Service" || kind.ends_with("NetworkPolicy"))
        return same_at({"spec"});
    if (!is_workload_kind(kind) || kind == "CronJob") // whose template stands deeper
        return say_the_same(a, b);
    const bool is_node = node_at(a, "metadata.name") != nullptr &&
                         node_at(a, "metadata.name")->text == "calico-node";
    return same_at({"spec.template.metadata.labels", "spec.template.spec.serviceAccountName",
                    "spec.template.spec.serviceAccount", "spec.template.spec.nodeName",
                    "spec.template.spec.nodeSelector", "spec.template.metadata.annotations",
                    "spec.template.spec.dnsConfig"}) &&
           say_the_same_at(a, b, "spec.template.spec.hostNetwork", "false") &&
           say_the_same_at(a, b, "spec.template.spec.dnsPolicy", "ClusterFirst") &&
           (kind != "StatefulSet" || same_at({"spec.replicas"})) &&
           have_the_same(a, b, "spec.template.spec.containers", "ports") &&
           have_the_same(a, b, "spec.template.spec.initContainers", "ports") &&
           // Felix reads its settings there.
           (!is_node || have_the_same(a, b, "spec.template.spec.containers", "env"));
}

std::vector<std::string> differing_labels(const Node& a, const Node& b) {
    const auto one = labels_of(a), other = labels_of(b);
    std::vector<std::string> out;
    for (const auto& [label, value] : one)
        if (const auto found = other.find(label); found == other.end() || found->second != value)
            out.push_back(label);
    for (const auto& [label, value] : other)
        if (!one.contains(label))
            out.push_back(label);
    return out;
}

bool asks_for_label(const Node& node, std::string_view kind, const std::string& label) {
    static constexpr std::string_view kOfSpaces[] = {"namespaceSelector", "namespaces", "subject"};
    const bool spaces = kind == "Namespace";
    return mentions(node, (spaces ? "pcns." : "pcsa.") + label) ||
           std::any_of(node.items.begin(), node.items.end(),
                       [&](const Node& each) { return asks_for_label(each, kind, label); }) ||
           std::any_of(node.members.begin(), node.members.end(), [&](const Member& each) {
               const bool here = spaces ? std::find(std::begin(kOfSpaces), std::end(kOfSpaces),
                                                    each.key) != std::end(kOfSpaces)
                                        : each.key.starts_with("serviceAccount");
               return (here && mentions(each.value, label)) ||
                      asks_for_label(each.value, kind, label);
           });
}

} // namespace polecat::frontend
