/// Manifests to the routing form of a node, for tests.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "frontend/load.h"
#include "passes/routing/routing.h"

namespace polecat::testing {

struct Routed {
    Sources sources;
    diag::Diagnostics diagnostics;
    policy::Cluster cluster;
    routing::ClusterRouting routing;

    explicit Routed(const std::string& manifests, const passes::RoutingOptions& options = {}) {
        cluster = frontend::load_files({{"cluster.yaml", manifests}}, sources, diagnostics);
        routing = passes::lower_routing(cluster, options, diagnostics);
    }

    /// nullopt: not there, or refused.
    std::optional<routing::NodeRouting> node(const std::string& name) {
        const auto index = routing.find(name);
        return index ? passes::node_routing(routing, *index, diagnostics) : std::nullopt;
    }

    bool reports(diag::Code code) const {
        const auto& list = diagnostics.list();
        return std::any_of(list.begin(), list.end(),
                           [&](const diag::Diagnostic& each) { return each.code == code; });
    }
};

inline std::string object(const std::string& kind, const std::string& name,
                          const std::string& spec) {
    return "{apiVersion: projectcalico.org/v3, kind: " + kind + ", metadata: {name: " + name +
           "}, spec: {" + spec + "}}\n---\n";
}

inline const std::string kNoMesh =
    object("BGPConfiguration", "default", "nodeToNodeMeshEnabled: false, asNumber: 64512");

inline std::string peer(const std::string& name, const std::string& spec) {
    return object("BGPPeer", name, spec);
}

/// A Calico node; `more` follows in spec.bgp.
inline std::string node(const std::string& name, const std::string& address,
                        const std::string& more = "", const std::string& labels = "") {
    return "{apiVersion: projectcalico.org/v3, kind: Node, metadata: {name: " + name +
           ", labels: {" + labels + "}}, spec: {bgp: {ipv4Address: " + address +
           (more.empty() ? "" : ", " + more) + "}}}\n---\n";
}

} // namespace polecat::testing
