// How users steer `polecat lint`: .polecat.yaml and options.
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "support/glob.h"
#include "tests/cli/folder.h"
#include "tests/paths.h"

using namespace polecat;
using testing::has;
namespace fs = std::filesystem;

namespace {

struct LintFolder : testing::Folder {
    runtime::Output lint(std::vector<std::string> more) const {
        std::vector<std::string> all{std::string(testing::bin_dir()) + "/polecat", "lint"};
        all.insert(all.end(), more.begin(), more.end());
        auto output = runtime::run_program(all, "");
        REQUIRE(output.ok());
        return std::move(*output);
    }
};

const std::string kLegacy = "apiVersion: crd.projectcalico.org/v1\nkind: GlobalNetworkSet\n"
                            "metadata: {name: a}\nspec: {nets: [10.0.0.0/8]}\n";

} // namespace

TEST_CASE("fail-on, rule and only choose what fails") {
    const LintFolder folder;
    const std::string file = folder.write("set.yaml", kLegacy);
    CHECK(folder.lint({file}).exit_code == 1);
    CHECK(folder.lint({"--fail-on", "error", file}).exit_code == 0);
    CHECK(folder.lint({"--rule", "calico-crd-v1-apiversion=error", "--fail-on", "error", file})
              .exit_code == 1);
    const auto off = folder.lint({"--rule", "PC4001=off", file});
    CHECK(off.exit_code == 0);
    CHECK_FALSE(has(off.out, "PC4001"));
    CHECK(folder.lint({"--only", "rule-shadowed", file}).exit_code == 0);
    CHECK(folder.lint({"--only", "calico-crd-v1-apiversion", file}).exit_code == 1);
    CHECK(folder.lint({"--dataplane", "bpf", "--calico-version", "3.29", file}).exit_code == 1);
    for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--fail-on", "eror"},
                                                  {"--rule", "rule-shadowd=off"},
                                                  {"--rule", "rule-shadowed"},
                                                  {"--rule", "unknown-field=off"},
                                                  {"--only", "nothing"},
                                                  {"--dataplane", "ebpf"},
                                                  {"--calico-version", "3.x"}}) {
        std::vector<std::string> all = wrong;
        all.push_back(file);
        CHECK_MESSAGE(folder.lint(all).exit_code == 2, wrong[0], " ", wrong[1]);
    }
    CHECK(has(folder.lint({"--rule", "rule-shadowd=off", file}).error, "`rule-shadowed`"));
}

TEST_CASE("errors of reading are reported whatever is chosen") {
    const LintFolder folder;
    const std::string file = folder.write(
        "set.yaml", "# polecat:ignore duplicate-key known\na: 1\na: 2 # polecat:ignore "
                    "duplicate-key known\n");
    const auto found = folder.lint({"--only", "rule-shadowed", file});
    CHECK(found.exit_code == 1);
    CHECK(has(found.out, "PC1002"));
    CHECK(has(folder.lint({file}).out, "suppression-of-error"));
}

TEST_CASE(".polecat.yaml is read strictly, and options win over it") {
    const LintFolder folder;
    const std::string file = folder.write("manifests/set.yaml", kLegacy);
    const auto with = [&](const std::string& text, std::vector<std::string> more = {}) {
        const std::string config = folder.write(".polecat.yaml", text);
        more.insert(more.begin(), {"--config", config});
        more.push_back(folder.path.string());
        return folder.lint(more);
    };
    CHECK(with("lint: {fail-on: never}\n").exit_code == 0);
    CHECK(with("lint: {fail-on: never}\n", {"--fail-on", "warning"}).exit_code == 1);
    CHECK(with("lint:\n  rules:\n    calico-crd-v1-apiversion: off\n").exit_code == 0);
    CHECK(with("lint: {calico-version: \"3.30\", dataplane: bpf}\n").exit_code == 1);
    const auto slip = with("lint: {fial-on: never}\n");
    CHECK(slip.exit_code == 2);
    CHECK(has(slip.error, "did you mean `fail-on`?"));
    CHECK(with("lnt: {}\n").exit_code == 2);
    CHECK(with("lint: {calico-version: 3.30}\n").exit_code == 2); // would be 3.3
    CHECK(with("lint: {rules: {rule-shadowd: off}}\n").exit_code == 2);
    CHECK(with("lint: {rules: {duplicate-key: off}}\n").exit_code == 2);
    CHECK(with("lint: {rules: {rule-shadowed: [off]}}\n").exit_code == 2);
    CHECK(with("lint: [").exit_code == 2);
    // A file that is excluded is not read, unless it is named.
    folder.write("manifests/charts/broken.yaml", "apiVersion: v1\na: 1\na: 2\n");
    CHECK(has(with("lint: {}\n").out, "PC1002"));
    const auto excluded = with("lint: {exclude: [charts]}\n");
    CHECK_FALSE(has(excluded.out, "PC1002"));
    CHECK(has(excluded.out, "1 file excluded"));
    CHECK(has(with("lint: {exclude: [charts]}\n",
                   {(folder.path / "manifests/charts/broken.yaml").string()})
                  .out,
              "PC1002"));
    CHECK(folder.lint({"--config", "/nowhere.yaml", file}).exit_code == 2);
}

TEST_CASE("patterns of file names") {
    CHECK(glob_matches("charts/**", "charts/a/b.yaml"));
    CHECK(glob_matches("charts/", "a/charts/b.yaml"));
    CHECK(glob_matches("*.gen.yaml", "a/b.gen.yaml"));
    CHECK(glob_matches("a/*/c.yaml", "a/b/c.yaml"));
    CHECK(glob_matches("**/c.yaml", "c.yaml"));
    CHECK_FALSE(glob_matches("a/*/c.yaml", "a/b/b/c.yaml"));
    CHECK_FALSE(glob_matches("a/charts", "b/a/charts"));
    CHECK_FALSE(glob_matches("*.yaml", "a.yml"));
    CHECK_FALSE(glob_matches("", "a"));
}

TEST_CASE("notes that most people mean so are counted, and shown to whom asks for notes") {
    const LintFolder folder;
    const std::string file = folder.write(
        "policy.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                       "metadata: {name: a}\nspec:\n  podSelector: {}\n  policyTypes: [Ingress]\n"
                       "  ingress:\n  - {from: [{namespaceSelector: {}}], ports: [{port: 80}]}\n");
    const auto brief = folder.lint({file});
    CHECK(brief.exit_code == 0);
    CHECK_FALSE(has(brief.out, "PC4106"));
    CHECK(has(brief.out, "not shown: 2 notes (--all): 1 missing-namespace, 1 "
                         "k8s-empty-namespaceselector\n"));
    CHECK(has(brief.out, "2 notes\n"));
    for (const std::vector<std::string>& asks :
         {std::vector<std::string>{"--all"}, {"--only", "PC4106"}, {"--fail-on", "note"}}) {
        std::vector<std::string> all = asks;
        all.push_back(file);
        const auto out = folder.lint(all).out;
        CHECK_MESSAGE(has(out, "note[PC4106]"), asks[0]);
        CHECK_MESSAGE(!has(out, "not shown"), asks[0]);
    }
    CHECK(folder.lint({"--fail-on", "note", file}).exit_code == 1);
    CHECK(has(folder.lint({"--format", "json", file}).out, "PC4106"));
    const auto github = folder.lint({"--format", "github", file}).out;
    CHECK(github == "::notice title=polecat notes::not shown: 2 notes (--all): 1 "
                    "missing-namespace, 1 k8s-empty-namespaceselector\n");
}
