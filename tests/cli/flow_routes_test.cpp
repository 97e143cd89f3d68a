// `polecat reach` and `map` of flows that policy allows and no route carries, as people run them.
#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;

namespace {

std::string routed_node(const char* name, const char* address) {
    return std::string("---\napiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: ") +
           name + "}\nspec: {bgp: {ipv4Address: " + address + "}}\n";
}
std::string routed_pod(const char* name, const char* of, const char* address) {
    return std::string("---\napiVersion: v1\nkind: Pod\nmetadata: {name: ") + name +
           ", namespace: shop, labels: {app: " + name + "}}\nspec: {nodeName: " + of +
           ", containers: [{name: c, image: i}]}\nstatus: {podIP: " + address + "}\n";
}

/// Two nodes with a pod each, in a mesh or not.
std::string cluster(const char* configuration) {
    return std::string("apiVersion: projectcalico.org/v3\nkind: BGPConfiguration\nmetadata: {name: "
                       "default}\nspec: {") +
           configuration +
           "}\n---\napiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: pods}\nspec: "
           "{cidr: 10.1.0.0/16, vxlanMode: Never}\n" +
           routed_node("a", "10.0.0.1/24") + routed_node("b", "10.0.0.2/24") +
           routed_pod("web", "a", "10.1.0.7") + routed_pod("db", "b", "10.1.0.70") +
           "---\napiVersion: v1\nkind: Service\nmetadata: {name: db, namespace: shop}\nspec: "
           "{selector: {app: db}, clusterIP: 10.96.0.9, ports: [{port: 5432}]}\n";
}

const char* kOff = "nodeToNodeMeshEnabled: false, asNumber: 64512";

} // namespace

TEST_CASE("reach: allowed, and no route") {
    const testing::Folder folder;
    folder.write("off.yaml", cluster(kOff));
    folder.write("on.yaml", cluster("asNumber: 64512"));
    const auto off = folder.run("reach shop/web shop/db -p 5432/TCP -f off.yaml");
    for (const char* wanted :
         {"ALLOW  shop/web -> shop/db", "NO ROUTE: node a has no route to 10.1.0.64/26 of node b",
          "node a has no BGP session that establishes: Node a (off.yaml:"})
        CHECK_MESSAGE(has(off.out, wanted), off.out);
    for (const char* question : {"reach shop/web shop/db -f off.yaml",
                                 "reach shop/web service:shop/db -p 5432/TCP -f "
                                 "off.yaml",
                                 "reach shop/web 10.96.0.9 -p 5432/TCP -f off.yaml",
                                 "reach node:a shop/db -p 5432/TCP -f off.yaml"})
        CHECK_MESSAGE(has(folder.run(question).out, "NO ROUTE"), question,
                      folder.run(question).out);
    for (const char* question :
         {"reach shop/web shop/db -p 5432/TCP -f on.yaml", "reach shop/web shop/db -f on.yaml",
          "reach shop/web service:shop/db -p 5432/TCP -f on.yaml",
          "reach 203.0.113.7 shop/db -p 5432/TCP -f off.yaml", // no routers: nobody knows
          "reach shop/db 203.0.113.7 -p 5432/TCP -f off.yaml"})
        CHECK_MESSAGE(!has(folder.run(question).out, "NO ROUTE"), question,
                      folder.run(question).out);
    const auto json = nlohmann::json::parse(
        folder.run("reach shop/web shop/db -p 5432/TCP --format json -f off.yaml").out);
    CHECK(json[0]["verdict"] == "allow");
    CHECK(json[0]["route"]["exists"] == "no");
    CHECK(json[0]["route"]["trail"][0]["object"] == "Node a");
    const auto with = nlohmann::json::parse(
        folder.run("reach shop/web shop/db -p 5432/TCP --format json -f on.yaml").out);
    CHECK_FALSE(with[0].contains("route"));
}

TEST_CASE("map: rows that no route carries are marked") {
    const testing::Folder folder;
    folder.write("off.yaml", cluster(kOff));
    folder.write("on.yaml", cluster("asNumber: 64512"));
    for (const char* format : {"text", "md", "csv"}) {
        const auto off = folder.run(std::string("map --format ") + format + " off.yaml");
        CHECK_MESSAGE(has(off.out, "no route: shop/"), off.out);
        CHECK_MESSAGE(has(off.out, "node a has no route to 10.1.0.64/26 of node b"), off.out);
        const auto on = folder.run(std::string("map --format ") + format + " on.yaml");
        CHECK_MESSAGE(!has(on.out, "no route"), on.out);
    }
    CHECK(has(folder.run("map --format csv on.yaml").out, "depends,no_route\n"));
    CHECK(has(folder.run("map --expand off.yaml").out, "no route: shop/web -> shop/db: "));
    CHECK(has(folder.run("map --format json off.yaml").out, "\"exists\": \"no\""));
}
