/// Networks of BGP speakers, for tests: made by hand, and at random.
#pragma once

#include <random>

#include <fmt/format.h>

#include "analyzer/routing/propagation/propagation.h"
#include "tests/routing/routed.h"

namespace polecat::testing {

inline const std::string kPool = object("IPPool", "pods", "cidr: 10.1.0.0/16, vxlanMode: Never");

inline std::string block(const std::string& of, const std::string& range) {
    return object("BlockAffinity", of + "-" + range.substr(0, range.find('/')),
                  "cidr: " + range + ", node: " + of + ", state: confirmed, deleted: false");
}

inline policy::FabricRouter router(const char* address, net::AsNumber as) {
    policy::FabricRouter out;
    out.name = address;
    out.address.value = *net::parse_address(address);
    out.as_number.value = as;
    return out;
}

/// Every node and router, no classes. IPv4.
inline routing::Network network(Routed& routed, const std::vector<policy::FabricRouter>& routers) {
    std::vector<routing::Speaker> speakers;
    for (routing::NodeIndex i = 0; i < routed.routing.nodes.size(); ++i)
        speakers.push_back({*passes::node_routing(routed.routing, i, routed.diagnostics)});
    const std::vector<routing::Speaker> nodes = speakers;
    for (const policy::FabricRouter& each : routers)
        speakers.push_back(routing::fabric_speaker(each, nodes, net::Family::V4));
    return routing::connect(std::move(speakers), net::Family::V4);
}

/// Four to ten nodes of one or two racks: a mesh or none, reflectors, AS numbers of racks, routers
/// of racks, a filter.
inline std::string random_cluster(std::mt19937& random,
                                  std::vector<policy::FabricRouter>& routers) {
    const auto pick = [&](int below) {
        return static_cast<int>(random() % static_cast<unsigned>(below));
    };
    const int nodes = 4 + pick(7), reflectors = pick(4), racks = 1 + pick(2), ids = 1 + pick(2);
    const bool own_numbers = pick(2) == 0;
    std::string out = kPool;
    out += object("BGPConfiguration", "default",
                  fmt::format("nodeToNodeMeshEnabled: {}, asNumber: 64512{}", pick(2) == 0,
                              pick(2) == 0 ? ", serviceClusterIPs: [{cidr: 10.96.0.0/16}]" : ""));
    for (int i = 0; i < nodes; ++i) {
        const std::string name = fmt::format("n{:02}", i);
        std::string bgp = i < reflectors
                              ? fmt::format("routeReflectorClusterID: 10.9.0.{}", 1 + i % ids)
                              : std::string();
        const int rack = i % racks;
        if (own_numbers && i >= reflectors)
            bgp += fmt::format("asNumber: {}", 64600 + rack);
        out += node(name, fmt::format("10.0.0.{}/24", i + 1), bgp,
                    fmt::format("rack: r{}{}", rack, i < reflectors ? ", rr: x" : ""));
        if (pick(4) != 0)
            out += block(name, fmt::format("10.1.{}.0/26", i));
        if (pick(6) == 0)
            out += block(name, "10.1.99.1/32"); // of several nodes
    }
    const char* filters = pick(2) == 0 ? ", filters: [f]" : "";
    out += object("BGPPeer", "up",
                  fmt::format("nodeSelector: '!has(rr)', peerSelector: has(rr){}", filters));
    if (pick(2) == 0)
        out += object("BGPPeer", "rr", "nodeSelector: has(rr), peerSelector: has(rr)");
    for (int rack = 0; rack < racks; ++rack) {
        if (pick(2) == 0)
            continue;
        const std::string address = fmt::format("10.0.1.{}", rack + 1);
        routers.push_back(router(address.c_str(), static_cast<net::AsNumber>(65001 + rack)));
        out += object("BGPPeer", fmt::format("tor{}", rack),
                      fmt::format("nodeSelector: rack == 'r{}', peerIP: {}, asNumber: {}, "
                                  "numAllowedLocalASNumbers: {}",
                                  rack, address, 65001 + rack, pick(2)));
    }
    return out + object("BGPFilter", "f",
                        fmt::format("exportV4: [{{action: Reject, cidr: 10.1.{}.0/24, "
                                    "matchOperator: In}}], importV4: [{{action: {}, cidr: "
                                    "10.1.0.0/21, matchOperator: NotIn, peerType: iBGP, "
                                    "operations: [{{setPriority: {{value: 500}}}}]}}]",
                                    pick(10), "Accept"));
}

} // namespace polecat::testing
