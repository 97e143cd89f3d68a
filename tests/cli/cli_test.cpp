// The program as people run it: exit codes, what is printed where.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "runtime/process.h"
#include "support/read_file.h"
#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;
using testing::kThreeTiers;
using testing::polecat_with;

namespace {

namespace fs = std::filesystem;

} // namespace

TEST_CASE("usage") {
    CHECK(polecat_with({"--help"}).exit_code == 0);
    CHECK(has(polecat_with({"--version"}).out, "polecat "));
    CHECK(polecat_with({}).exit_code == 2);
    CHECK(polecat_with({"reach"}).exit_code == 2);
    const auto many = polecat_with({"reach", "manifests", "web/shop", "api/orders", "extra"});
    CHECK(many.exit_code == 2);
    CHECK(has(many.error, "polecat reach: more arguments than it takes: api/orders extra\n"));
    CHECK(has(many.error, "`polecat reach --help`"));
    CHECK(has(polecat_with({"bgp", "sessions", "--nothing"}).error,
              "polecat bgp sessions: there is no option: --nothing\n"));
    for (const char* command :
         {"lint", "reach", "map", "report", "test", "compile", "verify", "explain", "try"})
        CHECK(has(polecat_with({command, "--help"}).out, "Examples:"));
}

TEST_CASE("lint") {
    const auto broken = polecat_with({"lint", kThreeTiers + "/broken"});
    CHECK(broken.exit_code == 1);
    for (const char* code : {"PC1002", "PC3002", "PC2200", "PC2001"})
        CHECK(has(broken.out, code));
    CHECK(polecat_with({"lint", kThreeTiers + "/mended"}).exit_code == 0);
    CHECK(polecat_with({"lint", kThreeTiers + "/nowhere"}).exit_code == 2);
    CHECK(has(polecat_with({"lint", "--format", "sarif", kThreeTiers + "/broken"}).out, "2.1.0"));
    CHECK(has(polecat_with({"lint", "--format", "github", kThreeTiers + "/broken"}).out,
              ",title=PC1002 duplicate-key::key `destination`"));
    CHECK(has(polecat_with({"lint", "--format", "gitlab", kThreeTiers + "/broken"}).out,
              "\"check_name\": \"PC1002 duplicate-key\""));
    CHECK(has(polecat_with({"lint", "--format", "junit", kThreeTiers + "/mended"}).out,
              "failures=\"0\" errors=\"0\""));
    const auto sarif = polecat_with({"lint", "--format", "sarif", kThreeTiers + "/nowhere"});
    CHECK(sarif.exit_code == 2);
    CHECK(has(sarif.out, "\"executionSuccessful\": false"));
    CHECK(has(sarif.out, "Most YAML readers keep the last value")); // the pages are there
    const auto piped = polecat_with({"lint", "-"}, "{apiVersion: v1, kind: Pod, kind: Pod}");
    CHECK(piped.exit_code == 1);
    CHECK(has(piped.out, "-:1:"));
    CHECK_FALSE(has(broken.out, "\x1b")); // no colour into a file
}

TEST_CASE("reach with an end left open") {
    const std::string mended = kThreeTiers + "/mended";
    const auto who = polecat_with({"reach", "any", "data/ledger", "-p", "5432/TCP", "-f", mended});
    CHECK(who.exit_code == 0);
    CHECK(has(who.out, "  api/orders\n      allowed  TCP 5432\n"));
    CHECK(has(who.out, "ingress NetworkPolicy data/application.ledger ingress[0]"));
    CHECK_FALSE(has(who.out, "web/shop"));
    const auto what = polecat_with({"reach", "web/shop", "any", "-f", mended});
    CHECK(has(what.out, "any outside address but 169.254.169.254\n      allowed  TCP 53; UDP 53"));
    const auto explained =
        polecat_with({"reach", "any", "data/ledger", "-p", "5432/TCP", "-e", "-f", mended});
    CHECK(has(explained.out, "web/shop -> data/ledger\n  DENY"));
    CHECK(has(explained.out, "egress[0]: does not match"));
    CHECK(has(explained.out, "application.yaml:53:5"));
    const auto service = polecat_with({"reach", "any", "service:api/orders", "-f", mended});
    CHECK(has(service.out, "80/TCP, port 9000 of a backend"));
    const auto json = polecat_with({"reach", "any", "any", "-e", "--format", "json", "-f", mended});
    CHECK(has(json.out, "\"trails\""));
    CHECK(polecat_with({"reach", "service:api/orders", "any", "-f", mended}).exit_code == 2);
    CHECK(polecat_with({"reach", "any", "no/such", "-f", mended}).exit_code == 2);
}

TEST_CASE("which") {
    const std::string mended = kThreeTiers + "/mended";
    const auto on = polecat_with({"which", "web/shop", "-f", mended});
    CHECK(on.exit_code == 0);
    // In the order of tiers.
    const auto first = on.out.find("GlobalNetworkPolicy security.no-metadata");
    const auto second = on.out.find("GlobalNetworkPolicy platform.dns");
    const auto third = on.out.rfind("NetworkPolicy web/application.shop");
    CHECK(first < second);
    CHECK(second < third);
    CHECK(third != std::string::npos);
    CHECK(has(on.out, "application.yaml:"));
    CHECK(
        has(polecat_with({"which", "policy:platform.dns", "-f", mended}).out, "3 of 3 endpoints"));
    CHECK(has(polecat_with({"which", "--selector", "app in {'shop', 'orders'}", "--in-namespace",
                            "api", "-f", mended, "--format", "json"})
                  .out,
              "\"api/orders\""));
    const auto staged = polecat_with(
        {"which", "s/p", "-f", "-"},
        "{apiVersion: v1, kind: Namespace, metadata: {name: s}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: s}, spec: {containers: "
        "[{name: c, image: i}]}}\n---\n"
        "{apiVersion: projectcalico.org/v3, kind: StagedNetworkPolicy, metadata: {name: x, "
        "namespace: s}, spec: {ingress: [{action: Deny}]}}");
    CHECK(has(staged.out, "x (staged: not enforced)"));
    CHECK(polecat_with({"which", "--selector", "app in {", "-f", mended}).exit_code == 2);
    CHECK(polecat_with({"which", "policy:platform.dsn", "-f", mended}).exit_code == 2);
    CHECK(polecat_with({"which", "-f", mended}).exit_code == 2);
}

TEST_CASE("lint --prove and --emit-smt2") {
    const std::string manifests =
        "{apiVersion: v1, kind: Namespace, metadata: {name: s}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: s}, spec: {nodeName: node0, "
        "containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.1}}\n---\n"
        "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: x, namespace: "
        "s}, spec: {ingress: [{action: Allow, protocol: TCP}, {action: Deny, protocol: TCP, "
        "destination: {ports: [22]}}]}}";
    CHECK_FALSE(has(polecat_with({"lint", "-"}, manifests).out, "Z3"));
    const auto proved = polecat_with({"lint", "--prove", "-"}, manifests);
    CHECK(proved.exit_code == 1);
    CHECK(has(proved.out, "for every endpoint that could exist and every address, exactly; "
                          "proved by Z3 as well"));
    CHECK(has(proved.error, "Z3: 2 of 2 claims proved, 1 of them for every endpoint"));
    const fs::path folder = fs::temp_directory_path() / "polecat-smt2-test";
    fs::remove_all(folder);
    CHECK(polecat_with({"lint", "--emit-smt2", folder.string(), "-"}, manifests).exit_code == 1);
    std::size_t files = 0;
    for (const auto& entry : fs::directory_iterator(folder)) {
        std::ifstream in(entry.path());
        const std::string text{std::istreambuf_iterator<char>(in), {}};
        CHECK(has(text, "(set-logic QF_BV)"));
        CHECK(has(text, ":status unsat"));
        ++files;
    }
    CHECK(files == 4); // both IP families, for the endpoints that exist and for all
    fs::remove_all(folder);
    // A folder that can't be made.
    CHECK(polecat_with({"lint", "--emit-smt2", "/dev/null/x", "-"}, manifests).exit_code == 2);
}

TEST_CASE("explain") {
    CHECK(has(polecat_with({"explain", "PC1002"}).out, "duplicate-key"));
    CHECK(polecat_with({"explain", "duplicate-key"}).out == polecat_with({"explain", "1002"}).out);
    const auto wrong = polecat_with({"explain", "duplicate-kye"});
    CHECK(wrong.exit_code == 2);
    CHECK(has(wrong.error, "did you mean `duplicate-key`?"));
}

TEST_CASE("reach") {
    const auto ask = [](std::vector<std::string> more) {
        std::vector<std::string> all{"reach"};
        all.insert(all.end(), more.begin(), more.end());
        all.insert(all.end(), {"-f", kThreeTiers + "/mended"});
        return polecat_with(all);
    };
    const auto denied = ask({"web/shop", "data/ledger", "-p", "5432/TCP"});
    CHECK(denied.exit_code == 0);
    CHECK(denied.out.starts_with("DENY"));
    CHECK(has(denied.out, "tiers.yaml:15"));
    CHECK(ask({"web/shop", "service:api/orders", "-p", "80/TCP"}).out.starts_with("ALLOW"));
    CHECK(has(ask({"web/shop", "service:api/orders", "-p", "81/TCP"}).out, "no such port"));
    CHECK(has(ask({"web/shop", "api/orders"}).out, "TCP 9000"));
    CHECK(ask({"203.0.113.7", "web/shop", "-p", "8080/TCP"}).out.starts_with("ALLOW"));
    const auto slip = ask({"web/shpo", "data/ledger", "-p", "1/TCP"});
    CHECK(slip.exit_code == 2);
    CHECK(has(slip.error, "did you mean `web/shop`?"));
    CHECK(has(ask({"web/shop", "data/ledger", "-p", "5432/TCP", "--format", "json"}).out,
              "\"verdict\": \"deny\""));
    CHECK(ask({"web/shop", "data/ledger", "-p", "5432"}).exit_code == 2);
    CHECK(has(ask({"service:api/orders", "web/shop", "-p", "80/TCP"}).error, "sends nothing"));
}

TEST_CASE("map") {
    const auto text = polecat_with({"map", kThreeTiers + "/mended"});
    CHECK(text.exit_code == 0);
    CHECK(has(text.out, "TCP 9000\n        -> api/orders"));
    CHECK(has(polecat_with({"map", "--expand", kThreeTiers + "/mended"}).out,
              "web/shop -> api/orders  TCP 9000"));
    for (const char* format : {"json", "csv", "md", "dot", "svg"})
        CHECK(
            has(polecat_with({"map", "--format", format, kThreeTiers + "/mended"}).out, "ledger"));
    const auto in_part = polecat_with({"map", kThreeTiers + "/broken"});
    CHECK(in_part.exit_code == 0);
    CHECK(has(in_part.error, "not read: "));
}

TEST_CASE("a map by side") {
    const auto text = polecat_with({"map", "--rows", "sides", kThreeTiers + "/mended"});
    CHECK(text.exit_code == 0);
    CHECK(has(text.out, "egress of api/orders\n"));
    CHECK(has(text.out, "ingress of data/ledger\n    TCP 5432 <- api/orders\n"));
    const auto json =
        polecat_with({"map", "--rows", "sides", "--format", "json", kThreeTiers + "/mended"});
    CHECK(has(json.out, "\"sides\":[{"));
    CHECK(has(json.out, "\"allowed\":\"TCP 5432\""));
    for (const std::vector<std::string>& more :
         {std::vector<std::string>{"--expand"}, {"--format", "csv"}, {"--format", "svg"}}) {
        std::vector<std::string> all{"map", "--rows", "sides", kThreeTiers + "/mended"};
        all.insert(all.end(), more.begin(), more.end());
        const auto refused = polecat_with(all);
        CHECK(refused.exit_code == 2);
        CHECK(has(refused.error, "--rows sides"));
    }
}

TEST_CASE("pictures of a map and of a change") {
    const auto picture = [](const std::vector<std::string>& more) {
        std::vector<std::string> all{"map", "--format", "svg", kThreeTiers + "/mended"};
        all.insert(all.end(), more.begin(), more.end());
        return polecat_with(all);
    };
    CHECK(has(picture({"--group-by", "namespace"}).out, "1 endpoint<"));
    CHECK(has(picture({"--group-by", "label:tier"}).out, "without label tier"));
    CHECK(has(picture({"--group-by", "colour"}).error, "--group-by is auto"));
    CHECK(picture({"--group-by", "colour"}).exit_code == 2);
    const std::string pods =
        "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: s}, spec: {containers: [{name: "
        "c, image: i}]}, status: {podIP: 10.0.0.1}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: s, labels: {x: z}}, spec: "
        "{containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.2}}\n---\n"
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: pol, namespace: "
        "s}, spec: {podSelector: {matchLabels: {x: z}}, ingress: [{ports: [{port: ";
    const fs::path folder = fs::temp_directory_path() / "polecat-picture-test";
    fs::create_directories(folder);
    std::ofstream(folder / "a.yaml") << pods << "80}]}]}}";
    std::ofstream(folder / "b.yaml") << pods << "81}]}]}}";
    const auto changed = polecat_with(
        {"diff", "--format", "dot", (folder / "a.yaml").string(), (folder / "b.yaml").string()});
    CHECK(has(changed.out, "label=\"TCP 81\""));
    CHECK(has(changed.out, "label=opened"));
    CHECK(has(changed.out, "label=closed"));
    CHECK(has(changed.out, "policies changed: NetworkPolicy s/pol"));
    CHECK(has(polecat_with({"diff", "--format", "svg", (folder / "a.yaml").string(),
                            (folder / "b.yaml").string()})
                  .out,
              "Changed connections: 1 opened, 1 closed"));
    fs::remove_all(folder);
}

TEST_CASE("pictures say what is put together and left out") {
    std::string manifests =
        "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: h}, spec: {node: "
        "n1, interfaceName: eth0, expectedIPs: [192.0.2.1]}}\n---\n"
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: "
        "s0}, spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: "
        "[{namespaceSelector: {}}], ports: [{port: 5432}]}]}}\n";
    const auto pod = [](int space, const std::string& name, int address) {
        return "---\n{apiVersion: v1, kind: Pod, metadata: {name: " + name + ", namespace: s" +
               std::to_string(space) + ", labels: {app: " + name +
               "}}, spec: {containers: [{name: c, image: i}]}, status: {podIP: 10.0.0." +
               std::to_string(address) + "}}\n";
    };
    manifests += pod(0, "db", 1);
    for (int i = 0; i < 8; ++i) {
        manifests += "---\n{apiVersion: v1, kind: Namespace, metadata: {name: s" +
                     std::to_string(i) + "}}\n";
        manifests += pod(i, "web", i + 2);
    }
    const auto fine = polecat_with({"map", "--format", "dot", "-"}, manifests);
    CHECK(has(fine.out, "db\nno egress policy\nfrom all: TCP 5432"));
    CHECK(has(fine.out, "web\nno policy"));
    CHECK_FALSE(has(fine.out, "h\nno policy")); // a host endpoint without policy denies
    CHECK(has(fine.error, "neither end has policy in that direction"));
    CHECK(has(fine.error, "every endpoint that no policy restricts"));
    CHECK_FALSE(has(fine.out, "label=\"TCP 5432\""));
    const auto coarse =
        polecat_with({"map", "--format", "svg", "--group-by", "namespace", "-"}, manifests);
    CHECK(has(coarse.out, ">no ingress policy: 1<")); // of s0
    CHECK(has(coarse.out, ">from all: * (some)<"));
    CHECK_FALSE(has(coarse.out, ">from all: *<"));
}

TEST_CASE("test") {
    CHECK(polecat_with({"test", kThreeTiers}).exit_code == 0);
    const fs::path folder = fs::temp_directory_path() / "polecat-cli-test";
    fs::remove_all(folder);
    fs::create_directories(folder);
    std::ofstream(folder / "wrong.policytest.yaml")
        << "{apiVersion: polecat/v1, kind: PolicyTest, metadata: {name: wrong}, spec: {manifests: ["
        << kThreeTiers
        << "/mended], cases: [{from: web/shop, to: data/ledger, port: 5432/TCP, expect: allow}]}}";
    const auto wrong = polecat_with({"test", folder.string()});
    CHECK(wrong.exit_code == 1);
    CHECK(has(wrong.out, "expected allow"));
    const auto junit = polecat_with({"test", "--format", "junit", folder.string()});
    CHECK(junit.exit_code == 1);
    CHECK(has(junit.out, "<failure message=\"expected allow\">"));
    // What the ends' policies say, and what happens on the way.
    const auto write = [&](const std::string& cases) {
        std::ofstream(folder / "wrong.policytest.yaml")
            << "{apiVersion: polecat/v1, kind: PolicyTest, metadata: {name: wrong}, spec: "
               "{manifests: ["
            << kThreeTiers << "/mended], cases: [" << cases << "]}}";
    };
    write("{from: web/shop, to: 'node:worker-1', port: 10250/TCP, route: wire, expect: deny}");
    CHECK(has(polecat_with({"test", folder.string()}).out, "1 of 1 expectations"));
    write("{from: 'service:api/orders', to: web/shop, port: 80/TCP, expect: deny}");
    CHECK(has(polecat_with({"test", folder.string()}).out, "sends nothing"));
    std::ofstream(folder / "wrong.policytest.yaml") << "{apiVersion: polecat/v1, kind: PolicyTest}";
    CHECK(polecat_with({"test", folder.string()}).exit_code == 2);
    CHECK(has(polecat_with({"test", "--format", "junit", folder.string()}).out,
              "<error message=\"nothing could be asked\">"));
    fs::remove_all(folder);
    CHECK(polecat_with({"test", kThreeTiers + "/mended"}).exit_code == 2);
}

TEST_CASE("diff fails on what it does not compare") {
    const fs::path folder = fs::temp_directory_path() / "polecat-cli-diff";
    fs::remove_all(folder);
    fs::create_directories(folder);
    const std::string host =
        "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: h, labels: {h: "
        "h}}, spec: {node: n1, interfaceName: eth0}}\n---\n";
    const auto policy = [](const std::string& action) {
        return "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: p}, "
               "spec: {selector: \"h == 'h'\", preDNAT: true, applyOnForward: true, types: "
               "[Ingress], ingress: [{action: " +
               action + "}]}}\n";
    };
    std::ofstream(folder / "a.yaml") << host << policy("Deny");
    std::ofstream(folder / "b.yaml") << host << policy("Allow");
    const std::string a = (folder / "a.yaml").string(), b = (folder / "b.yaml").string();
    CHECK(polecat_with({"diff", a, b}).exit_code == 0);
    CHECK(polecat_with({"diff", a, b, "--fail-on", "opened"}).exit_code == 1);
    CHECK(polecat_with({"diff", a, a, "--fail-on", "any"}).exit_code == 0);
    CHECK(has(polecat_with({"diff", a, b}).out, "preDNAT or forward policy changed: h"));
    fs::remove_all(folder);
}

TEST_CASE("compile --target iptables") {
    const fs::path folder = fs::temp_directory_path() / "polecat-cli-iptables";
    fs::remove_all(folder);
    const auto made = polecat_with(
        {"compile", kThreeTiers + "/mended", "--target", "iptables", "-o", folder.string()});
    CHECK_MESSAGE(made.exit_code == 0, made.error);
    for (const char* file : {"hooks.iptables", "nodes/worker-1/sets.ipset",
                             "nodes/worker-1/rules.v4", "nodes/worker-1/rules.v6"})
        CHECK_MESSAGE(fs::exists(folder / file), file);
    const auto rules = polecat::read_file((folder / "nodes/worker-1/rules.v4").string());
    REQUIRE(rules.ok());
    CHECK(has(*rules, "application.ledger")); // rules name their policies
    fs::remove_all(folder);
}

TEST_CASE("compile") {
    const fs::path folder = fs::temp_directory_path() / "polecat-cli-bundle";
    fs::remove_all(folder);
    const auto made = polecat_with({"compile", kThreeTiers + "/mended", "-o", folder.string()});
    CHECK(made.exit_code == 0);
    CHECK(fs::exists(folder / "nodes/worker-1/ruleset.nft"));
    CHECK(fs::exists(folder / "nodes/worker-1/origins.json"));
    CHECK(fs::exists(folder / "generations.nft"));
    // One node alone, and with the bundle as its base: the same bytes.
    const auto rules = polecat::read_file((folder / "nodes/worker-1/ruleset.nft").string());
    for (const std::vector<std::string>& more :
         {std::vector<std::string>{"--node", "worker-1"},
          std::vector<std::string>{"--base", folder.string()}}) {
        const fs::path other = fs::temp_directory_path() / "polecat-cli-bundle-2";
        fs::remove_all(other);
        std::vector<std::string> command{"compile", kThreeTiers + "/mended", "-o", other.string()};
        command.insert(command.end(), more.begin(), more.end());
        CHECK(polecat_with(command).exit_code == 0);
        const auto again = polecat::read_file((other / "nodes/worker-1/ruleset.nft").string());
        REQUIRE(rules.ok());
        REQUIRE(again.ok());
        CHECK(*again == *rules);
        fs::remove_all(other);
    }
    CHECK(polecat_with({"compile", kThreeTiers + "/mended", "--base", "nowhere"}).exit_code != 0);
    const auto same =
        polecat_with({"compile", kThreeTiers + "/mended", "--plan-from", folder.string()});
    CHECK(has(same.out, "nothing changes"));
    const fs::path changed = fs::temp_directory_path() / "polecat-cli-changed";
    fs::remove_all(changed);
    fs::copy(kThreeTiers + "/mended", changed);
    std::ofstream(changed / "more.yaml")
        << "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: more}, "
           "spec: {order: 5000, ingress: [{action: Allow, protocol: TCP, destination: {ports: "
           "[9999]}}]}}\n";
    const auto other = polecat_with({"compile", changed.string(), "--plan-from", folder.string()});
    CHECK(has(other.out, "step 2 of 3: switch"));
    CHECK(has(other.out, "each step is a transaction of its own"));
    CHECK(polecat_with({"compile", changed.string(), "--plan-from", "nowhere"}).exit_code != 0);
    // A listing is of one node; a node whose last pod has gone is planned for as well.
    fs::remove_all(changed);
    fs::create_directories(changed);
    std::ofstream(changed / "elsewhere.yaml")
        << "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: b}, spec: {nodeName: n1, "
           "containers: [{name: c, image: i}]}, status: {podIP: 10.9.9.9}}\n---\n"
           "{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: b}, spec: {nodeName: n2, "
           "containers: [{name: c, image: i}]}, status: {podIP: 10.9.9.8}}\n";
    const std::string held = (folder / "nodes/worker-1/ruleset.nft").string();
    const auto whose = polecat_with({"compile", changed.string(), "--plan-from", held});
    CHECK(has(whose.error, "name it with --node"));
    const auto gone = polecat_with({"compile", changed.string(), "--plan-from", folder.string()});
    CHECK(has(gone.out, "# node worker-1, step "));
    fs::remove_all(changed);
    fs::remove_all(folder);
    const auto nowhere = polecat_with(
        {"compile", kThreeTiers + "/mended", "--node", "wroker", "-o", folder.string()});
    CHECK(nowhere.exit_code == 1);
    CHECK(has(nowhere.error, "PC5006"));
    CHECK_FALSE(fs::exists(folder));
    for (const char* form : {"policy-ir", "program", "table"})
        CHECK_FALSE(polecat_with({"compile", kThreeTiers + "/mended", "--emit", form}).out.empty());
}
