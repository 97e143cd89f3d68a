/// Which host endpoint governs a pod with `hostNetwork`: the pod has its node's addresses and no
/// interface of its own, so what it sends and gets crosses its node's.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "ir/decision/lowered.h"

namespace polecat::ir {

/// What is said to govern a pod where that is unsure.
inline constexpr std::string_view kUnsureGovernor = "a host endpoint of its node, not known which";

class HostNetwork {
  public:
    /// The cluster must outlive this.
    explicit HostNetwork(const decision::LoweredCluster& cluster);

    /// What governs an endpoint as an end of flows: policy at the normal hook, behind the failsafe
    /// ports of a host.
    struct Governor {
        const decision::GroupProgram* program = nullptr; ///< nullptr: nothing, or not known
        /// Whose program that is: the endpoint itself, or a host endpoint.
        std::optional<decision::ObjectId> object;
        /// The node is not known, or its host endpoints differ, so that the interface decides.
        bool unsure = false;
    };
    /// Of any endpoint; of one without `hostNetwork` its own program.
    Governor governor(decision::ObjectId object, decision::Direction direction, net::Family family);

  private:
    struct Node {
        std::optional<decision::ObjectId> host_endpoint; ///< that all interfaces' are like
        bool unsure = false;
    };
    const Node& node_of(const std::string& name);

    const decision::LoweredCluster& cluster_;
    std::map<std::string, Node> nodes_;
};

} // namespace polecat::ir
