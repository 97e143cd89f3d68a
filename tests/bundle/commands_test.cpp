// Bundles as people use them.
#include <doctest/doctest.h>

#include "tests/bundle/packed.h"
#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;

namespace {

/// Manifests and their bundle.
struct Bundled : testing::Folder {
    Bundled() {
        write("m/all.yaml", testing::random_text(6, true));
        const auto made = run("compile m --target bundle -o b");
        REQUIRE_MESSAGE(made.exit_code == 0, made.error);
    }
    std::string any_part() const {
        for (const auto& each : std::filesystem::recursive_directory_iterator(path / "b/parts"))
            if (each.is_regular_file())
                return each.path().string();
        return "";
    }
    std::size_t parts() const {
        std::size_t count = 0;
        for (const auto& each : std::filesystem::recursive_directory_iterator(path / "b/parts"))
            count += each.is_regular_file() ? 1 : 0;
        return count;
    }
};

/// Of the text of a key.
std::string digits_of(const std::string& key) {
    return key.substr(key.find(' ') + 1, 64);
}

} // namespace

TEST_CASE("bundle: what a node extracts is what a compile writes for it") {
    const Bundled folder;
    REQUIRE(folder.run("compile m -o direct").exit_code == 0);
    REQUIRE(folder.run("compile m --target iptables --node node1 -o ipt").exit_code == 0);
    REQUIRE(folder.run("compile m --target bpf --node node2 -o tables").exit_code == 0);
    folder.shell("rm -r m"); // the bundle is enough
    for (const std::string node : {"node0", "node1", "node2"}) {
        const auto made = folder.run("bundle extract b --node " + node + " -o x");
        CHECK_MESSAGE(made.exit_code == 0, made.error);
        for (const std::string file : {"ruleset.nft", "origins.json"})
            CHECK(folder.read("x/nodes/" + node + "/" + file) ==
                  folder.read("direct/nodes/" + node + "/" + file));
    }
    CHECK(folder.read("x/generations.nft") == folder.read("direct/generations.nft"));
    CHECK(folder.run("verify x").exit_code == 0);
    const auto filters = folder.run("bundle extract b --node node1 --target iptables -o y");
    CHECK_MESSAGE(filters.exit_code == 0, filters.error);
    for (const std::string file : {"sets.ipset", "rules.v4", "rules.v6"})
        CHECK(folder.read("y/nodes/node1/" + file) == folder.read("ipt/nodes/node1/" + file));
    const auto tables = folder.run("bundle extract b --node node2 --target bpf -o t");
    CHECK_MESSAGE(tables.exit_code == 0, tables.error);
    for (const std::string file :
         {"tables.bpf", "sets.ipset", "rules.v4", "rules.v6", "origins.json"})
        CHECK(folder.read("t/nodes/node2/" + file) == folder.read("tables/nodes/node2/" + file));
    CHECK(folder.run("verify t --target bpf").exit_code == 0);
    const auto other = folder.run("bundle extract b --node nowhere -o z");
    CHECK(other.exit_code == 1);
    CHECK_MESSAGE(has(other.error, "PC5006"), other.error);
    CHECK(!std::filesystem::exists(folder.path / "z"));
}

TEST_CASE("bundle: rules of both directions that are alike have their own places") {
    const testing::Folder folder;
    folder.write("m/pod.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}, "
                               "spec: {nodeName: node0, containers: [{name: c, image: i}]}, "
                               "status: {podIP: 10.0.0.1}}\n");
    folder.write("m/policy.yaml", "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\n"
                                  "metadata: {name: both, namespace: ns}\nspec:\n"
                                  "  types: [Ingress, Egress]\n  ingress:\n"
                                  "  - {action: Allow, protocol: TCP, "
                                  "destination: {ports: [8080]}}\n  egress:\n"
                                  "  - {action: Allow, protocol: TCP, "
                                  "destination: {ports: [5432]}}\n");
    REQUIRE(folder.run("compile m -o direct").exit_code == 0);
    REQUIRE(folder.run("compile m --target bundle -o b").exit_code == 0);
    const auto made = folder.run("bundle extract b --node node0 -o x");
    REQUIRE_MESSAGE(made.exit_code == 0, made.error);
    const std::string origins = folder.read("x/nodes/node0/origins.json");
    CHECK(origins == folder.read("direct/nodes/node0/origins.json"));
    for (const char* place : {"policy.yaml:7", "policy.yaml:9"})
        CHECK_MESSAGE(has(origins, place), origins);
}

TEST_CASE(
    "bundle: files in another order are the same bytes, and a second compile writes nothing") {
    const Bundled folder;
    folder.write("n/one.yaml", testing::random_text(8));
    folder.write("n/two.yaml", "{apiVersion: v1, kind: Namespace, metadata: {name: other}}\n");
    REQUIRE(folder.run("compile n/one.yaml n/two.yaml --target bundle -o c").exit_code == 0);
    REQUIRE(folder.run("compile n/two.yaml n/one.yaml --target bundle -o d").exit_code == 0);
    CHECK(folder.shell("diff -r c d").exit_code == 0);
    const auto again = folder.run("compile m --target bundle -o b --base b");
    CHECK_MESSAGE(has(again.out, "new: 0 parts, 0 bytes"), again.out);
    // What is not needed any more goes.
    const std::size_t before = folder.parts();
    folder.write("m/all.yaml",
                 "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}, spec: "
                 "{nodeName: a, containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.1}}\n");
    REQUIRE(folder.run("compile m --target bundle -o b --base b").exit_code == 0);
    CHECK(folder.parts() < before);
    CHECK(folder.run("bundle verify b").exit_code == 0);
}

TEST_CASE("bundle: signed, and refused where it is not what was signed") {
    const Bundled folder;
    CHECK(folder.run("bundle extract b --node node0 -o x --key k.pub").exit_code == 2);
    const auto made = folder.run("bundle keygen -o k");
    CHECK_MESSAGE(made.exit_code == 0, made.error);
    CHECK(!has(made.out, digits_of(folder.read("k"))));
    CHECK(has(made.out, digits_of(folder.read("k.pub"))));
    CHECK(folder.run("bundle keygen -o k").exit_code == 2); // it is never written over
    const auto unsigned_ = folder.run("bundle verify b --key k.pub");
    CHECK(unsigned_.exit_code == 2);
    CHECK_MESSAGE(has(unsigned_.error, "PC5134"), unsigned_.error);
    CHECK(folder.run("bundle sign b --key k").exit_code == 0);
    CHECK(folder.run("bundle verify b --key k.pub").exit_code == 0);
    CHECK(folder.run("bundle extract b --node node0 -o x --key k.pub").exit_code == 0);
    REQUIRE(folder.run("bundle keygen -o other").exit_code == 0);
    CHECK(folder.run("bundle verify b --key other.pub").exit_code == 2);
    // What is no key is told of the key.
    folder.write("garbage", "not a key\n");
    folder.write("long", std::string(5000, '0'));
    for (const std::string key : {"nokey", "garbage", "long"}) {
        const auto none = folder.run("bundle verify b --key " + key);
        CHECK(none.exit_code == 2);
        CHECK_MESSAGE(has(none.error, "PC5135"), none.error);
        CHECK_MESSAGE(has(none.error, "key file " + key), none.error);
        CHECK_MESSAGE(!has(none.error, "PC5134"), none.error);
        CHECK_MESSAGE(!has(none.error, "--help"), none.error);
    }
    // A key that others read.
    folder.shell("chmod 644 k");
    const auto open = folder.run("bundle sign b --key k");
    CHECK(open.exit_code == 2);
    CHECK_MESSAGE(has(open.error, "PC5135"), open.error);
    CHECK(!has(open.error, digits_of(folder.read("k"))));
    // Another bundle has no signature from before.
    folder.write(
        "m/more.yaml",
        "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}, "
        "spec: {nodeName: a, containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.1}}\n");
    REQUIRE(folder.run("compile m --target bundle -o b --base b").exit_code == 0);
    CHECK(!std::filesystem::exists(folder.path / "b/manifest.sig"));
}

TEST_CASE("bundle: whoever reads one can say who must have signed it") {
    const Bundled folder;
    REQUIRE(folder.run("bundle keygen -o k").exit_code == 0);
    REQUIRE(folder.run("bundle keygen -o other").exit_code == 0);
    folder.shell("cp -r b c");
    const char* const readers[] = {"verify b m",       "compile m --target bundle -o d --base b",
                                   "bundle diff b c",  "bundle diff c b",
                                   "diff --rules b m", "diff --rules m b"};
    for (const char* command : readers) {
        const auto trusting = folder.run(command);
        CHECK_MESSAGE(trusting.exit_code == 0, command << trusting.error);
        const auto asking = folder.run(std::string(command) + " --key k.pub");
        CHECK_MESSAGE(asking.exit_code == 2, command);
        CHECK_MESSAGE(has(asking.error, "PC5134"), asking.error);
    }
    REQUIRE(folder.run("bundle sign b --key k").exit_code == 0);
    REQUIRE(folder.run("bundle sign c --key k").exit_code == 0);
    for (const char* command : readers) {
        const auto good = folder.run(std::string(command) + " --key k.pub");
        CHECK_MESSAGE(good.exit_code == 0, command << good.error);
        CHECK(folder.run(std::string(command) + " --key other.pub").exit_code == 2);
    }
    CHECK(folder.run("compile m -o rules --key k.pub").exit_code == 2);
    CHECK(folder.run("compile m --target bundle -o e --key k.pub").exit_code == 2);
    // A key is a pair or nothing.
    folder.shell("mkdir half.pub");
    CHECK(folder.run("bundle keygen -o half").exit_code == 2);
    CHECK(!std::filesystem::exists(folder.path / "half"));
}

TEST_CASE("bundle: Z3 proves what nodes make of it") {
    const Bundled folder;
    for (const char* target : {"nftables", "bpf"}) {
        const auto proved =
            folder.run(std::string("verify b m --node node2 --prove --target ") + target);
        CHECK_MESSAGE(proved.exit_code == 0, proved.out << proved.error);
        CHECK_MESSAGE(has(proved.out, "proved equal to the policy's, 0 different"), proved.out);
    }
}

TEST_CASE("bundle: damage is told for what it is, and nothing is written") {
    const Bundled folder;
    const auto extracted = [&](const char* code) {
        const auto made = folder.run("bundle verify b");
        CHECK(made.exit_code == 2);
        CHECK_MESSAGE(has(made.error, code), made.error);
    };
    const std::string part = folder.any_part();
    folder.shell("cp -r b whole");
    folder.shell("printf x | dd of='" + part + "' conv=notrunc status=none");
    extracted("PC5132");
    folder.shell("printf xx >> '" + part + "'"); // larger than it is listed: it is not read
    extracted("PC5132");
    folder.shell("rm '" + part + "'");
    extracted("PC5131");
    folder.shell("rm -r b && cp -r whole b && truncate -s 100 b/manifest.cbor");
    extracted("PC5130");
    folder.write("b/manifest.cbor", "\x83\x6epolecat bundle\x05\xa0");
    extracted("PC5133");
    folder.shell("rm b/manifest.cbor");
    extracted("PC5130");
    CHECK(folder.run("bundle extract b --node node0 -o x").exit_code == 2);
    CHECK(!std::filesystem::exists(folder.path / "x"));
}

TEST_CASE("bundle: show and diff") {
    const Bundled folder;
    const auto shown = folder.run("bundle show b");
    CHECK_MESSAGE(has(shown.out, "nodes      node0, node1, node2"), shown.out);
    CHECK(has(shown.out, "signature  none"));
    CHECK(has(folder.run("bundle show b --format json").out, "\"version\": 1"));
    CHECK(has(folder.run("bundle show b --node node0").out, "ingress normal IPv4  program "));
    CHECK(folder.run("bundle diff b b").out == "nothing differs\n");
    folder.write("m/more.yaml",
                 "{apiVersion: v1, kind: Pod, metadata: {name: extra, namespace: n0}, "
                 "spec: {nodeName: node1, containers: [{name: c, image: i}]}, status: {podIP: "
                 "10.9.0.200}}\n");
    REQUIRE(folder.run("compile m --target bundle -o c --base b").exit_code == 0);
    const auto changed = folder.run("bundle diff b c");
    CHECK_MESSAGE(has(changed.out, "nodes changed: 1 (node1)"), changed.out);
    CHECK(has(changed.out, "endpoints come: 1 (node1 n0/extra)"));
    CHECK(has(changed.out, "addresses come: 1 (10.9.0.200)"));
    CHECK_MESSAGE(has(changed.out, "programs changed: "), changed.out);
    CHECK_MESSAGE(has(changed.out, " IPv4 of "), changed.out);
    CHECK(folder.run("compile m --target bundle --node node0").exit_code == 2);
}

TEST_CASE("bundle: programs that differ in domain rules alone keep their own sides") {
    // One of them is of a pod without an address, one of a pod that may send from others'.
    const auto pod = [](const std::string& name, const std::string& more, const std::string& ip) {
        return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
               ", namespace: shop, labels: {app: " + name + "}" + more +
               "}\nspec: {nodeName: n1, containers: [{name: c, image: i}]}\n" +
               (ip.empty() ? "" : "status: {podIP: " + ip + "}\n");
    };
    const auto policy = [](const std::string& app, const std::string& domain) {
        return "---\napiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: p-" +
               app + ", namespace: shop}\nspec:\n  selector: app == '" + app +
               "'\n  types: [Egress]\n  egress:\n"
               "  - {action: Allow, protocol: TCP, destination: {domains: ['" +
               domain +
               "']}}\n"
               "  - {action: Allow, protocol: TCP, source: {nets: [10.1.0.0/24]}}\n";
    };
    for (int i = 0; i < 6; ++i) {
        const testing::Folder folder;
        folder.write("m.yaml",
                     "apiVersion: projectcalico.org/v3\nkind: FelixConfiguration\n"
                     "metadata: {name: default}\nspec: {workloadSourceSpoofing: Any}\n" +
                         pod("a",
                             ", annotations: {cni.projectcalico.org/allowedSourcePrefixes: "
                             "'[\"10.9.0.0/16\"]'}",
                             "10.1.0.1") +
                         pod("b", "", "") + pod("d", "", "10.1.0.3") +
                         policy("a", std::to_string(i) + ".example.com") +
                         policy("b", std::to_string(i + 7) + ".example.com"));
        REQUIRE(folder.run("compile m.yaml --target bundle -o b").exit_code == 0);
        REQUIRE(folder.run("compile m.yaml -o direct").exit_code == 0);
        REQUIRE(folder.run("bundle extract b --node n1 -o x").exit_code == 0);
        CHECK(folder.read("x/nodes/n1/ruleset.nft") == folder.read("direct/nodes/n1/ruleset.nft"));
    }
}

TEST_CASE("bundle: keys say which of a pair they are") {
    const Bundled folder;
    REQUIRE(folder.run("bundle keygen -o k").exit_code == 0);
    CHECK(folder.read("k").starts_with("ed25519-private "));
    CHECK(folder.read("k.pub").starts_with("ed25519-public "));
    const auto refused = [&](const std::string& command, const char* why) {
        const auto made = folder.run(command);
        CHECK(made.exit_code == 2);
        CHECK_MESSAGE(has(made.error, "PC5135"), made.error);
        CHECK_MESSAGE(has(made.error, why), made.error);
        CHECK(!has(made.out + made.error, digits_of(folder.read("k"))));
    };
    refused("bundle sign b --key k.pub", "it is a public key, and the private one is wanted");
    CHECK(!std::filesystem::exists(folder.path / "b/manifest.sig"));
    REQUIRE(folder.run("bundle sign b --key k").exit_code == 0);
    refused("bundle verify b --key k", "it is a private key, and the public one is wanted");
    refused("verify b m --key k", "it is a private key, and the public one is wanted");
    // Nor is one without the word taken for either.
    folder.write("bare", digits_of(folder.read("k.pub")) + "\n");
    folder.write("short", folder.read("k.pub").substr(0, 40) + "\n");
    refused("bundle verify b --key bare", "no line `ed25519-public DIGITS`");
    refused("bundle sign b --key bare", "no line `ed25519-private DIGITS`");
    refused("bundle verify b --key short", "are not 64 hexadecimal digits");
}

TEST_CASE("bundle: a key that is none trusts nobody") {
    const Bundled folder;
    REQUIRE(folder.run("bundle keygen -o k").exit_code == 0);
    REQUIRE(folder.run("bundle sign b --key k").exit_code == 0);
    folder.write("empty.pub", "");
    for (const char* key : {"empty.pub", "/dev/null", "''", "missing", "k"})
        CHECK_MESSAGE(folder.run(std::string("bundle verify b --key ") + key).exit_code == 2, key);
    CHECK(folder.run("bundle verify b --key k.pub").exit_code == 0);
    const auto again = folder.run("compile m --target bundle -o b --base b");
    CHECK_FALSE(has(again.out, "no longer signed"));
    folder.write("m/more.yaml", "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}, "
                                "spec: {nodeName: node1, containers: [{name: c, image: i}]}, "
                                "status: {podIP: 10.0.0.1}}\n");
    CHECK(has(folder.run("compile m --target bundle -o b --base b").out, "no longer signed"));
}

TEST_CASE(
    "bundle: what can't be read whole is not extracted in part, and folders are of one kind") {
    const Bundled folder;
    REQUIRE(folder.run("compile m -o direct").exit_code == 0);
    for (const std::string command :
         {"compile m --target iptables --node node1 -o direct", "compile m -o b",
          "compile m --target bundle -o direct", "bundle extract b --node node1 -o b",
          "bundle extract b --node node1 --target iptables --flow-mark-bit 3 -o y",
          "bundle show b --node node1 --format json", "verify direct m --target bpf",
          "diff --rules direct m --target iptables"})
        CHECK_MESSAGE(folder.run(command).exit_code == 2, command);
    CHECK(folder.run("bundle show b --node nope").exit_code == 1);
    CHECK(has(folder.run("bundle show b --node nope").error, "PC5006"));
    // A part that this node does not need, but its numbers do.
    folder.shell("for p in $(find b/parts -type f); do printf x | dd of=$p conv=notrunc "
                 "status=none bs=1 seek=5; done");
    CHECK(folder.run("bundle extract b --node node1 -o z").exit_code == 2);
    CHECK_FALSE(std::filesystem::exists(folder.path / "z"));
    // And it is written anew.
    REQUIRE(folder.run("compile m --target bundle -o b").exit_code == 0);
    CHECK(folder.run("bundle verify b").exit_code == 0);
}
