/// policy::Cluster: everything the manifests say, typed, each thing with its span. The input of
/// lowering and of every question.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ir/policy/fabric.h"
#include "ir/policy/kubernetes.h"
#include "ir/policy/objects.h"

namespace polecat::policy {

/// An object that pods come of, and that was not read: which pods its namespace has is not known.
struct UnreadPods {
    std::string object; ///< "Prometheus monitoring/main"
    Span span;          ///< metadata.name
};

/// Objects of one kind that are not read.
struct UnreadKind {
    std::size_t count = 0;
    Span first; ///< metadata.name, or the object
};

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
    std::map<std::string, UnreadKind> unread_kinds; ///< by "apiVersion Kind"
    /// Policies of others, which say more than what is read: answers hold as far as these don't
    /// count. By "apiVersion Kind".
    std::map<std::string, UnreadKind> foreign_policies;
    /// By namespace, the first of each: custom resources that an operator makes pods of.
    std::map<std::string, UnreadPods, std::less<>> unread_pods;
    /// Namespaces of which the input does not show just one as it is: it holds variants of them, or
    /// objects that may go into others.
    std::set<std::string, std::less<>> spaces_in_part;
    /// Files of folders that are variants of one cluster, with a number for each folder.
    std::map<FileId, std::size_t> variants;
    /// Files whose objects a kustomization puts into a namespace, and it is not known into which.
    std::set<FileId> placed_elsewhere;

    /// What stands at these places may be in one cluster: not in two variants of one.
    bool may_meet(const Span& a, const Span& b) const;
    /// Why the workloads of the input may not be all that the namespace has; nullptr: nothing says
    /// so.
    const UnreadPods* pods_unknown_in(std::string_view space) const {
        const auto found = unread_pods.find(space);
        return found == unread_pods.end() ? nullptr : &found->second;
    }
};

/// The object of a kind of Cluster::others that counts for the whole cluster: the one named
/// `default`. nullptr: it is not in the input.
const OtherObject* default_object(const Cluster& cluster, std::string_view kind);

/// Whether something of Calico's own API is there, so that Calico carries out all the policies.
bool has_calico_objects(const Cluster& cluster);

} // namespace polecat::policy
