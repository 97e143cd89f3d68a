// What a change does to sessions, announcements and kernel routes.
#include <doctest/doctest.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analyzer/routing/diff/routing_diff.h"
#include "tests/routing/routed.h"

using namespace polecat;
using namespace polecat::routing;
using testing::kNoMesh;
using testing::node;
using testing::object;
using testing::Routed;

namespace {

/// Forms without the mesh.
std::vector<NodeRouting> forms(const Routed& of) {
    std::vector<NodeRouting> out;
    ClusterRouting without_mesh = of.routing;
    without_mesh.mesh = false;
    diag::Diagnostics told;
    for (NodeIndex i = 0; i < of.routing.nodes.size(); ++i)
        if (auto form = passes::node_routing(without_mesh, i, told))
            out.push_back(std::move(*form));
    return out;
}

struct Versions {
    Routed before, now;
    RoutingDiff diff;
    Versions(const std::string& old, const std::string& fresh) : before(old), now(fresh) {
        const auto lower = [](const ClusterRouting& of, NodeIndex index) {
            diag::Diagnostics told;
            return passes::node_routing(of, index, told);
        };
        const auto old_forms = forms(before), now_forms = forms(now);
        diff = routing_diff({before.cluster, before.routing, old_forms, lower},
                            {now.cluster, now.routing, now_forms, lower});
    }
    /// All of it, without lines of files.
    std::string text() const { return fmt::format("{}", fmt::join(lines(), "\n")); }
    std::vector<std::string> lines() const {
        std::vector<std::string> out;
        for (const SessionChange& each : diff.sessions)
            out.push_back(fmt::format("session {} {} {} x{}: {}", to_string(each.kind), each.node,
                                      each.neighbor, each.sessions, each.what));
        for (const SessionFault& each : diff.breaks)
            out.push_back(fmt::format("breaks {} x{}", to_string(each.kind), each.sessions));
        for (const SessionFault& each : diff.mends)
            out.push_back(fmt::format("mends {} x{}", to_string(each.kind), each.sessions));
        for (const AnnouncementChange& each : diff.announcements)
            out.push_back(fmt::format("{} {} {}: {}", each.announced ? "announced" : "withdrawn",
                                      each.router, texts(each.prefixes), each.reason));
        for (const RouteChange& each : diff.routes)
            out.push_back(fmt::format("{} {} on {} x{}: {} -> {}", to_string(each.kind),
                                      texts(each.prefixes), fmt::join(each.nodes, " "), each.routes,
                                      each.before, each.now));
        for (const std::string& each : diff.not_compared)
            out.push_back("not compared: " + each);
        return out;
    }
    static std::string texts(const std::vector<net::Cidr>& prefixes) {
        std::vector<std::string> out;
        for (const net::Cidr& each : prefixes)
            out.push_back(net::to_string(each));
        return fmt::format("{}", fmt::join(out, " "));
    }
};

std::string joined(const std::vector<std::string>& lines) {
    return fmt::format("{}", fmt::join(lines, "\n"));
}

std::string affinity(const std::string& of, const std::string& range) {
    return object("BlockAffinity", of + "-" + range.substr(0, range.find('/')),
                  "cidr: " + range + ", node: " + of + ", state: confirmed, deleted: false");
}

const std::string kPods = object("IPPool", "pods", "cidr: 10.1.0.0/16, vxlanMode: Never");
const std::string kTwoNodes = kPods + node("a", "10.0.0.1/24", "", "k: a") +
                              node("b", "10.0.0.2/24", "", "k: b") + affinity("a", "10.1.0.0/26") +
                              affinity("b", "10.1.0.64/26");
const std::string kTor = "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: hall}, "
                         "spec: {routers: [{name: tor, address: 10.0.0.254, asNumber: 65001}]}}\n"
                         "---\n";

std::string tor(const std::string& as, const std::string& more = "") {
    return object(
        "BGPPeer", "tor",
        fmt::format("peerIP: 10.0.0.254, asNumber: {}, numAllowedLocalASNumbers: 1{}", as, more));
}

} // namespace

TEST_CASE("nothing changes: nothing is said") {
    const std::string all = kTwoNodes + kNoMesh + kTor + tor("65001");
    CHECK(Versions(all, all).lines().empty());
    CHECK(Versions(kTwoNodes, kTwoNodes).lines().empty());
}

TEST_CASE("another AS number on one side: the session breaks, prefixes are withdrawn and lost") {
    const Versions changed(kTwoNodes + kNoMesh + kTor + tor("65001"),
                           kTwoNodes + kNoMesh + kTor + tor("65002"));
    CHECK(changed.text() ==
          joined({"session differs a 10.0.0.254 x2: AS of the neighbour 65001 -> 65002",
                  "breaks inventory-disagrees x2",
                  "withdrawn tor (10.0.0.254) 10.1.0.0/26 10.1.0.64/26: the session with node a "
                  "does not establish",
                  "lost 10.1.0.0/26 10.1.0.64/26 on a b x2: via 10.0.0.254 -> no route"}));
    const auto& span = changed.diff.sessions.front().now->span;
    CHECK(changed.now.sources.line(span.file, span.line).find("name: tor") != std::string::npos);
    const Versions mended(kTwoNodes + kNoMesh + kTor + tor("65002"),
                          kTwoNodes + kNoMesh + kTor + tor("65001"));
    CHECK(mended.lines().size() == 4);
    CHECK(mended.lines()[1] == "mends inventory-disagrees x2");
    CHECK(mended.diff.announcements.front().reason == "10.1.0.0/26 is a block of this node");
    // Without an inventory nobody knows which number the router has.
    const Versions unknown(kTwoNodes + kNoMesh + tor("65001"), kTwoNodes + kNoMesh + tor("65002"));
    CHECK(unknown.text() ==
          joined({"session differs a 10.0.0.254 x2: AS of the neighbour 65001 -> 65002"}));
    CHECK(unknown.diff.routers_assumed);
    CHECK(unknown.diff.sessions.front().neighbor_unknown);
}

TEST_CASE("sessions between nodes: one that comes, one that goes") {
    const std::string peer =
        object("BGPPeer", "ab", "nodeSelector: k == 'a', peerSelector: k == 'b'");
    const Versions comes(kTwoNodes + kNoMesh, kTwoNodes + kNoMesh + peer);
    CHECK(comes.text() == joined({"session comes a 10.0.0.2 x1: AS 64512 with AS 64512",
                                  "gained 10.1.0.64/26 on a x1: no route -> via 10.0.0.2",
                                  "gained 10.1.0.0/26 on b x1: no route -> via 10.0.0.1"}));
    const Versions goes(kTwoNodes + kNoMesh + peer, kTwoNodes + kNoMesh);
    CHECK(goes.lines().size() == 3);
    CHECK(goes.lines()[0] == "session goes a 10.0.0.2 x1: AS 64512 with AS 64512");
    CHECK(goes.lines()[1].starts_with("lost "));
}

TEST_CASE("the mesh: counted by its members") {
    const Versions off(kTwoNodes, kTwoNodes + kNoMesh);
    CHECK(off.lines().front() == "session goes a 10.0.0.2 x1: 2 nodes in the mesh -> 0");
    CHECK(off.lines().size() == 2);
    CHECK(off.lines().back() ==
          "lost 10.1.0.0/26 10.1.0.64/26 on a b x2: via 10.0.0.1 -> no route");
    const std::string third = node("c", "10.0.0.3/24");
    CHECK(Versions(kTwoNodes, kTwoNodes + third).text() ==
          joined({"session comes c 10.0.0.1 x2: 2 nodes in the mesh -> 3"}));
    // A number of its own: the other end takes it to have it, it takes the other to have its own.
    const std::string own =
        kPods + node("a", "10.0.0.1/24", "asNumber: 65005", "k: a") +
        kTwoNodes.substr(kTwoNodes.find("{apiVersion: projectcalico.org/v3, kind: Node, "
                                        "metadata: {name: b"));
    CHECK(Versions(kTwoNodes, own).text() ==
          joined({"session differs a 10.0.0.2 x1: own AS 64512 -> 65005", "breaks as-disagrees x1",
                  "lost 10.1.0.64/26 on a x1: via 10.0.0.2 -> no route",
                  "lost 10.1.0.0/26 on b x1: via 10.0.0.1 -> no route"}));
}

TEST_CASE("filters and pools: announcements without a change of sessions") {
    const std::string base = kTwoNodes + kNoMesh + kTor + tor("65001", ", filters: [f]");
    const auto filter = [](const char* range) {
        return object(
            "BGPFilter", "f",
            fmt::format("exportV4: [{{action: Reject, cidr: {}, matchOperator: In}}]", range));
    };
    const Versions rejected(base + filter("10.9.0.0/16"), base + filter("10.1.0.0/26"));
    CHECK(rejected.text() ==
          joined({"withdrawn tor (10.0.0.254) 10.1.0.0/26: node a: rule 1 of BGPFilter f rejects",
                  "lost 10.1.0.0/26 on b x1: via 10.0.0.254 -> no route"}));
    // A pool that comes covers blocks of nodes, which are announced anyhow; its exclusion counts.
    std::string hidden = base + filter("10.9.0.0/16");
    hidden.replace(hidden.find("vxlanMode"), 0, "disableBGPExport: true, ");
    const Versions pool(base + filter("10.9.0.0/16"), hidden);
    REQUIRE_FALSE(pool.diff.announcements.empty());
    CHECK(pool.lines().front() == "withdrawn tor (10.0.0.254) 10.1.0.0/26 10.1.0.64/26: node a: "
                                  "pool 10.1.0.0/16 is not exported");
}

TEST_CASE("who writes a route: BIRD, Felix, through which device") {
    const auto with = [](const char* mode, const char* owner) {
        std::string out = kTwoNodes + object("BGPConfiguration", "default",
                                             std::string("programClusterRoutes: ") + owner);
        out.replace(out.find("vxlanMode: Never"), 16, mode);
        return out;
    };
    const Versions vxlan(with("vxlanMode: Never", "EnabledNoEncapOnly"),
                         with("vxlanMode: Always", "EnabledNoEncapOnly"));
    CHECK(vxlan.text() == joined({"device 10.1.0.0/26 10.1.0.64/26 on a b x2: via 10.0.0.1 -> "
                                  "written by Felix"}));
    const Versions tunnel(with("ipipMode: Always", "EnabledIPIPOnly"),
                          with("ipipMode: CrossSubnet", "EnabledIPIPOnly"));
    CHECK(tunnel.text() == joined({"device 10.1.0.0/26 10.1.0.64/26 on a b x2: via 10.0.0.1 "
                                   "through tunl0 -> via 10.0.0.1"}));
}

TEST_CASE("a node that moves, a block that moves") {
    const auto moved = [](std::string text, const std::string& from, const std::string& to) {
        return text.replace(text.find(from), from.size(), to);
    };
    const Versions address(kTwoNodes, moved(kTwoNodes, "10.0.0.2/24", "10.0.0.9/24"));
    CHECK(address.text() ==
          joined({"session goes b 10.0.0.1 x1: 2 nodes in the mesh -> 2",
                  "session comes b 10.0.0.1 x1: 2 nodes in the mesh -> 2",
                  "next-hops 10.1.0.64/26 on a x1: via 10.0.0.2 -> via 10.0.0.9"}));
    const Versions block(kTwoNodes, moved(kTwoNodes, "node: a", "node: b"));
    REQUIRE(block.diff.routes.size() == 2);
    CHECK(block.lines()[0] == "device 10.1.0.0/26 on a x1: its own -> via 10.0.0.2");
    CHECK(block.lines()[1] == "device 10.1.0.0/26 on b x1: via 10.0.0.1 -> its own");
}

TEST_CASE("rules that no route of the input meets are compared too") {
    const auto with = [](const char* rules, const char* more = "") {
        return kTwoNodes +
               object("BGPConfiguration", "default", std::string("asNumber: 64512") + more) +
               tor("65001", ", filters: [f]") + object("BGPFilter", "f", rules);
    };
    const char* reject = "importV4: [{action: Reject, cidr: 192.0.2.0/24, matchOperator: In}]";
    const Versions swapped(
        with(reject), with("importV4: [{action: Accept, cidr: 192.0.2.0/24, matchOperator: In}]"));
    REQUIRE(swapped.diff.rules.size() == 1);
    const RuleChange& rule = swapped.diff.rules.front();
    CHECK(rule.about == "rule 1 of importV4 of BGPFilter f");
    CHECK(rule.before == "rejects in 192.0.2.0/24");
    CHECK(rule.now == "accepts in 192.0.2.0/24");
    CHECK(rule.now_origin.span.line == rule.before_origin.span.line);
    // What stands before and after a new rule is the same.
    const Versions added(with(reject),
                         with("importV4: [{action: Accept, cidr: 198.51.100.0/24, matchOperator: "
                              "Equal}, {action: Reject, cidr: 192.0.2.0/24, matchOperator: In}]"));
    REQUIRE(added.diff.rules.size() == 1);
    CHECK(added.diff.rules.front().before == "");
    CHECK(added.diff.rules.front().now == "accepts equal to 198.51.100.0/24");
    const Versions communities(
        with(reject),
        with(reject, ", prefixAdvertisements: [{cidr: 192.0.2.0/24, communities: ['64512:7']}]"));
    REQUIRE(communities.diff.rules.size() == 1);
    CHECK(communities.diff.rules.front().about == "communities of 192.0.2.0/24");
    CHECK(communities.diff.rules.front().now == "64512:7");
}

TEST_CASE("many racks with numbers of their own are compared") {
    const auto racks = [](net::AsNumber last) {
        std::string out = kPods + kNoMesh;
        for (int i = 1; i <= 80; ++i) {
            const std::string name = fmt::format("n{:02}", i);
            out += node(name, fmt::format("10.0.{}.1/24", i),
                        fmt::format("asNumber: {}", 65100 + i), "rack: r" + std::to_string(i)) +
                   affinity(name, fmt::format("10.1.{}.0/26", i)) +
                   object("BGPPeer", fmt::format("tor{:02}", i),
                          fmt::format("nodeSelector: rack == 'r{0}', peerIP: 10.0.{0}.254, "
                                      "asNumber: {1}",
                                      i, i == 80 ? last : 65001));
        }
        return out;
    };
    const Versions changed(racks(65001), racks(65001));
    CHECK(changed.lines().empty());
    const Versions moved(racks(65001), racks(65002));
    CHECK(moved.diff.not_compared.empty());
    CHECK(moved.diff.sessions.size() == 1);
}

TEST_CASE("the node whose manifest changed, the block that moved") {
    const std::string tors = tor("65001", ", nodeSelector: k == 'b'");
    std::string relabelled = kTwoNodes;
    relabelled.replace(relabelled.find("k: b"), 4, "k: c");
    const Versions label(kTwoNodes + kNoMesh + tors, relabelled + kNoMesh + tors);
    REQUIRE(label.diff.sessions.size() == 1);
    REQUIRE(label.diff.sessions.front().node_line);
    CHECK(label.diff.sessions.front().node_line->object == "Node b");
    CHECK_FALSE(label.diff.sessions.front().node_gone);
    std::string block = kTwoNodes;
    block.replace(block.find("node: a, state"), 7, "node: b");
    const Versions moved(kTwoNodes, block);
    REQUIRE_FALSE(moved.diff.routes.empty());
    CHECK(moved.diff.routes.front().now_origin.object == "BlockAffinity a-10.1.0.0");
}
