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
