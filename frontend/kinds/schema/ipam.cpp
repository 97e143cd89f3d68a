#include "frontend/kinds/schema/tables.h"

namespace polecat::frontend::schema {

namespace {

constexpr FieldRow kPool[] = {
    {"cidr", "!cidr"},
    {"blockSize", "int 0..128"},
    {"ipipMode", "enum Never|Always|CrossSubnet"},
    {"vxlanMode", "enum Never|Always|CrossSubnet"},
    {"natOutgoing", "bool"},
    {"nat-outgoing", "bool"},
    {"disabled", "bool"},
    {"disableBGPExport", "bool"},
    {"nodeSelector", "selector", "all()"},
    {"namespaceSelector", "selector"},
    {"allowedUses", "list"},
    {"allowedUses[]", "enum Workload|Tunnel|LoadBalancer"},
    {"assignmentMode", "enum Automatic|Manual", "Automatic"},
};

constexpr FieldRow kReservation[] = {
    {"reservedCIDRs", "list"},
    {"reservedCIDRs[]", "cidr"},
};

constexpr FieldRow kIpamConfiguration[] = {
    {"strictAffinity", "!bool", "false"},
    {"autoAllocateBlocks", "!bool", "true"},
    {"maxBlocksPerHost", "int 0..1000000"},
    {"ipCooldownSeconds", "int 0..1200"},
    {"kubeVirtVMAddressPersistence", "enum Enabled|Disabled"},
};

constexpr FieldRow kAffinity[] = {
    {"cidr", "!cidr"},
    {"node", "!string"},
    {"state", "!enum |confirmed|pending|pendingDeletion"},
    {"type", "string"},
    {"deleted", "!bool", "false"},
};

} // namespace

std::span<const FieldRow> ip_pool() {
    return kPool;
}
std::span<const FieldRow> ip_reservation() {
    return kReservation;
}
std::span<const FieldRow> ipam_configuration() {
    return kIpamConfiguration;
}
std::span<const FieldRow> block_affinity() {
    return kAffinity;
}

} // namespace polecat::frontend::schema
