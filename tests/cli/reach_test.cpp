// `polecat reach` with both ends: what isolates, which part of a rule fails, every way's own trail,
// changes suggested for nodes, node ports, host endpoints and for what depends.
#include <doctest/doctest.h>

#include "runtime/process.h"
#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;

namespace {

std::string reach_text(std::vector<std::string> arguments, const std::string& input) {
    arguments.insert(arguments.begin(), {std::string(testing::bin_dir()) + "/polecat", "reach"});
    arguments.insert(arguments.end(), {"-f", "-"});
    auto output = runtime::run_program(arguments, input);
    REQUIRE(output.ok());
    return output->out + output->error;
}

const std::string kCluster = R"(
{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2}, status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: shop}}
---
{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: {nodeName: n2, containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.1}}
---
{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: shop, labels: {app: db}}, spec: {nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.2}}
---
{apiVersion: v1, kind: Pod, metadata: {name: job, namespace: shop, labels: {app: job}}, spec: {nodeName: n1, containers: [{name: c, image: i}]}, status: {phase: Succeeded, podIP: 10.0.0.3}}
---
{apiVersion: v1, kind: Service, metadata: {name: db, namespace: shop}, spec: {type: NodePort, clusterIP: 10.96.0.1, selector: {app: db}, ports: [{port: 80, targetPort: 5432, nodePort: 30080}]}}
---
)";

std::string db_policy(const std::string& name, const std::string& rule) {
    return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: " + name +
           ", namespace: shop}, spec: {podSelector: {matchLabels: {app: db}}, policyTypes: "
           "[Ingress], ingress: [" +
           rule + "]}}\n---\n";
}

const std::string kAdmin =
                      db_policy("admin", "{from: [{podSelector: {matchLabels: {app: admin}}}], "
                                         "ports: [{port: 5432}]}"),
                  kNet =
                      db_policy("net", "{from: [{ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: "
                                       "22}]}"),
                  kNone = db_policy("none", "");

std::string host_policy(const std::string& expected_ips) {
    return "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: n1-eth0, "
           "labels: {host: n1}}, spec: {node: n1, interfaceName: eth0" +
           expected_ips +
           "}}\n---\n{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: "
           "{name: host-in}, spec: {selector: has(host), types: [Ingress], ingress: [{action: "
           "Allow, protocol: TCP, destination: {ports: [443]}}]}}\n---\n";
}

} // namespace

TEST_CASE("a default deny names the policies that isolate the endpoint, with their places") {
    const std::string input = kCluster + kAdmin + kNet + kNone;
    const std::string out = reach_text({"shop/web", "shop/db", "-p", "5432/TCP"}, input);
    CHECK(has(out, "isolated by NetworkPolicy shop/admin (-:"));
    CHECK(has(out, "isolated by NetworkPolicy shop/net (-:"));
    CHECK(has(out, "isolated by NetworkPolicy shop/none (-:"));
    // One part of it fails, the source; of the other two do.
    CHECK(has(out, "NetworkPolicy shop/admin ingress[0]: does not match"));
    CHECK(out.find("NetworkPolicy shop/net ingress[0]") == std::string::npos);
    const std::string json =
        reach_text({"shop/web", "shop/db", "-p", "5432/TCP", "--format", "json"}, input);
    CHECK(has(json, "\"isolated_by\""));
    CHECK(has(json, "\"policy\": \"NetworkPolicy shop/net\""));
    // What a rule denies is isolated by nothing.
    const std::string rule =
        "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: no}, "
        "spec: {order: 1, selector: app == 'db', types: [Ingress], ingress: [{action: Deny}]}}\n";
    const std::string denied = reach_text({"shop/web", "shop/db", "-p", "5432/TCP"}, input + rule);
    CHECK(denied.find("isolated by") == std::string::npos);
}

TEST_CASE("explain says which part of each rule failed") {
    const std::string out = reach_text({"shop/web", "shop/db", "-p", "5432/TCP", "-e"},
                                       kCluster + kAdmin + kNet + host_policy(""));
    CHECK(has(out, "NetworkPolicy shop/admin ingress[0]: does not match: the source shop/web "
                   "(10.0.0.1) is not selected by `"));
    CHECK(has(out, "NetworkPolicy shop/net ingress[0]: does not match: the source shop/web "
                   "(10.0.0.1) is not in 203.0.113.0/24; the destination port 5432 is not among "
                   "22"));
    const std::string udp =
        reach_text({"203.0.113.7", "shop/db", "-p", "22/UDP", "-e"}, kCluster + kNet);
    CHECK(has(udp, "does not match: the protocol is UDP, not TCP"));
}

TEST_CASE("ways that end differently have their own trails") {
    const std::string input = kCluster +
                              db_policy("node", "{from: [{ipBlock: {cidr: "
                                                "203.0.113.0/24}}]}") +
                              "{apiVersion: v1, kind: Service, metadata: {name: out, namespace: "
                              "shop}, spec: {type: NodePort, clusterIP: 10.96.0.2, externalIPs: "
                              "[198.51.100.1], selector: {app: db}, ports: [{port: 80, "
                              "targetPort: 5432}]}}\n";
    const std::string out = reach_text({"203.0.113.7", "198.51.100.1", "-p", "80/TCP"}, input);
    CHECK(has(out, "DEPENDS  203.0.113.7"));
    CHECK(has(out, "  ALLOW by way of node n1\n"));
    CHECK(has(out, "  DENY with the source address of node n2, by way of node n2\n"));
    CHECK(has(out, "from here the source is 192.168.0.2"));
    const std::string json =
        reach_text({"203.0.113.7", "198.51.100.1", "-p", "80/TCP", "--format", "json"}, input);
    CHECK(has(json, "\"ways\""));
    CHECK(has(json, "\"source\": \"192.168.0.2\""));
}

TEST_CASE("ways that end alike by other rules have their own trails as well") {
    const auto backend = [](const std::string& name, int last, const std::string& from) {
        return "{apiVersion: v1, kind: Pod, metadata: {name: " + name +
               ", namespace: shop, labels: {app: many, of: " + name +
               "}}, spec: {nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: "
               "10.0.0." +
               std::to_string(last) +
               "}}\n---\n{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: "
               "of-" +
               name + ", namespace: shop}, spec: {podSelector: {matchLabels: {of: " + name +
               "}}, ingress: [{from: [{podSelector: {matchLabels: {app: " + from +
               "}}}]}]}}\n---\n";
    };
    const std::string service =
        "{apiVersion: v1, kind: Service, metadata: {name: many, namespace: shop}, spec: "
        "{clusterIP: 10.96.0.3, selector: {app: many}, ports: [{port: 80}]}}\n---\n";
    const auto asked = [&](const char* from, const char* end, const std::string& which) {
        std::string input = kCluster + service;
        for (int i = 0; i < 6; ++i)
            input += backend("b" + std::to_string(i), 20 + i, which);
        return reach_text({from, "service:shop/many", "-p", "80/TCP", "--format", end}, input);
    };
    for (const char* which : {"web", "nobody"}) {
        const std::string out = asked("shop/web", "text", which);
        CHECK(has(out, which == std::string("web") ? "ALLOW  shop/web" : "DENY  shop/web"));
        CHECK(has(out, which == std::string("web") ? "  ALLOW by other rules\n"
                                                   : "  DENY by other rules\n"));
        CHECK(has(out, "NetworkPolicy shop/of-b0"));
        CHECK(has(out, "NetworkPolicy shop/of-b3"));
        CHECK_FALSE(out.find("NetworkPolicy shop/of-b4") != std::string::npos);
        CHECK(has(out, "  and 2 ways with other rules; --format json has all\n"));
        CHECK(has(asked("shop/web", "json", which), "NetworkPolicy shop/of-b5"));
    }
    // Who may ask at all is let in by the rules of every backend.
    CHECK(has(asked("any", "json", "web"), "NetworkPolicy shop/of-b5"));
    // The rules of pods of one kind are told once.
    const std::string one =
        reach_text({"shop/web", "service:shop/db", "-p", "80/TCP"}, kCluster + kNone);
    CHECK_FALSE(one.find("  DENY\n") != std::string::npos);
}

TEST_CASE("suggest: nodes, node ports, host endpoints and what depends") {
    const auto suggested = [](std::vector<std::string> question, const std::string& input) {
        question.emplace_back("--suggest");
        return reach_text(question, input);
    };
    CHECK(has(suggested({"node:n2", "shop/db", "-p", "5432/TCP"}, kCluster + kNone),
              "- ipBlock: {cidr: \"192.168.0.2/32\"}"));
    // The client asks at the pod's own node, another client at the other one.
    CHECK(has(suggested({"203.0.113.7", "node:n1", "-p", "30080/TCP"}, kCluster + kNone),
              "- ipBlock: {cidr: \"203.0.113.7/32\"}"));
    const std::string through =
        suggested({"203.0.113.7", "node:n2", "-p", "30080/TCP"}, kCluster + kNone);
    CHECK(has(through, "- ipBlock: {cidr: \"192.168.0.2/32\"}"));
    CHECK(has(through, "port: 5432"));
    // Neither end of a host needs an address to be governed.
    for (const char* addresses : {"", ", expectedIPs: [192.168.0.1]"}) {
        const std::string out = suggested({"203.0.113.7", "hep:n1-eth0", "-p", "8080/TCP"},
                                          kCluster + host_policy(addresses));
        CHECK(has(out, "GlobalNetworkPolicy host-in"));
        CHECK(has(out, "ports: [8080]"));
    }
    // By way of n2 it is denied, by way of n1 not.
    const std::string both =
        suggested({"203.0.113.7", "service:shop/db", "-p", "80/TCP"},
                  kCluster + db_policy("some", "{from: [{ipBlock: {cidr: 203.0.113.0/24}}]}"));
    CHECK(has(both, "DEPENDS"));
    CHECK(has(both, "- ipBlock: {cidr: \"192.168.0.2/32\"}"));
    // A pod whose address is not known, compared with a net.
    const std::string unknown =
        "{apiVersion: v1, kind: Pod, metadata: {name: new, namespace: shop, labels: {app: new}}, "
        "spec: {containers: [{name: c, image: i}]}}\n---\n";
    const std::string open = suggested(
        {"shop/new", "shop/db", "-p", "5432/TCP"},
        kCluster + unknown + db_policy("some", "{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}"));
    CHECK(has(open, "DEPENDS"));
    CHECK(has(open, "podSelector: {matchLabels: {\"app\": \"new\"}}"));
}

TEST_CASE("a pod that has finished is told apart from one that does not exist") {
    CHECK(has(reach_text({"shop/job", "shop/db", "-p", "5432/TCP"}, kCluster), "has finished"));
    CHECK(has(reach_text({"pod:shop/job", "shop/db", "-p", "5432/TCP"}, kCluster), "has finished"));
    CHECK(has(reach_text({"shop/jab", "shop/db", "-p", "5432/TCP"}, kCluster), "no workload"));
}

TEST_CASE("a default deny tells the rules that miss by one part, in what was written") {
    const std::string space = "apiVersion: v1\nkind: Namespace\nmetadata: {name: mon}\n---\n";
    const auto pod = [](const std::string& name, const std::string& in) {
        return "apiVersion: v1\nkind: Pod\nmetadata: {name: " + name + ", namespace: " + in +
               ", labels: {app: " + name + "}}\nspec: {containers: [{name: c, image: i}]}\n---\n";
    };
    const std::string policy =
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: "
        "shop}\nspec:\n  podSelector: {}\n  policyTypes: [Ingress]\n  ingress:\n"
        "  - {from: [{namespaceSelector: {matchLabels: {team: mon}}}], ports: [{port: 8080}]}\n"
        "  - {from: [{podSelector: {}}], ports: [{port: 22}]}\n";
    const std::string out = reach_text({"mon/prom", "shop/web", "-p", "8080/TCP"},
                                       space + pod("prom", "mon") + pod("web", "shop") + policy);
    CHECK(has(out, "NetworkPolicy shop/p ingress[0]: does not match: the source mon/prom is not "
                   "selected by namespaceSelector `team == \"mon\"` (its namespace has no label "
                   "`team`)"));
    CHECK_FALSE(has(out, "orchestrator"));
    CHECK_FALSE(has(out, "ingress[1]")); // misses by two
    // Both selectors of a peer, each whole, and the value that is there.
    const std::string labelled =
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: mon, labels: {team: ops}}\n---\n";
    const std::string peer =
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: q, namespace: "
        "shop}\nspec:\n  podSelector: {}\n  policyTypes: [Ingress]\n  ingress:\n"
        "  - from: [{namespaceSelector: {matchExpressions: [{key: team, operator: In, values: [a, "
        "b]}]}, podSelector: {matchLabels: {app: prom}}}]\n";
    CHECK(has(reach_text({"mon/prom", "shop/web", "-p", "8080/TCP"},
                         labelled + pod("prom", "mon") + pod("web", "shop") + peer),
              "is not selected by namespaceSelector `team in {\"a\", \"b\"}` and `app == "
              "\"prom\"` (its namespace has `team` = `ops`)"));
}
