// What keeps sessions from establishing: each fault, and what only looks like it. Counting is held
// against looking at every pair of nodes.
#include <doctest/doctest.h>

#include <random>

#include <fmt/format.h>

#include "analyzer/routing/sessions/session_ends.h"
#include "analyzer/routing/sessions/sessions.h"
#include "tests/routing/routed.h"

using namespace polecat;
using namespace polecat::routing;
using testing::kNoMesh;
using testing::node;
using testing::object;
using testing::peer;
using testing::Routed;

namespace {

const std::string kTwo =
    node("a", "10.0.0.1/24", "", "side: a") + node("b", "10.0.0.2/24", "", "side: b");

std::string inventory(const std::string& routers, const std::string& racks = "") {
    return "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: hall}, spec: "
           "{routers: [" +
           routers + "]" + (racks.empty() ? "" : ", racks: [" + racks + "]") + "}}\n---\n";
}

SessionReport report_of(const std::string& manifests, const std::string& only = "") {
    Routed routed(manifests);
    const bool mesh = std::exchange(routed.routing.mesh, false);
    std::vector<NodeRouting> forms;
    for (const BgpNode& each : routed.routing.nodes)
        if (auto form = routed.node(each.name))
            forms.push_back(std::move(*form));
    routed.routing.mesh = mesh;
    return sessions(routed.cluster, routed.routing, forms,
                    only.empty() ? std::nullopt : routed.routing.find(only));
}

/// "3 sessions, 1 broken: as-disagrees a 10.0.0.2 x1"; doubts with a question mark.
std::string told(const std::string& manifests, const std::string& only = "") {
    const SessionReport report = report_of(manifests, only);
    std::string out = fmt::format("{} sessions, {} broken", report.sessions, report.broken);
    for (const SessionFault& each : report.faults)
        out += fmt::format("; {}{} {} {} x{}", to_string(each.kind), each.certain ? "" : "?",
                           each.node, each.neighbor, each.sessions);
    return out;
}

} // namespace

TEST_CASE("AS numbers of two ends disagree") {
    const std::string both =
        kNoMesh + node("a", "10.0.0.1/24") + node("b", "10.0.0.2/24", "asNumber: 65002");
    const auto ends = [](const std::string& of_b, const std::string& of_a) {
        return peer("to-b", "node: a, peerIP: 10.0.0.2, asNumber: " + of_b) +
               peer("to-a", "node: b, peerIP: 10.0.0.1, asNumber: " + of_a);
    };
    CHECK(told(both + ends("65002", "64512")) == "1 sessions, 0 broken");
    CHECK(told(both + ends("65003", "64512")) ==
          "1 sessions, 1 broken; as-disagrees a 10.0.0.2 x1");
    CHECK(told(both + ends("65002", "64513")) ==
          "1 sessions, 1 broken; as-disagrees b 10.0.0.1 x1");
    // Both ends wrong are one session and one fault.
    const SessionReport wrong = report_of(both + ends("65003", "64513"));
    REQUIRE(wrong.faults.size() == 1);
    CHECK(wrong.broken == 1);
    CHECK(wrong.faults[0].reason == "it expects AS 65003 of node b, which shows it AS 65002; that "
                                    "expects AS 64513 of it, and it shows AS 64512");
    CHECK(wrong.faults[0].here.object == "BGPPeer to-b");
    CHECK(wrong.faults[0].there.object == "Node b");
    // Asked about either node.
    for (const char* only : {"a", "b"})
        CHECK(told(both + ends("65003", "64512"), only) ==
              "1 sessions, 1 broken; as-disagrees a 10.0.0.2 x1");
    // localASNumber is what the session shows.
    const std::string shown = peer("to-b", "node: a, peerIP: 10.0.0.2, asNumber: 65002, "
                                           "localASNumber: 65009");
    CHECK(told(both + shown + peer("to-a", "node: b, peerIP: 10.0.0.1, asNumber: 65009")) ==
          "1 sessions, 0 broken");
    CHECK(told(both + shown + peer("to-a", "node: b, peerIP: 10.0.0.1, asNumber: 64512")) ==
          "1 sessions, 1 broken; as-disagrees b 10.0.0.1 x1");
}

TEST_CASE("AS numbers in the mesh") {
    const std::string c = node("c", "10.0.0.3/24");
    CHECK(told(kTwo + c) == "3 sessions, 0 broken");
    // The number of the cluster, written or not, is one number.
    CHECK(told(kTwo + node("c", "10.0.0.3/24", "asNumber: 64512")) == "3 sessions, 0 broken");
    const std::string odd = kTwo + node("c", "10.0.0.3/24", "asNumber: 65003");
    CHECK(told(odd) == "3 sessions, 2 broken; as-disagrees c 10.0.0.1 x2");
    CHECK(told(odd, "a") == "2 sessions, 1 broken; as-disagrees c 10.0.0.1 x1");
    CHECK(told(odd, "c") == "2 sessions, 2 broken; as-disagrees c 10.0.0.1 x2");
    CHECK(told(odd + node("d", "10.0.0.4/24"), "b") ==
          "3 sessions, 1 broken; as-disagrees c 10.0.0.2 x1");
    // Everybody with a number: fine.
    CHECK(told(node("a", "10.0.0.1/24", "asNumber: 65001") +
               node("b", "10.0.0.2/24", "asNumber: 65002")) == "1 sessions, 0 broken");
    // Two lines: inside one AS and between two.
    const SessionReport two = report_of(node("a", "10.0.0.1/24", "asNumber: 65001") +
                                        node("b", "10.0.0.2/24", "asNumber: 65002") +
                                        node("c", "10.0.0.3/24", "asNumber: 65002"));
    REQUIRE(two.groups.size() == 2);
    CHECK(two.groups[0].is_internal());
    CHECK(two.groups[0].ends == 2);
    CHECK_FALSE(two.groups[1].is_internal());
    CHECK(two.groups[1].ends == 4);
    CHECK(two.groups[1].local_as == 65001);
    CHECK(two.groups[1].neighbor_as == 65002);
}

TEST_CASE("a node that does not peer back") {
    const std::string to_b = "nodeSelector: side == 'a', peerSelector: side == 'b'";
    CHECK(told(kNoMesh + kTwo + peer("p", to_b)) == "1 sessions, 0 broken");
    const std::string manual = peer("p", to_b + ", reversePeering: Manual");
    CHECK(told(kNoMesh + kTwo + manual) == "1 sessions, 1 broken; not-back a 10.0.0.2 x1");
    const SessionReport report = report_of(kNoMesh + kTwo + manual);
    CHECK(report.faults[0].here.object == "BGPPeer p");
    CHECK(report.faults[0].there.object == "Node b");
    // A BGPPeer of its own, or the mesh.
    CHECK(told(kNoMesh + kTwo + manual + peer("q", "node: b, peerIP: 10.0.0.1, asNumber: 64512")) ==
          "1 sessions, 0 broken");
    CHECK(told(kTwo + manual) == "1 sessions, 0 broken");
    // With another AS number Calico takes the address for a router.
    CHECK(told(kNoMesh + kTwo + peer("p", "node: a, peerIP: 10.0.0.2, asNumber: 65009")) ==
          "1 sessions, 1 broken; as-disagrees a 10.0.0.2 x1");
    // So it does with another port.
    CHECK(told(kNoMesh + kTwo + peer("p", "node: a, peerIP: '10.0.0.2:1790', asNumber: 64512") +
               object("BGPConfiguration", "node.b", "listenPort: 1790")) == "1 sessions, 0 broken");
    CHECK(told(kNoMesh + kTwo + peer("p", "node: a, peerIP: '10.0.0.2:1790', asNumber: 64512") +
               object("BGPConfiguration", "node.b", "listenPort: 1791")) ==
          "1 sessions, 1 broken; not-back a 10.0.0.2:1790 x1");
}

TEST_CASE("nobody calls") {
    const auto ends = [](const std::string& of_b, const std::string& of_a) {
        return kNoMesh + kTwo +
               peer("to-b",
                    "node: a, peerIP: '" + of_b + "', asNumber: 64512, reversePeering: Manual") +
               peer("to-a",
                    "node: b, peerIP: '" + of_a + "', asNumber: 64512, reversePeering: Manual");
    };
    CHECK(told(ends("10.0.0.2:1790", "10.0.0.1")) == "1 sessions, 0 broken"); // b calls
    CHECK(told(ends("10.0.0.2:1790", "10.0.0.1:1790")) ==
          "1 sessions, 1 broken; nobody-calls a 10.0.0.2:1790 x1");
    // Of two global ends the one with the greater address as text listens.
    const auto global = [](const std::string& port) {
        return kNoMesh + kTwo +
               peer("to-b", "peerIP: '10.0.0.2:1790', asNumber: 64512, reversePeering: Manual") +
               peer("to-a",
                    "peerIP: '10.0.0.1:" + port + "', asNumber: 64512, reversePeering: Manual");
    };
    CHECK(told(global("179")) == "1 sessions, 0 broken");
    CHECK(told(global("1790")) == "1 sessions, 1 broken; nobody-calls a 10.0.0.2:1790 x1");
    Session listens, calls;
    listens.passive = true;
    CHECK(mismatch(listens, 179, listens, 179).nobody_calls);
    CHECK_FALSE(mismatch(listens, 179, calls, 179).any());
}

TEST_CASE("TTL security and passwords at one end") {
    const auto ends = [](const std::string& of_a, const std::string& of_b) {
        return kNoMesh + kTwo + peer("to-b", "node: a, peerIP: 10.0.0.2, asNumber: 64512" + of_a) +
               peer("to-a", "node: b, peerIP: 10.0.0.1, asNumber: 64512" + of_b);
    };
    CHECK(told(ends(", ttlSecurity: 1", "")) == "1 sessions, 1 broken; ttl-one-side a 10.0.0.2 x1");
    CHECK(told(ends("", ", ttlSecurity: 1")) == "1 sessions, 1 broken; ttl-one-side b 10.0.0.1 x1");
    CHECK(told(ends(", ttlSecurity: 1", ", ttlSecurity: 2")) == "1 sessions, 0 broken");
    CHECK(told(ends(", ttlSecurity: 0", "")) == "1 sessions, 0 broken");
    const auto secret = [](const std::string& key) {
        return ", password: {secretKeyRef: {name: bgp, key: " + key + "}}";
    };
    CHECK(told(ends(secret("k"), "")) == "1 sessions, 1 broken; password-one-side a 10.0.0.2 x1");
    CHECK(told(ends(secret("k"), secret("k"))) == "1 sessions, 0 broken");
    CHECK(told(ends(secret("k"), secret("other"))) ==
          "1 sessions, 0 broken; passwords-apart? a 10.0.0.2 x1");
    // A BGPPeer that makes the other end peer back gives it both.
    CHECK(told(kNoMesh + kTwo +
               peer("p", "node: a, peerIP: 10.0.0.2, asNumber: 64512, "
                         "ttlSecurity: 1" +
                             secret("k"))) == "1 sessions, 0 broken");
    // All of it at once is one session.
    CHECK(told(ends(secret("k") + ", ttlSecurity: 1", "")) ==
          "1 sessions, 1 broken; ttl-one-side a 10.0.0.2 x1; password-one-side a 10.0.0.2 x1");
}

TEST_CASE("an address of a family that the node does not have") {
    const std::string both = node("a", "10.0.0.1/24, ipv6Address: 'fd00::1/64'");
    const std::string tor = peer("tor", "peerIP: 'fd00::99', asNumber: 65001");
    CHECK(told(kNoMesh + both + tor) == "1 sessions, 0 broken");
    CHECK(told(kNoMesh + kTwo + tor) == "2 sessions, 2 broken; no-address a fd00::99 x2");
    // Of a node without any address nothing is known.
    CHECK(told(kNoMesh + node("a", "10.0.0.1/24") + object("Node", "c", "") + tor) ==
          "1 sessions, 1 broken; no-address a fd00::99 x1");
    // Some nodes have it: perhaps the others are not to have the session.
    CHECK(told(kNoMesh + both + node("b", "10.0.0.2/24") + tor) ==
          "1 sessions, 0 broken; no-address? b fd00::99 x1");
}

TEST_CASE("what the inventory says of routers") {
    const std::string tor = peer("tor", "peerIP: 10.0.0.9, asNumber: 65001");
    const auto with = [&](const std::string& routers, const std::string& racks = "") {
        return told(kNoMesh + kTwo + tor + inventory(routers, racks));
    };
    CHECK(with("{name: t, address: 10.0.0.9, asNumber: 65001}") == "2 sessions, 0 broken");
    CHECK(with("{name: t, address: 10.0.0.9, asNumber: 65002}") ==
          "2 sessions, 2 broken; inventory-disagrees a 10.0.0.9 x2");
    CHECK(with("{name: t, address: 10.0.0.8, asNumber: 65001}") ==
          "2 sessions, 0 broken; router-unknown? a 10.0.0.9 x2");
    CHECK(with("{name: t, address: 10.0.0.9, asNumber: 65001, nodeASNumber: 64512}") ==
          "2 sessions, 0 broken");
    CHECK(with("{name: t, address: 10.0.0.9, asNumber: 65001, nodeASNumber: 64513}") ==
          "2 sessions, 2 broken; router-expects a 10.0.0.9 x2");
    // A router in each rack with one address: that of the node's own counts.
    const std::string racks =
        "{name: ra, nodeSelector: side == 'a'}, {name: rb, nodeSelector: side == "
        "'b', nodeASNumber: 64512}";
    CHECK(with("{address: 10.0.0.9, asNumber: 65001, rack: ra}, "
               "{address: 10.0.0.9, asNumber: 65002, rack: rb}",
               racks) == "2 sessions, 1 broken; inventory-disagrees b 10.0.0.9 x1");
    // What the rack's nodes have is what its router expects, unless it says so itself.
    const std::string other = "{name: ra, nodeSelector: side == 'a', nodeASNumber: 64513}";
    CHECK(with("{address: 10.0.0.9, asNumber: 65001, rack: ra}", other) ==
          "2 sessions, 1 broken; router-expects a 10.0.0.9 x1");
    CHECK(with("{address: 10.0.0.9, asNumber: 65001, rack: ra, nodeASNumber: 64512}", other) ==
          "2 sessions, 0 broken");
    CHECK(with("{address: 10.0.0.9, asNumber: 65001}", other) == "2 sessions, 0 broken");
    CHECK(told(kNoMesh + kTwo + tor) == "2 sessions, 0 broken"); // no inventory
}

TEST_CASE("two nodes have one session, whatever is configured") {
    const std::string all = peer("all", "nodeSelector: all(), peerSelector: all()");
    CHECK(told(kTwo + node("c", "10.0.0.3/24") + all) == "3 sessions, 0 broken");
    CHECK(told(kTwo + node("c", "10.0.0.3/24") + all, "c") == "2 sessions, 0 broken");
    const SessionReport report = report_of(kTwo + all);
    REQUIRE(report.groups.size() == 2); // the mesh comes before
    CHECK(report.groups[0].hidden == 0);
    CHECK(report.groups[1].hidden == 2);
    // The first of a node's sessions counts: the mesh's before that of a BGPPeer for some nodes,
    // one for all nodes before the mesh's.
    const std::string odd = node("a", "10.0.0.1/24", "asNumber: 65001") + node("b", "10.0.0.2/24");
    CHECK(told(odd + all) == "1 sessions, 1 broken; as-disagrees a 10.0.0.2 x1");
    CHECK(told(odd + peer("to-b", "peerIP: 10.0.0.2, asNumber: 64512")) == "1 sessions, 0 broken");
    CHECK(
        told(odd + node("c", "10.0.0.3/24") + peer("to-b", "peerIP: 10.0.0.2, asNumber: 64512")) ==
        "3 sessions, 1 broken; as-disagrees a 10.0.0.3 x1");
    // Not two sessions, though the ports differ.
    CHECK(told(kTwo + peer("p", "node: a, peerIP: '10.0.0.2:1790', asNumber: 64512")) ==
          "1 sessions, 0 broken");
    // A router may listen on two.
    CHECK(told(kNoMesh + node("a", "10.0.0.1/24") + peer("x", "peerIP: 10.0.0.9, asNumber: 65001") +
               peer("y", "peerIP: '10.0.0.9:1790', asNumber: 65001")) == "2 sessions, 0 broken");
}

TEST_CASE("the mesh is counted, and reflectors are advised from 101 nodes on") {
    const auto mesh = [](std::size_t nodes, bool v6) {
        std::string out;
        for (std::size_t i = 0; i < nodes; ++i)
            out += node(fmt::format("n{:03}", i),
                        fmt::format("10.0.{}.1/8{}", i,
                                    v6 ? fmt::format(", ipv6Address: 'fd00::{}/"
                                                     "64'",
                                                     i + 1)
                                       : ""));
        return report_of(out);
    };
    const SessionReport some = mesh(100, false);
    CHECK(some.sessions == 4950);
    CHECK_FALSE(some.mesh.advises_reflectors());
    const SessionReport more = mesh(101, true);
    CHECK(more.sessions == 2 * 5050);
    CHECK(more.mesh.advises_reflectors());
    CHECK(more.mesh.sessions == 5050); // of one family, as is the advice
    CHECK(more.mesh.with_reflectors() == 3 * 98 + 3);
    // What it advises is what there is then.
    std::string reflected = kNoMesh + peer("p", "nodeSelector: all(), peerSelector: has(rr)");
    for (int i = 0; i < 101; ++i)
        reflected += node(fmt::format("n{:03}", i), fmt::format("10.0.{}.1/8", i),
                          i < 3 ? "routeReflectorClusterID: 10.9.9.9" : "", i < 3 ? "rr: x" : "");
    const SessionReport with = report_of(reflected);
    CHECK(with.sessions == more.mesh.with_reflectors());
    CHECK(with.broken == 0);
}

namespace {

std::string random_cluster(std::mt19937& random) {
    const auto pick = [&](const std::vector<std::string>& from) {
        return from[random() % from.size()];
    };
    std::string out =
        object("BGPConfiguration", "default",
               fmt::format("nodeToNodeMeshEnabled: {}, asNumber: 64512", random() % 2 == 0));
    const std::size_t nodes = 2 + random() % 6;
    for (std::size_t i = 0; i < nodes; ++i)
        out += node(fmt::format("n{}", i), fmt::format("10.0.0.{}/24", 7 + i),
                    pick({"", "", "asNumber: 64512", "asNumber: 65001", "asNumber: 65002",
                          "routeReflectorClusterID: 10.9.9.9"}),
                    "side: " + pick({"x", "y"}));
    for (std::size_t i = random() % 5; i > 0; --i)
        out +=
            peer(fmt::format("p{}", i),
                 pick({"", "nodeSelector: side == 'x', ", "node: n0, ", "node: n1, "}) +
                     (random() % 2 == 0
                          ? "peerSelector: side == '" + pick({"x", "y"}) + "'"
                          : fmt::format("peerIP: '10.0.0.{}{}', asNumber: {}", 7 + random() % nodes,
                                        pick({"", "", ":1790"}), pick({"64512", "65001"}))) +
                     pick({"", "", ", reversePeering: Manual", ", ttlSecurity: 1",
                           ", password: {secretKeyRef: {name: s, key: k}}"}));
    return out;
}

/// Every pair of nodes, the mesh's sessions listed as any others.
std::pair<std::uint64_t, std::uint64_t> count_pairs(Routed& routed) {
    std::uint64_t sessions = 0, broken = 0;
    std::vector<NodeRouting> forms;
    for (const BgpNode& each : routed.routing.nodes)
        forms.push_back(*routed.node(each.name));
    const auto end = [&](const NodeRouting& from, const NodeRouting& to) -> const Session* {
        const Session* out = nullptr;
        for (const Session& each : from.v4.sessions)
            if (each.neighbor == to.v4.address &&
                (out == nullptr || (out->port != to.listen_port && each.port == to.listen_port)))
                out = &each;
        return out;
    };
    for (std::size_t i = 0; i < forms.size(); ++i)
        for (std::size_t j = i + 1; j < forms.size(); ++j) {
            const Session *a = end(forms[i], forms[j]), *b = end(forms[j], forms[i]);
            if (a == nullptr && b == nullptr)
                continue;
            ++sessions;
            broken += a == nullptr || b == nullptr ||
                              mismatch(*a, forms[i].listen_port, *b, forms[j].listen_port).any()
                          ? 1
                          : 0;
        }
    return {sessions, broken};
}

} // namespace

TEST_CASE("counting agrees with looking at every pair") {
    for (unsigned seed = 0; seed < 400; ++seed) {
        std::mt19937 random(seed);
        const std::string manifests = random_cluster(random);
        CAPTURE(manifests);
        Routed routed(manifests);
        const auto [all, broken] = count_pairs(routed);
        const SessionReport report = report_of(manifests);
        CHECK(report.sessions == all);
        CHECK(report.broken == broken);
        std::uint64_t of_nodes = 0, broken_of_nodes = 0;
        for (const BgpNode& each : routed.routing.nodes) {
            const SessionReport one = report_of(manifests, each.name);
            of_nodes += one.sessions;
            broken_of_nodes += one.broken;
        }
        CHECK(of_nodes == 2 * all); // each session is one of two nodes
        CHECK(broken_of_nodes == 2 * broken);
    }
}
