// polecat lint --fix and --fix-dry-run: what is edited, what is refused, and what stays.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

#include "runtime/write_file.h"
#include "support/unified_diff.h"
#include "tests/cli/folder.h"
#include "tests/paths.h"

using namespace polecat;
using testing::Folder;
using testing::has;
namespace fs = std::filesystem;

namespace {

std::string replaced(std::string text, const std::string& from, const std::string& to) {
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    return text.replace(at, from.size(), to);
}

const std::string kPolicy = "apiVersion: projectcalico.org/v3   # keep   this\n"
                            "kind: GlobalNetworkPolicy\n"
                            "metadata: {name: a}\n"
                            "spec:\n"
                            "  selector: all()\n"
                            "  types: [Ingress]\n"
                            "  ingress:\n"
                            "  - action: Allow # why\n"
                            "    protocol: TCP\n"
                            "    destination: {ports: [80]}\n";

} // namespace

TEST_CASE("each fix mends its finding and edits nothing else") {
    struct Case {
        const char *code, *good, *bad, *mended;
    };
    const Case cases[] = {
        {"PC2001", "ingress:", "ingres:", "ingress:"},
        {"PC1010", "GlobalNetworkPolicy", "NetworkPolcy", "NetworkPolicy"},
        {"PC2001", "types:", "'type':", "'types':"},
        {"PC2050", "Allow", "allow", "Allow"},
        {"PC2050", "TCP", "tcp", "TCP"},
        {"PC2050", "TCP", "\"tcp\"", "\"TCP\""},
        {"PC2002", "name: a", "labels: {a: yes}, name: a", "labels: {a: \"yes\"}, name: a"},
    };
    for (const Case& each : cases) {
        CAPTURE(std::string(each.bad));
        const Folder folder;
        const std::string bad = replaced(kPolicy, each.good, each.bad);
        const std::string good = replaced(kPolicy, each.good, each.mended);
        for (const bool crlf : {false, true}) {
            const auto text = [&](std::string of) {
                of.pop_back(); // no line end at the end
                for (std::size_t at = 0; crlf && (at = of.find('\n', at)) != std::string::npos;)
                    of.insert(at, "\r"), at += 2;
                return of;
            };
            const std::string file = folder.write("a.yaml", text(bad));
            const auto before = folder.run("lint a.yaml");
            CHECK(has(before.out, each.code));
            const auto mended = folder.run("lint --fix a.yaml");
            CHECK(has(mended.error, " mended in 1 file"));
            CHECK_FALSE(has(mended.out, each.code));
            CHECK(folder.run("map a.yaml").exit_code == 0); // it loads
            CHECK(folder.read("a.yaml") == text(good));
        }
    }
}

TEST_CASE("fixes that claim to preserve meaning do") {
    const Folder folder;
    const std::string pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: x}\n"
                            "status: {podIP: 10.1.0.9}\n---\n";
    const std::string kubernetes =
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: k, namespace: x}\n"
        "spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{from: [{ipBlock: {cidr: "
        "10.1.2.3/16}}]}]}\n";
    const std::string legacy =
        replaced(kPolicy, "projectcalico.org/v3", "crd.projectcalico.org/v1");
    for (const std::string& policy : {kubernetes, legacy}) {
        folder.write("a.yaml", pod + policy);
        const auto before = folder.run("map --expand --format csv a.yaml");
        CHECK(before.exit_code == 0);
        CHECK(has(folder.run("lint --fix a.yaml").error, "mended in 1 file"));
        CHECK(folder.read("a.yaml") != pod + policy);
        CHECK(folder.run("map --expand --format csv a.yaml").out == before.out);
        CHECK(before.out.size() > 20);
    }
    // The storage form of a policy without types means another thing: that is written first.
    folder.write("a.yaml", pod + replaced(legacy, "  types: [Ingress]\n", ""));
    const std::string before = folder.run("map --expand --format csv a.yaml").out;
    CHECK(has(folder.run("lint --fix a.yaml").error, "2 of "));
    CHECK(folder.read("a.yaml") == pod + replaced(kPolicy, "[Ingress]\n", "[Ingress, Egress]\n"));
    CHECK(folder.run("map --expand --format csv a.yaml").out == before);
}

TEST_CASE("lists, several documents and JSON are edited in place") {
    const Folder folder;
    const std::string list = "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: "
                             "projectcalico.org/v3, kind: GlobalNetworkSet, metadata: {name: b}, "
                             "spec: {netts: [10.0.0.0/8]}} # one\n---\n" +
                             replaced(kPolicy, "TCP", "tcp");
    folder.write("l.yaml", list);
    const std::string json = R"({"apiVersion":"projectcalico.org/v3","kind":"GlobalNetworkSet",)"
                             R"("metadata":{"name":"j"},"spec":{"netts":["10.9.0.0/16"]}})";
    folder.write("j.json", json);
    const auto mended = folder.run("lint --fix .");
    CHECK(has(mended.error, "3 of "));
    CHECK(has(mended.error, " in 2 files"));
    CHECK(folder.read("l.yaml") == replaced(replaced(list, "netts", "nets"), "tcp", "TCP"));
    CHECK(folder.read("j.json") == replaced(json, "netts", "nets"));
}

TEST_CASE("a dry run prints a patch that applies, and writes nothing") {
    const Folder folder;
    std::string bad = replaced(kPolicy, "TCP", "tcp");
    bad.pop_back();
    folder.write("a b.yaml", bad);
    const auto dry = folder.run("lint --fix-dry-run .");
    CHECK(dry.exit_code == 1);
    CHECK(has(dry.error, "would be: 1 of "));
    CHECK(folder.read("a b.yaml") == bad);
    CHECK(folder.run("lint --fix-dry-run . > p.diff; git apply p.diff").exit_code == 0);
    CHECK(folder.read("a b.yaml") == replaced(bad, "tcp", "TCP"));
    CHECK(folder.run("lint --fix-dry-run . 2> /dev/null").out.empty());
}

TEST_CASE("errors that a mended name brings to light are mended with it") {
    const Folder folder;
    const std::string bad = replaced(
        replaced(replaced(kPolicy, "ingress:", "ingres:"), "TCP", "tcp"), "Allow", "allow");
    folder.write("a.yaml", bad);
    const auto mended = folder.run("lint --fix a.yaml");
    CHECK(has(mended.error, "3 of "));
    CHECK_FALSE(has(mended.error, "not mended"));
    CHECK(folder.read("a.yaml") == kPolicy);
}

TEST_CASE("fixes that can't be made safely are refused, and said") {
    const Folder folder;
    const std::string aliases = replaced(kPolicy, "  - action: Allow # why\n",
                                         "  - &r {action: allow}\n  - *r\n  - action: Allow\n");
    folder.write("a.yaml", aliases);
    const auto refused = folder.run("lint --fix a.yaml");
    CHECK(refused.exit_code == 1);
    CHECK(has(refused.error, "the file has YAML aliases"));
    CHECK(folder.read("a.yaml") == aliases);
    // The name is mended only to meet an error below it that has no fix.
    const std::string deeper = replaced(replaced(kPolicy, "ingress:", "ingres:"), "TCP", "TPC");
    folder.write("a.yaml", deeper);
    CHECK(has(folder.run("lint --fix a.yaml").error, "it stays as it was"));
    CHECK(folder.read("a.yaml") == deeper);
    // A net that Calico refuses may be meant as one address.
    const std::string guess =
        replaced(kPolicy, "destination: {", "source: {nets: [10.0.0.1/8]}\n    destination: {");
    folder.write("a.yaml", guess);
    CHECK(has(folder.run("lint --fix a.yaml").error, "0 of "));
    CHECK(folder.read("a.yaml") == guess);
}

TEST_CASE("one edit that is no good keeps none of the others back") {
    const Folder folder;
    const std::string pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: x, labels: "
                            "{app: web}}\nstatus: {podIP: 10.1.0.9}\n---\n";
    // A rule before denies what the edit would allow.
    const std::string denied =
        "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: d, namespace: x}\n"
        "spec:\n  selector: app == 'web'\n  types: [Egress]\n  egress:\n"
        "  - {action: Deny, protocol: UDP}\n"
        "  - {action: Allow, protocol: TCP, destination: {nets: [10.1.0.9/32]}}\n---\n";
    std::string before, after;
    for (int i = 0; i < 9; ++i) {
        const std::string policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                   "metadata: {name: k" +
                                   std::to_string(i) +
                                   ", namespace: x}\nspec:\n  podSelector: {}\n";
        const std::string rules = "  ingress:\n  - ports:\n    - port: 80\n";
        before += policy + rules + "---\n" + (i == 6 ? denied : "");
        after +=
            policy + "  policyTypes:\n  - Ingress\n" + rules + "---\n" + (i == 6 ? denied : "");
    }
    folder.write("a.yaml", pod + before);
    const auto mended = folder.run("lint --fix a.yaml");
    CHECK(folder.read("a.yaml") == pod + after);
    CHECK(has(mended.error, " is not mended: with the fix it is still found; it stays as it was"));
    // The place of the one that is left, in the text as it is now.
    const std::string until = (pod + after).substr(0, (pod + after).find("{name: d"));
    const auto line = std::count(until.begin(), until.end(), '\n') + 1;
    CHECK(has(mended.error, "a.yaml:" + std::to_string(line) + ":18: PC4220 is not mended"));
    CHECK(has(mended.error, "9 of "));
}

TEST_CASE("only what is shown is mended") {
    const Folder folder;
    const std::string legacy =
        "# polecat:ignore calico-crd-v1-apiversion exported so\n" +
        replaced(kPolicy, "projectcalico.org/v3", "crd.projectcalico.org/v1");
    folder.write("a.yaml", legacy);
    folder.run("lint --fix a.yaml");
    CHECK(folder.read("a.yaml") == legacy);
    const std::string bare = legacy.substr(legacy.find('\n') + 1);
    folder.write("a.yaml", bare);
    folder.run("lint --fix --only rule-shadowed a.yaml");
    folder.run("lint --fix --rule calico-crd-v1-apiversion=off a.yaml");
    CHECK(folder.read("a.yaml") == bare);
    folder.run("lint --fix a.yaml");
    CHECK(folder.read("a.yaml") == kPolicy);
}

TEST_CASE("links are followed, hard links and standard input refused") {
    const Folder folder;
    const std::string bad = replaced(kPolicy, "TCP", "tcp");
    const std::string file = folder.write("a.yaml", bad);
    fs::permissions(file, fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
    fs::create_symlink("a.yaml", folder.path / "link.yaml");
    folder.run("lint --fix link.yaml a.yaml"); // one file, read once
    CHECK(fs::is_symlink(folder.path / "link.yaml"));
    CHECK(folder.read("a.yaml") == kPolicy);
    CHECK((fs::status(file).permissions() & fs::perms::group_read) != fs::perms::none);
    CHECK((fs::status(file).permissions() & fs::perms::others_read) == fs::perms::none);
    folder.write("a.yaml", bad);
    fs::create_hard_link(file, folder.path / "hard");
    CHECK(folder.run("lint --fix a.yaml").exit_code == 2);
    CHECK(folder.read("a.yaml") == bad);
    CHECK(folder.run("lint --fix - < a.yaml").exit_code == 2);
    CHECK(folder.run("lint --fix --prove a.yaml").exit_code != 0);
    fs::remove(folder.path / "hard");
    CHECK_FALSE(runtime::replace_file(file, "another text", "new").ok());
    CHECK(folder.read("a.yaml") == bad);
    for (const auto& each : fs::directory_iterator(folder.path))
        CHECK_FALSE(has(each.path().filename().string(), ".polecat-"));
}

TEST_CASE("patches") {
    CHECK(unified_diff("a", "x\n", "x\n").empty());
    CHECK(unified_diff("a", "1\n2\nx", "1\n2\ny") ==
          "--- a/a\n+++ b/a\n@@ -1,3 +1,3 @@\n 1\n 2\n-x\n\\ No newline at end of file\n+y\n"
          "\\ No newline at end of file\n");
    const std::string far = "x\n1\n2\n3\n4\n5\n6\n7\nx\n";
    const std::string diff = unified_diff("/a\"b", far, "y\n1\n2\n3\n4\n5\n6\n7\ny\n");
    CHECK(has(diff, "--- \"a/a\\\"b\"\n"));
    CHECK(has(diff, "@@ -1,4 +1,4 @@"));
    CHECK(has(diff, "@@ -6,4 +6,4 @@"));
}

TEST_CASE(".polecat.yaml is found upwards from the folder polecat runs in") {
    const Folder folder;
    folder.write("a.yaml", replaced(kPolicy, "projectcalico.org/v3", "crd.projectcalico.org/v1"));
    fs::create_directories(folder.path / "below/it");
    const std::string there = "version > /dev/null 2>&1; cd below/it && '" +
                              std::string(testing::bin_dir()) + "/polecat' lint ../../a.yaml";
    CHECK(has(folder.run(there).out, "PC4001"));
    folder.write(".polecat.yaml", "lint: {rules: {calico-crd-v1-apiversion: off}}\n");
    CHECK_FALSE(has(folder.run(there).out, "PC4001"));
    // A nearer one hides it.
    folder.write("below/.polecat.yaml", "lint: {}\n");
    CHECK(has(folder.run(there).out, "PC4001"));
}
