// polecat bgp, as people run it.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "folder.h"

using namespace polecat;
using Json = nlohmann::json;
using testing::Folder;
using testing::has;
using testing::kRack7;

namespace {

std::string bgp_node(const std::string& name, const std::string& address,
                     const std::string& more = "") {
    return "---\napiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: " + name +
           "}\nspec: {bgp: {ipv4Address: " + address + more + "}}\n";
}

} // namespace

TEST_CASE("rack 7 is found by lint and by bgp sessions, with the line") {
    const Folder folder;
    const std::string line = "broken/peers.yaml:17:13";
    const auto lint = folder.run("lint " + kRack7 + "broken");
    CHECK(lint.exit_code == 1);
    CHECK(has(lint.out, line + ": error[PC4809]"));
    CHECK(folder.run("lint " + kRack7 + "mended").exit_code == 0);
    const auto broken = folder.run("bgp sessions -f " + kRack7 + "broken");
    CHECK(broken.exit_code == 1);
    CHECK_MESSAGE(broken.error.empty(), broken.error);
    CHECK(has(broken.out, "4 sessions, 2 that will not establish\n"));
    CHECK(has(broken.out, "will not establish: node rack7-a with 10.0.7.1 and 1 session more\n"
                          "  it expects AS 65106 of router tor-7, which has AS 65117 by the "
                          "inventory\n"));
    CHECK(has(broken.out, line));
    CHECK(has(broken.out, "broken/fabric.yaml:8:48"));
    const auto mended = folder.run("bgp sessions -f " + kRack7 + "mended");
    CHECK(mended.exit_code == 0);
    CHECK(has(mended.out, "4 sessions, 0 that will not establish\n"));
}

TEST_CASE("bgp sessions of one node, and as JSON") {
    const Folder folder;
    const auto one = folder.run("bgp sessions rack7-b -f " + kRack7 + "broken --format json");
    CHECK(one.exit_code == 1);
    const Json out = Json::parse(one.out);
    CHECK(out["sessions"] == 1);
    CHECK(out["broken"] == 1);
    CHECK_FALSE(out.contains("mesh"));
    REQUIRE(out["faults"].size() == 1);
    CHECK(out["faults"][0]["kind"] == "inventory-disagrees");
    CHECK(out["faults"][0]["certain"] == true);
    CHECK(out["faults"][0]["node"] == "rack7-b");
    CHECK(out["faults"][0]["here"]["object"] == "BGPPeer rack7-tor");
    REQUIRE(out["groups"].size() == 1);
    CHECK(out["groups"][0]["type"] == "eBGP");
    CHECK(out["groups"][0]["neighbor"] == "10.0.7.1");
    // A node of the other rack has nothing to do with it.
    CHECK(folder.run("bgp sessions rack6-a -f " + kRack7 + "broken").exit_code == 0);
    const auto no_node = folder.run("bgp sessions rack7-x -f " + kRack7 + "broken");
    CHECK(no_node.exit_code == 2);
    CHECK(has(no_node.error, "there is no node `rack7-x`; did you mean `rack7-a`?"));
    CHECK(folder.run("bgp").exit_code == 2);
}

TEST_CASE("bgp sessions says what it does without") {
    const Folder folder;
    folder.write("ok/nodes.yaml", bgp_node("a", "10.0.0.1/24") + bgp_node("b", "10.0.0.2/24"));
    const auto mesh = folder.run("bgp sessions -f ok");
    CHECK(mesh.exit_code == 0);
    CHECK(has(mesh.out, "mesh, Calico's default\n  2 nodes with each other (1 session), IPv4: "
                        "iBGP, AS 64512"));
    folder.write("odd/nodes.yaml",
                 bgp_node("a", "10.0.0.1/24", ", asNumber: 65001") + bgp_node("b", "10.0.0.2/24"));
    const auto odd = folder.run("bgp sessions b -f odd");
    CHECK(odd.exit_code == 1);
    CHECK(has(odd.out, "the mesh takes node b to have AS 65001, as this one"));
    CHECK(has(odd.out, "odd/nodes.yaml:5:50"));
    // An object that can't be read is left out, and that is said.
    folder.write("bad/nodes.yaml", bgp_node("a", "10.0.0.1/24") + bgp_node("b", "10.0.0.2/24"));
    folder.write("bad/peer.yaml", "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: "
                                  "{name: x}\nspec: {peerIP: 10.0.0.300, asNumber: 65001}\n");
    const auto bad = folder.run("bgp sessions -f bad");
    CHECK(bad.exit_code == 1);
    CHECK(has(bad.error, "bad/peer.yaml:4:16: error"));
    CHECK(has(bad.error, "1 error: what it is in is left out of the answer"));
    folder.write("half/nodes.yaml", bgp_node("a", "10.0.0.1/24") + bgp_node("b", "10.0.0.2/24") +
                                        "---\napiVersion: v1\nkind: Node\nmetadata: {name: c}\n");
    const auto half = folder.run("bgp sessions -f half");
    CHECK(half.exit_code == 0);
    CHECK(has(half.error, "no address for BGP is known of them"));
    CHECK(has(half.error, "node c\n"));
    CHECK(folder.run("bgp sessions -f nowhere").exit_code == 2);
    folder.write("none/pool.yaml", "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: "
                                   "{name: p}\nspec: {cidr: 10.1.0.0/16}\n");
    const auto none = folder.run("bgp sessions -f none");
    CHECK(none.exit_code == 2);
    CHECK(has(none.error, "calicoctl get nodes"));
}

TEST_CASE("bgp sessions counts a mesh and advises reflectors") {
    const Folder folder;
    std::string nodes;
    for (int i = 0; i < 150; ++i)
        nodes += bgp_node("n" + std::to_string(1000 + i), "10.0." + std::to_string(i) + ".1/8");
    folder.write("nodes.yaml", nodes);
    const auto made = folder.run("bgp sessions -f nodes.yaml");
    CHECK(made.exit_code == 0);
    CHECK(has(made.out, "11,175 sessions, 0 that will not establish\n"));
    CHECK(has(made.out, "advice: the mesh joins 150 nodes by 11175 sessions, 149 at each node; "
                        "with 3 route reflectors instead there are 444"));
    const auto as_json = Json::parse(folder.run("bgp sessions -f nodes.yaml --format json").out);
    CHECK(as_json["mesh"]["with_reflectors"] == 444);
}
