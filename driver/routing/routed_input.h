/// Manifests to routing, as every command about BGP has it.
#pragma once

#include <string>
#include <vector>

#include "analyzer/routing/propagation/propagation_classes.h"
#include "driver/input/input.h"
#include "passes/routing/routing.h"
#include "support/result.h"

namespace polecat::driver {

/// What manifests don't say.
struct RoutingFlags {
    std::string router_id, cluster_ips, agent_namespace, endpoint_status; ///< as the flags
};
passes::RoutingOptions routing_options(const RoutingFlags& flags, Sources& sources,
                                       diag::Diagnostics& diagnostics);

/// The routing of manifests.
struct RoutedInput {
    const Input& input;
    routing::ClusterRouting routing;
    std::vector<routing::NodeRouting> nodes; ///< those that are not refused
    diag::Diagnostics diagnostics;           ///< what Calico or BIRD would refuse
    bool refused = false;                    ///< something is, here or in the manifests

    /// "BGPPeer tor (bgp.yaml:3:1)"; "Calico's default" where nothing is written.
    std::string text_of(const routing::Origin& origin) const;
    /// {"object", "at"}; null where nothing is written. Json: nlohmann::json.
    template <class Json> Json json_of(const routing::Origin& origin) const {
        Json out;
        if (!origin.object.empty())
            out["object"] = origin.object;
        if (!origin.object.empty() && origin.span.known())
            out["at"] = input.sources.describe(origin.span);
        return out;
    }
    Result<routing::NodeIndex> node(const std::string& name) const;
};

/// passes::node_routing for models, which ask again and again; what it reports is reported by
/// `route`.
routing::LowerNode quiet_lowering();

enum class MeshSessions : std::uint8_t { Listed, LeftOut };
/// `mesh`: whether `nodes` have the sessions of the mesh. `input` must outlive what is returned.
RoutedInput route(Input& input, const RoutingFlags& flags, MeshSessions mesh);

} // namespace polecat::driver
