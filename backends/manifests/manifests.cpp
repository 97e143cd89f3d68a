#include "backends/manifests/manifests.h"

#include "backends/manifests/parts.h"

namespace polecat::backends {

using manifests::object_of;

namespace {

template <class List> void add(std::string& out, const List& list) {
    for (const auto& each : list)
        out += (out.empty() ? "" : "---\n") + object_of(each).text();
}

} // namespace

std::string to_yaml(const policy::Cluster& cluster) {
    std::string out;
    add(out, cluster.tiers);
    add(out, cluster.policies);
    add(out, cluster.kubernetes_policies);
    add(out, cluster.cluster_policies);
    add(out, cluster.profiles);
    add(out, cluster.network_sets);
    add(out, cluster.namespaces);
    add(out, cluster.service_accounts);
    add(out, cluster.nodes);
    add(out, cluster.workloads);
    add(out, cluster.host_endpoints);
    add(out, cluster.services);
    std::size_t subset = 0;
    for (policy::ServiceEndpoints each : cluster.service_endpoints) {
        if (!each.is_slice) // a slice for each subset of an Endpoints
            each.meta.name += "-" + std::to_string(subset++);
        out += (out.empty() ? "" : "---\n") + object_of(each).text();
    }
    add(out, cluster.inventories);
    for (const policy::IpPool& pool : cluster.pools)
        if (pool.path == "spec") // others stand in their Installation
            out += (out.empty() ? "" : "---\n") + manifests::object(manifests::kCalico, "IPPool",
                                                                    pool.meta,
                                                                    manifests::tree_of(pool.spec))
                                                      .text();
    add(out, cluster.others);
    return out;
}

std::string to_yaml(const policy::Policy& policy) {
    return object_of(policy).text();
}

std::string to_yaml(const policy::KubernetesNetworkPolicy& policy) {
    return object_of(policy).text();
}

std::string to_yaml(const policy::Rule& rule) {
    return manifests::Tree::list().add(manifests::rule(rule)).text();
}

} // namespace polecat::backends
