// Suggested changes put into the manifests by hand: the flow is then allowed.
#include <doctest/doctest.h>

#include "runtime/process.h"
#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;

namespace {

runtime::Output reach(std::vector<std::string> arguments, const std::string& input) {
    arguments.insert(arguments.begin(), {std::string(testing::bin_dir()) + "/polecat", "reach"});
    arguments.insert(arguments.end(), {"-f", "-"});
    auto output = runtime::run_program(arguments, input);
    REQUIRE(output.ok());
    return std::move(*output);
}

const std::string kPods =
    "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n"
    "{apiVersion: v1, kind: Namespace, metadata: {name: data}}\n---\n"
    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web, "
    "pod-template-hash: x1}}, spec: {containers: [{name: c, image: i}]}, status: {podIP: "
    "10.0.0.1}}\n---\n"
    "{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: data, labels: {app: db}}, spec: "
    "{containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.2}}\n---\n"
    "{apiVersion: v1, kind: Pod, metadata: {name: other, namespace: data, labels: {app: o}}, spec: "
    "{containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.3}}\n---\n";

const std::string kDenyAll = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: "
                             "{name: deny, namespace: data}, spec: {podSelector: {}}}\n---\n";
const std::string kForDb =
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: "
    "data}, spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {}}]}]}}"
    "\n---\n";
const std::string kEgress =
    "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: out}, spec: "
    "{selector: app == 'web', types: [Egress], egress: [{action: Deny, protocol: TCP}, {action: "
    "Allow}]}}\n---\n";

} // namespace

TEST_CASE("suggest: the narrowest policy of both ends, in their own words") {
    const auto out = reach({"shop/web", "data/db", "-p", "5432/TCP", "--suggest"},
                           kPods + kDenyAll + kForDb + kEgress);
    CHECK(out.exit_code == 0);
    CHECK(has(out.out, "GlobalNetworkPolicy out (-:"));
    CHECK(has(out.out, "spec.egress, before its rule [0]"));
    CHECK(has(out.out, "  - action: Allow\n        protocol: TCP\n        destination: {selector: "
                       "\"app == 'db'\", namespaceSelector: \"projectcalico.org/name == 'data'\", "
                       "ports: [5432]}"));
    CHECK(has(out.out, "NetworkPolicy data/db (-:")); // not `deny`, which governs `other` as well
    CHECK(has(out.out, "spec.ingress, at the end"));
    CHECK(has(out.out,
              "namespaceSelector: {matchLabels: {\"kubernetes.io/metadata.name\": \"shop\"}}"));
    CHECK(has(out.out, "podSelector: {matchLabels: {\"app\": \"web\"}}"));
    CHECK_FALSE(has(out.out, "x1"));
    CHECK(has(out.out, "opened: shop/web -> data/db  TCP 5432\n"));
    CHECK_FALSE(has(out.out, "data/other"));
}

TEST_CASE("suggest: what was suggested, written into the policy, allows the flow") {
    const std::string mended =
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: deny, namespace: "
        "data}, spec: {podSelector: {}, ingress: [{from: [{namespaceSelector: {matchLabels: "
        "{kubernetes.io/metadata.name: shop}}, podSelector: {matchLabels: {app: web}}}], ports: "
        "[{protocol: TCP, port: 5432}]}]}}\n---\n";
    const auto before =
        reach({"shop/web", "data/db", "-p", "5432/TCP", "--suggest"}, kPods + kDenyAll);
    CHECK(has(before.out, "DENY"));
    CHECK(has(before.out, "opened: shop/web -> data/db, data/other  TCP 5432\n"));
    CHECK(has(reach({"shop/web", "data/db", "-p", "5432/TCP"}, kPods + mended).out, "ALLOW"));
}

TEST_CASE("explain names policies without a rule, which isolate all the same") {
    const auto out = reach({"shop/web", "data/db", "-p", "1/TCP", "-e"}, kPods + kDenyAll);
    CHECK(has(out.out, "NetworkPolicy data/deny: has no ingress rule   (-:"));
    const auto all = reach({"any", "data/db", "-e"}, kPods + kDenyAll);
    CHECK(has(all.out, "NetworkPolicy data/deny: has no ingress rule   (-:"));
}

TEST_CASE("suggest: ClusterNetworkPolicy and AdminNetworkPolicy") {
    const auto denies = [](const std::string& head, const std::string& more) {
        return "{apiVersion: policy.networking.k8s.io/" + head + ", metadata: {name: default}, " +
               "spec: {" + more + "subject: {namespaces: {}}, ingress: [{action: Deny, from: " +
               "[{namespaces: {}}]}]}}\n---\n";
    };
    const std::vector<std::string> question{"shop/web", "data/db", "-p", "5432/TCP", "--suggest"};
    const auto now = reach(question, kPods + denies("v1alpha2, kind: ClusterNetworkPolicy",
                                                    "tier: Admin, priority: 5, "));
    CHECK(has(now.out, "ClusterNetworkPolicy default (-:"));
    CHECK(has(now.out, "spec.ingress, before its rule [0]"));
    CHECK(has(now.out, "- action: Accept\n        from:\n        - pods:"));
    CHECK(has(now.out, "- tcp: {destinationPort: {number: 5432}}"));
    const auto then =
        reach(question, kPods + denies("v1alpha1, kind: AdminNetworkPolicy", "priority: 5, "));
    CHECK(has(then.out, "- portNumber: {protocol: TCP, port: 5432}"));
    const auto baseline =
        reach(question, kPods + denies("v1alpha1, kind: BaselineAdminNetworkPolicy", ""));
    CHECK(has(baseline.out, "BaselineAdminNetworkPolicy default (-:"));
    CHECK(has(baseline.out, "opened: shop/web -> "));
    // The rules that are shown, written by hand.
    CHECK(has(reach({"shop/web", "data/db", "-p", "5432/TCP"},
                    kPods + "{apiVersion: policy.networking.k8s.io/v1alpha2, kind: "
                            "ClusterNetworkPolicy, metadata: {name: default}, spec: {tier: Admin, "
                            "priority: 5, subject: {namespaces: {}}, ingress: [{action: Accept, "
                            "from: [{pods: {namespaceSelector: {matchLabels: "
                            "{kubernetes.io/metadata.name: shop}}, podSelector: {matchLabels: "
                            "{app: web}}}}], protocols: [{tcp: {destinationPort: {number: "
                            "5432}}}]}, {action: Deny, from: [{namespaces: {}}]}]}}")
                  .out,
              "ALLOW"));
}

TEST_CASE("suggest: why there is none") {
    const auto icmp = reach({"shop/web", "data/db", "--icmp", "8", "--suggest"}, kPods + kDenyAll);
    CHECK(has(icmp.out, "a Kubernetes NetworkPolicy has no words for ICMP"));
    const std::string bare = "{apiVersion: v1, kind: Pod, metadata: {name: bare, namespace: shop}, "
                             "spec: {containers: [{name: c, image: i}]}}\n---\n";
    const auto unlabelled =
        reach({"shop/bare", "data/db", "-p", "1/TCP", "--suggest"}, kPods + bare + kDenyAll);
    CHECK(has(unlabelled.out, "shop/bare has no label of its own"));
    CHECK(reach({"any", "data/db", "--suggest"}, kPods).exit_code == 2);
    const auto json =
        reach({"203.0.113.7", "data/db", "-p", "1/TCP", "--suggest", "--format", "json"},
              kPods + kDenyAll);
    CHECK(has(json.out, "ipBlock: {cidr: \\\"203.0.113.7/32\\\"}"));
}

TEST_CASE("open questions name the part of a CIDR that gets in") {
    const std::string range =
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: in, namespace: "
        "shop}, spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/25}}]}]}}"
        "\n---\n";
    const auto out = reach({"203.0.113.0/24", "shop/web", "-p", "80/TCP"}, kPods + range);
    CHECK_MESSAGE(has(out.out, "outside 203.0.113.0/25\n      allowed  TCP 80"), out.out);
    // 10.0.0.2 is a pod, so what lies outside of that range is the other address.
    const auto two = reach({"any", "10.0.0.2/31", "-p", "80/TCP"}, kPods + kDenyAll);
    CHECK_MESSAGE(!has(two.out, "10.0.0.2\n"), two.out);
}

TEST_CASE("a tier of staged policies only goes on") {
    const std::string staged =
        "{apiVersion: projectcalico.org/v3, kind: StagedGlobalNetworkPolicy, metadata: {name: s}, "
        "spec: {selector: all(), types: [Ingress]}}\n---\n";
    const auto out = reach({"8.8.8.8", "shop/web", "-p", "80/TCP"}, kPods + staged);
    CHECK(has(out.out, "ALLOW"));
    CHECK_MESSAGE(!has(out.out, "matches: Deny"), out.out);
}

TEST_CASE("exposure: outside addresses and new pods") {
    const auto exposure = [](const std::vector<std::string>& more, const std::string& input) {
        std::vector<std::string> arguments{std::string(testing::bin_dir()) + "/polecat", "exposure",
                                           "-"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        auto output = runtime::run_program(arguments, input);
        REQUIRE(output.ok());
        return std::move(*output);
    };
    const std::string range =
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: in, namespace: "
        "shop}, spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 203.0.113.0/24}}, "
        "{namespaceSelector: {matchLabels: {team: blue}}}], ports: [{port: 80}]}]}}\n---\n";
    const auto out = exposure({}, kPods + kDenyAll + range);
    CHECK(out.exit_code == 0);
    CHECK(has(out.out, "shop/web  IPv4\n    outside 203.0.113.0/24: TCP 80\n        by "
                       "NetworkPolicy shop/in ingress[0]"));
    CHECK(
        has(out.out, "a new pod without labels in a namespace with the labels team=blue: TCP 80"));
    CHECK(has(out.out, "data/db, data/other  IPv4\n    closed to outside addresses"));
    CHECK(exposure({"--fail-on", "outside"}, kPods + kDenyAll + range).exit_code == 1);
    const std::string shut = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: "
                             "{name: deny, namespace: shop}, spec: {podSelector: {}}}\n---\n";
    CHECK(exposure({"--fail-on", "outside"}, kPods + kDenyAll + shut).exit_code == 0);
    CHECK(has(exposure({}, kPods).out, "any outside address: *"));
    // Pods lie in that range, which is called by its name all the same; next to it none does.
    std::string around = range;
    around.replace(around.find("203.0.113.0/24"), 14, "10.0.0.0/8, except: [10.0.0.128/25]");
    CHECK(
        has(exposure({}, kPods + around).out, "    outside 10.0.0.0/8 but 10.0.0.128/25: TCP 80"));
    around.replace(around.find(", except"), 25, "");
    CHECK(has(exposure({}, kPods + around).out, "    outside 10.0.0.0/8: TCP 80"));
    // No policy closes the failsafe ports of a host.
    const std::string host =
        "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: h}, spec: {node: "
        "n1, interfaceName: eth0, expectedIPs: [192.168.0.1]}}\n---\n";
    const auto hosts = exposure({"--fail-on", "outside"}, kDenyAll + host);
    CHECK(hosts.exit_code == 1);
    CHECK(has(hosts.out, "any outside address: TCP 22,"));
    CHECK(has(hosts.out, "by failsafe ports of FelixConfiguration, whatever policy says"));
    CHECK_FALSE(has(hosts.out, "closed"));
    const std::string before =
        "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: pre}, "
        "spec: {preDNAT: true, applyOnForward: true, types: [Ingress], ingress: [{action: Allow}]}}"
        "\n---\n";
    const auto early = exposure({}, host + before);
    CHECK(has(early.out, "any outside address: *\n"));
    CHECK(has(early.out, "by GlobalNetworkPolicy pre ingress[0]"));
    const auto json = exposure({"--format", "json"}, kPods + kDenyAll + range);
    CHECK(has(json.out, "\"namespace_labels\": {"));
    CHECK(has(json.out, "\"team\": \"blue\""));
}

TEST_CASE("reach: pods on the network of their host") {
    const std::string cluster =
        "{apiVersion: v1, kind: Namespace, metadata: {name: web}}\n---\n"
        "{apiVersion: v1, kind: Node, metadata: {name: n1, annotations: "
        "{projectcalico.org/IPv4VXLANTunnelAddr: 10.244.1.0}}, status: {addresses: [{type: "
        "InternalIP, address: 192.168.0.1}]}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: agent, namespace: web}, spec: {nodeName: n1, "
        "hostNetwork: true, containers: [{name: c, image: i}]}}\n---\n"
        "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: all, namespace: web}, spec: "
        "{selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: "
        "{hostNetwork: true, containers: [{name: c, image: i}]}}}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: db, namespace: web, labels: {app: db}}, "
        "spec: {nodeName: n2, containers: [{name: c, image: i}]}, status: {podIP: 10.244.2.9}}"
        "\n---\n"
        "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: h, labels: {h: "
        "h}}, spec: {node: n1, interfaceName: eth0}}\n---\n"
        "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: host}, "
        "spec: {selector: has(h), types: [Ingress, Egress], egress: [{action: Allow}], ingress: "
        "[{action: Allow, protocol: TCP, destination: {ports: [9100]}}]}}\n---\n"
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: "
        "web}, spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{ipBlock: {cidr: "
        "192.168.0.0/16}}]}]}}\n---\n";
    // The host endpoint of the node speaks for the pod, also where no port is given.
    CHECK(has(reach({"203.0.113.9", "web/agent"}, cluster).out, "6666-6667,9100; UDP 68\n"));
    CHECK(reach({"203.0.113.9", "web/agent", "-p", "80/TCP"}, cluster).out.starts_with("DENY"));
    CHECK(reach({"203.0.113.9", "web/agent", "-p", "9100/TCP"}, cluster).out.starts_with("ALLOW"));
    // A pod that is not placed may be on that node or on another.
    CHECK(reach({"203.0.113.9", "daemonset:web/all", "-p", "80/TCP"}, cluster)
              .out.starts_with("DEPENDS"));
    // Through the tunnel the source is another address than the node's.
    const auto tunnel = reach({"web/agent", "web/db", "-p", "80/TCP"}, cluster);
    CHECK(tunnel.out.starts_with("DEPENDS"));
    CHECK_MESSAGE(has(tunnel.out, "with the tunnel address of node n1"), tunnel.out);
}
