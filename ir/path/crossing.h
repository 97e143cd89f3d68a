/// The hops of one way, node after node. For ir/path only.
/// Source: felix/rules/{static,dispatch}.go: raw and mangle PREROUTING, then filter INPUT or
/// FORWARD; raw and filter OUTPUT, mangle POSTROUTING.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "ir/path/path.h"

namespace polecat::ir {

enum class Side : std::uint8_t { Pod, Host, Network };

/// What a packet meets on one node.
struct Crossing {
    Side from = Side::Network, to = Side::Network;
    std::optional<decision::ObjectId> source_pod, destination_pod; ///< where a side is Pod
    /// The host endpoints of the interfaces on network sides.
    std::optional<decision::ObjectId> in_interface, out_interface;
    /// The host endpoint of pods' interfaces, which is one with `interfaceName: "*"`.
    std::optional<decision::ObjectId> pods_interface;
    std::optional<Rewrite> translation; ///< kube-proxy's, on this node
    std::optional<Rewrite> masquerade;  ///< when the packet leaves the node
};

struct Station;

class PathBuilder {
  public:
    PathBuilder(const decision::LoweredCluster& cluster, Path path)
        : cluster_(cluster), path_(std::move(path)) {}

    void cross(const Crossing& node);
    /// The source's egress and the destination's ingress alone.
    void ends_only(std::optional<decision::ObjectId> source,
                   std::optional<decision::ObjectId> destination,
                   const std::optional<Rewrite>& translation);
    void end(decision::Verdict verdict, Reason reason);
    void assume(const std::string& text);
    /// Said of a packet that is let through, unless its end has a reason.
    void note(const Reason& reason);
    Path take() { return std::move(path_); }

  private:
    Hop& add(decision::ObjectId object, decision::Direction direction, decision::Hook hook,
             HopTraits traits);
    /// The hops of a table that lie on the packet's way.
    void add_all(const Crossing& node, std::span<const Station> stations);
    void answers(const Crossing& node);
    void rewrite(const std::optional<Rewrite>& change);
    bool takes_all_interfaces(decision::ObjectId host_endpoint) const;

    const decision::LoweredCluster& cluster_;
    Path path_;
    std::optional<Rewrite> pending_; ///< for the next hop
    bool enters_node_ = false;
};

} // namespace polecat::ir
