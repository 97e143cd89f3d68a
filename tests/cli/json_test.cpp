// What every JSON output has (docs/json.md).
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "folder.h"

using namespace polecat;
using Json = nlohmann::json;
using testing::Folder;

namespace {

const char* const kManifests =
    "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, labels: {app: web}}\n"
    "spec: {nodeName: node1, containers: [{name: c, image: i}]}\n"
    "status: {podIP: 10.0.0.1, podIPs: [{ip: 10.0.0.1}]}\n---\n"
    "apiVersion: v1\nkind: Pod\nmetadata: {name: db, namespace: shop, labels: {app: db}}\n"
    "spec: {nodeName: node1, containers: [{name: c, image: i}]}\n"
    "status: {podIP: 10.0.0.2, podIPs: [{ip: 10.0.0.2}]}\n---\n"
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: db, namespace: shop}\n"
    "spec:\n  podSelector: {matchLabels: {app: db}}\n  ingress:\n"
    "  - from: [{podSelector: {matchLabels: {app: wbe}}}]\n---\n"
    "apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: node1}\n"
    "spec: {bgp: {ipv4Address: 192.0.2.1/24, asNumber: 64512}}\n---\n"
    "apiVersion: projectcalico.org/v3\nkind: BGPPeer\nmetadata: {name: tor}\n"
    "spec: {peerIP: 192.0.2.9, asNumber: 65000}\n---\n"
    "apiVersion: projectcalico.org/v3\nkind: IPPool\nmetadata: {name: pods}\n"
    "spec: {cidr: 10.0.0.0/16}\n";

const char* const kTest =
    "apiVersion: polecat/v1\nkind: PolicyTest\nmetadata: {name: shop}\nspec:\n"
    "  manifests: [m.yaml]\n  cases:\n"
    "  - {from: shop/web, to: shop/db, port: 80/TCP, expect: deny}\n";

/// Words in lower case with _ between them; not of `labels` and the like, whose keys are data.
void check_keys(const Json& value) {
    if (value.is_array())
        for (const Json& each : value)
            check_keys(each);
    if (!value.is_object())
        return;
    for (const auto& [key, inner] : value.items()) {
        CHECK_MESSAGE(key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") ==
                          std::string::npos,
                      key);
        if (!key.ends_with("labels") && key != "programs")
            check_keys(inner);
    }
}

} // namespace

TEST_CASE("every JSON output says its version, and has one case of keys") {
    const Folder folder;
    folder.write("m.yaml", kManifests);
    folder.write("a.policytest.yaml", kTest);
    REQUIRE(folder.run("compile m.yaml -o bundle").exit_code == 0);
    for (const std::string command :
         {"reach shop/web shop/db -p 80/TCP -f m.yaml", "reach shop/web shop/db -f m.yaml",
          "reach any shop/db -f m.yaml --explain", "which shop/db -f m.yaml",
          "which --selector 'app == \"db\"' -f m.yaml", "exposure m.yaml", "map m.yaml",
          "map --rows sides m.yaml", "diff m.yaml m.yaml", "diff m.yaml m.yaml --prove",
          "verify bundle m.yaml", "test a.policytest.yaml", "bgp sessions -f m.yaml",
          "bgp announce 10.0.0.1 -f m.yaml", "bgp accept 10.1.0.0/24 --from tor -f m.yaml",
          "lint m.yaml"}) {
        CAPTURE(command);
        const auto ran = folder.run(std::string(command) + " --format json");
        REQUIRE_MESSAGE(ran.exit_code != 2, ran.error);
        const std::string first =
            command.starts_with("lint") ? ran.out.substr(0, ran.out.find('\n')) : ran.out;
        const Json out = Json::parse(first);
        check_keys(out);
        for (const Json& each : out.is_array() ? out : Json::array({out}))
            CHECK(each.at("version") == 1);
        CHECK_FALSE(out.empty());
    }
    const Json origins = Json::parse(folder.read("bundle/nodes/node1/origins.json"));
    CHECK(origins.at("version") == 1);
    check_keys(origins);
}
