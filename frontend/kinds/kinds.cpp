#include "frontend/kinds/kinds.h"

#include <algorithm>

#include "frontend/kinds/groups.h"

namespace polecat::frontend {

namespace {

constexpr std::string_view kCalico = "projectcalico.org/v3";
constexpr std::string_view kCalicoCrd = "crd.projectcalico.org/v1";

constexpr bool kGlobal = true;

constexpr KindRow kKinds[] = {
    {"v1", "Namespace", read_namespace, kGlobal},
    {"v1", "ServiceAccount", read_service_account},
    {"v1", "Node", read_node, kGlobal},
    {"v1", "Pod", read_pod},
    {"v1", "Secret", read_secret},
    {"v1", "Service", read_service},
    {"v1", "Endpoints", read_endpoints},
    {"v1", "ReplicationController", read_workload},
    {"discovery.k8s.io/v1", "EndpointSlice", read_endpoint_slice},
    {"discovery.k8s.io/v1beta1", "EndpointSlice", read_endpoint_slice},
    {"apps/v1", "Deployment", read_workload},
    {"apps/v1", "StatefulSet", read_workload},
    {"apps/v1", "DaemonSet", read_workload},
    {"apps/v1", "ReplicaSet", read_workload},
    {"apps/v1beta1", "Deployment", read_workload},
    {"apps/v1beta1", "StatefulSet", read_workload},
    {"apps/v1beta2", "Deployment", read_workload},
    {"apps/v1beta2", "StatefulSet", read_workload},
    {"apps/v1beta2", "DaemonSet", read_workload},
    {"apps/v1beta2", "ReplicaSet", read_workload},
    {"extensions/v1beta1", "Deployment", read_workload},
    {"extensions/v1beta1", "DaemonSet", read_workload},
    {"extensions/v1beta1", "ReplicaSet", read_workload},
    {"batch/v1", "Job", read_workload},
    {"batch/v1", "CronJob", read_workload},
    {"batch/v1beta1", "CronJob", read_workload},
    {"networking.k8s.io/v1", "Ingress", read_ingress},
    {"networking.k8s.io/v1beta1", "Ingress", read_ingress},
    {"extensions/v1beta1", "Ingress", read_ingress},
    {"networking.k8s.io/v1", "IngressClass", read_ingress_class, kGlobal},
    {"networking.k8s.io/v1beta1", "IngressClass", read_ingress_class, kGlobal},
    {"gateway.networking.k8s.io/v1", "HTTPRoute", read_gateway_route},
    {"gateway.networking.k8s.io/v1beta1", "HTTPRoute", read_gateway_route},
    {"gateway.networking.k8s.io/v1", "GRPCRoute", read_gateway_route},
    {"gateway.networking.k8s.io/v1", "TLSRoute", read_gateway_route},
    {"gateway.networking.k8s.io/v1alpha2", "TLSRoute", read_gateway_route},
    {"gateway.networking.k8s.io/v1alpha2", "TCPRoute", read_gateway_route},
    {"networking.k8s.io/v1", "NetworkPolicy", read_kubernetes_network_policy},
    {"extensions/v1beta1", "NetworkPolicy", read_kubernetes_network_policy},
    {"policy.networking.k8s.io/v1alpha2", "ClusterNetworkPolicy", read_cluster_network_policy,
     kGlobal},
    {"policy.networking.k8s.io/v1alpha1", "AdminNetworkPolicy", read_admin_network_policy, kGlobal},
    {"policy.networking.k8s.io/v1alpha1", "BaselineAdminNetworkPolicy", read_admin_network_policy,
     kGlobal},
    {kCalico, "Tier", read_tier, kGlobal},
    {kCalico, "NetworkPolicy", read_calico_policy},
    {kCalico, "GlobalNetworkPolicy", read_calico_policy, kGlobal},
    {kCalico, "StagedNetworkPolicy", read_calico_policy},
    {kCalico, "StagedGlobalNetworkPolicy", read_calico_policy, kGlobal},
    {kCalico, "StagedKubernetesNetworkPolicy", read_staged_kubernetes_policy},
    {kCalico, "NetworkSet", read_network_set},
    {kCalico, "GlobalNetworkSet", read_network_set, kGlobal},
    {kCalico, "HostEndpoint", read_host_endpoint, kGlobal},
    {kCalico, "WorkloadEndpoint", read_workload_endpoint},
    {kCalico, "Profile", read_profile, kGlobal},
    {kCalico, "IPPool", read_ip_pool, kGlobal},
    {kCalico, "FelixConfiguration", read_felix_configuration, kGlobal},
    {kCalico, "Node", read_calico_node, kGlobal},
    {kCalico, "BGPConfiguration", read_other_calico, kGlobal},
    {kCalico, "BGPFilter", read_other_calico, kGlobal},
    {kCalico, "BGPPeer", read_other_calico, kGlobal},
    {kCalico, "BlockAffinity", read_other_calico, kGlobal},
    {kCalico, "CalicoNodeStatus", read_other_calico, kGlobal},
    {kCalico, "ClusterInformation", read_other_calico, kGlobal},
    {kCalico, "IPAMConfiguration", read_other_calico, kGlobal},
    {kCalico, "IPReservation", read_other_calico, kGlobal},
    {kCalico, "KubeControllersConfiguration", read_other_calico, kGlobal},
    {"operator.tigera.io/v1", "Installation", read_installation, kGlobal},
    {"operator.tigera.io/v1", "APIServer", read_other_calico, kGlobal},
    {"polecat/v1", "FabricInventory", read_fabric_inventory, kGlobal},
};

} // namespace

Fields open_calico(ObjectContext& context) {
    Fields root(&context.root, "", object_label(context), context.diagnostics);
    root.ignore({"apiVersion", "kind", "status"});
    return root;
}

std::string object_label(const ObjectContext& context) {
    return object_label(context.root, context.kind);
}

std::string object_label(const yaml::Node& root, const std::string& kind) {
    const yaml::Node* meta = root.find("metadata");
    if (meta == nullptr || !meta->is_mapping())
        return kind;
    const std::string space = scalar_text(meta, "namespace");
    return kind + " " + (space.empty() ? "" : space + "/") + scalar_text(meta, "name");
}

const KindRow* find_kind(std::string_view api_version, std::string_view kind) {
    if (api_version == kCalicoCrd)
        api_version = kCalico;
    for (const KindRow& row : kKinds)
        if (row.api_version == api_version && row.kind == kind)
            return &row;
    return nullptr;
}

std::vector<std::string_view> kinds_of_group(std::string_view group) {
    if (group == "crd.projectcalico.org")
        group = "projectcalico.org";
    std::vector<std::string_view> out;
    for (const KindRow& row : kKinds)
        if (group.empty() || row.api_version.substr(0, row.api_version.find('/')) == group)
            out.push_back(row.kind);
    return out;
}

std::vector<std::string_view> versions_of_kind(std::string_view kind, std::string_view group) {
    const auto group_of = [](std::string_view version) {
        return version.substr(0, version.find('/'));
    };
    if (group == "crd.projectcalico.org")
        group = "projectcalico.org";
    std::vector<std::string_view> out;
    for (const KindRow& row : kKinds) { // the newest of a group stands first
        const std::string_view of = group_of(row.api_version);
        const bool known = std::any_of(out.begin(), out.end(),
                                       [&](std::string_view each) { return group_of(each) == of; });
        if (row.kind == kind && of == group)
            return {row.api_version};
        if (row.kind == kind && of != "extensions" && !known)
            out.push_back(row.api_version);
    }
    return out;
}

bool is_global_kind(std::string_view kind) {
    return std::any_of(std::begin(kKinds), std::end(kKinds),
                       [&](const KindRow& row) { return row.kind == kind && row.is_global; });
}

bool is_workload_kind(std::string_view kind) {
    return std::any_of(std::begin(kKinds), std::end(kKinds), [&](const KindRow& row) {
        return row.kind == kind && row.read == read_workload;
    });
}

} // namespace polecat::frontend
