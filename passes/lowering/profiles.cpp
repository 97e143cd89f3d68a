// Profiles: Calico felix/calc (active_rules_calculator), libcalico-go k8s/conversion.
#include "passes/convert_kubernetes.h"
#include "passes/lowering/parts.h"

namespace polecat::passes::lowering {

namespace {

bool is_kubernetes(const policy::Workload& workload) {
    return workload.kind != "WorkloadEndpoint";
}

std::string account_of(const policy::Workload& workload) {
    return workload.service_account.empty() ? "default" : workload.service_account;
}

Span labels_unread(const policy::Metadata& meta) {
    return meta.labels_unread ? meta.unread : Span{};
}

/// Namespaces that the input leaves out exist all the same, with the labels every one has.
void add_namespace(Profiles& profiles, const policy::Namespace& space) {
    profiles.try_emplace("kns." + space.meta.name,
                         ProfileSource{policy::inherited_labels(space), nullptr, true,
                                       space.meta.span, labels_unread(space.meta)});
}

void add_account(Profiles& profiles, const policy::ServiceAccount& account) {
    profiles.try_emplace("ksa." + account.meta.space + "." + account.meta.name,
                         ProfileSource{policy::inherited_labels(account), nullptr, false,
                                       account.meta.span, labels_unread(account.meta)});
}

void add_namespace_named(Profiles& profiles, const std::string& name) {
    if (name.empty() || profiles.contains("kns." + name))
        return;
    policy::Namespace space;
    space.meta.name = name;
    add_namespace(profiles, space);
}

} // namespace

std::vector<policy::Rule> ProfileSource::rules(policy::Direction direction) const {
    if (given != nullptr)
        return direction == policy::Direction::Ingress ? given->ingress : given->egress;
    if (allows)
        return {allow_all(span)};
    return {};
}

Profiles profiles_of(const policy::Cluster& cluster) {
    Profiles profiles;
    for (const policy::Profile& profile : cluster.profiles)
        profiles.try_emplace(profile.meta.name,
                             ProfileSource{profile.labels_to_apply, &profile, false,
                                           profile.meta.span, profile.meta.unread});
    for (const policy::Namespace& space : cluster.namespaces)
        add_namespace(profiles, space);
    for (const policy::ServiceAccount& account : cluster.service_accounts)
        add_account(profiles, account);
    for (const policy::Workload& workload : cluster.workloads) {
        add_namespace_named(profiles, workload.meta.space);
        if (!is_kubernetes(workload))
            continue;
        const std::string name = account_of(workload);
        if (profiles.contains("ksa." + workload.meta.space + "." + name))
            continue;
        policy::ServiceAccount account;
        account.meta.name = name;
        account.meta.space = workload.meta.space;
        add_account(profiles, account);
    }
    for (const policy::NetworkSet& set : cluster.network_sets)
        add_namespace_named(profiles, set.meta.space);
    profiles.try_emplace("projectcalico-default-allow", ProfileSource{{}, nullptr, true, {}, {}});
    return profiles;
}

std::vector<std::string> profile_names(const EndpointSource& of) {
    std::vector<std::string> names;
    if (of.workload != nullptr && is_kubernetes(*of.workload)) {
        names.push_back("kns." + of.workload->meta.space);
        names.push_back("ksa." + of.workload->meta.space + "." + account_of(*of.workload));
    }
    const auto& given = of.workload != nullptr ? of.workload->profiles : of.host_endpoint->profiles;
    for (const At<std::string>& name : given)
        names.push_back(*name);
    return names;
}

} // namespace polecat::passes::lowering
