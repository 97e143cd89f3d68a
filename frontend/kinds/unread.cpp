#include "frontend/kinds/unread.h"

#include <algorithm>
#include <set>
#include <utility>

#include "frontend/kinds/groups.h"
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/names.h"
#include "frontend/kinds/pod_makers.h"
#include "ir/policy/scope.h"

namespace polecat::frontend {

namespace {

using policy::ClusterNetworkPolicy;
using policy::KubernetesNetworkPolicy;
using policy::Policy;
using policy::PolicyKind;

/// The lists of objects that answers hang on, policies and what no answer asks aside.
template <class Cluster, class Act> void each_list(Cluster& cluster, const Act& act) {
    act(cluster.namespaces);
    act(cluster.service_accounts);
    act(cluster.nodes);
    act(cluster.workloads);
    act(cluster.host_endpoints);
    act(cluster.services);
    act(cluster.service_endpoints);
    act(cluster.tiers);
    act(cluster.profiles);
    act(cluster.network_sets);
    act(cluster.pools);
    act(cluster.others);
}

/// What can be told of an object's metadata; an empty namespace is one that is not known.
policy::Metadata metadata_of(const yaml::Node& root, Span where) {
    policy::Metadata out;
    const yaml::Node* meta = root.is_mapping() ? root.find("metadata") : nullptr;
    out.name = scalar_text(meta, "name");
    if (std::string space = scalar_text(meta, "namespace"); is_dns_label(space))
        out.space = std::move(space); // else `${NS}`, or what sops encrypted
    out.space_given = !out.space.empty();
    out.span = out.unread = where;
    out.labels_unread = true;
    return out;
}

PolicyKind calico_kind(std::string_view kind) {
    return kind == "NetworkPolicy"               ? PolicyKind::NetworkPolicy
           : kind == "StagedNetworkPolicy"       ? PolicyKind::StagedNetworkPolicy
           : kind == "StagedGlobalNetworkPolicy" ? PolicyKind::StagedGlobalNetworkPolicy
                                                 : PolicyKind::GlobalNetworkPolicy;
}

} // namespace

void forget_rules(Policy& policy, std::optional<Span> where, bool types_known) {
    if (!where)
        return;
    policy.meta.unread = where->known() ? *where : policy.meta.span;
    policy::Rule any;
    any.span = any.action_span = any.unread = policy.meta.unread;
    any.any_action = true;
    any.action = policy::Action::Pass;
    if (!types_known)
        policy.ingress_type = policy.egress_type = true;
    policy.ingress = policy.egress = {any};
}

void forget_rules(KubernetesNetworkPolicy& policy, std::optional<Span> where, bool types_known) {
    if (!where)
        return;
    policy.meta.unread = where->known() ? *where : policy.meta.span;
    policy::KubernetesRule any;
    any.span = any.unread = policy.meta.unread;
    if (!types_known)
        policy.has_ingress_type = policy.has_egress_type = true;
    policy.ingress = policy.egress = {any};
}

void forget_rules(ClusterNetworkPolicy& policy, std::optional<Span> where) {
    if (!where)
        return;
    policy.meta.unread = where->known() ? *where : policy.meta.span;
    policy::ClusterRule any;
    any.span = any.unread = policy.meta.unread;
    any.any_action = true;
    policy.ingress = policy.egress = {any};
}

void forget_rules(policy::Profile& profile, std::optional<Span> where) {
    if (!where)
        return;
    profile.meta.unread = where->known() ? *where : profile.meta.span;
    policy::Rule any;
    any.span = any.action_span = any.unread = profile.meta.unread;
    any.any_action = true;
    profile.ingress = profile.egress = {any};
}

void add_unread_policy(const yaml::Node& root, std::string_view api_version, std::string_view kind,
                       Span where, policy::Cluster& cluster) {
    policy::Metadata meta = metadata_of(root, where);
    const bool kubernetes =
        kind == "NetworkPolicy" && api_version.starts_with("networking.k8s.io/");
    if (kubernetes || kind == "StagedKubernetesNetworkPolicy") {
        KubernetesNetworkPolicy policy;
        policy.meta = std::move(meta);
        policy.staged_action = kubernetes ? "" : "Set";
        forget_rules(policy, where, false);
        cluster.kubernetes_policies.push_back(std::move(policy));
        return;
    }
    Policy policy;
    policy.meta = std::move(meta);
    policy.kind = calico_kind(kind);
    if (policy::is_global(policy.kind))
        policy.meta.space.clear();
    policy.manifest_kind = kind;
    policy.place_unread = true;
    forget_rules(policy, where, false);
    cluster.policies.push_back(std::move(policy));
}

namespace {

/// Settings of every node, unless they are known to be of one. What has another name is not
/// followed. An Installation says whether Felix enforces with BPF.
void doubt_settings(std::string_view kind, const std::string& name, Span where,
                    policy::Cluster& cluster) {
    constexpr std::string_view kNode = "node.";
    if (kind == "Installation" ||
        (kind == "FelixConfiguration" && (name == "default" || !is_dns_subdomain(name))))
        cluster.felix.unread = where;
    else if (kind == "FelixConfiguration" && name.starts_with(kNode))
        cluster.felix_of_nodes[name.substr(kNode.size())].unread = where;
}

bool is_policy_kind(std::string_view kind) {
    return kind.ends_with("NetworkPolicy");
}

void add_network_set(policy::Metadata meta, std::string_view kind, policy::Cluster& cluster) {
    if (kind == "GlobalNetworkSet")
        meta.space.clear();
    cluster.network_sets.push_back({std::move(meta), {}, {}});
}

void add_service(policy::Metadata meta, policy::Cluster& cluster) {
    cluster.services.push_back({});
    cluster.services.back().meta = std::move(meta);
}

/// Of which service it is says a label.
void add_slice(policy::Metadata meta, policy::Cluster& cluster) {
    cluster.service_endpoints.push_back({});
    cluster.service_endpoints.back().meta = std::move(meta);
}

void add_node(policy::Metadata meta, bool is_calico, policy::Cluster& cluster) {
    cluster.nodes.push_back({});
    cluster.nodes.back().meta = std::move(meta);
    cluster.nodes.back().is_calico = is_calico;
}

void add_profile(policy::Metadata meta, Span where, policy::Cluster& cluster) {
    policy::Profile profile{std::move(meta), {}, {}, {}};
    forget_rules(profile, where);
    cluster.profiles.push_back(std::move(profile));
}

/// A pool of addresses that nobody knows, or an Installation that may have such pools: lowering
/// looks for what is unread.
void add_other(policy::Metadata meta, const TypeMeta& type, policy::Cluster& cluster) {
    cluster.others.push_back({type.api_version, type.kind, std::move(meta), {}, {}});
}

/// Kinds that are not named here change no answer.
void add_unread_kind(const yaml::Node& root, const TypeMeta& type, Span where,
                     policy::Cluster& cluster) {
    const std::string& kind = type.kind;
    if (is_policy_kind(kind))
        return add_unread_policy(root, type.api_version, kind, where, cluster);
    policy::Metadata meta = metadata_of(root, where);
    doubt_settings(kind, meta.name, where, cluster);
    if (kind == "Namespace")
        cluster.namespaces.push_back({std::move(meta)});
    else if (kind == "ServiceAccount")
        cluster.service_accounts.push_back({std::move(meta)});
    else if (kind == "Node")
        add_node(std::move(meta), type.group().ends_with("projectcalico.org"), cluster);
    else if (kind == "Pod" || kind == "WorkloadEndpoint" || is_workload_kind(kind))
        cluster.unread_pods.try_emplace(meta.space,
                                        policy::UnreadPods{object_label(root, kind), where});
    else if (kind == "Service" || kind == "Endpoints")
        add_service(std::move(meta), cluster);
    else if (kind == "EndpointSlice")
        add_slice(std::move(meta), cluster);
    else if (kind == "NetworkSet" || kind == "GlobalNetworkSet")
        add_network_set(std::move(meta), kind, cluster);
    else if (kind == "Tier")
        cluster.tiers.push_back({std::move(meta), std::nullopt, {policy::Action::Deny, {}}});
    else if (kind == "HostEndpoint") // it may be for any interface of any node
        cluster.host_endpoints.push_back({std::move(meta), "", "*", {}, {}, {}});
    else if (kind == "Profile")
        add_profile(std::move(meta), where, cluster);
    else if (kind == "IPPool" || kind == "Installation")
        add_other(std::move(meta), type, cluster);
}

} // namespace

void add_unread_object(const yaml::Node& root, std::string_view api_version, std::string_view kind,
                       Span where, policy::Cluster& cluster) {
    const TypeMeta type{std::string(api_version), std::string(kind)};
    if (type.group() == "polecat" || !may_decide(type)) // our own kinds change no answer
        return;
    std::vector<std::string> kinds = kinds_meant(type);
    if (kinds.empty() && is_policy_group(type.group()))
        kinds = {"GlobalNetworkPolicy"}; // nobody knows
    for (const std::string& each : std::set<std::string>(kinds.begin(), kinds.end()))
        add_unread_kind(root, {type.api_version, each}, where, cluster);
}

// --- documents that are no YAML ------------------------------------------------------------------

namespace {

/// `key: value` or `"key": "value"`, the first in the line; without quotes and comment.
std::string line_value(std::string_view line, std::string_view key) {
    for (std::size_t at = line.find(key); at != std::string_view::npos;
         at = line.find(key, at + 1)) {
        const bool begins =
            at == 0 || std::string_view(" -\t{,\"'").find(line[at - 1]) != std::string_view::npos;
        const std::size_t colon = line.find_first_not_of("\"' ", at + key.size());
        if (!begins || colon == std::string_view::npos || line[colon] != ':')
            continue;
        const std::size_t begin = line.find_first_not_of(" \"'", colon + 1);
        if (begin == std::string_view::npos || line[begin] == '#' || line[begin] == '{')
            continue;
        return std::string(line.substr(begin, line.find_first_of(" \"',}\r#", begin) - begin));
    }
    return {};
}

/// What holds other objects: a List of any kind, OpenShift's Template.
bool is_envelope(std::string_view kind) {
    return kind == "Template" || kind.ends_with("List");
}

/// What the lines of one document say, the first of each; of what an envelope holds rather than of
/// the envelope.
struct Glimpse {
    std::string api_version, kind, name, space;
    bool several = false; ///< namespaces, of which it is not known which is the object's own
    /// What policies have: should the kind be what can't be read.
    bool of_policy = false, global = false;
    bool in_envelope = false; ///< where one object ends and the next begins is not always known

    void look(std::string_view line) {
        const auto take = [&](std::string_view key, std::string& into) {
            if (into.empty())
                into = line_value(line, key);
        };
        if (is_envelope(kind)) {
            in_envelope = true;
            const std::string held = line_value(line, "kind");
            kind = held.empty() ? kind : held;
            const std::string version = line_value(line, "apiVersion");
            api_version = version.empty() ? api_version : version;
        }
        take("apiVersion", api_version);
        take("kind", kind);
        take("name", name);
        for (const char* word : {"podSelector", "policyTypes", "ingress:", "egress:", "Policy"})
            of_policy = of_policy || line.find(word) != std::string_view::npos;
        global = global || line.find("GlobalNetworkPolicy") != std::string_view::npos;
        const std::string found = line_value(line, "namespace");
        several = several || (!found.empty() && !space.empty() && found != space);
        take("namespace", space);
    }

    /// Empty: nothing that an answer hangs on.
    std::string kind_meant() const {
        const bool is_word = !kind.empty() && std::all_of(kind.begin(), kind.end(), [](char c) {
            return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        });
        if (!of_policy || (is_word && !is_envelope(kind) && !in_envelope))
            return is_word ? kind : "";
        return global ? "GlobalNetworkPolicy" : "NetworkPolicy";
    }

    yaml::Node root() const {
        const auto scalar = [](const std::string& text) {
            yaml::Node out;
            out.kind = yaml::Node::Kind::Scalar;
            out.text = text;
            return out;
        };
        yaml::Node meta, out;
        meta.kind = out.kind = yaml::Node::Kind::Mapping;
        meta.members.push_back({"name", {}, scalar(name)});
        if (!several && is_dns_label(space))
            meta.members.push_back({"namespace", {}, scalar(space)});
        out.members.push_back({"metadata", {}, std::move(meta)});
        return out;
    }
};

/// Another object begins, without a line `---` before it.
bool begins_object(std::string_view line, const Glimpse& before) {
    const std::size_t dash = line.find_first_not_of(" -");
    const bool item = line.find('-') < dash; // of a list
    if (dash == std::string_view::npos || (dash != 0 && !item))
        return false;
    const std::string_view rest = line.substr(dash);
    return (rest.starts_with("apiVersion:") && !before.api_version.empty() &&
            !before.kind.empty()) ||
           (rest.starts_with("kind:") && !before.kind.empty());
}

/// The objects of the document around a line.
struct Around {
    std::vector<Glimpse> objects{{}};
    std::uint32_t first = 1; ///< its first line
};

Around lines_around(std::string_view text, std::uint32_t wanted) {
    Around out;
    std::uint32_t number = 0;
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = std::min(text.find('\n', begin), text.size());
        const std::string_view line = text.substr(begin, end - begin);
        begin = end + 1;
        ++number;
        if (line.starts_with("---")) {
            // What is missing at the end of a document is found missing where the next one begins.
            if (number > wanted || (number == wanted && number > out.first))
                break;
            out = {{{}}, number};
        }
        if (begins_object(line, out.objects.back()))
            out.objects.emplace_back();
        out.objects.back().look(line);
    }
    return out;
}

} // namespace

void add_unread_documents(const std::vector<Span>& places, const Sources& sources,
                          policy::Cluster& cluster) {
    std::set<std::pair<FileId, std::uint32_t>> seen;
    for (const Span& place : places) {
        if (!place.known())
            continue;
        const auto [objects, first] = lines_around(sources.text(place.file), place.line);
        if (!seen.emplace(place.file, first).second)
            continue;
        for (const Glimpse& each : objects)
            if (const std::string kind = each.kind_meant(); !kind.empty())
                add_unread_object(each.root(), kind == each.kind ? each.api_version : "", kind,
                                  place, cluster);
    }
}

bool may_matter(const Span& place, const Sources& sources) {
    if (!place.known())
        return true;
    const auto objects = lines_around(sources.text(place.file), place.line).objects;
    return std::any_of(objects.begin(), objects.end(), [](const Glimpse& each) {
        const TypeMeta type{each.api_version, each.kind_meant()};
        return type.kind.empty() || each.in_envelope || is_envelope(each.kind) || // nobody knows
               may_decide(type);
    });
}

// --- objects -------------------------------------------------------------------------------------

UnreadWatch::UnreadWatch(policy::Cluster& cluster, const diag::Diagnostics& diagnostics)
    : cluster_(cluster), watch_(diagnostics), before_(sizes()) {}

UnreadWatch::Sizes UnreadWatch::sizes() const {
    Sizes out{};
    std::size_t next = 0;
    each_list(cluster_, [&](const auto& list) { out.lists[next++] = list.size(); });
    out.policies = {cluster_.policies.size(), cluster_.kubernetes_policies.size(),
                    cluster_.cluster_policies.size()};
    return out;
}

/// Those that came since; whether there were any.
bool UnreadWatch::drop_policies() {
    const bool any = sizes().policies != before_.policies;
    const auto shorten = [](auto& list, std::size_t size) {
        list.erase(list.begin() + static_cast<std::ptrdiff_t>(size), list.end());
    };
    shorten(cluster_.policies, before_.policies[0]);
    shorten(cluster_.kubernetes_policies, before_.policies[1]);
    shorten(cluster_.cluster_policies, before_.policies[2]);
    return any;
}

void UnreadWatch::settle(const yaml::Node& root, std::string_view api_version,
                         std::string_view kind, bool contested) {
    auto where = watch_.error();
    if (contested)
        where = root.span;
    if (!where)
        return;
    if (!where->known())
        where = root.span;
    // Of two policies either may be the one, and they may select differently.
    if ((contested && drop_policies()) || sizes() == before_)
        return add_unread_object(root, api_version, kind, *where, cluster_);
    doubt_settings(kind, scalar_text(root.find("metadata"), "name"), *where, cluster_);
    std::size_t next = 0;
    each_list(cluster_, [&](auto& list) {
        for (std::size_t i = before_.lists[next++]; i < list.size(); ++i)
            list[i].meta.unread = *where;
    });
    for (std::size_t i = before_.lists[3]; i < cluster_.workloads.size(); ++i) {
        const policy::Workload& workload = cluster_.workloads[i];
        cluster_.unread_pods.try_emplace(
            workload.meta.space,
            policy::UnreadPods{object_label(root, std::string(kind)), workload.meta.unread});
    }
}

void settle_tiers(policy::Cluster& cluster) {
    std::map<std::string_view, Span> unread;
    for (const policy::Tier& tier : cluster.tiers)
        if (tier.meta.unread.known())
            unread.emplace(tier.meta.name, tier.meta.unread);
    if (unread.empty())
        return;
    for (Policy& policy : cluster.policies)
        if (const auto found = unread.find(*policy.tier); found != unread.end()) {
            policy.place_unread = true;
            forget_rules(policy, found->second, true);
        }
}

} // namespace polecat::frontend
