// What is said where somebody asks for what is not there, or for what a command does not have.
#include <doctest/doctest.h>

#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;

namespace {

struct OnePodFolder : testing::Folder {
    OnePodFolder() {
        write("m/pod.yaml",
              "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, labels: {app: "
              "web}}\nspec: {nodeName: n1, containers: [{name: c, image: i}]}\nstatus: {podIP: "
              "10.0.0.1}\n");
        write("m/policy.yaml",
              "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: web, "
              "namespace: shop}, spec: {podSelector: {}}}\n");
    }
};

} // namespace

TEST_CASE("try and load refuse options that their target does not have") {
    const OnePodFolder folder;
    folder.refused("try m --variant legacy", "--variant: rules of nftables do not go through");
    folder.refused("try m --target iptables --classifier c.o", "--classifier: only rules of bpf");
    REQUIRE(folder.run("compile m -o c").exit_code == 0);
    folder.refused("load c --node n1 --variant nft --dry-run", "--variant: rules of nftables");
    REQUIRE(folder.run("compile m -o f --target iptables").exit_code == 0);
    folder.refused("load f --node n1 --classifier c.o --dry-run", "--classifier: only rules");
}

TEST_CASE("try says which nodes there are, and where no pod is on one") {
    const OnePodFolder folder;
    folder.refused("try m --node nope", "no endpoint is on a node `nope`; there are n1");
    folder.write("m/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\n"
                               "spec: {containers: [{name: c, image: i}]}\n");
    folder.refused("try m", "no pod with an address is on a node, so there is nothing to try");
    folder.refused("try m --node n1", "no endpoint is on a node `n1`\n");
}

TEST_CASE("counts of one are of one, and folders with nothing in them are said to be so") {
    const OnePodFolder folder;
    CHECK(
        has(folder.run("compile m -o c").out, "n1: 2 programs, 1 local address, reads back equal"));
    CHECK(has(folder.run("verify c m").out, "n1: equal: 2 programs, 1 local address\n"));
    CHECK(has(folder.run("compile m -o b --target bundle").out, "1 address: "));
    folder.refused("verify nope m", "polecat: there is no folder nope\n");
}

TEST_CASE("which offers the policy whose namespace was left out") {
    const OnePodFolder folder;
    folder.refused("which policy:web -f m", "there is no policy `web`; did you mean `shop/web`?");
    folder.refused("which policy:shop/wep -f m", "did you mean `shop/web`?");
    folder.refused("which policy:other -f m", "there is no policy `other`\n");
}

TEST_CASE("diff --rules refuses what neither side has") {
    const OnePodFolder folder;
    REQUIRE(folder.run("compile m -o c").exit_code == 0);
    folder.refused("diff --rules c m --base c", "--base says what numbers of a listing mean");
    folder.refused("diff --rules c m --key k.pub", "--key is of bundles, and neither side is one");
    CHECK(folder.run("diff --rules c m").exit_code == 0);
}

TEST_CASE("a damaged origins.json is told in our words") {
    const OnePodFolder folder;
    REQUIRE(folder.run("compile m -o c").exit_code == 0);
    folder.write("c/nodes/n1/origins.json", "{");
    folder.refused("verify c m", "origins.json: it is no JSON (byte ");
    folder.write("c/nodes/n1/origins.json", "{\"endpoints\": [{}]}");
    folder.refused("verify c m", "origins.json: it lacks what `polecat compile` writes");
}

TEST_CASE("compile writes to `compiled`, and counts the node's own addresses for every target") {
    const OnePodFolder folder;
    folder.write("m/other.yaml", testing::pod_at("db", "n2", 2));
    for (const std::string target : {"nftables", "iptables", "bpf"}) {
        folder.shell("rm -rf compiled");
        const auto made = folder.run("compile m --target " + target);
        CHECK_MESSAGE(has(made.out, "1 local address, reads back equal -> compiled/nodes/n1\n"),
                      made.out);
        const auto whole = folder.run("verify compiled");
        CHECK_MESSAGE(has(whole.out, "n1: whole: "), whole.out);
        CHECK_MESSAGE(has(whole.out, ", 1 local address\n"), whole.out);
    }
}

TEST_CASE("help shows no defaults of flags, and says where folders go") {
    const std::string help = testing::polecat_with({"compile", "--help"}).out;
    CHECK(has(help, "folder that is written to; `compiled` when absent"));
    CHECK_FALSE(has(help, "{false}"));
    CHECK_FALSE(has(help, "polecat-bundle"));
}

TEST_CASE("failsafe ports that are open are told with the object that closes them") {
    const OnePodFolder folder;
    folder.write("m/host.yaml",
                 "apiVersion: projectcalico.org/v3\nkind: HostEndpoint\n"
                 "metadata: {name: h, labels: {host: n1}}\n"
                 "spec: {node: n1, interfaceName: eth0, expectedIPs: [192.0.2.1]}\n"
                 "---\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\n"
                 "metadata: {name: g}\nspec: {order: 1, selector: host == 'n1', types: [Ingress], "
                 "ingress: [{action: Deny, source: {nets: [10.0.0.0/8]}}]}\n");
    const auto out = folder.run("lint --only PC4403 --all m").out;
    CHECK_MESSAGE(has(out, "failsafeInboundHostPorts of FelixConfiguration `default`"), out);
}
