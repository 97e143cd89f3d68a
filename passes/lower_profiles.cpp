// Profiles: Calico felix/calc (active_rules_calculator), libcalico-go k8s/conversion.
#include "passes/convert_kubernetes.h"
#include "passes/lower_parts.h"

namespace polecat::passes::lowering {

namespace {

bool is_kubernetes(const policy::Workload& workload) {
    return workload.kind != "WorkloadEndpoint";
}

std::string account_of(const policy::Workload& workload) {
    return workload.service_account.empty() ? "default" : workload.service_account;
}

/// Namespaces that the input leaves out exist all the same, with the labels every one has.
void add_namespace(Profiles& profiles, policy::Namespace space) {
    const std::string name = space.meta.name;
    space.meta.labels.set_default("kubernetes.io/metadata.name", name);
    policy::Profile profile = profile_of(space);
    profiles.emplace(profile.meta.name, std::move(profile));
}

void add_account(Profiles& profiles, const policy::ServiceAccount& account) {
    policy::Profile profile = profile_of(account);
    profiles.emplace(profile.meta.name, std::move(profile));
}

void add_namespace_named(Profiles& profiles, const std::string& name) {
    if (name.empty() || profiles.contains("kns." + name))
        return;
    policy::Namespace space;
    space.meta.name = name;
    add_namespace(profiles, std::move(space));
}

policy::Profile default_allow() {
    policy::Profile profile;
    profile.meta.name = "projectcalico-default-allow";
    profile.ingress.emplace_back();
    profile.egress.emplace_back();
    return profile;
}

} // namespace

Profiles profiles_of(const policy::Cluster& cluster) {
    Profiles profiles;
    for (const policy::Profile& profile : cluster.profiles)
        profiles.emplace(profile.meta.name, profile);
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
    profiles.emplace("projectcalico-default-allow", default_allow());
    return profiles;
}

std::vector<std::string> profile_names(const policy::Workload& workload) {
    std::vector<std::string> names;
    if (is_kubernetes(workload)) {
        names.push_back("kns." + workload.meta.space);
        names.push_back("ksa." + workload.meta.space + "." + account_of(workload));
    }
    for (const At<std::string>& name : workload.profiles)
        names.push_back(*name);
    return names;
}

std::vector<std::string> profile_names(const policy::HostEndpoint& endpoint) {
    std::vector<std::string> names;
    for (const At<std::string>& name : endpoint.profiles)
        names.push_back(*name);
    return names;
}

} // namespace polecat::passes::lowering
