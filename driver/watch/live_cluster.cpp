#include "driver/watch/live_cluster.h"

#include <algorithm>

#include "support/letters.h"

namespace polecat::driver {

using policy::PolicyName;

namespace {

bool is_pod(const policy::Workload& workload) {
    return workload.kind == "Pod" || workload.kind == "WorkloadEndpoint";
}

/// Names of objects that stand for themselves in their list.
template <class Object, class Name>
bool index(const std::vector<Object>& list, const Name& name_of, auto& into) {
    bool doubles = false;
    for (std::size_t i = 0; i < list.size(); ++i)
        doubles = !into.emplace(name_of(list[i]), i).second || doubles;
    return doubles;
}

const auto kNameOfPolicy = [](const auto& policy) { return policy_name(policy); };

/// Puts an object in its place and returns what was there.
template <class Object, class Names, class Name>
std::vector<Object> put(std::vector<Object>& list, Names& names, const Name& name,
                        const Object& object) {
    const auto [place, added] = names.emplace(name, list.size());
    if (added) {
        list.push_back(object);
        return {};
    }
    return {std::exchange(list[place->second], object)};
}

/// The last one of the list takes its place.
template <class Object, class Names, class NameOf>
std::vector<Object> take(std::vector<Object>& list, Names& names, const auto& name,
                         const NameOf& name_of) {
    const auto found = names.find(name);
    if (found == names.end())
        return {};
    const std::size_t place = found->second;
    std::vector<Object> out{std::move(list[place])};
    if (place + 1 != list.size()) {
        list[place] = std::move(list.back());
        names[name_of(list[place])] = place;
    }
    list.pop_back();
    names.erase(found);
    return out;
}

void append(auto& list, const auto& more) {
    list.insert(list.end(), more.begin(), more.end());
}

} // namespace

LiveCluster::LiveCluster(policy::Cluster cluster) : cluster_(std::move(cluster)) {
    doubles_ = index(cluster_.workloads, key_of, workloads_);
    doubles_ = index(cluster_.policies, kNameOfPolicy, policies_) || doubles_;
    doubles_ = index(cluster_.kubernetes_policies, kNameOfPolicy, policies_) || doubles_;
    for (const auto& [name, place] : policies_)
        by_space_[name.space].insert(name);
    frame_.namespaces = cluster_.namespaces;
    frame_.service_accounts = cluster_.service_accounts;
    frame_.nodes = cluster_.nodes;
    frame_.tiers = cluster_.tiers;
    frame_.cluster_policies = cluster_.cluster_policies;
    frame_.profiles = cluster_.profiles;
    frame_.pools = cluster_.pools;
    frame_.felix = cluster_.felix;
    frame_.felix_of_nodes = cluster_.felix_of_nodes;
    frame_.others = cluster_.others;
    frame_.unread_kinds = cluster_.unread_kinds;
    // Rules mean their domains; nets are no part of a program.
    if (std::any_of(
            cluster_.network_sets.begin(), cluster_.network_sets.end(),
            [](const policy::NetworkSet& set) { return !set.allowed_egress_domains.empty(); }))
        frame_.network_sets = cluster_.network_sets;
}

const policy::Workload* LiveCluster::find(const std::string& key) const {
    const auto found = workloads_.find(key);
    return found == workloads_.end() ? nullptr : &cluster_.workloads[found->second];
}

LiveCluster::Before LiveCluster::apply(const ClusterChange& change) {
    Before out;
    for (const std::string& key : change.gone_workloads)
        append(out.workloads, take(cluster_.workloads, workloads_, key, key_of));
    for (const policy::Workload& each : change.workloads)
        append(out.workloads, put(cluster_.workloads, workloads_, key_of(each), each));
    for (const PolicyName& name : change.gone_policies) {
        if (name.kind == policy::PolicyKind::KubernetesNetworkPolicy ||
            name.kind == policy::PolicyKind::StagedKubernetesNetworkPolicy)
            append(out.policies.kubernetes_policies,
                   take(cluster_.kubernetes_policies, policies_, name, kNameOfPolicy));
        else
            append(out.policies.policies, take(cluster_.policies, policies_, name, kNameOfPolicy));
        by_space_[name.space].erase(name);
    }
    const auto put_policies = [&](const auto& more, auto& list, auto& before) {
        for (const auto& each : more) {
            const PolicyName name = policy_name(each);
            append(before, put(list, policies_, name, each));
            by_space_[name.space].insert(name);
        }
    };
    put_policies(change.policies, cluster_.policies, out.policies.policies);
    put_policies(change.kubernetes_policies, cluster_.kubernetes_policies,
                 out.policies.kubernetes_policies);
    return out;
}

bool LiveCluster::stands_for_workload(const policy::Workload& pod) const {
    if (pod.owner_name.empty())
        return false;
    // As lowering names them (passes/lowering/world.cpp).
    const std::string& owner = pod.owner_name;
    const std::string parent = owner.substr(0, owner.rfind('-'));
    return std::any_of(cluster_.workloads.begin(), cluster_.workloads.end(),
                       [&](const policy::Workload& each) {
                           return !is_pod(each) && each.meta.space == pod.meta.space &&
                                  (each.meta.name == owner || each.meta.name == parent);
                       });
}

policy::Cluster LiveCluster::with_only(const std::set<std::string>& workloads) const {
    policy::Cluster out = frame_;
    std::set<std::string> spaces{""};
    for (const std::string& key : workloads)
        if (const policy::Workload* workload = find(key)) {
            out.workloads.push_back(*workload);
            spaces.insert(workload->meta.space);
        }
    for (const std::string& space : spaces)
        if (const auto policies = by_space_.find(space); policies != by_space_.end())
            for (const PolicyName& name : policies->second) {
                const std::size_t place = policies_.at(name);
                if (name.kind == policy::PolicyKind::KubernetesNetworkPolicy ||
                    name.kind == policy::PolicyKind::StagedKubernetesNetworkPolicy)
                    out.kubernetes_policies.push_back(cluster_.kubernetes_policies[place]);
                else
                    out.policies.push_back(cluster_.policies[place]);
            }
    return out;
}

} // namespace polecat::driver
