/// policy::Cluster: everything the manifests say, typed, each thing with its span. The input of
/// lowering and of every question.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ir/policy/fabric.h"
#include "ir/policy/kubernetes.h"
#include "ir/policy/objects.h"

namespace polecat::policy {

struct Cluster {
    std::vector<Namespace> namespaces;
    std::vector<ServiceAccount> service_accounts;
    std::vector<Node> nodes;
    std::vector<Workload> workloads;
    std::vector<HostEndpoint> host_endpoints;
    std::vector<Service> services;
    std::vector<ServiceEndpoints> service_endpoints;
    std::vector<Secret> secrets;
    std::vector<RequestRoute> request_routes;
    std::vector<IngressClass> ingress_classes;
    std::vector<Tier> tiers;      ///< those of manifests; built-in ones are added by lowering
    std::vector<Policy> policies; ///< Calico kinds, staged ones included
    std::vector<KubernetesNetworkPolicy> kubernetes_policies;
    std::vector<ClusterNetworkPolicy> cluster_policies;
    std::vector<Profile> profiles;
    std::vector<NetworkSet> network_sets;
    std::vector<IpPool> pools;
    FelixSettings felix;                                 ///< FelixConfiguration `default`
    std::map<std::string, FelixSettings> felix_of_nodes; ///< `node.NAME`, by NAME
    std::vector<OtherObject> others;
    std::vector<FabricInventory> inventories;
    std::map<std::string, std::size_t> unread_kinds; ///< "apiVersion Kind" -> how many
};

} // namespace polecat::policy
