// Folders that `polecat compile` writes to: one node beside others, and steps of plans as files.
#include <doctest/doctest.h>

#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;
using testing::pod_at;

namespace {

std::string policy_for(const std::string& app, int port) {
    return "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
           "metadata: {name: " +
           app + ", namespace: shop}\nspec:\n  podSelector: {matchLabels: {app: " + app +
           "}}\n  ingress:\n  - from: [{podSelector: {matchLabels: {app: web}}}]\n"
           "    ports: [{port: " +
           std::to_string(port) + "}]\n";
}

/// web and db on n1, log on n2, each with a policy of its own.
struct Nodes : testing::Folder {
    Nodes() {
        write("m/pods.yaml",
              pod_at("web", "n1", 1) + pod_at("db", "n1", 2) + pod_at("log", "n2", 3));
        write("m/policy.yaml", policy_for("db", 5432) + policy_for("log", 514));
        REQUIRE(run("compile m -o out").exit_code == 0);
    }
};

} // namespace

TEST_CASE("compile --node into a folder of all nodes keeps the others' numbers") {
    const Nodes folder;
    const std::string before = folder.read("out/numbers.txt");
    REQUIRE(folder.run("compile m --node n1 -o out").exit_code == 0);
    CHECK(folder.read("out/numbers.txt") == before);
    // A change of n1 numbers what is new beside what the others have.
    folder.write("m/policy.yaml", policy_for("db", 5433) + policy_for("log", 514));
    folder.write("m/more.yaml", pod_at("api", "n1", 9));
    const std::string other = folder.read("out/nodes/n2/ruleset.nft");
    REQUIRE(folder.run("compile m --node n1 -o out").exit_code == 0);
    REQUIRE(folder.run("compile m -o whole --base out").exit_code == 0);
    CHECK(folder.read("whole/nodes/n1/ruleset.nft") == folder.read("out/nodes/n1/ruleset.nft"));
    CHECK(folder.read("out/nodes/n2/ruleset.nft") == other);
    CHECK(has(folder.run("verify out m --node n1").out, "n1: equal"));
}

TEST_CASE("compile --plan-from -o: a file for each step, and none of an earlier plan") {
    const Nodes folder;
    folder.write("m/policy.yaml", policy_for("db", 5433) + policy_for("log", 514));
    const std::string printed = folder.run("compile m --plan-from out --node n1").out;
    const auto written = folder.run("compile m --plan-from out -o steps");
    REQUIRE_MESSAGE(written.exit_code == 0, written.error);
    CHECK_MESSAGE(has(written.out, "n1: "), written.out);
    CHECK_MESSAGE(has(written.out, "n2: 0 steps -> steps/nodes/n2"), written.out);
    CHECK(has(folder.read("steps/nodes/n2/steps.txt"), "# node n2: nothing changes\n"));
    const std::string order = folder.read("steps/nodes/n1/steps.txt");
    CHECK_MESSAGE(has(order, "step-1.nft node n1, step 1 of "), order);
    std::size_t steps = 0;
    std::string all;
    for (;; ++steps) {
        const std::string name = "steps/nodes/n1/step-" + std::to_string(steps + 1) + ".nft";
        if (!std::filesystem::exists(folder.path / name))
            break;
        all += folder.read(name);
    }
    CHECK(steps > 1);
    CHECK(has(printed, all));
    // Nothing to do any more: nobody may take a step of before for one of now.
    REQUIRE(folder.run("compile m -o out --base out").exit_code == 0);
    REQUIRE(folder.run("compile m --plan-from out -o steps").exit_code == 0);
    CHECK(!std::filesystem::exists(folder.path / "steps/nodes/n1/step-1.nft"));
    CHECK(!std::filesystem::exists(folder.path / "steps/nodes/n1/step-2.nft"));
    CHECK(folder.run("compile m --plan-from out -o out").exit_code == 2);
}

namespace {

/// Of a host endpoint for which no rule can be written where it has no interface.
std::string host_at(const std::string& node, const std::string& more) {
    return "---\napiVersion: projectcalico.org/v3\nkind: HostEndpoint\nmetadata: {name: h-" + node +
           "}\nspec: {node: " + node + ", " + more + "}\n";
}

} // namespace

TEST_CASE("compile: a node that is refused is told of the folder") {
    for (const std::string target : {"nftables", "iptables"}) {
        const Nodes folder;
        const std::string out = " -o " + target + " --target " + target;
        const std::string verify = "verify " + target + " --target " + target;
        REQUIRE(folder.run("compile m" + out).exit_code == 0);
        CHECK(!std::filesystem::exists(folder.path / target / "unfinished.txt"));
        folder.write("m/host.yaml", host_at("n2", "expectedIPs: [192.0.2.1]") +
                                        host_at("n3", "expectedIPs: [192.0.2.2]"));
        const auto made = folder.run("compile m" + out);
        CHECK(made.exit_code == 1);
        CHECK_MESSAGE(has(made.out, "n1: "), made.out); // it does not keep the others back
        CHECK_MESSAGE(has(made.error, "host.yaml"), made.error);
        for (const char* with : {"", " m"}) {
            const auto found = folder.run(verify + with);
            CHECK(found.exit_code == 2);
            for (const char* node : {"n2", "n3"}) // n3 has no files yet
                CHECK_MESSAGE(has(found.out, std::string(node) + ": not compared: the last compile "
                                                                 "refused it (PC5001 "),
                              found.out);
            CHECK_MESSAGE(!has(found.out, "n1: not compared"), found.out);
        }
        const auto rollout = folder.run("diff --rules " + target + " m --target " + target);
        CHECK_MESSAGE(has(rollout.out + rollout.error, "the last compile refused it"),
                      rollout.out << rollout.error);
        CHECK(has(folder.run("load " + target + " --node n2 --dry-run").error,
                  "the last compile refused it"));
        if (target == "nftables")
            CHECK(has(folder.run("compile m --plan-from nftables --node n2").error, "PC5001"));
        // One node at a time, then the rest.
        folder.write("m/host.yaml", host_at("n2", "interfaceName: eth0") +
                                        host_at("n3", "expectedIPs: [192.0.2.2]"));
        REQUIRE(folder.run("compile m --node n2" + out).exit_code == 0);
        const auto mended = folder.run(verify);
        CHECK_MESSAGE(has(mended.out, target == "nftables" ? "n2: whole" : "n2: "), mended.out);
        CHECK_MESSAGE(!has(mended.out, "n2: not compared"), mended.out);
        CHECK_MESSAGE(has(mended.out, "n3: not compared"), mended.out);
        folder.write("m/host.yaml",
                     host_at("n2", "interfaceName: eth0") + host_at("n3", "interfaceName: eth0"));
        REQUIRE(folder.run("compile m" + out).exit_code == 0);
        CHECK(!std::filesystem::exists(folder.path / target / "unfinished.txt"));
        CHECK(folder.run(verify).exit_code == 0);
    }
}

TEST_CASE("compile: what was broken off is not believed") {
    const Nodes folder;
    // As where the disk is full: numbers can't be written.
    folder.shell("rm out/numbers.txt && mkdir out/numbers.txt");
    CHECK(folder.run("compile m -o out").exit_code == 1);
    folder.shell("rmdir out/numbers.txt");
    CHECK(has(folder.read("out/unfinished.txt"), "n1\tthe last compile of it was broken off"));
    REQUIRE(folder.run("compile m -o whole").exit_code == 0);
    folder.shell("cp whole/numbers.txt out");
    CHECK(has(folder.run("verify out").out, "n1: not compared: the last compile of it was broken"));
    folder.write("out/unfinished.txt", "what is this");
    folder.refused("verify out", "out/unfinished.txt is not as written");
}

TEST_CASE("compile --plan-from says what a folder is that it can't plan from") {
    const Nodes folder;
    REQUIRE(folder.run("compile m --target iptables -o ipt").exit_code == 0);
    REQUIRE(folder.run("compile m --target bundle -o b").exit_code == 0);
    folder.shell("mkdir empty");
    const std::pair<const char*, const char*> expected[] = {
        {"ipt", "--plan-from: ipt was compiled for iptables, not for nftables"},
        {"b", "--plan-from: b was compiled for bundle, not for nftables"},
        {"empty", "--plan-from: empty holds nothing that was compiled"}};
    for (const auto& [from, why] : expected) {
        const auto made = folder.run(std::string("compile m --plan-from ") + from);
        CHECK(made.exit_code == 2);
        CHECK_MESSAGE(has(made.error, why), made.error);
        CHECK_MESSAGE(!has(made.error, "--base"), made.error);
    }
    for (const char* command : {"verify nope m", "verify nope"})
        CHECK(has(folder.run(command).error, "there is no folder nope"));
}
