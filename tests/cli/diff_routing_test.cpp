// What `polecat diff` says of routing, as people run it.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;

namespace {

std::string bgp(const char* as) {
    return std::string("apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: tor}\n"
                       "spec:\n  peerIP: 10.0.0.254\n  asNumber: ") +
           as +
           "\n---\napiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: a}\n"
           "spec: {bgp: {ipv4Address: 10.0.0.1/24}}\n"
           "---\napiVersion: projectcalico.org/v3\nkind: BlockAffinity\nmetadata: {name: a}\n"
           "spec: {cidr: 10.1.0.0/26, node: a, state: confirmed, deleted: false}\n"
           "---\napiVersion: polecat/v1\nkind: FabricInventory\nmetadata: {name: hall}\n"
           "spec: {routers: [{name: tor-7, address: 10.0.0.254, asNumber: 65001}]}\n";
}

} // namespace

TEST_CASE("diff: an AS number that the switch does not have") {
    const testing::Folder folder;
    folder.write("old/bgp.yaml", bgp("65001"));
    folder.write("new/bgp.yaml", bgp("65002"));
    const auto text = folder.run("diff --fail-on bgp old new");
    CHECK(text.exit_code == 1);
    CHECK_MESSAGE(has(text.out, "1 session changed, 1 session that will not establish, 1 prefix "
                                "withdrawn"),
                  text.out);
    for (const char* wanted :
         {"AS of the neighbour 65001 -> 65002", "before  BGPPeer tor (old/bgp.yaml:3:18)",
          "now     BGPPeer tor (new/bgp.yaml:3:18)",
          "it expects AS 65002 of router tor-7, which has AS 65001 by the inventory",
          "BGPPeer tor (new/bgp.yaml:6:13)",
          "FabricInventory hall (new/bgp.yaml:", "withdrawn  10.1.0.0/26 from tor-7 (10.0.0.254)"})
        CHECK_MESSAGE(has(text.out, wanted), text.out);
    const auto document = nlohmann::json::parse(folder.run("diff --format json old new").out);
    CHECK(document["routing"]["breaks"][0]["kind"] == "inventory-disagrees");
    CHECK(document["routing"]["announcements"][0]["prefixes"][0] == "10.1.0.0/26");
    CHECK(document["routing"]["sessions"][0]["now"]["at"] == "new/bgp.yaml:3:18");
    const auto markdown = folder.run("diff --format md old new");
    CHECK_MESSAGE(has(markdown.out, "### Routing: 1 session changed"), markdown.out);
    // Other changes are not what bgp asks for.
    CHECK(folder.run("diff --fail-on any old new").exit_code == 0);
    CHECK(folder.run("diff --fail-on bgp old old").exit_code == 0);
    CHECK(has(folder.run("diff old old").out, "no routing changes"));
}

TEST_CASE("diff: not a word of routing where nothing says BGP") {
    const testing::Folder folder;
    const std::string node = "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: a}\n"
                             "spec: {bgp: {ipv4Address: 10.0.0.1/24}}\n";
    folder.write("old/a.yaml", node);
    folder.write("new/a.yaml", node + "---\n" + node.substr(0, node.find("name: a")) +
                                   "name: b}\nspec: {bgp: {ipv4Address: 10.0.0.2/24}}\n");
    const auto text = folder.run("diff --fail-on bgp old new");
    CHECK(text.exit_code == 0);
    CHECK_MESSAGE(!has(text.out, "rout"), text.out);
    CHECK(!nlohmann::json::parse(folder.run("diff --format json old new").out).contains("routing"));
}
