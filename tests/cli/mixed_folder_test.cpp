// Compiled folders with files of another node or of another compile among those of a node: each
// file is whole by itself, and nobody takes them together for what was compiled.
#include <doctest/doctest.h>

#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;
using testing::pod_at;

namespace {

const char* const kTargets[] = {"nftables", "iptables", "bpf"};

/// web and db on n1, log on n2; `one` is compiled of them, `two` of another policy.
struct TwoCompiles : testing::Folder {
    explicit TwoCompiles(const std::string& target) : of_target(" --target " + target) {
        write("m/pods.yaml",
              pod_at("web", "n1", 1) + pod_at("db", "n1", 2) + pod_at("log", "n2", 3));
        compile("one", 5432);
        compile("two", 5433);
        write_policy(5432);
    }
    void write_policy(int port) const {
        write("m/policy.yaml",
              "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: {name: db}\n"
              "spec:\n  selector: app != 'web'\n  ingress:\n  - {action: Allow, protocol: TCP, "
              "source: {selector: app == 'web'}, destination: {ports: [" +
                  std::to_string(port) + "]}}\n");
    }
    void compile(const std::string& to, int port) const {
        write_policy(port);
        REQUIRE(run("compile m -o " + to + of_target).exit_code == 0);
    }
    /// Nobody takes what `one` has of n1, and all say why.
    void not_taken(const std::string& why) const {
        for (const std::string& command :
             {"verify one --node n1" + of_target, std::string("load one --node n1 --dry-run"),
              "diff --rules one m" + of_target, "diff --rules m one" + of_target})
            refused(command, why);
        const auto beside = run("verify one m --node n1" + of_target); // or how it differs
        CHECK_MESSAGE(beside.exit_code != 0, beside.out);
        CHECK_MESSAGE(has(beside.out, why), beside.out);
    }

    std::string of_target;
};

} // namespace

TEST_CASE("files of another compile in a node's folder are not taken for the node's") {
    for (const std::string target : kTargets) {
        INFO(target);
        const TwoCompiles folder(target);
        CHECK(folder.run("verify one m" + folder.of_target).exit_code == 0);
        std::size_t differ = 0;
        for (const auto& each : std::filesystem::directory_iterator(folder.path / "one/nodes/n1")) {
            const std::string name = "nodes/n1/" + each.path().filename().string();
            const std::string mine = folder.read("one/" + name);
            if (mine == folder.read("two/" + name) || has(name, "sha256"))
                continue;
            ++differ;
            folder.write("one/" + name, folder.read("two/" + name));
            folder.not_taken("one/" + name +
                             " was changed, or is of another compile than the files "
                             "beside it: compile again");
            folder.write("one/" + name, mine);
        }
        CHECK(differ >= (target == "iptables" ? 2 : 1));
        folder.write("one/nodes/n1/files.sha256", folder.read("two/nodes/n1/files.sha256"));
        folder.not_taken(" is of another compile");
    }
}

TEST_CASE("files of another node in a node's folder are told by that node's name") {
    for (const std::string target : kTargets) {
        INFO(target);
        const TwoCompiles folder(target);
        const std::string file = target == "nftables" ? "ruleset.nft" : "sets.ipset";
        const std::string mine = folder.read("one/nodes/n1/" + file);
        folder.write("one/nodes/n1/" + file, folder.read("one/nodes/n2/" + file));
        folder.not_taken("one/nodes/n1/" + file + " is that of node n2: compile again");
        folder.write("one/nodes/n1/" + file, mine);
        CHECK(folder.run("verify one m" + folder.of_target).exit_code == 0);
        folder.shell("mv one/nodes/n1 n && mv one/nodes/n2 one/nodes/n1 && mv n one/nodes/n2");
        folder.not_taken("one/nodes/n1/files.sha256 is not of node n1 (it says `# node n2`)");
    }
}

TEST_CASE("a folder that an earlier polecat compiled is to be compiled again") {
    for (const std::string target : kTargets) {
        INFO(target);
        const TwoCompiles folder(target);
        std::filesystem::remove(folder.path / "one/nodes/n1/files.sha256");
        folder.not_taken(
            "one/nodes/n1/files.sha256 is missing: an earlier polecat compiled this, or "
            "not all of it was copied; compile again");
        folder.compile("one", 5432);
        CHECK(folder.run("verify one m" + folder.of_target).exit_code == 0);
        CHECK(folder.shell("cd one/nodes/n1 && sha256sum -c files.sha256").exit_code == 0);
        folder.compile("again", 5432);
        CHECK(folder.shell("diff -r one again").exit_code == 0);
        REQUIRE(folder.run("compile m --target bundle -o packed").exit_code == 0);
        REQUIRE(folder.run("bundle extract packed --node n1 -o x" + folder.of_target).exit_code ==
                0);
        CHECK(folder.read("x/nodes/n1/files.sha256") == folder.read("one/nodes/n1/files.sha256"));
    }
}

TEST_CASE("plans begin from no folder that has files of several compiles") {
    const TwoCompiles folder("nftables");
    REQUIRE(folder.run("compile m --plan-from one --node n1").exit_code == 0);
    folder.write("one/nodes/n1/ruleset.nft", folder.read("two/nodes/n1/ruleset.nft"));
    folder.refused("compile m --plan-from one --node n1",
                   "ruleset.nft was changed, or is of another compile");
}
