// polecat bgp announce and accept, the picture of the fabric, as people run them.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "folder.h"

using namespace polecat;
using Json = nlohmann::json;
using testing::Folder;
using testing::has;
using testing::kRack7;

namespace {

std::string object(const std::string& kind, const std::string& name, const std::string& spec,
                   const std::string& labels = "") {
    return "---\napiVersion: projectcalico.org/v3\nkind: " + kind + "\nmetadata: {name: " + name +
           (labels.empty() ? "" : ", labels: {" + labels + "}") + "}\nspec: {" + spec + "}\n";
}

/// Two clients of a reflector, which also speaks with a router; a pool that stays inside.
const std::string kReflected =
    object("BGPConfiguration", "default",
           "nodeToNodeMeshEnabled: false, serviceClusterIPs: [{cidr: 10.96.0.0/16}]") +
    object("Node", "a", "bgp: {ipv4Address: 10.0.0.1/24}") +
    object("Node", "b", "bgp: {ipv4Address: 10.0.0.2/24}") +
    object("Node", "rr", "bgp: {ipv4Address: 10.0.0.9/24, routeReflectorClusterID: 10.9.9.9}",
           "rr: x") +
    object("IPPool", "pods", "cidr: 10.1.0.0/16, ipipMode: Never, vxlanMode: Never") +
    object("IPPool", "inside", "cidr: 10.2.0.0/16, disableBGPExport: true, vxlanMode: Never") +
    object("IPPool", "tunnelled", "cidr: 10.3.0.0/16, vxlanMode: Always") +
    object("BlockAffinity", "a-1", "cidr: 10.1.0.0/26, node: a, state: confirmed") +
    object("BlockAffinity", "a-2", "cidr: 10.2.0.0/26, node: a, state: confirmed") +
    object("BGPPeer", "clients", "nodeSelector: '!has(rr)', peerSelector: has(rr)") +
    object("BGPPeer", "tor",
           "nodeSelector: has(rr), peerIP: 192.0.2.1, asNumber: 65001, "
           "filters: [out]") +
    "---\napiVersion: projectcalico.org/v3\nkind: BGPFilter\nmetadata: {name: out}\nspec:\n"
    "  exportV4:\n"
    "  - {action: Reject, cidr: 10.1.0.0/24, matchOperator: In}\n"
    "  importV4:\n"
    "  - {action: Reject, cidr: 0.0.0.0/0, matchOperator: Equal}\n";

} // namespace

TEST_CASE("bgp announce: who is told, and which line decides") {
    const Folder folder;
    const auto ask = [&](const std::string& what) {
        return folder.run("bgp announce " + what + " -f r.yaml");
    };
    folder.write("r.yaml", kReflected);
    const auto block = ask("10.1.0.0/26");
    CHECK_MESSAGE(block.exit_code == 0, block.error);
    CHECK(has(block.out, "10.1.0.0/26, originated by node a\n"));
    CHECK(has(block.out, "node a to node rr (10.0.0.9), by BGPPeer clients (r.yaml:"));
    CHECK(has(block.out, "announced: 10.1.0.0/26 is a block of this node: BlockAffinity a-1"));
    CHECK(has(block.out, "node rr (passing it on) to node b (10.0.0.2)"));
    CHECK_FALSE(has(block.out, "192.0.2.1"));
    // Asked about one neighbour it says why not.
    const auto tor = ask("10.1.0.0/26 --node rr --to tor");
    CHECK(tor.exit_code == 1);
    CHECK(has(tor.out, "not announced: rule 1 of BGPFilter out rejects: BGPFilter out (r.yaml:"));
    // Never back, and by no client: b has nobody else to tell.
    const auto back = ask("10.1.0.0/26 --node b");
    CHECK(back.exit_code == 1);
    CHECK(has(back.out, "not announced: a route never goes back over the session that it came by"));
    const auto hidden = ask("10.2.0.0/26");
    CHECK(hidden.exit_code == 1);
    CHECK(has(hidden.out, "not announced: pool 10.2.0.0/16 is not exported: IPPool inside"));
    const auto explained = ask("10.2.0.0/26 --explain");
    CHECK(has(explained.out, "    > pool 10.2.0.0/16 is not exported"));
    const auto none = ask("10.1.0.0/16");
    CHECK(none.exit_code == 1);
    CHECK(has(none.out, "10.1.0.0/16: no node originates it\n  nodes announce 1 prefix inside it"));
    CHECK(ask("10.1.0.0/26 --to nobody").exit_code == 2);
    CHECK(ask("web").exit_code == 2);
}

TEST_CASE("bgp announce: addresses of pods and services") {
    const Folder folder;
    const auto pod = [](const std::string& name, const std::string& spec,
                        const std::string& status) {
        return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
               ", namespace: web}\nspec: {" + spec + ", containers: []}\nstatus: {" + status +
               "}\n";
    };
    folder.write("r.yaml",
                 kReflected + pod("held", "nodeName: a", "podIP: 10.1.0.5") +
                     pod("free", "nodeName: b", "podIP: 10.1.7.5") +
                     pod("host", "nodeName: a, hostNetwork: true", "podIP: 10.0.0.1") +
                     pod("idle", "nodeName: a", "phase: Pending") +
                     "---\napiVersion: v1\nkind: Service\nmetadata: {name: shop, namespace: web}\n"
                     "spec: {clusterIP: 10.96.0.7, ports: [{port: 80}]}\n");
    const auto ask = [&](const std::string& what) {
        return folder.run("bgp announce " + what + " -f r.yaml");
    };
    const auto held = ask("web/held");
    CHECK_MESSAGE(held.exit_code == 0, held.error);
    CHECK(has(held.out, "10.1.0.5 (Pod web/held) lies in 10.1.0.0/26, originated by node a"));
    CHECK(has(ask("10.1.0.5").out, "10.1.0.5 lies in 10.1.0.0/26, originated by node a"));
    // No BlockAffinity holds it: the node's block of the pool.
    const auto assumed = ask("web/free --format json");
    CHECK(assumed.exit_code == 0);
    const Json out = Json::parse(assumed.out);
    REQUIRE(out.size() == 1);
    CHECK(out[0]["prefix"] == "10.1.7.0/26");
    CHECK(out[0]["assumed"] == true);
    CHECK(out[0]["origins"] == Json{"b"});
    CHECK(out[0]["announcements"][0]["announced"] == true);
    CHECK(has(ask("10.1.7.5").out, "the input has no BlockAffinity for it"));
    CHECK(has(ask("10.1.7.5 --node b").out, "originated by node b (assumed: "));
    CHECK(has(ask("10.1.7.0/26 --node b").out, "originated by node b (assumed: "));
    CHECK(has(ask("10.1.7.0/27 --node b").out, "are /26: ask about 10.1.7.0/26"));
    CHECK(has(ask("web/host").error, "in the network of its node"));
    CHECK(has(ask("web/idle").error, "Pod web/idle has no address here"));
    CHECK(has(ask("web/other").error, "`web/other` is no prefix"));
    const auto service = ask("service:web/shop");
    CHECK(service.exit_code == 0);
    CHECK(has(service.out, "10.96.0.7 (cluster IP of service web/shop) lies in 10.96.0.0/16, "
                           "originated by nodes a, b, rr"));
    CHECK(has(service.out, "announced: service range 10.96.0.0/16"));
    CHECK(ask("service:web/none").exit_code == 2);
}

TEST_CASE("bgp announce: a service of its own nodes alone, without an EndpointSlice") {
    const Folder folder;
    const auto pod = [](const std::string& name, const std::string& labels) {
        return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", labels: {" + labels +
               "}}\nspec: {nodeName: " + name + ", containers: []}\n";
    };
    folder.write("r.yaml", object("BGPConfiguration", "default",
                                  "serviceLoadBalancerIPs: [{cidr: 192.0.2.0/24}]") +
                               object("Node", "a", "bgp: {ipv4Address: 10.0.0.1/24}") +
                               object("Node", "b", "bgp: {ipv4Address: 10.0.0.2/24}") +
                               object("BGPPeer", "tor", "peerIP: 10.0.0.254, asNumber: 65001") +
                               pod("a", "app: w") + pod("b", "app: other") +
                               "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: "
                               "{type: LoadBalancer, clusterIP: 10.96.0.10, selector: {app: w}, "
                               "externalTrafficPolicy: Local, ports: [{port: 80}]}\n"
                               "status: {loadBalancer: {ingress: [{ip: 192.0.2.20}]}}\n");
    const auto out = folder.run("bgp announce service:default/s --to tor -f r.yaml").out;
    CHECK(has(out, "192.0.2.20 (load balancer IP of service default/s), originated by node a "
                   "(assumed: the input has no EndpointSlice of it"));
    // Who has one needs no guess.
    folder.write("es.yaml",
                 "apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: "
                 "s-1, labels: {kubernetes.io/service-name: s}}\naddressType: IPv4\n"
                 "ports: [{port: 80}]\nendpoints: [{addresses: [10.1.0.5], nodeName: "
                 "b}]\n");
    const auto known =
        folder.run("bgp announce service:default/s --to tor -f r.yaml -f es.yaml").out;
    CHECK(has(known, "(load balancer IP of service default/s), originated by node b\n"));
}

TEST_CASE("bgp announce says which sessions will not establish") {
    const Folder folder;
    const auto broken = folder.run("bgp announce 10.42.7.0/26 -f " + kRack7 + "broken");
    CHECK(broken.exit_code == 1);
    CHECK(has(broken.out, "but the session will not establish: polecat bgp sessions rack7-a"));
    const auto mended = folder.run("bgp announce 10.42.7.0/26 --to tor-7 -f " + kRack7 + "mended");
    CHECK(mended.exit_code == 0);
    CHECK_FALSE(has(mended.out, "will not establish"));
}

TEST_CASE("bgp accept: into the kernel or not, and through what") {
    const Folder folder;
    folder.write("r.yaml", kReflected);
    const auto ask = [&](const std::string& what) {
        return folder.run("bgp accept " + what + " -f r.yaml");
    };
    const auto outside = ask("198.51.100.0/24 --from 192.0.2.1");
    CHECK_MESSAGE(outside.exit_code == 0, outside.error);
    CHECK(has(outside.out, "node rr, by BGPPeer tor (r.yaml:"));
    CHECK(has(outside.out, "into the kernel through the device that leads to 192.0.2.1"));
    const auto refused = ask("0.0.0.0/0 --from tor");
    CHECK(refused.exit_code == 1);
    CHECK(has(refused.out, "not taken: rule 1 of BGPFilter out rejects: BGPFilter out (r.yaml:"));
    CHECK_FALSE(has(refused.out, "kernel"));
    // What the reflector passes on, with the next hop of who has it.
    const auto block = ask("10.1.0.0/26 --from rr --node b");
    CHECK(block.exit_code == 0);
    CHECK(has(block.out, "into the kernel through the device of the node's own network, to "
                         "10.0.0.1: "));
    const auto own = ask("10.1.0.0/26 --from rr --node a");
    CHECK(own.exit_code == 1);
    CHECK(has(own.out, "the node has the prefix itself"));
    const auto felix = ask("10.3.0.0/26 --from rr --node b");
    CHECK(felix.exit_code == 1);
    CHECK(has(felix.out, "node rr has no route to it; asked all the same"));
    CHECK(has(felix.out, "not into the kernel: the routes of pool 10.3.0.0/16 are written by "
                         "Felix"));
    const auto service = ask("10.96.0.0/16 --from rr --node b --explain");
    CHECK(service.exit_code == 1);
    CHECK(has(service.out, "    > "));
    const Json out = Json::parse(ask("198.51.100.0/24 --from 192.0.2.1 --format json").out);
    CHECK(out["nodes"][0]["kernel"] == true);
    CHECK(out["nodes"][0]["next_hop"] == "192.0.2.1");
    CHECK(out["nodes"][0]["device"].is_null());
    CHECK(has(ask("10.1.0.0/26 --from tor --node a").error, "node a has no IPv4 session with tor"));
    CHECK(ask("nonsense --from tor").exit_code == 2);
    // A pod stands for its block, where no BlockAffinity does.
    folder.write("p.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {nodeName: rr, "
                           "containers: []}\nstatus: {podIP: 10.1.5.5}\n");
    const auto of_pod = ask("10.1.5.0/26 --from rr --node b -f p.yaml");
    CHECK(of_pod.exit_code == 0);
    CHECK(has(of_pod.out, "  assumed: the input has no BlockAffinity; IPPool pods (r.yaml:"));
    CHECK(has(ask("10.1.6.0/26 --from rr --node b -f p.yaml").out, "rr has no route to it"));
}

TEST_CASE("bgp accept: nothing comes by a session that will not establish") {
    const Folder folder;
    const std::string about = "bgp accept 0.0.0.0/0 --from tor-7 -f " + kRack7;
    const auto broken = folder.run(about + "broken");
    CHECK(broken.exit_code == 1);
    CHECK(has(broken.out, "but the session will not establish: polecat bgp sessions rack7-a"));
    const Json out = Json::parse(folder.run(about + "broken --format json").out);
    CHECK(out["nodes"][0]["establishes"] == false);
    CHECK(out["nodes"][0]["kernel"] == false);
    CHECK_FALSE(has(folder.run(about + "mended").out, "will not establish"));
}

TEST_CASE("bgp sessions: one session is told in one way") {
    const Folder folder;
    folder.write("r.yaml", kReflected + object("Node", "out",
                                               "bgp: {ipv4Address: 10.0.0.7/24, "
                                               "asNumber: 65007}"));
    CHECK(has(folder.run("bgp sessions a -f r.yaml").out, "iBGP, AS 64512; with route reflectors"));
    CHECK_FALSE(has(folder.run("bgp sessions out -f r.yaml").out, "with route reflectors"));
    folder.write("m.yaml",
                 object("BGPConfiguration", "default", "nodeToNodeMeshEnabled: true") +
                     object("Node", "n1", "bgp: {ipv4Address: 10.0.0.1/24, asNumber: 64513}") +
                     object("Node", "n2", "bgp: {ipv4Address: 10.0.0.2/24}"));
    CHECK(has(folder.run("bgp sessions -f m.yaml").out,
              "each other (1 session), IPv4: will not establish; AS 64512, AS 64513\n"));
    CHECK(has(folder.run("bgp sessions n1 -f m.yaml").out,
              "IPv4: will not establish; AS 64513, expects AS 64513"));
    CHECK(has(folder.run("bgp sessions n2 -f m.yaml").out,
              "IPv4: will not establish; AS 64512, expects AS 64513"));
    CHECK(has(folder.run("bgp sessions -f " + kRack7 + "broken").out,
              "with 10.0.7.1, IPv4: will not establish; AS 64512, expects AS 65106\n"));
}

TEST_CASE("the picture of the fabric") {
    const Folder folder;
    const auto picture = folder.run("bgp sessions --format svg -f " + kRack7 + "broken");
    CHECK(picture.exit_code == 1);
    CHECK(picture.out.starts_with("<?xml"));
    for (const char* part :
         {">tor-7<", ">rack7<", ">2 eBGP<", "AS 65117", "4 sessions, 2 that will not establish",
          "#c1272d", "it expects AS 65106 of router tor-7", "broken/peers.yaml:17:13"})
        CHECK_MESSAGE(has(picture.out, part), part);
    CHECK_FALSE(has(picture.out, "style=\"")); // the report allows none
    CHECK_FALSE(has(folder.run("bgp sessions --format svg -f " + kRack7 + "mended").out,
                    "stroke-width=\"3.2\" fill"));
    CHECK(folder.run("bgp sessions rack7-a --format svg -f " + kRack7 + "mended").exit_code == 2);
    // 200 nodes in 20 racks with a switch each, one of them wrong: three boxes a row.
    std::string nodes = object("BGPConfiguration", "default", "nodeToNodeMeshEnabled: false");
    std::string routers;
    for (int rack = 10; rack < 30; ++rack) {
        const std::string r = std::to_string(rack);
        for (int i = 1; i <= 10; ++i)
            nodes += object("Node", "n" + r + "-" + std::to_string(i),
                            "bgp: {ipv4Address: 10.0." + r + "." + std::to_string(10 + i) + "/24}",
                            "rack: r" + r);
        nodes += object("BGPPeer", "tor-" + r,
                        "nodeSelector: rack == 'r" + r + "', peerIP: 10.0." + r +
                            ".1, asNumber: 651" + (rack == 17 ? "18" : r));
        routers += "  - {name: tor-" + r + ", address: 10.0." + r + ".1, asNumber: 651" + r +
                   ", rack: r" + r + "}\n";
    }
    folder.write("in/nodes.yaml", nodes);
    folder.write("in/fabric.yaml", "apiVersion: polecat/v1\nkind: FabricInventory\nmetadata: "
                                   "{name: hall}\nspec:\n  routers:\n" +
                                       routers);
    const auto large = folder.run("bgp sessions --format svg -f in");
    CHECK(large.exit_code == 1);
    CHECK(has(large.out, "200 sessions, 10 that will not establish"));
    CHECK(has(large.out, ">19 racks<"));
    CHECK(has(large.out, ">19 routers<"));
    CHECK(has(large.out, ">190 eBGP<"));
    CHECK(has(large.out, ">r17<"));
    CHECK(has(large.out, ">tor-17<"));
    CHECK(large.out.size() < 20'000);
}

TEST_CASE("the report has a page about BGP where there is some") {
    const Folder folder;
    folder.run("report -o broken.html " + kRack7 + "broken");
    const std::string broken = folder.read("broken.html");
    for (const char* part :
         {"<section id=\"bgp\"", "<a href=\"#bgp\">BGP</a>",
          "4 sessions, 2 that will not establish",
          "<strong>will not establish</strong> rack7-a with 10.0.7.1 and 1 session more",
          "<td>2 nodes (rack6-a, ...)</td><td>10.0.6.1</td>"})
        CHECK_MESSAGE(has(broken, part), part);
    CHECK_FALSE(has(broken, "style=\""));
    folder.write("plain/p.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: "
                                 "{containers: []}\n");
    folder.run("report -o plain.html plain");
    CHECK_FALSE(has(folder.read("plain.html"), "id=\"bgp\""));
}
