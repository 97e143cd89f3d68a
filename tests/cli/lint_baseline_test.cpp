// polecat lint --write-baseline and --baseline: what is known stays quiet, what is new does not.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;
namespace fs = std::filesystem;

namespace {

struct BaselineFolder : testing::Folder {
    BaselineFolder() { fs::create_directories(path / "in"); }
    runtime::Output lint(const std::string& arguments, const std::string& from = ".") const {
        return run("lint " + arguments, from);
    }
};

std::string legacy(const std::string& name) {
    return "apiVersion: crd.projectcalico.org/v1\nkind: GlobalNetworkSet\nmetadata: {name: " +
           name + "}\nspec: {nets: [10.0.0.0/8]}\n";
}

} // namespace

TEST_CASE("known findings are quiet wherever their lines are, new ones are not") {
    const BaselineFolder folder;
    folder.write("in/a.yaml", legacy("a"));
    CHECK(folder.lint("in").exit_code == 1);
    const auto wrote = folder.lint("--write-baseline known.json in");
    CHECK(wrote.exit_code == 0);
    CHECK(has(wrote.out, "written to known.json"));
    const std::string text = folder.read("known.json");
    CHECK(has(text, "\"baseline\": 1"));
    CHECK(has(text, "\"file\": \"in/a.yaml\""));
    CHECK(has(text, "\"code\": \"PC4001\""));
    const auto quiet = folder.lint("--baseline known.json in");
    CHECK(quiet.exit_code == 0);
    CHECK(has(quiet.out, " in the baseline"));
    CHECK_FALSE(has(quiet.out, "PC4001"));
    // The same from another folder, after an edit above, and with a new object below.
    CHECK(folder.lint("--baseline ../known.json .", "in").exit_code == 0);
    folder.write("in/a.yaml", "# one\n\n# two\n" + legacy("a"));
    CHECK(folder.lint("--baseline known.json in").exit_code == 0);
    folder.write("in/a.yaml", legacy("b") + "---\n" + legacy("a"));
    const auto fresh = folder.lint("--baseline known.json in");
    CHECK(fresh.exit_code == 1);
    CHECK(has(fresh.out, "in/a.yaml:1:13: warning[PC4001]"));
    CHECK_FALSE(has(fresh.out, "in/a.yaml:6:13"));
    // Writing it twice gives the same bytes.
    folder.lint("--write-baseline known.json in");
    const std::string again = folder.read("known.json");
    folder.lint("--write-baseline known.json in");
    CHECK(folder.read("known.json") == again);
}

TEST_CASE("equal findings are counted, and positions in lists don't matter") {
    const BaselineFolder folder;
    const std::string head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                             "metadata: {name: k, namespace: x}\nspec:\n  podSelector: {}\n"
                             "  policyTypes: [Ingress]\n  ingress:\n";
    const std::string rule = "  - from: [{ipBlock: {cidr: 10.1.2.3/8}}]\n";
    const std::string only = "--only cidr-not-masked --fail-on note ";
    folder.write("in/a.yaml", head + rule);
    CHECK(folder.lint(only + "in").exit_code == 1);
    folder.lint(only + "--write-baseline known.json in");
    folder.write("in/a.yaml", head + "  - from: [{podSelector: {}}]\n" + rule);
    CHECK(folder.lint(only + "--baseline known.json in").exit_code == 0);
    folder.write("in/a.yaml", head + rule + rule);
    CHECK(folder.lint(only + "--baseline known.json in").exit_code == 1);
}

TEST_CASE("entries that match nothing are named, where it is known") {
    const BaselineFolder folder;
    folder.write("in/a.yaml", legacy("a"));
    folder.write("in/b.yaml", legacy("b"));
    folder.lint("--write-baseline known.json in");
    CHECK_FALSE(has(folder.lint("--baseline known.json in/a.yaml").out, "PC8005"));
    folder.write("in/a.yaml", legacy("c"));
    CHECK_FALSE(has(folder.lint("--only rule-shadowed --baseline known.json in").out, "PC8005"));
    CHECK_FALSE(has(folder.lint("--rule PC8005=off --baseline known.json in").out, "PC8005"));
    CHECK(has(folder.lint("--baseline known.json in").out, "note[PC8005]"));
    fs::remove(folder.path / "in/a.yaml");
    const auto gone = folder.lint("--baseline known.json in");
    CHECK(gone.exit_code == 0); // a note
    CHECK(has(gone.out, "PC4001 in in/a.yaml"));
}

TEST_CASE("errors of reading are never known, and broken baselines are refused") {
    const BaselineFolder folder;
    folder.write("in/a.yaml", "a: 1\na: 2\n");
    const auto refused = folder.lint("--write-baseline known.json in");
    CHECK(refused.exit_code == 2);
    CHECK(has(refused.error, "no baseline is written"));
    CHECK_FALSE(fs::exists(folder.path / "known.json"));
    folder.write("in/a.yaml", legacy("a"));
    const std::string entry = R"({"file": "in/a.yaml", "code": "PC1002", "rule": "duplicate-key",)"
                              R"( "object": "", "message": "key a is given twice", "count": 9})";
    for (const std::string& text :
         {std::string("{"), std::string("[]"), std::string(R"({"baseline": 2, "findings": []})"),
          std::string(R"({"baseline": "1", "findings": []})"),
          std::string(R"({"baseline": 1, "findings": [{"code": "PC4001"}]})"),
          std::string(
              R"({"baseline": 1, "findings": [{"code": "PC9999", "message": "m", "count": 1}]})"),
          std::string(R"({"baseline": 1, "findings": [{"cod": "PC4001"}]})")}) {
        CAPTURE(text);
        folder.write("known.json", text);
        CHECK(folder.lint("--baseline known.json in").exit_code == 2);
    }
    CHECK(folder.lint("--baseline nowhere.json in").exit_code == 2);
    // An entry made by hand hides nothing.
    folder.write("known.json", R"({"baseline": 1, "findings": [)" + entry + "]}");
    folder.write("in/a.yaml", "apiVersion: v1\nkind: Service\na: 1\na: 2\n");
    const auto still = folder.lint("--baseline known.json in");
    CHECK(still.exit_code == 1);
    CHECK(has(still.out, "PC1002"));
}

TEST_CASE("the baseline of .polecat.yaml, found upwards, lies relative to it") {
    const BaselineFolder folder;
    folder.write("in/a.yaml", legacy("a"));
    folder.lint("--write-baseline .polecat-baseline.json .");
    folder.write(".polecat.yaml", "lint: {baseline: .polecat-baseline.json}\n");
    CHECK(folder.lint(".").exit_code == 0); // nor is it read as a manifest
    CHECK(folder.lint("a.yaml", "in").exit_code == 0);
    CHECK(folder.lint("--fix .").exit_code == 0); // what is not shown is not mended
    CHECK(folder.read("in/a.yaml") == legacy("a"));
    folder.write("in/a.yaml", legacy("b"));
    CHECK(folder.lint("a.yaml", "in").exit_code == 1);
    CHECK(folder.lint("--write-baseline .polecat-baseline.json .").exit_code == 0);
    CHECK(folder.lint(".").exit_code == 0);
    folder.write(".polecat.yaml", "lint: {baseline: none.json}\n");
    CHECK(folder.lint(".").exit_code == 2);
    // A baseline of another name is no manifest to lint either.
    folder.write(".polecat.yaml", "lint: {baseline: known.json}\n");
    CHECK(folder.lint("--write-baseline known.json .").exit_code == 0);
    CHECK(folder.lint("--write-baseline known.json .").exit_code == 0);
    CHECK(folder.lint(".").exit_code == 0);
}

TEST_CASE("suppressions count with a .polecat.yaml too") {
    const BaselineFolder folder;
    folder.write(".polecat.yaml", "lint: {rules: {calico-crd-v1-apiversion: error}}\n");
    folder.write("in/a.yaml", legacy("a"));
    CHECK(has(folder.lint("in").out, "error[PC4001]"));
    folder.write("in/a.yaml",
                 "# polecat:ignore calico-crd-v1-apiversion exported so\n" + legacy("a"));
    CHECK(folder.lint("in").exit_code == 0);
}
