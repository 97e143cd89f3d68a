// `polecat verify --target iptables` as people run it.
#include <doctest/doctest.h>

#include "tests/cli/held_rules.h"

using namespace polecat;
using testing::has;

namespace {

std::string pod_on_n1(const std::string& name, int host) {
    return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
           ", namespace: shop, labels: {app: " + name +
           "}}\nspec: {nodeName: n1, containers: [{name: c, image: i}]}\nstatus: {podIP: 10.0.0." +
           std::to_string(host) + "}\n";
}

std::string policy_of_port(int port) {
    return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
           "metadata: {name: db, namespace: shop}\n"
           "spec:\n  podSelector: {matchLabels: {app: db}}\n  ingress:\n"
           "  - from: [{podSelector: {matchLabels: {app: web}}}]\n"
           "    ports: [{port: " +
           std::to_string(port) + "}]\n";
}

const std::string kHostEndpoint =
    "---\napiVersion: projectcalico.org/v3\nkind: HostEndpoint\n"
    "metadata: {name: h1, labels: {role: host}}\n"
    "spec: {node: n1, interfaceName: eth0, expectedIPs: [192.0.2.1]}\n"
    "---\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: ssh}\n"
    "spec:\n  selector: role == 'host'\n  types: [Ingress]\n  ingress:\n"
    "  - {action: Allow, protocol: TCP, destination: {ports: [2222]}}\n"
    "---\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: early}\n"
    "spec:\n  selector: role == 'host'\n  preDNAT: true\n  applyOnForward: true\n"
    "  types: [Ingress]\n  ingress:\n  - {action: Deny, source: {nets: [198.51.100.0/24]}}\n";

const std::string kNode = "compiled/nodes/n1/";

struct Filtered : testing::Folder {
    explicit Filtered(const std::string& more = "") {
        write("m/pods.yaml", pod_on_n1("web", 1) + pod_on_n1("db", 2) + more);
        write("m/policy.yaml", policy_of_port(5432));
        const auto made = run("compile m --target iptables -o compiled");
        REQUIRE_MESSAGE(made.exit_code == 0, made.error);
    }
    runtime::Output verify(const std::string& more = "m") const {
        return run("verify compiled --target iptables " + more);
    }
    runtime::Output verify_held(const std::string& more = "m") const {
        return verify(more + " --node n1 --rules held");
    }
    /// Every place; the text is there.
    void change(const std::string& file, const std::string& from, const std::string& to) const {
        std::string text = read(file);
        std::size_t found = 0;
        for (std::size_t at = text.find(from); at != std::string::npos;
             at = text.find(from, at + to.size()), ++found)
            text.replace(at, from.size(), to);
        REQUIRE_MESSAGE(found != 0, from);
        write(file, text);
    }
    void hold(std::uint16_t number = 7) const { testing::hold_listing(*this, kNode, number); }
};

} // namespace

TEST_CASE("verify iptables: a folder beside its manifests, and by itself") {
    const Filtered folder;
    const auto equal = folder.verify();
    CHECK_MESSAGE(equal.exit_code == 0, equal.out << equal.error);
    CHECK_MESSAGE(has(equal.out, "n1: equal: "), equal.out);
    CHECK(has(folder.verify("").out, "n1: whole: "));
    CHECK(has(folder.run("verify compiled m").out, "n1: equal: ")); // it says for what it is
    CHECK(folder.run("verify compiled m --target nftables").exit_code == 2);
    const auto proved = folder.verify("m --prove");
    CHECK_MESSAGE(proved.exit_code == 0, proved.out << proved.error);
    CHECK_MESSAGE(has(proved.out, "proved equal to the policy's, 0 different"), proved.out);
    const auto json = folder.verify("m --format json");
    CHECK(has(json.out, "\"state\": \"equal\""));
    folder.write("m/more.yaml", pod_on_n1("job", 9));
    const auto missing = folder.verify();
    CHECK(missing.exit_code == 1);
    CHECK_MESSAGE(has(missing.out, "shop/job (10.0.0.9) is missing"), missing.out);
    folder.write("m/more.yaml", "");
    folder.write("m/pods.yaml", pod_on_n1("web", 1));
    CHECK(has(folder.verify().out, "10.0.0.2 is let in here"));
}

TEST_CASE("verify iptables: another policy is named by its rules and whom it governs") {
    const Filtered folder;
    folder.write("m/policy.yaml", policy_of_port(5433));
    const auto other = folder.verify();
    CHECK(other.exit_code == 1);
    CHECK_MESSAGE(has(other.out, "ingress of shop/db (10.0.0.2): the rules run program p"),
                  other.out);
    CHECK_MESSAGE(has(other.out, "only the rules have `ingress[0] of NetworkPolicy shop/db: "),
                  other.out);
    CHECK(has(other.out, "--dports 5432"));
    CHECK(has(other.out, "only the policy has `ingress[0] of NetworkPolicy shop/db: "));
    CHECK(has(other.out, "--dports 5433"));
    CHECK_MESSAGE(has(other.out, "n1: differs: 1 difference\n"), other.out);
    const auto proved = folder.verify("m --prove"); // what it does to packets comes first
    CHECK_MESSAGE(has(proved.out, "ingress: shop/web (10.0.0.1) -> shop/db (10.0.0.2)  TCP 543"),
                  proved.out);
    CHECK(has(proved.out, "NetworkPolicy shop/db"));
}

TEST_CASE("verify iptables: a folder that was damaged") {
    const Filtered folder(kHostEndpoint);
    REQUIRE(has(folder.verify().out, "n1: equal: "));
    const auto found = [&](const std::string& file, const std::string& from, const std::string& to,
                           int beside, const std::string& words) {
        const std::string before = folder.read(file);
        folder.change(file, from, to);
        CHECK_MESSAGE(folder.verify("").exit_code == 2, to);
        if (file.starts_with(kNode)) {
            const auto loaded = folder.run("load compiled --dry-run");
            CHECK_MESSAGE(loaded.exit_code == 2, loaded.out);
            CHECK_MESSAGE(has(loaded.error, file + " was changed"), loaded.error);
        }
        const auto said = folder.verify();
        CHECK_MESSAGE(said.exit_code == beside, to << ": " << said.out << said.error);
        CHECK_MESSAGE(has(said.out + said.error, words), to << ": " << said.out << said.error);
        folder.write(file, before);
    };
    found(kNode + "rules.v4", "--dports 5432", "--dports 5431", 1, "NetworkPolicy shop/db");
    found(kNode + "rules.v4", "-j DROP", "-j ACCEPT", 1, "chain polecat-");
    found(kNode + "rules.v6", "--ctstate INVALID", "--ctstate RELATED", 1, "(IPv6)");
    found(kNode + "rules.v4", "COMMIT", "", 2, "rules.v4: line ");
    found(kNode + "rules.v4", "@G@", "001", 2, "more than one generation");
    // Who is in a set only manifests know; alone its digest does not fit.
    found(kNode + "sets.ipset", "-t 10.0.0.1\n", "-t 10.0.0.8\n", 1, "lacks shop/web (10.0.0.1)");
    found(kNode + "host-hooks.iptables", "-I PREROUTING", "-A PREROUTING", 2,
          "host-hooks.iptables was changed");
    // Would be loaded under one number always.
    const std::string v6 = folder.read(kNode + "rules.v6");
    folder.change(kNode + "rules.v6", "@G@", "001");
    found(kNode + "rules.v4", "@G@", "001", 2, "rules.v4 was changed");
    folder.write(kNode + "rules.v6", v6);
    found("compiled/hooks.iptables", "-I FORWARD -j polecat-forward\n", "", 2, "is not as written");
    std::filesystem::remove(folder.path / kNode / "host-hooks.iptables");
    CHECK(has(folder.verify().out, "files.sha256 lists files that are not there"));
    folder.write("m/pods.yaml", pod_on_n1("web", 1) + pod_on_n1("db", 2));
    CHECK(folder.verify().exit_code == 1);
}

TEST_CASE("compile takes away the host hooks of a node that has no host endpoint any more") {
    const Filtered folder(kHostEndpoint);
    const std::string hooks = kNode + "host-hooks.iptables";
    REQUIRE(std::filesystem::exists(folder.path / hooks));
    folder.write("m/pods.yaml", pod_on_n1("web", 1) + pod_on_n1("db", 2));
    REQUIRE(folder.run("compile m --target iptables -o compiled").exit_code == 0);
    CHECK_FALSE(std::filesystem::exists(folder.path / hooks));
    CHECK(has(folder.verify().out, "n1: equal: "));
    folder.write(hooks, "-I PREROUTING -j polecat-early\n");
    const auto more = folder.verify();
    CHECK(more.exit_code == 2);
    CHECK_MESSAGE(has(more.out, "host-hooks.iptables is no file of this compile: take it away"),
                  more.out);
}

TEST_CASE("verify iptables: what a node runs") {
    const Filtered folder(kHostEndpoint);
    folder.hold();
    for (const char* beside : {"m", ""}) {
        const auto same = folder.verify_held(beside);
        CHECK_MESSAGE(same.exit_code == 0, same.out << same.error);
        CHECK_MESSAGE(has(same.out, "n1: equal: "), same.out);
    }
    CHECK(folder.verify("m --rules held").exit_code == 2); // of which node?
    const auto differs = [&](const std::string& file, const std::string& from,
                             const std::string& to, const std::string& words) {
        folder.hold();
        folder.change(file, from, to);
        for (const char* beside : {"m", ""}) {
            const auto said = folder.verify_held(beside);
            CHECK_MESSAGE(said.exit_code == 1, words << ": " << said.out << said.error);
            CHECK_MESSAGE(has(said.out, words), said.out);
        }
    };
    const std::string hook = "-A FORWARD -j polecat-forward\n";
    differs("held/rules.v4", hook, "",
            "`-A FORWARD -j polecat-forward` of table filter is missing");
    differs("held/rules.v4", hook, "-A FORWARD -j KUBE-FORWARD\n" + hook, "is not the first rule");
    differs("held/rules.v6", hook, "-A FORWARD ! -f -j polecat-forward\n",
            "of table filter (IPv6) is missing");
    differs("held/rules.v4", hook, hook + "-A OUTPUT -j polecat-forward\n",
            "is there, and the policy has none");
    differs("held/rules.v4", hook, hook + "-A FORWARD -p tcp -j polecat-allow\n",
            "sends packets to chains of ours");
    differs("held/rules.v4", hook,
            hook + "-A FORWARD -p tcp -j CONNMARK --set-xmark 0x10000000/0x10000000\n",
            "writes bits 0x10000000");
    differs("held/rules.v4", "-A PREROUTING -j polecat-early\n", "", "of table mangle is missing");
    differs("held/rules.v4", "--dports 5432", "--dports 5431", "--dports 5431");
    differs("held/sets.ipset", "add polecat4-pods 10.0.0.2", "add polecat4-pods 10.0.0.3",
            "is not in the set of those that may send");
    differs("held/sets.ipset", "create cali40other",
            "create polecat-unfinished hash:net family inet maxelem 16777216\ncreate cali40other",
            "a load was broken off");
}

TEST_CASE("diff --rules: what a node lists of iptables") {
    const Filtered folder;
    folder.hold();
    const auto same = folder.run("diff --rules held m --node n1 --target iptables");
    CHECK_MESSAGE(same.exit_code == 0, same.out << same.error);
    CHECK_MESSAGE(has(same.out, "nothing is loaded"), same.out);
    CHECK(folder.run("diff --rules held m --target iptables").exit_code == 2);
    CHECK(folder.run("diff --rules held m --node n1").exit_code == 2);
    folder.write("m/policy.yaml", policy_of_port(5433));
    const auto other = folder.run("diff --rules held m --node n1 --target iptables");
    CHECK_MESSAGE(has(other.out, "BASE held (listing of n1)"), other.out);
    CHECK(has(other.out, "new chains, and the switch to them"));
    CHECK(folder.run("diff --rules m held --node n1 --target iptables").exit_code == 0);
    folder.change("held/sets.ipset", "create cali40other",
                  "create polecat-unfinished hash:net family inet maxelem 16777216\ncreate "
                  "cali40other");
    const auto broken = folder.run("diff --rules held m --node n1 --target iptables");
    CHECK_MESSAGE(has(broken.error, "a load was broken off"), broken.error);
}

TEST_CASE("verify iptables: listings with more, and those that can't be read") {
    const Filtered folder;
    folder.hold();
    folder.change(
        "held/rules.v4", "-A FORWARD -j polecat-forward\n",
        "-A FORWARD -j polecat-forward\n"
        "-A FORWARD -j CONNMARK --set-xmark 0x1/0x1\n"
        "-A FORWARD -j CONNMARK --restore-mark --nfmask 0xffffffff --ctmask 0xffffffff\n");
    folder.change("held/rules.v4", ":INPUT", ":polecat-p0123456789ab-0 - [0:0]\n:INPUT");
    folder.change("held/sets.ipset", "create cali40other",
                  "create polecat4-to-p0123456789ab hash:net,iface family inet maxelem 16777216\n"
                  "add polecat4-to-p0123456789ab 10.0.0.2,cali1\ncreate cali40other");
    const auto left = folder.verify_held();
    CHECK_MESSAGE(left.exit_code == 0, left.out << left.error);
    CHECK(has(left.out, "note: 2 chains and sets of an earlier policy"));
    const auto refused = [&](const std::string& file, const std::string& text,
                             const std::string& words) {
        folder.hold();
        folder.write(file, text);
        const auto said = folder.verify_held();
        CHECK_MESSAGE(said.exit_code == 2, said.out << said.error);
        CHECK_MESSAGE(has(said.out, words), said.out);
    };
    const std::string whole = folder.read("held/rules.v4");
    refused("held/rules.v4", "", "iptables-save");
    refused("held/rules.v4", whole.substr(0, whole.size() / 2), "iptables-save");
    refused("held/rules.v4", folder.read(kNode + "rules.v4"), "no chain of the kernel's");
    refused("held/sets.ipset", "Name: polecat4-pods\n", "ipset save");
    // iptables-save lists each chain that has rules, and no chain twice.
    const auto changed = [&](const std::string& from, const std::string& to) {
        folder.hold();
        folder.change("held/rules.v4", from, to);
        for (const char* command : {"verify compiled --target iptables --node n1 --rules held",
                                    "diff --rules held m --node n1 --target iptables"}) {
            const auto said = folder.run(command);
            CHECK_MESSAGE(said.exit_code == 2, said.out);
            CHECK_MESSAGE(has(said.out + said.error, "held/rules.v4: line "),
                          said.out << said.error);
        }
    };
    changed(":FORWARD ACCEPT [0:0]\n", "");
    changed(":FORWARD ACCEPT [0:0]\n", ":FORWARD ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n");
    std::filesystem::remove(folder.path / "held/rules.v6");
    CHECK(folder.verify_held().exit_code == 2);
    // Two numbers: flows that one of them judged are not judged anew.
    folder.hold();
    std::string two = folder.read("held/rules.v4");
    two.replace(two.find("0x00070000"), 10, "0x00080000");
    folder.write("held/rules.v4", two);
    const auto numbers = folder.verify_held();
    CHECK_MESSAGE(numbers.exit_code == 2, numbers.out);
}

TEST_CASE("verify iptables: what nodes make of a bundle") {
    const Filtered folder;
    REQUIRE(folder.run("compile m --target bundle -o packed").exit_code == 0);
    const auto equal = folder.run("verify packed m --target iptables");
    CHECK_MESSAGE(equal.exit_code == 0, equal.out << equal.error);
    CHECK(has(equal.out, "n1: equal: "));
    folder.hold();
    const auto held = folder.run("verify packed --target iptables --node n1 --rules held");
    CHECK_MESSAGE(held.exit_code == 0, held.out << held.error);
    folder.write("m/policy.yaml", policy_of_port(5433));
    CHECK(folder.run("verify packed m --target iptables").exit_code == 1);
}
