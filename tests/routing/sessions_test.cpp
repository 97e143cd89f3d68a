// Which sessions a node has, and what each is like.
#include <doctest/doctest.h>

#include "tests/routing/routed.h"

using namespace polecat;
using namespace polecat::routing;
using diag::Code;
using testing::node;
using testing::object;
using testing::peer;
using testing::Routed;

namespace {

const std::string kMeshOff = object("BGPConfiguration", "default", "nodeToNodeMeshEnabled: false");

std::vector<std::string> ends(const FamilyRouting& family) {
    std::vector<std::string> out;
    for (const Session& each : family.sessions)
        out.push_back(std::string(to_string(each.kind)) + " " +
                      endpoint_text(each.neighbor, each.port));
    return out;
}

using Texts = std::vector<std::string>;

} // namespace

TEST_CASE("the mesh joins nodes without a cluster ID, and takes the wrong AS") {
    Routed routed(node("a", "10.0.0.1/24", "asNumber: 65001") + node("b", "10.0.0.2/24") +
                  node("c", "10.0.0.3/24", "asNumber: 65003") +
                  node("rr", "10.0.0.9/24", "routeReflectorClusterID: 1.1.1.1") +
                  object("BGPConfiguration", "node.b", "listenPort: 1790"));
    const auto a = routed.node("a"), b = routed.node("b"), rr = routed.node("rr");
    CHECK(ends(a->v4) == Texts{"mesh 10.0.0.2:1790", "mesh 10.0.0.3"});
    CHECK(ends(rr->v4).empty());
    CHECK(a->v4.sessions[0].neighbor_as == 65001); // b has 64512
    CHECK(a->v4.sessions[1].neighbor_as == 65003);
    CHECK(b->v4.sessions[0].neighbor_as == 65001);
    CHECK(b->listen_port == 1790);
    CHECK(a->v4.sessions[0].passive);
    CHECK_FALSE(b->v4.sessions[0].passive);
    CHECK_FALSE(a->v6.enabled());
}

TEST_CASE("who calls is decided by addresses as text") {
    Routed routed(node("a", "10.0.0.9/24") + node("b", "10.0.0.10/24"));
    CHECK_FALSE(routed.node("a")->v4.sessions[0].passive);
    CHECK(routed.node("b")->v4.sessions[0].passive);
}

TEST_CASE("of several BGPPeers for one session one counts") {
    Routed routed(kMeshOff + node("a", "10.0.0.1/24") +
                  peer("z-global", "peerIP: 192.0.2.1, asNumber: 65001") +
                  peer("a-own", "node: a, peerIP: '192.0.2.1:179', asNumber: 65002") +
                  peer("b-own", "node: a, peerIP: 192.0.2.2, asNumber: 65003") +
                  peer("c-own", "node: a, peerIP: 192.0.2.2, asNumber: 65004") +
                  peer("d-own", "node: a, peerIP: '192.0.2.2:1790', asNumber: 65005"));
    const auto a = routed.node("a");
    CHECK(ends(a->v4) == Texts{"global 192.0.2.1", "node 192.0.2.2", "node 192.0.2.2:1790"});
    CHECK(a->v4.sessions[0].neighbor_as == 65001);
    CHECK(a->v4.sessions[1].neighbor_as == 65003); // the first by name
    CHECK(routed.reports(Code::SessionClaimedTwice));
}

TEST_CASE("BGPPeers of the same meaning are no conflict") {
    Routed routed(kMeshOff + node("a", "10.0.0.1/24") +
                  peer("one", "node: a, peerIP: 192.0.2.2, asNumber: 65003") +
                  peer("two", "node: a, peerIP: 192.0.2.2, asNumber: 65003"));
    CHECK(routed.node("a")->v4.sessions.size() == 1);
    CHECK_FALSE(routed.reports(Code::SessionClaimedTwice));
}

TEST_CASE("a node that is named peers back, with what the BGPPeer asks") {
    const std::string nodes =
        kMeshOff + node("a", "10.0.0.1/24") + node("b", "10.0.0.2/24", "asNumber: 65002");
    Routed routed(nodes + peer("p", "node: a, peerIP: 10.0.0.2, asNumber: 65002, "
                                    "localASNumber: 65009, keepaliveTime: 20s"));
    const auto a = routed.node("a"), b = routed.node("b");
    CHECK(a->v4.sessions.at(0).local_as == 65009);
    CHECK_FALSE(a->v4.sessions[0].notes.implied);
    const Session back = b->v4.sessions.at(0);
    CHECK(back.notes.implied);
    CHECK(back.neighbor_as == 64512); // not localASNumber: it never comes up
    CHECK(back.keepalive_seconds == 20U);
    CHECK(back.origin.object == "BGPPeer p");
    Routed manual(nodes + peer("p", "node: a, peerIP: 10.0.0.2, asNumber: 65002, "
                                    "reversePeering: Manual"));
    CHECK(manual.node("b")->v4.sessions.empty());
    Routed other(nodes + peer("p", "node: a, peerIP: 10.0.0.2, asNumber: 65001"));
    CHECK(other.node("b")->v4.sessions.empty());
}

TEST_CASE("a port in peerIP must be the node's and the cluster's") {
    const auto back = [](const std::string& configuration, const std::string& end) {
        Routed routed(configuration + node("a", "10.0.0.1/24") + node("b", "10.0.0.2/24") +
                      peer("p", "node: a, peerIP: '" + end + "'"));
        return routed.node("b")->v4.sessions.size();
    };
    const std::string own = object("BGPConfiguration", "node.b", "listenPort: 500");
    const std::string all =
        object("BGPConfiguration", "default", "nodeToNodeMeshEnabled: false, listenPort: 177");
    CHECK(back(kMeshOff, "10.0.0.2:179") == 1);
    CHECK(back(kMeshOff + own, "10.0.0.2:500") == 1);
    CHECK(back(kMeshOff + own, "10.0.0.2:501") == 0);
    CHECK(back(all, "10.0.0.2:177") == 1);
    CHECK(back(all + own, "10.0.0.2:500") == 0);
}

TEST_CASE("peerIP is a node by its text only") {
    const std::string v6 = "ipv6Address: 'fd00::2/64'";
    const std::string global =
        object("BGPConfiguration", "default", "nodeToNodeMeshEnabled: false, listenPort: 1790");
    Routed same(global + node("a", "10.0.0.1/24", "ipv6Address: 'fd00::1/64'") +
                node("b", "10.0.0.2/24", v6) + peer("p", "peerIP: 'fd00::2', asNumber: 64512"));
    CHECK(ends(same.node("a")->v6) == Texts{"global [fd00::2]:1790"});
    CHECK(same.node("a")->v6.sessions[0].passive);
    Routed other(global + node("a", "10.0.0.1/24", "ipv6Address: 'fd00::1/64'") +
                 node("b", "10.0.0.2/24", v6) + peer("p", "peerIP: 'fd00:0::2', asNumber: 64512"));
    CHECK(ends(other.node("a")->v6) == Texts{"global fd00::2"});
    CHECK_FALSE(other.node("a")->v6.sessions[0].passive);
    CHECK(other.node("b")->v6.sessions.empty());
}

TEST_CASE("selector peers ignore the local AS; both families; reflectors and clients") {
    const std::string rr = "routeReflectorClusterID: 1.1.1.1, ipv6Address: 'fd00::9/64'";
    Routed routed(kMeshOff + node("a", "10.0.0.1/24", "ipv6Address: 'fd00::1/64'") +
                  node("r", "10.0.0.9/24", rr, "rr: x") +
                  node("s", "10.0.0.8/24", "routeReflectorClusterID: 1.1.1.2", "rr: x") +
                  peer("p", "nodeSelector: '!has(rr)', peerSelector: has(rr), localASNumber: "
                            "65009, numAllowedLocalASNumbers: 3") +
                  peer("q", "nodeSelector: has(rr), peerSelector: has(rr)"));
    const auto a = routed.node("a"), r = routed.node("r");
    CHECK(ends(a->v4) == Texts{"node 10.0.0.8", "node 10.0.0.9"});
    CHECK(ends(a->v6) == Texts{"node fd00::9"});
    CHECK(a->v4.sessions[0].local_as == 64512);
    CHECK(a->v4.sessions[0].allowed_local_as == 0);
    CHECK_FALSE(a->v4.sessions[0].reflector_cluster);
    CHECK(ends(r->v4) == Texts{"node 10.0.0.1", "node 10.0.0.8"});
    CHECK(r->v4.sessions[0].reflector_cluster == net::parse_address("1.1.1.1"));
    CHECK(r->v4.sessions[1].reflector_cluster); // the other has another cluster ID
}

TEST_CASE("next hops: the old flag is for eBGP only, the mode for any") {
    const auto hop = [](const std::string& as, const std::string& field) {
        Routed routed(kMeshOff + node("a", "10.0.0.1/24") +
                      peer("p", "peerIP: 192.0.2.1, asNumber: " + as + ", " + field));
        return routed.node("a")->v4.sessions.at(0).next_hop;
    };
    CHECK(hop("65001", "keepOriginalNextHop: true") == NextHop::Keep);
    CHECK(hop("64512", "keepOriginalNextHop: true") == NextHop::Auto);
    CHECK(hop("64512", "nextHopMode: Keep") == NextHop::Keep);
    CHECK(hop("65001", "nextHopMode: Auto") == NextHop::Auto);
}

TEST_CASE("workloads that peer with their node") {
    const std::string text =
        kMeshOff + node("a", "10.0.0.1/24") + node("b", "10.0.0.2/24") +
        peer("p", "localWorkloadSelector: app == 'fw', asNumber: 65001, nextHopMode: Keep") +
        "{apiVersion: v1, kind: Pod, metadata: {name: w, namespace: n, labels: {app: fw}}, spec: "
        "{nodeName: a, containers: [{name: c, image: i}]}, status: {podIP: 10.1.0.5}}\n";
    Routed routed(text);
    CHECK(ends(routed.node("a")->v4) == Texts{"localWorkload 10.1.0.5"});
    CHECK(ends(routed.node("b")->v4).empty());
    const Session session = routed.node("a")->v4.sessions[0];
    CHECK(session.passive);
    CHECK_FALSE(session.source);
    CHECK(session.next_hop == NextHop::Auto);
    passes::RoutingOptions options;
    options.endpoint_status.emplace();
    options.endpoint_status->push_back({"p", net::parse_address("10.1.0.9"), {}, {}});
    options.endpoint_status->push_back({"other", net::parse_address("10.1.0.8"), {}, {}});
    Routed status(text, options);
    CHECK(ends(status.node("a")->v4) == Texts{"localWorkload 10.1.0.9"});
}

TEST_CASE("passwords are references; a Secret in no manifest is taken to be there") {
    const std::string text =
        kMeshOff + node("a", "10.0.0.1/24") +
        peer("p", "peerIP: 192.0.2.1, asNumber: 65001, password: {secretKeyRef: {name: s, key: "
                  "k}}");
    const auto secret = [](const std::string& space, const std::string& key) {
        return "{apiVersion: v1, kind: Secret, metadata: {name: s, namespace: " + space +
               "}, stringData: {" + key + ": hush}}\n---\n";
    };
    const auto has = [](Routed routed) {
        return routed.node("a")->v4.sessions.at(0).password.has_value();
    };
    CHECK(has(Routed(text)));
    CHECK(has(Routed(secret("calico-system", "k") + text)));
    CHECK_FALSE(has(Routed(secret("kube-system", "other") + text)));
    Routed open(secret("kube-system", "other") + text);
    CHECK(open.reports(Code::SessionWithoutPassword));
    passes::RoutingOptions all;
    all.secrets_are_all = true;
    CHECK_FALSE(has(Routed(text, all)));
    CHECK_FALSE(has(Routed(secret("shop", "k") + text, all)));
}

TEST_CASE("what BIRD refuses is refused at its place") {
    const auto refused = [](const std::string& spec) {
        Routed routed(kMeshOff + node("a", "10.0.0.1/24") + peer("p", spec));
        return routed.reports(Code::RefusedByBird);
    };
    CHECK_FALSE(refused("peerIP: 192.0.2.1, asNumber: 65001, keepaliveTime: 240s"));
    CHECK(refused("peerIP: 192.0.2.1"));
    CHECK(refused("peerIP: 'fe80::1', asNumber: 65001"));
    CHECK(refused("peerIP: 192.0.2.1, asNumber: 65001, keepaliveTime: 241s"));
    CHECK(refused("peerIP: 192.0.2.1, asNumber: 65001, keepaliveTime: 400ms"));
    CHECK(refused("peerIP: 192.0.2.1, asNumber: 65001, maxRestartTime: 4096s"));
    Routed lengths(object("BGPFilter", "f",
                          "exportV4: [{action: Reject, cidr: 10.0.0.0/8, matchOperator: In, "
                          "prefixLength: {min: 24, max: 16}}]"));
    CHECK(lengths.reports(Code::RefusedByBird));
    Routed nobody(peer("p", "asNumber: 65001"));
    CHECK(nobody.reports(Code::PeerWithoutEnd));
}

TEST_CASE("router IDs: the IPv4 address, a given one, a hash of the name") {
    const std::string v6 = "{apiVersion: projectcalico.org/v3, kind: Node, metadata: {name: a}, "
                           "spec: {bgp: {ipv6Address: 'fd00::1/64'}}}";
    CHECK(Routed(node("a", "10.0.0.1/24")).node("a")->router_id == "10.0.0.1");
    Routed none(v6);
    CHECK_FALSE(none.node("a"));
    CHECK(none.reports(Code::NoRouterId));
    passes::RoutingOptions options;
    options.router_id = "hash";
    CHECK(Routed(v6, options).node("a")->router_id == "202.151.129.18"); // SHA-256 of "a"
    options.router_id = "10.9.9.9";
    CHECK(Routed(v6, options).node("a")->router_id == "10.9.9.9");
    options.router_id = "no ID";
    CHECK_FALSE(Routed(v6, options).node("a"));
}

TEST_CASE("a Kubernetes Node's annotations are as good as a Calico Node") {
    Routed routed("{apiVersion: v1, kind: Node, metadata: {name: a, annotations: "
                  "{projectcalico.org/IPv4Address: 10.0.0.1/24, projectcalico.org/ASNumber: "
                  "'65001'}}}\n---\n" +
                  node("b", "10.0.0.2/24"));
    const auto a = routed.node("a");
    CHECK(a->local_as == 65001);
    CHECK(a->v4.address == net::parse_address("10.0.0.1"));
    CHECK(routed.routing.nodes[0].v4->subnet ==
          net::parse_cidr("10.0.0.0/24", net::CidrForm::Strict));
    CHECK(ends(a->v4) == Texts{"mesh 10.0.0.2"});
}
