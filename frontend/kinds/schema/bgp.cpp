#include "frontend/kinds/schema/tables.h"

namespace polecat::frontend::schema {

namespace {

constexpr std::string_view kAsNumber = "int 0..4294967295";

constexpr FieldRow kConfiguration[] = {
    {"logSeverityScreen", "fold Trace|Debug|Info|Warning|Error|Fatal", "Info"},
    {"nodeToNodeMeshEnabled", "bool"},
    {"asNumber", kAsNumber},
    {"serviceLoadBalancerIPs", "list"},
    {"serviceLoadBalancerIPs[]", "object"},
    {"serviceLoadBalancerIPs[].cidr", "cidr"},
    {"serviceExternalIPs", "list"},
    {"serviceExternalIPs[]", "object"},
    {"serviceExternalIPs[].cidr", "cidr"},
    {"serviceClusterIPs", "list"},
    {"serviceClusterIPs[]", "object"},
    {"serviceClusterIPs[].cidr", "cidr"},
    {"serviceLoadBalancerAggregation", "enum Enabled|Disabled", "Enabled"},
    {"communities", "list"},
    {"communities[]", "object"},
    {"communities[].name", "!string"},
    {"communities[].value", "!string"},
    {"prefixAdvertisements", "list"},
    {"prefixAdvertisements[]", "object"},
    {"prefixAdvertisements[].cidr", "!cidr"},
    {"prefixAdvertisements[].communities", "!list"},
    {"prefixAdvertisements[].communities[]", "string"},
    {"listenPort", "int 1..65535"},
    {"nodeMeshPassword", "object"},
    {"nodeMeshPassword.secretKeyRef", "object"},
    {"nodeMeshPassword.secretKeyRef.name", "string"},
    {"nodeMeshPassword.secretKeyRef.key", "!string"},
    {"nodeMeshPassword.secretKeyRef.optional", "bool"},
    {"nodeMeshMaxRestartTime", "duration"},
    {"bindMode", "enum None|NodeIP"},
    {"ignoredInterfaces", "list"},
    {"ignoredInterfaces[]", "string"},
    {"localWorkloadPeeringIPV4", "ip4"},
    {"localWorkloadPeeringIPV6", "ip6"},
    {"programClusterRoutes", "enum Enabled|Disabled|EnabledIPIPOnly|EnabledNoEncapOnly"},
    {"ipv4NormalRoutePriority", "int 1..2147483646"},
    {"ipv6NormalRoutePriority", "int 1..2147483646"},
};

constexpr FieldRow kPeer[] = {
    {"node", "string"},
    {"nodeSelector", "selector"},
    {"peerIP", "string"},
    {"peerSelector", "selector"},
    {"asNumber", kAsNumber},
    {"localASNumber", kAsNumber},
    {"localWorkloadSelector", "selector"},
    {"keepOriginalNextHop", "bool"},
    {"nextHopMode", "enum Auto|Self|Keep"},
    {"password", "object"},
    {"password.secretKeyRef", "object"},
    {"password.secretKeyRef.name", "string"},
    {"password.secretKeyRef.key", "!string"},
    {"password.secretKeyRef.optional", "bool"},
    {"sourceAddress", "enum UseNodeIP|None"},
    {"maxRestartTime", "duration"},
    {"keepaliveTime", "duration"},
    {"numAllowedLocalASNumbers", "int 0..2147483647"},
    {"ttlSecurity", "int 0..255"},
    {"reachableBy", "ip"},
    {"filters", "list"},
    {"filters[]", "string"},
    {"reversePeering", "enum Auto|Manual"},
};

// Rules of exportV4, importV4, exportV6 and importV6 alike.
constexpr FieldRow kFilterRules[] = {
    {"rules[]", "object"},
    {"rules[].action", "!enum Accept|Reject"},
    {"rules[].cidr", "cidr"},
    {"rules[].matchOperator", "enum Equal|NotEqual|In|NotIn"},
    {"rules[].prefixLength", "object"},
    {"rules[].prefixLength.min", "int 0..128"},
    {"rules[].prefixLength.max", "int 0..128"},
    {"rules[].source", "enum RemotePeers"},
    {"rules[].interface", "re (\\*|[a-zA-Z0-9_.*-]{1,15})"},
    {"rules[].peerType", "enum eBGP|iBGP"},
    {"rules[].communities", "object"},
    {"rules[].communities.values", "!list"},
    {"rules[].communities.values[]", "string"},
    {"rules[].asPathPrefix", "list"},
    {"rules[].asPathPrefix[]", kAsNumber},
    {"rules[].priority", "int 1..2147483646"},
    {"rules[].operations", "list"},
    {"rules[].operations[]", "object"},
    {"rules[].operations[].addCommunity", "object"},
    {"rules[].operations[].addCommunity.value", "!string"},
    {"rules[].operations[].prependASPath", "object"},
    {"rules[].operations[].prependASPath.prefix", "!list"},
    {"rules[].operations[].prependASPath.prefix[]", kAsNumber},
    {"rules[].operations[].setPriority", "object"},
    {"rules[].operations[].setPriority.value", "!int 1..2147483646"},
};

} // namespace

std::span<const FieldRow> bgp_configuration() {
    return kConfiguration;
}
std::span<const FieldRow> bgp_peer() {
    return kPeer;
}
std::span<const FieldRow> bgp_filter_rules() {
    return kFilterRules;
}

} // namespace polecat::frontend::schema
