/// What the BPF backend makes of node0 of a cluster, for tests.
#pragma once

#include <doctest/doctest.h>

#include "backends/bpf/bpf.h"
#include "tests/random_cluster.h"

namespace polecat::testing {

/// Numbered alone; nullopt: what can't be said is told.
inline std::optional<bpf::Node> bpf_node_of(const decision::LoweredCluster& cluster,
                                            diag::Diagnostics& told) {
    const decision::Identities identities(cluster);
    backends::NodeImages images(cluster, identities);
    iptables::FilterImages filters(cluster, images);
    const auto image = images.of("node0", told);
    return image ? bpf::node_of("node0", *image, filters, told) : std::nullopt;
}

struct TabledNode {
    bpf::Node node;
    bpf::Image tables;
};
inline TabledNode tabled_node(const decision::LoweredCluster& cluster) {
    diag::Diagnostics told;
    auto node = bpf_node_of(cluster, told);
    REQUIRE(node.has_value());
    auto tables = bpf::emit(node->image, "node0", told);
    REQUIRE(tables.has_value());
    return {std::move(*node), std::move(*tables)};
}
inline TabledNode tabled_node(const std::string& manifests) {
    RandomCluster cluster;
    load_text(manifests, cluster);
    return tabled_node(cluster.lowered);
}

} // namespace polecat::testing
