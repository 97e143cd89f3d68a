/// What the iptables backend makes of node0 of a cluster, for tests.
#pragma once

#include <optional>
#include <string>

#include "backends/iptables/build.h"
#include "tests/random_cluster.h"

namespace polecat::testing {

/// What can't be said is told among the diagnostics of the cluster; nullopt then.
inline std::optional<iptables::FilterImage> filter_image_of(RandomCluster& cluster) {
    const decision::Identities identities(cluster.lowered);
    backends::NodeImages images(cluster.lowered, identities);
    return iptables::FilterImages(cluster.lowered, images).of("node0", cluster.diagnostics);
}
inline std::optional<iptables::FilterImage> filter_image_of(const std::string& manifests) {
    RandomCluster cluster;
    load_text(manifests, cluster);
    return filter_image_of(cluster);
}

} // namespace polecat::testing
