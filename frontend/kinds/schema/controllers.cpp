#include "frontend/kinds/schema/tables.h"

namespace polecat::frontend::schema {

namespace {

constexpr FieldRow kControllers[] = {
    {"logSeverityScreen", "enum None|Debug|Info|Warning|Error|Fatal|Panic"},
    {"healthChecks", "enum Enabled|Disabled", "Enabled"},
    {"etcdV3CompactionPeriod", "duration"},
    {"prometheusMetricsPort", "int 0..65535"},
    {"debugProfilePort", "int 0..65535"},
    {"controllers", "!object"},
    {"controllers.node", "object"},
    {"controllers.node.reconcilerPeriod", "duration"},
    {"controllers.node.syncLabels", "enum Enabled|Disabled"},
    {"controllers.node.leakGracePeriod", "duration"},
    {"controllers.node.hostEndpoint", "object"},
    {"controllers.node.hostEndpoint.autoCreate", "enum Enabled|Disabled"},
    {"controllers.node.hostEndpoint.createDefaultHostEndpoint", "enum Enabled|Disabled"},
    {"controllers.node.hostEndpoint.templates", "list"},
    {"controllers.node.hostEndpoint.templates[]", "object"},
    {"controllers.node.hostEndpoint.templates[].generateName", "re [a-z0-9]([a-z0-9.-]*[a-z0-9])?"},
    {"controllers.node.hostEndpoint.templates[].interfaceCIDRs", "list"},
    {"controllers.node.hostEndpoint.templates[].interfaceCIDRs[]", "cidr"},
    {"controllers.node.hostEndpoint.templates[].interfacePattern", "string"},
    {"controllers.node.hostEndpoint.templates[].interfaceSelector", "string"},
    {"controllers.node.hostEndpoint.templates[].labels", "map"},
    {"controllers.node.hostEndpoint.templates[].annotations", "annotations"},
    {"controllers.node.hostEndpoint.templates[].nodeSelector", "selector"},
    {"controllers.policy", "object"},
    {"controllers.policy.reconcilerPeriod", "duration"},
    {"controllers.workloadEndpoint", "object"},
    {"controllers.workloadEndpoint.reconcilerPeriod", "duration"},
    {"controllers.serviceAccount", "object"},
    {"controllers.serviceAccount.reconcilerPeriod", "duration"},
    {"controllers.namespace", "object"},
    {"controllers.namespace.reconcilerPeriod", "duration"},
    {"controllers.loadBalancer", "object"},
    {"controllers.loadBalancer.assignIPs", "enum AllServices|RequestedServicesOnly", "AllServices"},
    {"controllers.migration", "object"},
    {"controllers.migration.policyNameMigrator", "enum Enabled|Disabled", "Enabled"},
};

constexpr FieldRow kClusterInformation[] = {
    {"clusterGUID", "string"},  {"clusterType", "string"}, {"calicoVersion", "string"},
    {"datastoreReady", "bool"}, {"variant", "string"},
};

constexpr FieldRow kNodeStatus[] = {
    {"node", "string"},
    {"classes", "list"},
    {"classes[]", "enum Agent|BGP|Routes"},
    {"updatePeriodSeconds", "int 0..2147483647"},
};

constexpr FieldRow kNode[] = {
    {"addresses", "list"},
    {"addresses[]", "object"},
    {"addresses[].address", "string"},
    {"addresses[].type", "string"},
    {"bgp", "object"},
    {"bgp.asNumber", "asn"},
    {"bgp.ipv4Address", "cidr4 host"},
    {"bgp.ipv6Address", "cidr6 host"},
    {"bgp.ipv4IPIPTunnelAddr", "ip4"},
    {"bgp.routeReflectorClusterID", "ip4"},
    {"interfaces", "any"},
    {"ipv4VXLANTunnelAddr", "ip4"},
    {"ipv6VXLANTunnelAddr", "ip6"},
    {"vxlanTunnelMACAddr", "string"},
    {"vxlanTunnelMACAddrV6", "string"},
    {"orchRefs", "list"},
    {"orchRefs[]", "object"},
    {"orchRefs[].nodeName", "string"},
    {"orchRefs[].orchestrator", "!string"},
    {"wireguard", "object"},
    {"wireguard.interfaceIPv4Address", "ip4"},
    {"wireguard.interfaceIPv6Address", "ip6"},
};

} // namespace

std::span<const FieldRow> kube_controllers_configuration() {
    return kControllers;
}
std::span<const FieldRow> cluster_information() {
    return kClusterInformation;
}
std::span<const FieldRow> calico_node_status() {
    return kNodeStatus;
}
std::span<const FieldRow> calico_node() {
    return kNode;
}

} // namespace polecat::frontend::schema
