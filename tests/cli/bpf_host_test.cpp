// Host endpoints with `--target bpf` as people compile and verify them.
#include <filesystem>
#include <tuple>

#include <doctest/doctest.h>

#include "tests/cli/held_rules.h"

using namespace polecat;
using testing::has;

namespace {

std::string guard(const std::string& port) {
    return "apiVersion: projectcalico.org/v3\nkind: HostEndpoint\n"
           "metadata: {name: h1, labels: {role: host}}\n"
           "spec: {node: n1, interfaceName: eth0, expectedIPs: [192.0.2.1]}\n"
           "---\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\n"
           "metadata: {name: ssh}\nspec:\n  selector: role == 'host'\n  types: [Ingress]\n"
           "  ingress:\n  - {action: Allow, protocol: TCP, source: {selector: app == 'web'}, "
           "destination: {ports: [" +
           port +
           "]}}\n---\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\n"
           "metadata: {name: early}\nspec:\n  selector: role == 'host'\n  preDNAT: true\n"
           "  applyOnForward: true\n  types: [Ingress]\n"
           "  ingress:\n  - {action: Deny, source: {nets: [198.51.100.0/24]}}\n";
}

const std::string kOfN1 = "compiled/nodes/n1/";

struct GuardedNode : testing::Folder {
    GuardedNode() {
        write("m/pods.yaml", testing::pod_at("web", "n1", 1) + testing::pod_at("db", "n1", 2));
        write("m/host.yaml", guard("2222"));
        const auto made = run("compile m -o compiled --target bpf");
        REQUIRE_MESSAGE(made.exit_code == 0, made.error);
    }
    runtime::Output verify(const std::string& more = "m") const {
        return run("verify compiled --target bpf " + more);
    }
    runtime::Output verify_held() const { return verify("m --node n1 --rules held"); }
};

} // namespace

TEST_CASE("verify --target bpf: rules of host endpoints beside their manifests") {
    const GuardedNode folder;
    CHECK(has(folder.read(kOfN1 + "rules.v4"), ":polecat-host-in "));
    CHECK(has(folder.read(kOfN1 + "host-hooks.iptables"), "-I PREROUTING -j polecat-early"));
    CHECK(has(folder.verify("").out, "n1: whole: "));
    const auto equal = folder.verify();
    CHECK_MESSAGE(equal.exit_code == 0, equal.out << equal.error);
    CHECK_MESSAGE(has(equal.out, "n1: equal: "), equal.out);
    const auto proved = folder.verify("m --prove");
    CHECK_MESSAGE(proved.exit_code == 0, proved.out << proved.error);
    CHECK_MESSAGE(has(proved.out, "n1: equal: 8 programs"), proved.out);
    CHECK_MESSAGE(has(proved.out, "Z3: 8 programs proved equal to the policy's, 0 different"),
                  proved.out);
    folder.write("m/host.yaml", guard("2223"));
    const auto other = folder.verify();
    CHECK_MESSAGE(other.exit_code == 1, other.out << other.error);
    CHECK_MESSAGE(has(other.out, "chain polecat-host-in"), other.out);
    const auto shown = folder.verify("m --prove"); // what it does to packets comes first
    CHECK(shown.exit_code == 1);
    CHECK_MESSAGE(has(shown.out, "eth0 ingress: shop/web (10.0.0.1) -> "), shown.out);
    CHECK_MESSAGE(has(shown.out, "TCP 222"), shown.out);
    CHECK_MESSAGE(has(shown.out, "rules   "), shown.out);
    CHECK_MESSAGE(has(shown.out, "GlobalNetworkPolicy ssh"), shown.out);
}

TEST_CASE("verify --target bpf: damaged rules of host endpoints are not taken for the policy") {
    const GuardedNode folder;
    for (const auto& [file, from, to] : {std::tuple{"rules.v4", "--dports 2222", "--dports 2221"},
                                         {"rules.v4", "-g polecat-deny", "-j RETURN"},
                                         {"host-hooks.iptables", "-I PREROUTING", "-A PREROUTING"},
                                         {"sets.ipset", "10.0.0.1", "10.0.0.3"}}) {
        const std::string whole = folder.read(kOfN1 + file);
        std::string bad = whole;
        const std::size_t at = bad.find(from);
        REQUIRE_MESSAGE(at != std::string::npos, from);
        folder.write(kOfN1 + file, bad.replace(at, std::string(from).size(), to));
        CHECK_MESSAGE(folder.verify("").exit_code == 2, to);
        const auto said = folder.verify();
        CHECK_MESSAGE(said.exit_code != 0, to << ": " << said.out << said.error);
        folder.write(kOfN1 + file, whole);
    }
    std::filesystem::remove(folder.path / kOfN1 / "host-hooks.iptables");
    CHECK(folder.verify().exit_code == 2);
}

TEST_CASE("verify --target bpf: what a node with host endpoints runs is tables and rules") {
    const GuardedNode folder;
    const auto alone = folder.verify("m --node n1 --rules compiled/nodes/n1/tables.bpf");
    CHECK(alone.exit_code == 2);
    CHECK_MESSAGE(has(alone.out, "tables do not say what host endpoints enforce"), alone.out);
    CHECK_MESSAGE(has(alone.out, "rules of iptables around them were not looked at"), alone.out);
    testing::hold_listing(folder, kOfN1);
    folder.write("held/tables.bpf", folder.read(kOfN1 + "tables.bpf"));
    const auto held = folder.verify_held();
    CHECK_MESSAGE(held.exit_code == 0, held.out << held.error);
    CHECK(folder.verify("--node n1 --rules held").exit_code == 0);
    const std::string whole = folder.read("held/rules.v4");
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string bad = whole;
        const std::size_t at = bad.find(from);
        REQUIRE_MESSAGE(at != std::string::npos, from);
        folder.write("held/rules.v4", bad.replace(at, from.size(), to));
        return folder.verify_held();
    };
    CHECK(with("-A PREROUTING -j polecat-early\n", "").exit_code == 1);
    CHECK(with("--dports 2222", "--dports 2223").exit_code == 1);
    const auto proved = folder.verify("m --node n1 --rules held --prove");
    CHECK(proved.exit_code == 1);
    CHECK_MESSAGE(has(proved.out, "eth0 ingress: shop/web (10.0.0.1) -> "), proved.out);
    CHECK(with("--object-pinned /sys/fs/bpf/polecat/to ", "--object-pinned /sys/fs/bpf/other ")
              .exit_code != 0);
}

TEST_CASE("diff --rules --target bpf: tables, and rules of host endpoints") {
    const GuardedNode folder;
    const auto rules = [&](const std::string& head) {
        const auto told = folder.run("diff --rules compiled " + head + " --target bpf");
        CHECK_MESSAGE(told.exit_code == 0, told.error);
        return told.out;
    };
    CHECK(has(rules("compiled"), "nothing is loaded on any of 1 node"));
    CHECK(has(rules("m"), "nothing is loaded on any of 1 node"));
    folder.write("m/host.yaml", guard("2223"));
    const std::string other = rules("m");
    CHECK_MESSAGE(has(other, "chains (polecat-host-in, polecat-host-in (IPv6))"), other);
    CHECK_MESSAGE(has(other, "+ 2 programs: 2 chains"), other);
    CHECK_MESSAGE(has(other, "ingress of hep:h1"), other);
    CHECK_MESSAGE(has(other, "rules, under the next number (IPv6)"), other);
    CHECK_FALSE(has(other, "tables and turn to them"));
    folder.write("m/host.yaml", guard("2222"));
    folder.write("m/more.yaml", testing::pod_at("job", "n1", 9));
    const std::string more = rules("m");
    CHECK_MESSAGE(has(more, "addresses of endpoints"), more);
    CHECK_MESSAGE(has(more, "change addresses in the tables in use"), more);
    CHECK(folder.run("diff --rules compiled m --target iptables").exit_code == 2);
}
