#include "frontend/kinds/schema/tables.h"

namespace polecat::frontend::schema {

namespace {

constexpr FieldRow kCalicoNetwork[] = {
    {"bgp", "enum Enabled|Disabled"},
    {"linuxDataplane", "enum Iptables|BPF|VPP|Nftables"},
    {"linuxPodInterfaceType", "enum Veth|Netkit"},
    {"windowsDataplane", "enum HNS|Disabled"},
    {"clusterRoutingMode", "enum BIRD|Felix|FelixIPIPOnly"},
    {"bpfNetworkBootstrap", "enum Enabled|Disabled"},
    {"kubeProxyManagement", "enum Enabled|Disabled"},
    {"mtu", "int 0..65535"},
    {"hostPorts", "enum Enabled|Disabled"},
    {"multiInterfaceMode", "enum None|Multus"},
    {"containerIPForwarding", "enum Enabled|Disabled"},
    {"linuxPolicySetupTimeoutSeconds", "int 0..3600"},
    {"sysctl", "list"},
    {"sysctl[]", "object"},
    {"sysctl[].key", "!string"},
    {"sysctl[].value", "!string"},
    {"nodeAddressAutodetectionV4", "object"},
    {"nodeAddressAutodetectionV4.firstFound", "bool"},
    {"nodeAddressAutodetectionV4.kubernetes", "enum NodeInternalIP"},
    {"nodeAddressAutodetectionV4.interface", "string"},
    {"nodeAddressAutodetectionV4.skipInterface", "string"},
    {"nodeAddressAutodetectionV4.canReach", "string"},
    {"nodeAddressAutodetectionV4.cidrs", "list"},
    {"nodeAddressAutodetectionV4.cidrs[]", "cidr4"},
    {"nodeAddressAutodetectionV6", "object"},
    {"nodeAddressAutodetectionV6.firstFound", "bool"},
    {"nodeAddressAutodetectionV6.kubernetes", "enum NodeInternalIP"},
    {"nodeAddressAutodetectionV6.interface", "string"},
    {"nodeAddressAutodetectionV6.skipInterface", "string"},
    {"nodeAddressAutodetectionV6.canReach", "string"},
    {"nodeAddressAutodetectionV6.cidrs", "list"},
    {"nodeAddressAutodetectionV6.cidrs[]", "cidr6"},
    {"ipPools", "list"},
    {"ipPools[]", "object"},
    {"ipPools[].name", "string"},
    {"ipPools[].cidr", "!cidr"},
    {"ipPools[].encapsulation", "enum IPIPCrossSubnet|IPIP|VXLAN|VXLANCrossSubnet|None"},
    {"ipPools[].natOutgoing", "enum Enabled|Disabled"},
    {"ipPools[].nodeSelector", "selector"},
    {"ipPools[].namespaceSelector", "selector"},
    {"ipPools[].blockSize", "int 20..128"},
    {"ipPools[].disableBGPExport", "bool"},
    {"ipPools[].disableNewAllocations", "bool"},
    {"ipPools[].allowedUses", "list"},
    {"ipPools[].allowedUses[]", "enum Workload|Tunnel|LoadBalancer"},
    {"ipPools[].assignmentMode", "enum Automatic|Manual"},
};

} // namespace

std::span<const FieldRow> installation_calico_network() {
    return kCalicoNetwork;
}

} // namespace polecat::frontend::schema
