// polecat compile --target bird, as people run it.
#include <doctest/doctest.h>

#include "folder.h"

using namespace polecat;
using testing::Folder;
using testing::has;

namespace {

const std::string kPeers = R"(
apiVersion: projectcalico.org/v3
kind: Node
metadata: {name: a}
spec: {bgp: {ipv4Address: 10.0.0.1/24}}
---
apiVersion: projectcalico.org/v3
kind: Node
metadata: {name: b}
spec: {bgp: {ipv4Address: 10.0.0.2/24}}
---
apiVersion: projectcalico.org/v3
kind: BGPPeer
metadata: {name: tor}
spec: {peerIP: 192.0.2.1, asNumber: 65001, password: {secretKeyRef: {name: bgp, key: tor}}}
---
apiVersion: v1
kind: Secret
metadata: {name: bgp, namespace: kube-system}
stringData: {tor: hush-hush}
)";

std::string bgp_object(const std::string& kind, const std::string& name, const std::string& spec) {
    return "---\napiVersion: projectcalico.org/v3\nkind: " + kind + "\nmetadata: {name: " + name +
           "}\nspec: {" + spec + "}\n";
}

} // namespace

TEST_CASE("compile --target bird writes a configuration for each node") {
    const Folder folder;
    folder.write("in/bgp.yaml", kPeers);
    const auto made = folder.run("compile in --target bird -o out");
    CHECK_MESSAGE(made.exit_code == 0, made.error);
    CHECK(has(made.out, "a: 2 sessions"));
    CHECK(has(made.out, "reads back equal, needs passwords/bgp.tor.conf"));
    const std::string text = folder.read("out/nodes/a/bird.conf");
    CHECK(has(text, "protocol bgp 'Global_192.0.2.1' from session_v4 {  # BGPPeer tor, "));
    CHECK(has(text, "in/bgp.yaml:"));
    CHECK(has(text, "include \"passwords/bgp.tor.conf\";"));
    CHECK(has(folder.read("out/nodes/b/bird.conf"), "'Mesh_10.0.0.1'"));
    // Passwords stand nowhere.
    CHECK_FALSE(has(text + made.out + made.error, "hush"));
    folder.run("compile in --target bird --node a --no-origins -o bare");
    CHECK_FALSE(has(folder.read("bare/nodes/a/bird.conf"), "bgp.yaml"));
    CHECK_FALSE(std::filesystem::exists(folder.path / "bare/nodes/b"));
    CHECK(has(folder.run("compile in --target bird --router-id hash -o id").out, "a: "));
}

TEST_CASE("compile --target bird writes nothing where something is refused") {
    const Folder folder;
    const auto refuses = [&](const std::string& more, const std::string& code, int exit_code,
                             const std::string& flags = "") {
        folder.write("in/bgp.yaml", kPeers + more);
        const auto made = folder.run("compile in --target bird -o out " + flags);
        CHECK_MESSAGE(made.exit_code == exit_code, made.error);
        CHECK_MESSAGE(has(made.error, code), made.error);
        CHECK_FALSE(std::filesystem::exists(folder.path / "out"));
    };
    refuses(bgp_object("BGPPeer", "x", "peerIP: 192.0.2.9"), "PC5030", 1);
    refuses(bgp_object("BGPConfiguration", "default", "programClusterRoutes: Enabled") +
                bgp_object("IPPool", "ipip", "cidr: 10.1.0.0/16, ipipMode: Always"),
            "PC5035", 1);                 // tunnel-not-in-bird
    refuses("", "PC5034", 1, "--node c"); // no-bgp-node
    refuses(bgp_object("BGPConfiguration", "default", "serviceClusterIPs: [{cidr: 10.96.0.1/12}]"),
            "meant 10.96.0.0/12", 2);
    // Numbers that BIRD refuses or cuts.
    refuses(bgp_object("BGPConfiguration", "default", "asNumber: 0"), "asNumber must not be 0", 1);
    refuses(bgp_object("Node", "c", "bgp: {ipv4Address: 10.0.0.3/24, asNumber: 0}"),
            "asNumber must not be 0", 1);
    refuses(bgp_object("BGPPeer", "x", "peerIP: 192.0.2.9, asNumber: 65001, localASNumber: 0"),
            "localASNumber must not be 0", 1);
    refuses(bgp_object("BGPConfiguration", "default", "nodeMeshMaxRestartTime: 70000s"),
            "nodeMeshMaxRestartTime must be 0 to 4095 seconds", 1);
}

TEST_CASE("compile --target bird: Calico's annotations of a Node") {
    const Folder folder;
    const auto compile = [&](const std::string& key, const std::string& value) {
        folder.write("in/node.yaml",
                     "apiVersion: v1\nkind: Node\nmetadata:\n  name: c\n  annotations:\n    "
                     "projectcalico.org/IPv4Address: 10.0.0.3/24\n    other.example/" +
                         key + ": nonsense\n    projectcalico.org/" + key + ": '" + value + "'\n");
        return folder.run("compile in --target bird -o out");
    };
    for (const auto& [key, value] : {std::pair("IPv6Address", "10.0.0.3/24"),
                                     {"ASNumber", "many"},
                                     {"ASNumber", "0"},
                                     {"RouteReflectorClusterID", "fd00::1"},
                                     {"IPv4IPIPTunnelAddr", "10.0.0.300"},
                                     {"IPv6WireguardInterfaceAddr", "10.0.0.3"}}) {
        const auto made = compile(key, value);
        CHECK_MESSAGE(made.exit_code == 2, key, value, made.error);
        CHECK_MESSAGE(has(made.error, "in/node.yaml:8:"), made.error);
        CHECK_MESSAGE(has(made.error, std::string("annotation projectcalico.org/") + key),
                      made.error);
        CHECK_FALSE(std::filesystem::exists(folder.path / "out"));
    }
    for (const auto& [key, value] : {std::pair("IPv6Address", "fd00::3/64"),
                                     {"ASNumber", "1.10"},
                                     {"ASNumber", ""},
                                     {"RouteReflectorClusterID", "244.0.0.1"},
                                     {"VXLANTunnelMACAddr", "66:00:00:00:00:01"}}) {
        const auto made = compile(key, value);
        CHECK_MESSAGE(made.exit_code == 0, key, value, made.error);
        std::filesystem::remove_all(folder.path / "out");
    }
}

TEST_CASE("a Secret that can't be read shows no line of itself") {
    const Folder folder;
    folder.write("in/secret.yaml",
                 "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: hush-hush\n");
    const auto lint = folder.run("lint in");
    CHECK(has(lint.out + lint.error, "PC2002"));
    CHECK_FALSE(has(lint.out + lint.error, "hush"));
}
