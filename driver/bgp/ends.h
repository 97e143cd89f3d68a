/// What `polecat bgp announce` and `accept` are asked about: prefixes and neighbours.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "analyzer/routing/propagation/announcements.h"
#include "driver/routing/routed_input.h"

namespace polecat::driver {

/// A prefix, or an address of a pod or service.
struct BgpTarget {
    net::Cidr prefix;
    bool address = false; ///< asked is what holds it
    std::string about;    ///< "pod web/shop", "cluster IP of service web/shop"; empty: as written
    std::string node;     ///< of a pod, where known
    bool assumed = false; ///< of a service: its pods are those that it selects
};
/// "10.0.0.0/8", "10.0.0.1", "NAMESPACE/NAME" (a pod), "service:NAMESPACE/NAME". An error
/// where there is no such thing, or it has no address.
Result<std::vector<BgpTarget>> bgp_targets(const Input& input, const std::string& text);

/// The neighbour that --to and --from name: an address, a node, a router of the inventory or a
/// BGPPeer.
struct BgpNeighbor {
    std::vector<net::Address> addresses;
    std::string peer; ///< "BGPPeer tor"
    std::optional<routing::NodeIndex> node;

    bool matches(const routing::Session& session) const;
};
/// An error where there is nothing of that name.
Result<BgpNeighbor> bgp_neighbor(const RoutedInput& routed, const std::string& name);

/// Routers of the inventory that stand for themselves: one at each address.
std::vector<policy::FabricRouter> fabric_routers(const policy::Cluster& cluster);

/// "rule 2 of BGPFilter f rejects (f.yaml:9:5)".
std::string text_of(const RoutedInput& routed, const routing::Step& step);
/// Json: nlohmann::json.
template <class Json> Json json_of(const RoutedInput& routed, const routing::Step& step) {
    Json out{{"what", routing::to_string(step)},
             {"applied", step.applied},
             {"by", routed.json_of<Json>(step.origin)}};
    if (step.decision)
        out["decision"] = *step.decision == routing::Verdict::Accept ? "accept" : "reject";
    return out;
}

} // namespace polecat::driver
