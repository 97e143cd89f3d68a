/// FelixConfiguration as it holds on a node, with what Felix takes where nothing is said.
/// Source: felix/config/config_params.go.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/policy/cluster.h"

namespace polecat::policy {

/// Those given, or Calico's own: what is let in and out of a host whatever policy says.
const std::vector<FelixSettings::FailsafePort>& failsafe_ports(const FelixSettings& felix,
                                                               Direction direction);

/// Prefixes of the names of workloads' interfaces.
std::vector<std::string> interface_prefixes(const FelixSettings& felix);
std::uint16_t vxlan_port(const FelixSettings& felix);

/// What calico-node's environment says of defaultEndpointToHostAction, which Felix takes before any
/// FelixConfiguration: of the DaemonSet in the input, or, where Calico's operator makes it, always
/// Accept (tigera/operator pkg/render/node.go). nullopt: neither is in the input.
std::optional<HostAction> to_host_of_environment(const Cluster& cluster);

/// The FelixConfiguration `default` as its manifest has it: what holds on every node. nullptr: it
/// is not in the input.
const OtherObject* default_felix(const Cluster& cluster);

/// What a node's own FelixConfiguration says, and `base` where it says nothing.
FelixSettings over(const FelixSettings& base, const FelixSettings& of_node);

} // namespace polecat::policy
