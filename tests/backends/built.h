/// Images of node0 from manifests, for tests of backends.
#pragma once

#include <algorithm>
#include <optional>
#include <string>

#include "backends/nftables/nftables.h"
#include "backends/node/build.h"
#include "tests/random_cluster.h"

namespace polecat::testing {

struct Built {
    RandomCluster cluster;
    std::optional<backends::NodeImage> image;
    backends::Numbers numbers;

    bool has(diag::Code code) const {
        const auto& list = cluster.diagnostics.list();
        return std::any_of(list.begin(), list.end(),
                           [&](const diag::Diagnostic& each) { return each.code == code; });
    }
};

inline Built build(const std::string& text, const backends::Numbers& base = {}) {
    Built out;
    load_text(text, out.cluster);
    const decision::Identities identities(out.cluster.lowered);
    backends::NodeImages images(out.cluster.lowered, identities, base);
    out.image = images.of("node0", out.cluster.diagnostics);
    out.numbers = images.record();
    return out;
}

/// A pod of namespace ns on node0, at 10.0.0.`host`.
inline std::string pod(const std::string& name, const std::string& app, int host) {
    return "{apiVersion: v1, kind: Pod, metadata: {name: " + name +
           ", namespace: ns, labels: {app: " + app +
           "}}, spec: {nodeName: node0, containers: [{name: c, image: i}]}, status: {podIP: "
           "10.0.0." +
           std::to_string(host) + "}}\n---\n";
}

} // namespace polecat::testing
