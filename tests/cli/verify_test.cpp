// `polecat verify` as people run it.
#include <doctest/doctest.h>

#include "artefact/nft/ruleset.h"
#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;
using testing::pod_at;

namespace {

std::string port_policy(int port) {
    return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
           "metadata: {name: db, namespace: shop}\n"
           "spec:\n  podSelector: {matchLabels: {app: db}}\n  ingress:\n"
           "  - from: [{podSelector: {matchLabels: {app: web}}}]\n"
           "    ports: [{port: " +
           std::to_string(port) + "}]\n";
}

const std::string kFile = "bundle/nodes/n1/ruleset.nft";

/// Manifests and their bundle.
struct Compiled : testing::Folder {
    Compiled() {
        write("m/pods.yaml",
              pod_at("web", "n1", 1) + pod_at("db", "n1", 2) + pod_at("log", "n2", 3));
        write("m/policy.yaml", port_policy(5432));
        REQUIRE(run("compile m -o bundle").exit_code == 0);
    }
    void damage(const std::string& file, const std::string& from, const std::string& to) const {
        std::string text = read(file);
        const std::size_t at = text.find(from);
        REQUIRE_MESSAGE(at != std::string::npos, from);
        write(file, text.replace(at, from.size(), to));
    }
};

} // namespace

TEST_CASE("verify: a bundle beside its manifests, and beside others") {
    const Compiled folder;
    const auto equal = folder.run("verify bundle m");
    CHECK_MESSAGE(equal.exit_code == 0, equal.error);
    CHECK_MESSAGE(has(equal.out, "n1: equal: "), equal.out);
    CHECK(has(equal.out, "n2: equal: "));
    // Another order and other rules for the same.
    folder.write("m/policy.yaml", port_policy(5432) +
                                      "  - from: [{podSelector: {matchLabels: {app: web}}}]\n"
                                      "    ports: [{port: 5432, protocol: TCP}]\n");
    const auto same = folder.run("verify bundle m");
    CHECK_MESSAGE(same.exit_code == 0, same.out);
    CHECK_MESSAGE(has(same.out, "n1: same for every packet"), same.out);
    folder.write("m/policy.yaml", port_policy(5433));
    const auto other = folder.run("verify bundle m");
    CHECK(other.exit_code == 1);
    CHECK_MESSAGE(has(other.out, "n1: differs: 1 difference"), other.out);
    CHECK(has(other.out, "ingress: shop/web (10.0.0.1) -> shop/db (10.0.0.2)  TCP 5432"));
    CHECK(has(other.out, "rules   allow: NetworkPolicy shop/db ingress[0] (m/policy.yaml:"));
    CHECK(has(other.out, "policy  deny: "));
    CHECK(has(other.out, "n2: "));
    const auto json = folder.run("verify bundle m --format json --node n1");
    CHECK(json.exit_code == 1);
    CHECK(has(json.out, "\"state\": \"differs\""));
    CHECK_FALSE(has(json.out, "n2"));
}

TEST_CASE("verify: pods that come and go, and nodes") {
    const Compiled folder;
    folder.write("m/more.yaml", pod_at("job", "n1", 9));
    const auto missing = folder.run("verify bundle m");
    CHECK(missing.exit_code == 1);
    CHECK_MESSAGE(has(missing.out, "10.0.0.9 is missing"), missing.out);
    folder.write("m/more.yaml", pod_at("job", "n3", 9));
    CHECK(has(folder.run("verify bundle m").out, "n3: differs: bundle has no rules of this node"));
    CHECK(folder.run("verify bundle m --node n3").exit_code == 2);
    folder.write("m/more.yaml", "");
    folder.write("m/pods.yaml", pod_at("web", "n1", 1) + pod_at("log", "n2", 3));
    CHECK(has(folder.run("verify bundle m").out, "10.0.0.2 is let in here"));
}

TEST_CASE("verify: a bundle that is not whole") {
    const Compiled folder;
    const auto whole = folder.run("verify bundle");
    CHECK_MESSAGE(whole.exit_code == 0, whole.error);
    CHECK(has(whole.out, "n1: whole: "));
    CHECK(folder.run("verify nowhere").exit_code == 2);
    const auto refused = [&](const std::string& file, const std::string& from,
                             const std::string& to) {
        const std::string before = folder.read(file);
        folder.damage(file, from, to);
        folder.seal("bundle/nodes/n1"); // what is wrong is told by reading it as well
        for (const char* command : {"verify bundle", "verify bundle m"}) {
            const auto found = folder.run(command);
            CHECK_MESSAGE(found.exit_code == 2, file << ": " << to << ": " << found.out);
        }
        folder.write(file, before);
        folder.seal("bundle/nodes/n1");
    };
    refused(kFile, "chain deny {", "chain deny {\n\t\tip ttl 1 accept");
    refused(kFile, "drop", "accept");
    refused(kFile, "table inet polecat {", "table inet polecat {\n\tflags dormant");
    refused("bundle/numbers.txt", "\n", "\nx\n");
    refused("bundle/generations.nft", "0x00010000", "0x00020000");
    refused("bundle/nodes/n1/origins.json", "\"node\":\"n1\"", "\"node\":\"n2\"");
    refused("bundle/nodes/n1/origins.json", "{", "");
    CHECK(folder.run("verify bundle m").exit_code == 0);
    folder.write("bundle/nodes/n1/origins.json", "{\"node\": \"n1\", \"endpoints\": []}");
    folder.seal("bundle/nodes/n1");
    folder.refused("verify bundle", "it lacks program p");
}

TEST_CASE("verify: what a node runs") {
    const Compiled folder;
    const auto written = nft::parse(folder.read(kFile));
    REQUIRE(written.ok());
    std::string held = nft::print(nft::with_generation(*written, 0x70000)); // as loaded
    const std::string none = "packets 0 bytes 0", some = "packets 12 bytes 3456";
    for (std::size_t at = held.find(none); at != std::string::npos; at = held.find(none, at))
        held.replace(at, none.size(), some);
    folder.write("held.nft", held);
    CHECK(folder.run("verify bundle --rules held.nft").exit_code == 2);
    for (const char* command : {"verify bundle m --node n1 --rules held.nft",
                                "verify bundle --node n1 --rules held.nft"}) {
        const auto found = folder.run(command);
        CHECK_MESSAGE(found.exit_code == 0, found.out << found.error);
        CHECK(has(found.out, "n1: equal: "));
    }
    // The rules of another node, and nothing at all.
    const auto other = folder.run("verify bundle m --node n1 --rules bundle/nodes/n2/ruleset.nft");
    CHECK(other.exit_code == 1);
    CHECK_MESSAGE(has(other.out, "10.0.0.2 is missing"), other.out);
    // What a broken plan left does nothing; a chain at a hook does.
    const auto with_chain = [&](const std::string& inner) {
        std::string more = held;
        more.insert(more.rfind("}"), "\n\tchain more {\n" + inner + "\t\tdrop\n\t}\n");
        folder.write("more.nft", more);
        return folder.run("verify bundle m --node n1 --rules more.nft").exit_code;
    };
    CHECK(with_chain("") == 0);
    CHECK(with_chain("\t\ttype filter hook forward priority 0; policy accept;\n") == 2);
    folder.write("held.nft", held.substr(0, held.size() / 2));
    CHECK(folder.run("verify bundle m --node n1 --rules held.nft").exit_code == 2);
    folder.write("held.nft", "");
    CHECK(folder.run("verify bundle --node n1 --rules held.nft").exit_code == 2);
}

TEST_CASE("verify: bits of conntrack marks that somebody chose") {
    const Compiled folder;
    CHECK(folder.run("compile m -o other --flow-mark-bit 17").exit_code == 2);
    CHECK(folder.run("compile m -o other --target iptables --flow-mark-bit 3").exit_code == 2);
    REQUIRE(folder.run("compile m -o other --flow-mark-bit 3").exit_code == 0);
    const std::string rules = folder.read("other/nodes/n1/ruleset.nft");
    CHECK(has(rules, "# nft -D generation=0x00000008 -f"));
    CHECK(has(rules, "ct mark & 0x0002fff8"));
    CHECK_FALSE(has(rules, "0x0fff0000"));
    const auto equal = folder.run("verify other m");
    CHECK_MESSAGE(equal.exit_code == 0, equal.out << equal.error);
    CHECK(has(equal.out, "n1: equal: "));
    // They stay where the base has them.
    REQUIRE(folder.run("compile m -o again --base other").exit_code == 0);
    CHECK(folder.shell("diff -r other again").exit_code == 0);
    CHECK(folder.run("diff --rules other m --fail-on any").exit_code == 0);
    CHECK(folder.run("diff --rules other bundle").exit_code == 2); // no plan leads there
    const auto held = folder.run("verify other m --node n1 --rules bundle/nodes/n1/ruleset.nft");
    CHECK(held.exit_code == 0);
    CHECK_MESSAGE(has(held.out, "marks from bit 16 on"), held.out);
    // The numbers of generations are of other bits.
    const std::string generations = folder.read("other/generations.nft");
    folder.write("other/generations.nft", folder.read("bundle/generations.nft"));
    CHECK(folder.run("verify other m").exit_code == 2);
    folder.write("other/generations.nft", generations);
    CHECK(folder.run("compile m --node n1 --plan-from other --flow-mark-bit 4").exit_code == 2);
    const auto plan = folder.run("compile m --node n1 --plan-from other");
    CHECK_MESSAGE(plan.exit_code == 0, plan.error);
    CHECK(has(plan.out, "nothing changes"));
}

TEST_CASE("verify: a node's file holds nothing else, and a node without pods has rules") {
    const Compiled folder;
    const std::string rules = folder.read(kFile);
    folder.write(kFile, rules + "table inet evil {\n\tchain c {\n\t\ttype filter hook forward "
                                "priority -1; policy accept;\n\t\tflow add @f\n\t}\n}\n");
    CHECK(folder.run("verify bundle").exit_code == 2);
    CHECK(folder.run("verify bundle m").exit_code == 2);
    folder.write(kFile, rules);
    // The pods of n2 go: what it runs then lets none in.
    folder.write("m/pods.yaml", pod_at("web", "n1", 1) + pod_at("db", "n1", 2));
    const auto made = folder.run("compile m -o bundle");
    CHECK_MESSAGE(has(made.out, "n2: 0 programs"), made.out);
    const auto equal = folder.run("verify bundle m");
    CHECK_MESSAGE(has(equal.out, "n2: equal"), equal.out);
    // Manifests without pods are a mistake, and close no node.
    const std::string before = folder.read(kFile);
    folder.write("m/pods.yaml", "");
    CHECK(folder.run("compile m -o bundle").exit_code == 1);
    CHECK(folder.read(kFile) == before);
}

TEST_CASE("verify: tables of others in a listing") {
    const Compiled folder;
    const auto written = nft::parse(folder.read(kFile));
    REQUIRE(written.ok());
    const std::string held = nft::print(nft::with_generation(*written, 0x70000));
    const std::string command = "verify bundle m --node n1 --rules held.nft";
    const auto beside = [&](const std::string& rules) {
        folder.write("held.nft",
                     "table ip before {\n\tchain c {\n\t\ttype filter hook forward priority 0; "
                     "policy accept;\n\t\t" +
                         rules + "\n\t}\n}\n" + held + "table ip6 after {\n}\n");
        return folder.run(command);
    };
    for (const char* harmless : {"ct mark set ct mark | 0x80", "ct mark set ct mark and 0xffffff7f",
                                 "meta mark set 0x10000", "ct mark & 0x10000 == 0x10000 accept",
                                 "comment \"} ct mark set 1\" accept",
                                 "ct mark set ct mark ^ 0x8000ffff", "xt target \"MASQUERADE\""}) {
        const auto found = beside(harmless);
        CHECK_MESSAGE(found.exit_code == 0, harmless << ": " << found.out << found.error);
        CHECK(has(found.out, "n1: equal: "));
        CHECK_FALSE(has(found.out, "note:"));
    }
    for (const char* harmful :
         {"ct mark set 0x5", "ct mark set meta mark", "ct mark set ct mark & 0xffff | 0x1",
          "ip saddr 10.0.0.1 ct mark set ct mark or 0x40000000", "ct mark set ct mark ^ meta mark",
          "ct mark set ct mark << 8", "ct mark set ct mark map { 0x1 : 0x2 }", "fwd to \"eth1\"",
          "flow add @fast", "counter packets 1 bytes 2 xt target \"CONNMARK\""}) {
        const auto found = beside(harmful);
        CHECK_MESSAGE(found.exit_code == 1, harmful << ": " << found.out << found.error);
        CHECK_MESSAGE(has(found.out, "  chain ip before c"), found.out);
    }
    CHECK(has(beside("ct mark set 0x5").out, "writes bits 0x7fff0000 of conntrack marks"));
    // The generations are a table of ours; a policy that drops is told.
    folder.write("held.nft",
                 "table inet polecat_generations {\n\tset free {\n\t\ttype mark\n\t}\n}\n" + held +
                     "table ip filter {\n\tchain FORWARD {\n\t\ttype filter hook "
                     "forward priority 0; policy drop;\n\t}\n}\n");
    const auto dropping = folder.run(command);
    CHECK_MESSAGE(dropping.exit_code == 0, dropping.out << dropping.error);
    CHECK(has(dropping.out, "note: chain ip filter FORWARD drops at hook forward"));
    CHECK(has(folder.run(command + " --format json").out, "\"notes\": [\n    \"chain ip filter"));
    // Nothing of ours, or not whole.
    folder.write("held.nft", "table ip a {\n}\ntable ip b {\n}\n");
    CHECK(folder.run(command).exit_code == 2);
    folder.write("held.nft", "table ip a {\n}\n" + held.substr(0, held.size() - 3));
    CHECK(folder.run(command).exit_code == 2);
    folder.write("held.nft", "table ip a {\n}\nflush ruleset\n" + held);
    CHECK(folder.run(command).exit_code == 2);
    folder.write("held.nft",
                 "table ip a {\n}\n" + held + held.substr(0, held.find("\tchain")) + "}\n");
    CHECK(folder.run(command).exit_code == 2);
}

TEST_CASE("a listing that was made otherwise says how to make one") {
    const Compiled folder;
    auto rules = nft::parse(folder.read(kFile));
    REQUIRE(rules.ok());
    for (nft::Map& each : rules->maps)
        each.elements.clear(); // nft -t
    const std::string terse = nft::print(nft::with_generation(*rules, 0x70000));
    for (const std::string& held :
         {terse, std::string("\n"), std::string("{\"nftables\": [{}]}\n"),
          std::string("table inet polecat {\n\tchain forward {\n\t}\n}\n"),
          std::string("table inet polecat {\n\tmap a {\n\t\ttype inet_proto : verdict\n\t\t"
                      "elements = { tcp : accept }\n\t}\n}\n")}) {
        folder.write("held.nft", held);
        const auto verified = folder.run("verify bundle m --node n1 --rules held.nft");
        CHECK(verified.exit_code == 2);
        CHECK_MESSAGE(has(verified.out, "`nft -nn list ruleset`"), held << verified.out);
        if (held == "\n") // may be a folder of manifests without any
            continue;
        const auto rolled = folder.run("diff --rules held.nft m --node n1");
        CHECK(rolled.exit_code == 2);
        CHECK_MESSAGE(has(rolled.error, "`nft -nn list ruleset`"), held << rolled.error);
    }
}

TEST_CASE("verify --prove: Z3 says the same, with counts") {
    const Compiled folder;
    const auto proved = folder.run("verify bundle m --prove");
    CHECK_MESSAGE(proved.exit_code == 0, proved.out << proved.error);
    CHECK_MESSAGE(has(proved.out, "  Z3: 3 programs proved equal to the policy's, 0 different\n"),
                  proved.out);
    folder.write("m/policy.yaml", port_policy(5433));
    const auto other = folder.run("verify bundle m --prove");
    CHECK(other.exit_code == 1);
    CHECK_MESSAGE(has(other.out, ", 1 different"), other.out);
    const auto as_json = folder.run("verify bundle m --prove --node n1 --format json");
    CHECK_MESSAGE(has(as_json.out, "\"proof\": {"), as_json.out);
    CHECK(has(as_json.out, "\"different\": 1"));
    CHECK(folder.run("verify bundle --prove").exit_code == 2);
    CHECK(folder.run("verify bundle m --key k.pub").exit_code == 2); // nothing here is signed
}

TEST_CASE("verify --prove: packets of a pod to itself are judged by rules as well") {
    const Compiled folder;
    const std::string ports = "    ports: [{port: 5432}]\n";
    const std::string own = "  - from: [{podSelector: {matchLabels: {app: db}}}]\n" + ports;
    folder.write("m/policy.yaml", port_policy(5432) + own);
    REQUIRE(folder.run("compile m -o bundle").exit_code == 0);
    folder.write("m/policy.yaml", port_policy(5432));
    const auto other = folder.run("verify bundle m --prove");
    CHECK(other.exit_code == 1);
    CHECK_MESSAGE(has(other.out, ", 1 different"), other.out);
}
