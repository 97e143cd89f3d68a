// Our configurations in real BIRD daemons, next to BIRD, GoBGP and FRR: what each speaker learns is
// what the model of propagation says, and what the kernels have is what eval says.
#include <doctest/doctest.h>

#include <cstdlib>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tests/kernel/bgp_lab.h"
#include "tests/routing/networks.h"

using namespace polecat;
using namespace polecat::kernel_test;
using testing::block;
using testing::kPool;
using testing::node;
using testing::object;

namespace {

using Routers = std::vector<policy::FabricRouter>;
using namespace std::chrono_literals;

const std::vector<std::string> kBird{"/usr/sbin/bird", "/usr/sbin/birdc"};

Routers routers_of(std::initializer_list<std::pair<const char*, const char*>> list) {
    Routers out;
    net::AsNumber as = 65001;
    for (const auto& [name, address] : list) {
        out.push_back(testing::router(address, as++));
        out.back().name = name;
    }
    return out;
}

void agree(const std::string& manifests, const Routers& routers) {
    CAPTURE(manifests);
    BgpLab lab(manifests, routers);
    CHECK(fmt::format("{}", fmt::join(lab.differences(30s), "\n")) == "");
    CHECK(lab.compared() > 4);
}

const std::string kNodes =
    kPool + node("a", "10.0.0.1/24", "", "rack: a") + node("b", "10.0.0.2/24", "", "rack: b") +
    node("c", "10.0.0.3/24", "", "rack: b") + block("a", "10.1.0.0/26") +
    block("b", "10.1.0.64/26") + block("c", "10.1.0.128/26") + block("c", "10.1.0.192/32");

} // namespace

TEST_CASE("bgp: mesh and three makes of routers, filters and priorities") {
    auto programs = kBird;
    programs.insert(programs.end(), {"/usr/bin/gobgpd", "/usr/lib/frr/bgpd"});
    if (!bgp_may_run(programs))
        return;
    const auto peer = [](const char* name, const char* address, int as, const char* more) {
        return object("BGPPeer", name,
                      fmt::format("peerIP: {}, asNumber: {}{}", address, as, more));
    };
    agree(kNodes + peer("t1", "10.0.1.1", 65001, ", numAllowedLocalASNumbers: 1") +
              peer("t2", "10.0.1.2", 65002, ", filters: [out]") +
              peer("t3", "10.0.1.3", 65003, ", nodeSelector: rack == 'b'") +
              object("BGPFilter", "out",
                     "exportV4: [{action: Reject, cidr: 10.1.0.0/26, matchOperator: Equal}, "
                     "{action: Accept, cidr: 10.1.0.64/26, matchOperator: Equal, operations: "
                     "[{addCommunity: {value: '64512:7'}}, {prependASPath: {prefix: "
                     "[65100]}}]}]") +
              object("BGPConfiguration", "default",
                     "asNumber: 64512, serviceClusterIPs: [{cidr: 10.96.0.0/16}]"),
          routers_of({{"bird-1", "10.0.1.1"}, {"gobgp-2", "10.0.1.2"}, {"frr-3", "10.0.1.3"}}));
}

TEST_CASE("bgp: two clusters of reflectors, passwords, TTL security") {
    if (!bgp_may_run(kBird))
        return;
    const auto reflector = [](const char* name, const char* address, const char* id) {
        return node(name, address, std::string("routeReflectorClusterID: ") + id, "rr: x");
    };
    agree(kNodes + object("BGPConfiguration", "default", "nodeToNodeMeshEnabled: false") +
              reflector("r1", "10.0.0.8/24", "10.9.0.1") +
              reflector("r2", "10.0.0.9/24", "10.9.0.2") +
              object("BGPPeer", "up",
                     "nodeSelector: '!has(rr)', peerSelector: has(rr), password: {secretKeyRef: "
                     "{name: bgp, key: p}}") +
              object("BGPPeer", "rr", "nodeSelector: has(rr), peerSelector: has(rr)"),
          {});
}

TEST_CASE("bgp: random clusters in ten BIRDs learn what the model says") {
    if (!bgp_may_run(kBird))
        return;
    const char* wanted = std::getenv("POLECAT_BGP_SEEDS");
    const unsigned seeds = wanted != nullptr ? static_cast<unsigned>(std::atoi(wanted)) : 2;
    const char* first = std::getenv("POLECAT_BGP_FIRST");
    const unsigned start = first != nullptr ? static_cast<unsigned>(std::atoi(first)) : 0;
    for (unsigned seed = start; seed < start + seeds; ++seed) {
        std::mt19937 random(seed);
        Routers routers;
        std::string manifests = testing::random_cluster(random, routers);
        const auto differs = [&](const std::string& of) {
            return fmt::format("{}", fmt::join(BgpLab(of, routers).differences(60s), "\n"));
        };
        std::string left = differs(manifests);
        // Smaller while it still differs: objects are lines.
        constexpr const char* kEnd = "\n---\n";
        for (std::size_t at = 0, tries = 0; !left.empty() && tries < 20; ++tries) {
            const std::size_t end = manifests.find(kEnd, at);
            if (end == std::string::npos)
                break;
            const std::string fewer = manifests.substr(0, at) + manifests.substr(end + 5);
            if (const std::string now = differs(fewer); now.empty())
                at = end + 5;
            else
                manifests = fewer, left = now;
        }
        CAPTURE(seed);
        CAPTURE(manifests);
        CHECK(left == "");
    }
}
