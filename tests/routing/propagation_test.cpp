// Who learns which prefix from whom. What is expected was worked out by hand from RFC 4271 and
// RFC 4456; the model by classes is held against the plain one on clusters made at random.
#include <doctest/doctest.h>

#include <fmt/format.h>

#include "analyzer/routing/propagation/propagation_classes.h"
#include "analyzer/routing/routes/kernel_route.h"
#include "tests/routing/networks.h"

using namespace polecat;
using namespace polecat::routing;
using testing::block;
using testing::kNoMesh;
using testing::kPool;
using testing::node;
using testing::object;
using testing::random_cluster;
using testing::Routed;
using testing::router;

namespace {

net::Cidr cidr(const std::string& text) {
    return *net::parse_cidr(text, net::CidrForm::Strict);
}

/// Every node, no classes.
struct Plain {
    Routed routed;
    Network network;

    explicit Plain(const std::string& manifests,
                   const std::vector<policy::FabricRouter>& routers = {})
        : routed(manifests) {
        network = testing::network(routed, routers);
    }

    /// "a r1 [64512] via 10.0.0.1": the journey, the path and the next hop, in order.
    std::vector<std::string> learns(const std::string& node, const std::string& prefix) const {
        std::vector<std::string> out;
        const Spread all = spread(network, cidr(prefix));
        CHECK(all.settled);
        for (SpeakerIndex i = 0; i < network.speakers.size(); ++i)
            if (network.speakers[i].form.node == node)
                for (const Path& path : all.paths[i])
                    out.push_back(text(path));
        std::sort(out.begin(), out.end());
        return out;
    }
    std::string text(const Path& path) const {
        std::string out = path.session ? "" : "own";
        for (const SpeakerIndex each : path.journey)
            out += network.speakers[each].form.node + " ";
        if (!path.route.as_path.empty())
            out += fmt::format("[{}] ", fmt::join(path.route.as_path, " "));
        return out + (path.route.next_hop ? "via " + net::to_string(*path.route.next_hop) : "");
    }
};

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("mesh: everybody from the origin, and nobody passes on (RFC 4271 9.2)") {
    const Plain plain(kPool + node("a", "10.0.0.1/24") + node("b", "10.0.0.2/24") +
                      node("c", "10.0.0.3/24") + block("a", "10.1.0.0/26"));
    CHECK(plain.learns("a", "10.1.0.0/26") == Texts{"own"});
    CHECK(plain.learns("b", "10.1.0.0/26") == Texts{"a via 10.0.0.1"});
    CHECK(plain.learns("c", "10.1.0.0/26") == Texts{"a via 10.0.0.1"});
    CHECK(plain.learns("c", "10.1.0.64/26").empty());
}

TEST_CASE("reflectors: pass on to clients, keep the next hop, stop at cluster IDs (RFC 4456)") {
    const auto cluster = [](const char* first, const char* second) {
        const auto reflector = [](const char* name, const char* address, const char* id) {
            return node(name, address, std::string("routeReflectorClusterID: ") + id, "rr: x");
        };
        return kPool + kNoMesh + node("a", "10.0.0.1/24") + node("b", "10.0.0.2/24") +
               reflector("r1", "10.0.0.8/24", first) + reflector("r2", "10.0.0.9/24", second) +
               object("BGPPeer", "up", "nodeSelector: '!has(rr)', peerSelector: has(rr)") +
               object("BGPPeer", "rr", "nodeSelector: has(rr), peerSelector: has(rr)") +
               block("a", "10.1.0.0/26");
    };
    const Plain one(cluster("10.9.0.1", "10.9.0.1"));
    CHECK(one.learns("a", "10.1.0.0/26") == Texts{"own"}); // ORIGINATOR_ID
    CHECK(one.learns("b", "10.1.0.0/26") == Texts{"a r1 via 10.0.0.1", "a r2 via 10.0.0.1"});
    CHECK(one.learns("r2", "10.1.0.0/26") == Texts{"a r1 via 10.0.0.1", "a via 10.0.0.1"});
    const Plain two(cluster("10.9.0.1", "10.9.0.2"));
    CHECK(two.learns("b", "10.1.0.0/26") == Texts{"a r1 r2 via 10.0.0.1", "a r1 via 10.0.0.1",
                                                  "a r2 r1 via 10.0.0.1", "a r2 via 10.0.0.1"});
    const Spread all = spread(two.network, cidr("10.1.0.0/26"));
    CHECK(all.paths[1].front().cluster_list.size() == 1); // shortest list first (RFC 4456 9)
    CHECK(all.paths[1].back().cluster_list.size() == 2);
    CHECK(all.paths[1].front().originator == *net::parse_address("10.0.0.1"));
}

TEST_CASE("eBGP: the own AS stops a route unless it is allowed (RFC 4271 9.1.2)") {
    const auto cluster = [](const char* more) {
        return kPool + kNoMesh + node("a", "10.0.0.1/24") + node("b", "10.0.0.2/24") +
               object("BGPPeer", "tor", std::string("peerIP: 10.0.0.254, asNumber: 65001") + more) +
               block("a", "10.1.0.0/26");
    };
    const std::vector<policy::FabricRouter> tor{router("10.0.0.254", 65001)};
    const Plain strict(cluster(""), tor);
    CHECK(strict.learns("10.0.0.254", "10.1.0.0/26") == Texts{"a [64512] via 10.0.0.1"});
    CHECK(strict.learns("b", "10.1.0.0/26").empty());
    const Plain allowed(cluster(", numAllowedLocalASNumbers: 1"), tor);
    CHECK(allowed.learns("b", "10.1.0.0/26") == Texts{"a 10.0.0.254 [65001 64512] via 10.0.0.254"});
    // Another number than the router has: no session.
    CHECK(Plain(cluster(""), {router("10.0.0.254", 65002)}).network.links.empty());
}

TEST_CASE("eBGP between nodes of two numbers, then iBGP: next hop and path") {
    const Plain plain(kPool + kNoMesh + node("a", "10.0.0.1/24", "asNumber: 65001") +
                      node("b", "10.0.0.2/24") + node("c", "10.0.0.3/24") +
                      object("BGPPeer", "ab", "node: b, peerIP: 10.0.0.1, asNumber: 65001") +
                      object("BGPPeer", "bc", "node: c, peerIP: 10.0.0.2, asNumber: 64512") +
                      block("a", "10.1.0.0/26") + block("c", "10.1.0.64/26"));
    // eBGP to iBGP keeps the next hop (5.1.3) and carries no priority of the first AS (5.1.5).
    CHECK(plain.learns("c", "10.1.0.0/26") == Texts{"a b [65001] via 10.0.0.1"});
    CHECK(plain.learns("a", "10.1.0.64/26") == Texts{"c b [64512] via 10.0.0.2"});
    const Spread all = spread(plain.network, cidr("10.1.0.0/26"));
    const auto kernel = kernel_route(plain.network.speakers[2].form.v4, all.paths[2]);
    REQUIRE(kernel);
    CHECK(kernel->next_hops == std::vector{*net::parse_address("10.0.0.1")});
    CHECK(kernel->metric == priority_of(kUsualLocalPreference));
    CHECK_FALSE(kernel->tunnel);
    const auto own = kernel_route(plain.network.speakers[0].form.v4, all.paths[0]);
    CHECK((own && own->blackhole));
}

TEST_CASE("filters and ends that don't agree") {
    const std::string nodes = kPool + kNoMesh + node("a", "10.0.0.1/24", "", "k: a") +
                              node("b", "10.0.0.2/24", "", "k: b") + block("a", "10.1.0.0/26") +
                              block("a", "10.1.0.64/26");
    const auto peer = [](const char* more) {
        return object("BGPPeer", "ab",
                      std::string("nodeSelector: k == 'a', peerSelector: k == 'b'") + more);
    };
    CHECK(Plain(nodes + peer("")).learns("b", "10.1.0.0/26") == Texts{"a via 10.0.0.1"});
    CHECK(Plain(nodes + peer(", reversePeering: Manual")).learns("b", "10.1.0.0/26").empty());
    const Plain filtered(nodes + peer(", filters: [f]") +
                         object("BGPFilter", "f",
                                "importV4: [{action: Reject, cidr: 10.1.0.0/26, matchOperator: "
                                "Equal}]"));
    CHECK(filtered.learns("b", "10.1.0.0/26").empty());
    CHECK(filtered.learns("b", "10.1.0.64/26") == Texts{"a via 10.0.0.1"});
}

namespace {

/// What of a path two models must agree on; sessions have numbers of their own.
std::string full_text(const Path& path) {
    std::string out = fmt::format("{} {} {} {} ", path.session.has_value(), path.internal,
                                  path.preference, fmt::join(path.journey, ","));
    out += fmt::format("[{}] {} ", fmt::join(path.route.as_path, " "),
                       path.route.local_preference.value_or(100));
    if (path.route.next_hop)
        out += net::to_string(*path.route.next_hop);
    if (path.originator)
        out += " by " + net::to_string(*path.originator);
    for (const net::Address& each : path.cluster_list)
        out += " " + net::to_string(each);
    return out;
}

Texts texts(const std::vector<Path>& paths) {
    Texts out;
    for (const Path& each : paths)
        out.push_back(full_text(each));
    std::sort(out.begin(), out.end());
    return out;
}

} // namespace

TEST_CASE("the model by classes equals the plain one on random clusters") {
    std::size_t compared = 0, learnt = 0;
    for (unsigned seed = 0; seed < 60; ++seed) {
        CAPTURE(seed);
        std::mt19937 random(seed);
        std::vector<policy::FabricRouter> routers;
        const std::string manifests = random_cluster(random, routers);
        CAPTURE(manifests);
        Plain plain(manifests, routers);
        const ClusterRouting& cluster = plain.routed.routing;
        Propagation model(cluster, routers, net::Family::V4,
                          [&](const ClusterRouting& of, NodeIndex index) {
                              return passes::node_routing(of, index, plain.routed.diagnostics);
                          });
        for (const net::Cidr& prefix : model.prefixes()) {
            const Spread all = spread(plain.network, prefix);
            REQUIRE(all.settled);
            for (NodeIndex i = 0; i < cluster.nodes.size(); ++i) {
                CAPTURE(net::to_string(prefix));
                CAPTURE(cluster.nodes[i].name);
                const auto by_class = model.learnt(i, prefix);
                REQUIRE(by_class.known);
                REQUIRE(fmt::format("{}", fmt::join(texts(by_class.paths), "\n")) ==
                        fmt::format("{}", fmt::join(texts(all.paths[i]), "\n")));
                ++compared;
                learnt += all.paths[i].size();
            }
        }
    }
    CHECK(compared > 1000);
    CHECK(learnt > 1000);
}

TEST_CASE("several outcomes: what comes first decides, so nothing is said") {
    // a and b prefer what the router says; it says what it hears from the other. Who prefers its
    // route tells it nothing any more: one of them does, which one timing decides.
    const auto cluster = [](const char* priority) {
        return kPool + node("a", "10.0.0.1/24", "", "k: x") + node("b", "10.0.0.2/24", "", "k: x") +
               node("o", "10.0.0.3/24") + block("o", "10.1.0.0/26") +
               object("BGPPeer", "tor",
                      "nodeSelector: has(k), peerIP: 10.0.1.1, asNumber: 65001, "
                      "numAllowedLocalASNumbers: 1, filters: [f]") +
               object("BGPFilter", "f",
                      fmt::format("importV4: [{{action: Accept, operations: [{{setPriority: "
                                  "{{value: {}}}}}]}}]",
                                  priority));
    };
    CHECK_FALSE(
        spread(Plain(cluster("100"), {router("10.0.1.1", 65001)}).network, cidr("10.1.0.0/26"))
            .settled);
    // Without a preference the shortest way is the best, whoever comes first.
    CHECK(spread(Plain(cluster("2147483640"), {router("10.0.1.1", 65001)}).network,
                 cidr("10.1.0.0/26"))
              .settled);
}
