/// Bundles of random clusters in memory.
#pragma once

#include <memory>
#include <string>

#include "artefact/bundle/bundle.h"
#include "backends/bundle/node_view.h"
#include "backends/bundle/pack.h"
#include "tests/random_cluster.h"

namespace polecat::testing {

/// Pods stand on three nodes in turn.
inline std::string on_nodes(std::string text) {
    std::size_t pod = 0;
    for (std::size_t at = 0; (at = text.find("nodeName: node0", at)) != std::string::npos; ++at)
        text[at + std::string("nodeName: node0").size() - 1] = static_cast<char>('0' + pod++ % 3);
    return text;
}

inline std::string random_text(std::uint64_t seed, bool hosts = false) {
    ClusterShape shape;
    shape.pods = 12;
    shape.host_endpoints = hosts;
    shape.http = seed % 3 == 0;
    return on_nodes(ClusterWriter(seed, shape).write());
}

inline std::unique_ptr<RandomCluster> loaded(const std::string& text) {
    auto out = std::make_unique<RandomCluster>();
    load_text(text, *out);
    return out;
}

inline bundle::Contents packed(const RandomCluster& cluster, const bundle::Base& base = {}) {
    return bundle::pack(cluster.lowered, decision::Identities(cluster.lowered), cluster.sources,
                        base);
}

inline bundle::Bundle opened(const bundle::Written& written) {
    return {written.manifest,
            [&written](const std::string& name, std::uint64_t) -> Result<std::string> {
                const auto part = written.parts.find(name);
                if (part == written.parts.end())
                    return Error{"no such part"};
                return part->second;
            }};
}

} // namespace polecat::testing
