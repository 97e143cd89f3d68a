// `polecat dump` of each target, as people run it: what was loaded is the policy by what the kernel
// lists, another policy is not, and the folder is a side of `diff --rules`.
#include <doctest/doctest.h>

#include "tests/cli/folder.h"
#include "tests/kernel/bpf_verdicts.h"

using namespace polecat;
using testing::has;

namespace {

std::string dumped_policy(const std::string& port, const std::string& host_port) {
    return "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
           "metadata: {name: db, namespace: shop}\nspec:\n"
           "  podSelector: {matchLabels: {app: db}}\n  ingress:\n"
           "  - {from: [{podSelector: {matchLabels: {app: web}}}], ports: [{port: " +
           port +
           "}]}\n---\napiVersion: projectcalico.org/v3\nkind: HostEndpoint\n"
           "metadata: {name: h1, labels: {role: host}}\n"
           "spec: {node: n1, interfaceName: eth0, expectedIPs: [192.0.2.1]}\n"
           "---\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\n"
           "metadata: {name: ssh}\nspec:\n  selector: role == 'host'\n  types: [Ingress]\n"
           "  ingress:\n  - {action: Allow, protocol: TCP, destination: {ports: [" +
           host_port + "]}}\n";
}

/// One node's policy, and another that comes after it.
struct DumpedNode : testing::Folder {
    explicit DumpedNode(std::string of) : target(std::move(of)) {
        for (const auto& [name, port, host_port] :
             {std::tuple{"m", "5432", "2222"}, {"m2", "5433", "2223"}}) {
            write(std::string(name) + "/pods.yaml",
                  testing::pod_at("web", "n1", 1) + testing::pod_at("db", "n1", 2));
            write(std::string(name) + "/policy.yaml", dumped_policy(port, host_port));
        }
        must("compile m -o c --target " + target);
        must("compile m2 -o c2 --base c --target " + target, target != "iptables");
    }
    void must(const std::string& arguments, bool with_base = true) const {
        std::string text = arguments;
        if (const auto at = text.find(" --base c"); !with_base && at != std::string::npos)
            text.erase(at, 9);
        const auto done = run(text);
        REQUIRE_MESSAGE(done.exit_code == 0, text << ": " << done.out << done.error);
    }
    /// In namespaces of their own; `$P` is polecat.
    void on_node(const std::string& commands) const {
        const auto done = shell("P='" + std::string(testing::bin_dir()) +
                                "/polecat' unshare -n -m sh -e -c '"
                                "mount -t bpf bpf /sys/fs/bpf; " +
                                commands + "'");
        REQUIRE_MESSAGE(done.exit_code == 0, done.out << done.error);
    }
    runtime::Output with(const std::string& command) const {
        return run(command + " --node n1 --target " + target);
    }

    std::string target;
};

} // namespace

TEST_CASE("dump: what a kernel has is a side of verify and of diff --rules, of each target") {
    if (!kernel_test::may_ask_bpf())
        return;
    for (const std::string target : {"nftables", "iptables", "bpf"}) {
        INFO(target);
        const DumpedNode node(target);
        node.on_node("$P load c --node n1; $P dump held --target " + target +
                     "; $P load c2 --node n1; $P dump held2 --target " + target);
        const auto equal = node.with("verify c m --prove --rules held");
        CHECK_MESSAGE(equal.exit_code == 0, equal.out << equal.error);
        CHECK_MESSAGE(has(equal.out, "n1: equal: "), equal.out);
        CHECK_MESSAGE(has(equal.out, "proved equal to the policy's, 0 different"), equal.out);
        const auto other = node.with("verify c m --rules held2");
        CHECK_MESSAGE(other.exit_code == 1, other.out << other.error);
        CHECK(node.with("verify c2 m2 --rules held2").exit_code == 0);

        const std::string base = target == "iptables" ? "" : " --base c";
        const auto told = node.with("diff --rules held m2" + base);
        CHECK_MESSAGE(told.exit_code == 0, told.out << told.error);
        CHECK_MESSAGE(has(told.out, "held (listing of n1)"), told.out);
        CHECK_MESSAGE(has(told.out, "something is loaded on 1 of 1 node"), told.out);
        const auto same = node.with("diff --rules held m" + base);
        CHECK_MESSAGE(has(same.out, "nothing is loaded"), same.out);
        const auto back = node.with("diff --rules c held2");
        CHECK_MESSAGE(back.exit_code == 0, back.out << back.error);
        // Twice into one folder would mix what two moments have.
        const auto again = node.run("dump held --target " + target);
        CHECK(again.exit_code == 2);
        CHECK_MESSAGE(has(again.error, "not an empty folder"), again.error);
    }
}

TEST_CASE("dump: tables without what they are called by, and of a load that was broken off") {
    if (!kernel_test::may_ask_bpf())
        return;
    const DumpedNode node("bpf");
    node.on_node("! $P dump held --target bpf 2>none; $P load c --node n1; "
                 "rm /sys/fs/bpf/polecat/names; ! $P dump held --target bpf 2>lost; "
                 "$P load c --node n1; $P dump held --target bpf");
    CHECK(has(node.read("none"), "no classifier is pinned"));
    CHECK(has(node.read("lost"), "an earlier polecat loaded these tables"));
    CHECK(node.with("verify c m --rules held").exit_code == 0);
}
