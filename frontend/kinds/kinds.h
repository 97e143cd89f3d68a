/// The kinds that polecat reads: a table from apiVersion and kind to a reader. One file a family of
/// kinds; each reader takes one document and fills the cluster. Other kinds: other_kinds.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frontend/kinds/fields.h"
#include "frontend/yaml/node.h"
#include "ir/policy/cluster.h"
#include "support/diag/diagnostic.h"

namespace polecat::frontend {

/// What a reader gets: one object's root mapping.
struct ObjectContext {
    const yaml::Node& root;
    std::string api_version, kind;
    policy::Cluster& cluster;
    diag::Diagnostics& diagnostics;
    bool legacy_crd = false; ///< crd.projectcalico.org/v1: read as v3 without defaulting
};
/// "NetworkPolicy shop/web": how messages call the object.
std::string object_label(const ObjectContext& context);
std::string object_label(const yaml::Node& root, const std::string& kind);
/// The fields of a Calico object, `status` left aside.
Fields open_calico(ObjectContext& context);

using Reader = void (*)(ObjectContext&);

struct KindRow {
    std::string_view api_version;
    std::string_view kind;
    Reader read;
    bool is_global = false; ///< its objects have no namespace
};

/// kinds/kubernetes*.cpp
void read_namespace(ObjectContext&);
void read_service_account(ObjectContext&);
void read_node(ObjectContext&);
void read_pod(ObjectContext&);
void read_workload(
    ObjectContext&); ///< Deployment, StatefulSet, DaemonSet, ReplicaSet, RC, Job, CronJob
void read_service(ObjectContext&);
void read_secret(ObjectContext&); ///< kinds/secret.cpp
void read_endpoints(ObjectContext&);
void read_endpoint_slice(ObjectContext&);
void read_ingress(ObjectContext&);
void read_ingress_class(ObjectContext&);
void read_gateway_route(ObjectContext&); ///< HTTPRoute, GRPCRoute, TLSRoute, TCPRoute
void read_kubernetes_network_policy(ObjectContext&);
void read_cluster_network_policy(ObjectContext&); ///< v1alpha2
void read_admin_network_policy(ObjectContext&);   ///< ANP and BANP v1alpha1
/// kinds/calico_*.cpp
void read_tier(ObjectContext&);
void read_calico_policy(ObjectContext&); ///< NP, GNP, staged NP, staged GNP
void read_staged_kubernetes_policy(ObjectContext&);
void read_network_set(ObjectContext&); ///< NetworkSet, GlobalNetworkSet
void read_host_endpoint(ObjectContext&);
void read_workload_endpoint(ObjectContext&);
void read_profile(ObjectContext&);
void read_ip_pool(ObjectContext&);
void read_felix_configuration(ObjectContext&);
void read_calico_node(ObjectContext&);
void read_installation(ObjectContext&);
void read_other_calico(ObjectContext&); ///< the rest, by constraints only

/// kinds/fabric_inventory.cpp
void read_fabric_inventory(ObjectContext&);

/// nullptr: not a kind that polecat reads.
const KindRow* find_kind(std::string_view api_version, std::string_view kind);

/// The kinds known of an API group ("projectcalico.org"), any version; of all groups for "".
std::vector<std::string_view> kinds_of_group(std::string_view group);

/// The newest apiVersion of each group that has this kind; of `group` alone, where it has it.
std::vector<std::string_view> versions_of_kind(std::string_view kind, std::string_view group);

/// A kind whose objects have no namespace.
bool is_global_kind(std::string_view kind);
/// A kind that makes pods by a template.
bool is_workload_kind(std::string_view kind);

} // namespace polecat::frontend
