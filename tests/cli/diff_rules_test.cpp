// `polecat diff --rules` as people run it.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/folder.h"

using namespace polecat;
using Json = nlohmann::json;
using testing::has;

namespace {

std::string pod_at(const std::string& name, const std::string& app, const std::string& node,
                   int host) {
    return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
           ", namespace: shop, labels: {app: " + app + "}}\nspec: {nodeName: " + node +
           ", containers: [{name: c, image: i}]}\nstatus: {podIP: 10.0.0." + std::to_string(host) +
           "}\n";
}

std::string policy_of(const std::string& app, int port) {
    return "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
           "metadata: {name: " +
           app +
           ", namespace: shop}\n"
           "spec:\n  podSelector: {matchLabels: {app: " +
           app +
           "}}\n  ingress:\n"
           "  - from: [{podSelector: {matchLabels: {app: web}}}]\n"
           "    ports: [{port: " +
           std::to_string(port) + "}]\n";
}

const std::string kShopSpace =
    "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {env: "
    "prod}}\n";

/// Three nodes; db on n1 has a policy.
struct Shop : testing::Folder {
    std::string pods = kShopSpace + pod_at("web", "web", "n1", 1) + pod_at("db", "db", "n1", 2) +
                       pod_at("log", "log", "n2", 3) + pod_at("job", "job", "n3", 4);
    std::string policies = policy_of("db", 5432);

    Shop() {
        write("base/pods.yaml", pods);
        write("base/policies.yaml", policies);
    }
    runtime::Output diff(const std::string& more_pods, const std::string& head_policies,
                         const std::string& arguments = "") const {
        write("head/pods.yaml", pods + more_pods);
        write("head/policies.yaml", head_policies);
        return run("diff --rules base head " + arguments);
    }
};

} // namespace

TEST_CASE("diff --rules: nothing changes") {
    const Shop shop;
    // Other words, lines and files for the same.
    const auto same = shop.diff("", "# a comment\n" + shop.policies);
    CHECK_MESSAGE(same.exit_code == 0, same.error);
    CHECK_MESSAGE(has(same.out, "nothing is loaded on any of 3 nodes"), same.out);
    CHECK(has(same.out, "3 nodes: n1, n2, n3\n  nothing is loaded: "));
    CHECK(has(same.out, "HEAD head (manifests)"));
    CHECK_FALSE(has(same.out, "estimates"));
    CHECK(shop.diff("", shop.policies, "--fail-on any").exit_code == 0);
}

TEST_CASE("diff --rules: a pod of known identity is an element everywhere, and one more at home") {
    const Shop shop;
    const auto found = shop.diff(pod_at("web2", "web", "n2", 9), shop.policies);
    CHECK_MESSAGE(found.exit_code == 0, found.error);
    CHECK_MESSAGE(has(found.out,
                      "something is loaded on 3 of 3 nodes: 4 elements come; no rule comes or "
                      "goes"),
                  found.out);
    CHECK(has(found.out, "2 nodes: n1, n3\n"
                         "  why  Pod shop/web2 is new: 10.0.0.9 on n2 (head/pods.yaml:"));
    CHECK(has(found.out, "  ~ addresses of endpoints (addr4): 1 element comes\n"));
    CHECK(has(found.out, "1 node: n2\n"));
    CHECK(has(found.out, "  ~ workloads of the node (pod4): 1 element comes\n"));
    CHECK(has(found.out, "established flows go on as they were judged"));
    CHECK(has(found.out,
              "connections of 10.0.0.9 are for whoever loads it to delete from conntrack"));
    CHECK(has(found.out, "1. switch: "));
}

TEST_CASE("diff --rules: a policy, a label, a namespace: why") {
    const Shop shop;
    const auto policy = shop.diff("", shop.policies + policy_of("log", 514), "--node n2");
    CHECK_MESSAGE(policy.exit_code == 0, policy.error);
    CHECK_MESSAGE(has(policy.out, "NetworkPolicy shop/log is new (head/policies.yaml:"),
                  policy.out);
    CHECK(has(policy.out, "  ingress of shop/log\n"));
    CHECK(has(policy.out, "under the next generation"));
    CHECK_FALSE(has(policy.out, "n1"));
    // The node that it does not govern is told of nothing but what it loads.
    const auto other = shop.diff("", policy_of("db", 5433), "--format json");
    const Json whole = Json::parse(other.out);
    REQUIRE(whole["reasons"].size() == 1);
    CHECK(whole["reasons"][0]["what"] == "rules, selector or order changed");
    CHECK(whole["nodes"][0]["state"] == "changes");
    CHECK(whole["nodes"][1]["state"] == "same");

    std::string labelled = shop.pods;
    labelled.replace(labelled.find("app: job"), 8, "app: web");
    shop.write("head/pods.yaml", labelled);
    shop.write("head/policies.yaml", shop.policies);
    const auto label = shop.run("diff --rules base head");
    CHECK_MESSAGE(has(label.out, "Pod shop/job: label app: job -> web (head/pods.yaml:"),
                  label.out);

    const std::string by_space = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                 "metadata: {name: db, namespace: shop}\nspec:\n  podSelector: "
                                 "{}\n  ingress: [{from: [{namespaceSelector: {matchLabels: {env: "
                                 "prod}}}]}]\n";
    shop.write("base/policies.yaml", by_space);
    std::string stage = shop.pods;
    stage.replace(stage.find("env: prod"), 9, "env: test");
    shop.write("head/pods.yaml", stage);
    shop.write("head/policies.yaml", by_space);
    const auto space = shop.run("diff --rules base head");
    CHECK_MESSAGE(has(space.out, "why  Namespace shop: label env: prod -> test (head/pods.yaml:"),
                  space.out);
    CHECK_FALSE(has(space.out, "Pod shop/"));
}

TEST_CASE("diff --rules: nodes that come, and nodes whose last pod goes") {
    const Shop shop;
    const auto fresh = shop.diff(pod_at("far", "far", "n4", 8), shop.policies);
    CHECK_MESSAGE(has(fresh.out, "1 node: n4\n  BASE has nothing for it: the whole ruleset is "
                                 "loaded\n"),
                  fresh.out);
    CHECK(has(fresh.out, "1. replace whatever is there: "));
    shop.write("head/pods.yaml", kShopSpace + pod_at("web", "web", "n1", 1) +
                                     pod_at("db", "db", "n1", 2) + pod_at("log", "log", "n2", 3));
    const auto gone = shop.run("diff --rules base head --node n3");
    CHECK_MESSAGE(has(gone.out, "Pod shop/job is gone: 10.0.0.4 on n3"), gone.out);
    CHECK(shop.run("diff --rules base head --node n9").exit_code == 2);
}

TEST_CASE("diff --rules: limits") {
    const Shop shop;
    const std::string pod = pod_at("web2", "web", "n2", 9);
    const auto exit_of = [&](const std::string& limits) {
        return shop.diff(pod, shop.policies, "--fail-on " + limits).exit_code;
    };
    CHECK(exit_of("any") == 1);
    CHECK(exit_of("none") == 0);
    CHECK(exit_of("nodes=3,elements=2,rules=0") == 0);
    CHECK(exit_of("nodes=2") == 1);
    CHECK(exit_of("elements=1") == 1);
    CHECK(has(shop.diff(pod, shop.policies, "--fail-on elements=1").out,
              "over the limit: elements that come, go or are written anew on n2: 2, and the limit "
              "is 1"));
    for (const char* wrong :
         {"chains=1", "nodes=", "nodes=x", "nodes", "opened", "nodes=1,nodes=5"})
        CHECK_MESSAGE(exit_of(wrong) == 2, wrong);
    CHECK(shop.run("diff base head --fail-on nodes=1").exit_code == 2);
    CHECK(shop.run("diff base head --node n1").exit_code == 2);
    CHECK(shop.run("diff base head --target nftables").exit_code == 2);
    CHECK(shop.run("diff --rules --prove base head").exit_code == 2);
    CHECK(shop.run("diff --rules --format svg base head").exit_code == 2);
}

TEST_CASE("diff --rules: a policy without rules, which compiled folders do not show") {
    const Shop shop;
    const std::string closed = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                               "metadata: {name: closed, namespace: shop}\n"
                               "spec: {podSelector: {matchLabels: {app: db}}}\n";
    shop.write("base/policies.yaml", shop.policies + closed);
    REQUIRE(shop.run("compile base -o bundle").exit_code == 0);
    shop.diff("", policy_for("db", 5433) + closed);
    const auto known = shop.run("diff --rules bundle head");
    CHECK_MESSAGE(has(known.out, "NetworkPolicy shop/db may have changed"), known.out);
    CHECK_FALSE(has(known.out, "shop/closed is in programs that come"));
    const std::string more = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                             "metadata: {name: more, namespace: shop}\n"
                             "spec: {podSelector: {matchLabels: {app: web}}}\n";
    shop.diff("", shop.policies + closed + more);
    const auto fresh = shop.run("diff --rules bundle head");
    CHECK_MESSAGE(has(fresh.out, "NetworkPolicy shop/more may be new: it has no rules"), fresh.out);
    CHECK_FALSE(has(fresh.out, "shop/closed"));
}

TEST_CASE("diff --rules: compiled folders and listings") {
    const Shop shop;
    REQUIRE(shop.run("compile base -o bundle").exit_code == 0);
    const std::string policies = shop.policies + policy_of("log", 514);
    const auto manifests = shop.diff(pod_at("web2", "web", "n2", 9), policies, "--format json");
    const Json expected = Json::parse(manifests.out);
    const auto nodes_of = [](const Json& all) {
        Json out = Json::array();
        for (const Json& node : all["nodes"])
            out.push_back({node["node"], node["state"], node["parts"].size(), node["elements"],
                           node["rules"], node["steps"], node["forget"]});
        return out;
    };
    const auto bundle = shop.run("diff --rules bundle head --format json");
    CHECK_MESSAGE(bundle.exit_code == 0, bundle.error);
    CHECK(nodes_of(Json::parse(bundle.out)) == nodes_of(expected));
    // A node that has loaded it, under some generation.
    std::string held = shop.read("bundle/nodes/n2/ruleset.nft");
    held = held.substr(held.find("delete table inet polecat\n") + 26);
    shop.write("held.nft", held);
    CHECK(shop.run("diff --rules held.nft head").exit_code == 2);
    const auto listing = shop.run("diff --rules held.nft head --node n2 --base bundle");
    CHECK_MESSAGE(listing.exit_code == 0, listing.error);
    CHECK_MESSAGE(has(listing.out, "NetworkPolicy shop/log is in programs that come, and in none "
                                   "that go (head/policies.yaml:"),
                  listing.out);
    CHECK(has(listing.out, "Pod shop/web2 (10.0.0.9) is new (head/pods.yaml:"));
    CHECK_FALSE(has(listing.out, "note:"));
    const auto unnumbered = shop.run("diff --rules held.nft head --node n2");
    CHECK(has(unnumbered.out, "note: held.nft does not say what numbers mean"));
    // HEAD as it will be loaded.
    REQUIRE(shop.run("compile head -o next --base bundle").exit_code == 0);
    const auto both = shop.run("diff --rules bundle next --format json");
    CHECK(nodes_of(Json::parse(both.out)) == nodes_of(expected));
    CHECK(has(shop.run("diff --rules bundle next").out, "10.0.0.9 is new"));
    // What is no ruleset of ours is not taken for one that is empty.
    shop.write("bundle/nodes/n2/ruleset.nft", held.substr(0, held.size() / 2));
    const auto broken = shop.run("diff --rules bundle head");
    CHECK(broken.exit_code == 2);
    CHECK_MESSAGE(has(broken.out, "n2\n  not told: BASE: "), broken.out);
    CHECK(has(broken.out, "not told of 1 node"));
    CHECK(has(broken.out, "2 nodes: n1, n3\n"));
}

TEST_CASE("diff --rules: iptables") {
    const Shop shop;
    const auto pod = shop.diff(pod_at("web2", "web", "n2", 9), shop.policies, "--target iptables");
    CHECK_MESSAGE(pod.exit_code == 0, pod.error);
    CHECK_MESSAGE(has(pod.out, "1 node: n2\n  why  Pod shop/web2 is new: 10.0.0.9 on n2 ("),
                  pod.out);
    CHECK(has(pod.out, "  ~ workloads of the node (polecat4-pods): 1 element comes\n"));
    CHECK(has(pod.out, "1. members of sets come and go (ipset restore): "));
    CHECK(has(pod.out, "established flows go on as they were judged"));
    // Sets are of what a node asks: n3 asks nothing.
    CHECK(has(pod.out, "n3\n  nothing is loaded: "));
    REQUIRE(shop.run("compile base --target iptables -o tables").exit_code == 0);
    const std::string policies = shop.policies + policy_of("log", 514);
    const Json manifests =
        Json::parse(shop.diff("", policies, "--target iptables --format json").out);
    const auto bundle = shop.run("diff --rules tables head --target iptables --format json");
    CHECK_MESSAGE(bundle.exit_code == 0, bundle.error);
    Json compiled = Json::parse(bundle.out);
    REQUIRE(compiled["nodes"].size() == manifests["nodes"].size());
    for (std::size_t i = 0; i < compiled["nodes"].size(); ++i)
        for (const char* key :
             {"state", "elements", "rules", "chains", "steps", "forget", "judges_anew"})
            CHECK(compiled["nodes"][i][key] == manifests["nodes"][i][key]);
    CHECK(manifests["nodes"][1]["state"] == "changes");
    CHECK(manifests["nodes"][1]["unexplained"] == false);
    CHECK(compiled["nodes"][1]["unexplained"] == true);
    // Rules of the other target are no BASE.
    REQUIRE(shop.run("compile base -o bundle").exit_code == 0);
    CHECK(shop.run("diff --rules bundle head --target iptables").exit_code == 2);
    CHECK(shop.run("diff --rules tables head").exit_code == 2);
}

TEST_CASE("diff --on-nodes: from a flow to programs and nodes") {
    const Shop shop;
    shop.write("head/pods.yaml", shop.pods);
    shop.write("head/policies.yaml", policy_of("db", 5433));
    const auto text = shop.run("diff base head --on-nodes");
    CHECK_MESSAGE(has(text.out, "      on      n1: ingress program p"), text.out);
    CHECK(has(text.out, " becomes p"));
    CHECK_FALSE(has(shop.run("diff base head").out, " program p"));
    CHECK(has(shop.run("diff base head --on-nodes --format json").out, "\"on_nodes\""));
    CHECK(shop.run("diff --rules --on-nodes base head").exit_code == 2);
    // It is the name that the rules have.
    const std::string program = text.out.substr(text.out.find(" becomes p") + 9, 13);
    REQUIRE(shop.run("compile base -o bundle").exit_code == 0);
    REQUIRE(shop.run("compile head -o next --base bundle").exit_code == 0);
    CHECK_MESSAGE(has(shop.read("next/nodes/n1/ruleset.nft"), "chain " + program + " {"), program);
    CHECK_FALSE(has(shop.read("bundle/nodes/n1/ruleset.nft"), "chain " + program + " {"));
}

TEST_CASE("diff --rules: revisions, Markdown and the shape of JSON") {
    const Shop shop;
    REQUIRE(shop.shell("git init -q . && git config user.email a@b && git config user.name a && "
                       "git add base && git commit -qm x && git tag one")
                .exit_code == 0);
    shop.write("base/policies.yaml", policy_of("db", 5433));
    REQUIRE(shop.shell("git commit -qam y && git tag two").exit_code == 0);
    const auto text = shop.run("diff --rules one..two -- base");
    CHECK_MESSAGE(text.exit_code == 0, text.error);
    CHECK(has(text.out, "BASE one (manifests)\nHEAD two (manifests)"));
    CHECK(has(text.out, "NetworkPolicy shop/db: rules, selector or order changed "
                        "(two:base/policies.yaml:"));
    const auto md = shop.run("diff --rules one..two --format md -- base").out;
    CHECK_MESSAGE(has(md, "### Rules of nodes: something is loaded on 1 of 3 nodes"), md);
    CHECK(has(md, "| 1 node: n1 | NetworkPolicy shop/db: "));
    const Json whole = Json::parse(shop.run("diff --rules one..two --format json -- base").out);
    for (const char* key :
         {"base", "head", "notes", "microseconds", "reasons", "groups", "nodes", "over_limits"})
        CHECK_MESSAGE(whole.contains(key), key);
    const Json& node = whole["nodes"][0];
    for (const char* key :
         {"node", "state", "why", "programs", "chains", "rules", "maps", "elements", "parts",
          "steps", "judges_anew", "forget", "reasons", "unexplained"})
        CHECK_MESSAGE(node.contains(key), key);
    CHECK(node["judges_anew"] == true);
    CHECK(node["programs"]["come"] == 1);
    CHECK(node["programs"]["go"] == 1);
    REQUIRE(node["parts"][0]["kind"] == "program");
    CHECK(node["parts"][0]["endpoints"] == Json::array({"shop/db"}));
    CHECK(node["parts"][0]["policies"] == Json::array({"NetworkPolicy shop/db"}));
    CHECK(node["steps"].size() == 3);
}

TEST_CASE("diff --rules: bundles say what manifests say") {
    const Shop shop;
    const std::string policies = policy_of("db", 5433);
    const auto manifests = shop.diff(pod_at("web2", "web", "n2", 9), policies, "--format json");
    REQUIRE(shop.run("compile base --target bundle -o was").exit_code == 0);
    REQUIRE(shop.run("compile head --target bundle -o is --base was").exit_code == 0);
    const Json expected = Json::parse(manifests.out);
    for (const std::string sides : {"was head", "was is"}) {
        const auto found = shop.run("diff --rules " + sides + " --format json");
        REQUIRE_MESSAGE(found.exit_code == 0, sides << found.error);
        const Json told = Json::parse(found.out);
        REQUIRE(told["nodes"].size() == expected["nodes"].size());
        for (std::size_t i = 0; i < told["nodes"].size(); ++i)
            for (const char* part : {"node", "state", "parts", "steps"})
                CHECK_MESSAGE(told["nodes"][i][part] == expected["nodes"][i][part],
                              sides << " " << part);
    }
    CHECK(has(shop.run("diff --rules was was").out, "nothing"));
    const auto filters = shop.run("diff --rules was is --target iptables");
    CHECK_MESSAGE(filters.exit_code == 0, filters.error);
    CHECK(has(filters.out, "n1"));
    shop.write("was/manifest.cbor", "no bundle");
    const auto refused = shop.run("diff --rules was head");
    CHECK(refused.exit_code == 2);
    CHECK_MESSAGE(has(refused.error, "PC5130"), refused.error);
}
