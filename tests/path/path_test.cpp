// The way of a packet, one case for each row of the table of host endpoints: who drops what, in
// which order, what is skipped. Answers worked out by hand from felix/rules/static.go.
#include "tests/path/path_case.h"

using namespace polecat;
using decision::Verdict;

using namespace polecat::testing;

TEST_CASE("no host endpoint: traffic of the host is left alone") {
    CHECK(verdict("", {kOutside, "node:n1"}) == Verdict::Allow);
    CHECK(verdict("", {kOutside, "a/one"}) == Verdict::Allow);
}

TEST_CASE("a host endpoint without policy drops traffic of the host but failsafe ports") {
    CHECK(verdict(kHost, {kOutside, "node:n1"}) == Verdict::Deny);
    CHECK(verdict(kHost, {kOutside, "node:n1", 22}) == Verdict::Allow);
    CHECK(verdict(kHost, {"node:n1", kOutside}) == Verdict::Deny);
    CHECK(verdict(kHost, {"node:n1", kOutside, 53, net::kUdp}) == Verdict::Allow);
    const std::string none = felix("failsafeInboundHostPorts: []");
    CHECK(verdict(kHost + none, {kOutside, "node:n1", 22}) == Verdict::Deny);
    const std::string narrow =
        felix("failsafeInboundHostPorts: [{protocol: tcp, port: 22, net: 198.51.100.0/24}]");
    CHECK(verdict(kHost + narrow, {kOutside, "node:n1", 22}) == Verdict::Deny);
    CHECK(verdict(kHost + narrow, {"198.51.100.4", "node:n1", 22}) == Verdict::Allow);
}

TEST_CASE("forwarded traffic passes a host endpoint without forward policy") {
    CHECK(verdict(kHost, {kOutside, "a/one"}) == Verdict::Allow);
    CHECK(verdict(kHost, {"a/one", kOutside}) == Verdict::Allow);
    // A policy of the host that is not for forwarded traffic changes nothing for it.
    const std::string normal = global_policy("p", "host == 'n1'", "types: [Ingress]");
    CHECK(verdict(kHost + normal, {kOutside, "a/one"}) == Verdict::Allow);
}

TEST_CASE("forward policy: the tier's end drops, failsafe ports don't count") {
    const std::string forward = global_policy(
        "p", "host == 'n1'",
        "applyOnForward: true, types: [Ingress], ingress: [{action: Allow, protocol: TCP, "
        "destination: {ports: [80]}}]");
    CHECK(verdict(kHost + forward, {kOutside, "a/one", 80}) == Verdict::Allow);
    CHECK(verdict(kHost + forward, {kOutside, "a/one", 22}) == Verdict::Deny);
    // Only the other direction has policy: it goes on.
    CHECK(verdict(kHost + forward, {"a/one", kOutside}) == Verdict::Allow);
}

TEST_CASE("an accept before DNAT skips the host's own policy, never the workload's") {
    const std::string pre =
        global_policy("pre", "host == 'n1'",
                      "preDNAT: true, applyOnForward: true, types: [Ingress], ingress: "
                      "[{action: Allow, protocol: TCP, destination: {ports: [8080]}}]");
    CHECK(verdict(kHost + pre, {kOutside, "node:n1", 8080}) == Verdict::Allow);
    CHECK(verdict(kHost + pre, {kOutside, "node:n1", 8081}) == Verdict::Deny);
    const std::string forward =
        global_policy("fwd", "host == 'n1'", "applyOnForward: true, types: [Ingress]");
    CHECK(verdict(kHost + pre + forward, {kOutside, "a/one", 8080}) == Verdict::Allow);
    const std::string workload = global_policy("w", "app == 'one'", "types: [Ingress]");
    CHECK(verdict(kHost + pre + workload, {kOutside, "a/one", 8080}) == Verdict::Deny);
}

TEST_CASE("a deny before DNAT and in untracked policy") {
    const std::string pre =
        global_policy("pre", "host == 'n1'",
                      "preDNAT: true, applyOnForward: true, types: [Ingress], ingress: "
                      "[{action: Deny, source: {nets: [203.0.113.0/24]}}]");
    CHECK(verdict(kHost + pre, {kOutside, "a/one"}) == Verdict::Deny);
    CHECK(verdict(kHost + pre, {kOutside, "node:n1", 22}) == Verdict::Allow); // failsafe first
    const std::string raw =
        global_policy("raw", "host == 'n1'",
                      "doNotTrack: true, applyOnForward: true, types: [Ingress], "
                      "ingress: [{action: Deny, source: {nets: [203.0.113.0/24]}}]");
    CHECK(verdict(kHost + raw, {kOutside, "a/one"}) == Verdict::Deny);
    CHECK(verdict(kHost + raw, {"198.51.100.9", "a/one"}) == Verdict::Allow);
}

TEST_CASE("the host and its own pods") {
    const std::string closed = global_policy("w", "app == 'one'", "types: [Ingress]");
    CHECK(verdict(closed, {"node:n1", "a/one"}) == Verdict::Allow);
    CHECK(verdict(closed, {"node:n2", "a/one"}) == Verdict::Deny);
    // Pods to their host: the pod's egress, then defaultEndpointToHostAction.
    CHECK(verdict("", {"a/one", "node:n1"}) == Verdict::Depends);
    const std::string accept = felix("defaultEndpointToHostAction: Accept");
    CHECK(verdict(accept, {"a/one", "node:n1"}) == Verdict::Allow);
    CHECK(verdict(felix("defaultEndpointToHostAction: ACCEPT"), {"a/one", "node:n1"}) ==
          Verdict::Allow);
    CHECK(verdict(accept + kHost, {"a/one", "node:n1"}) == Verdict::Allow); // no host policy
    const std::string mute = global_policy("w", "app == 'one'", "types: [Egress]");
    CHECK(verdict(accept + mute, {"a/one", "node:n1"}) == Verdict::Deny);
    CHECK(verdict(felix("defaultEndpointToHostAction: Return"), {"a/one", "node:n1"}) ==
          Verdict::Depends);
    CHECK(verdict("", {"a/far", "node:n1"}) == Verdict::Allow);
}

TEST_CASE("pods of one node and of two") {
    const std::string closed = global_policy("w", "app == 'two'", "types: [Ingress]");
    CHECK(verdict(closed, {"a/one", "a/two"}) == Verdict::Deny);
    CHECK(verdict(closed, {"a/two", "a/one"}) == Verdict::Allow);
    // Between nodes the host endpoint sees forwarded traffic.
    const std::string forward =
        global_policy("fwd", "host == 'n1'", "applyOnForward: true, types: [Ingress, Egress]");
    CHECK(verdict(kHost + forward, {"a/one", "a/far"}) == Verdict::Deny);
    CHECK(verdict(kHost + forward, {"a/far", "a/one"}) == Verdict::Deny);
    CHECK(verdict(kHost + forward, {"a/one", "a/two"}) == Verdict::Allow);
}

TEST_CASE("hostNetwork pods are their node") {
    const std::string selects = global_policy("w", "app == 'agent'", "types: [Ingress]");
    CHECK(verdict(selects, {kOutside, "a/agent"}) == Verdict::Allow);
    CHECK(verdict(selects + kHost, {kOutside, "a/agent"}) == Verdict::Deny); // the host endpoint
    CHECK(verdict(global_policy("w", "app == 'one'", "types: [Ingress]"), {"a/agent", "a/one"}) ==
          Verdict::Allow);
}

TEST_CASE("host endpoints of all interfaces") {
    CHECK(verdict(kAllInterfaces, {kOutside, "node:n1"}) == Verdict::Deny);
    CHECK(verdict(kAllInterfaces, {kOutside, "node:n1", 22}) == Verdict::Allow);
    CHECK(verdict(kAllInterfaces, {kOutside, "a/one"}) == Verdict::Allow);
    const std::string normal =
        global_policy("p", "host == 'n1'", "types: [Ingress], ingress: [{action: Allow}]");
    CHECK(verdict(kAllInterfaces + normal, {kOutside, "node:n1"}) == Verdict::Allow);
}

TEST_CASE("services: policy sees the pod's address and port") {
    const std::string service =
        "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {clusterIP: "
        "10.96.0.5, selector: {app: two}, ports: [{port: 80, targetPort: 8080}]}}\n---\n";
    const std::string allow =
        global_policy("w", "app == 'two'",
                      "types: [Ingress], ingress: [{action: Allow, protocol: TCP, "
                      "destination: {ports: [8080]}}]");
    CHECK(verdict(service + allow, {"a/one", "service:a/s", 80}) == Verdict::Allow);
    CHECK(verdict(service + allow, {"a/one", "10.96.0.5", 80}) == Verdict::Allow);
    CHECK(verdict(service + allow, {"a/one", "service:a/s", 8080}) ==
          Verdict::Deny); // no such port
    const std::string by_service_port = global_policy(
        "w", "app == 'two'",
        "types: [Ingress], ingress: [{action: Allow, protocol: TCP, destination: {ports: "
        "[80]}}]");
    CHECK(verdict(service + by_service_port, {"a/one", "service:a/s", 80}) == Verdict::Deny);
    const std::string empty =
        "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {clusterIP: "
        "10.96.0.5, selector: {app: nobody}, ports: [{port: 80}]}}\n---\n";
    CHECK(verdict(empty, {"a/one", "service:a/s", 80}) == Verdict::Deny);
}

TEST_CASE("a service whose backends are treated differently depends") {
    const std::string service =
        "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {clusterIP: "
        "10.96.0.5, selector: {}, ports: [{port: 80}]}}\n---\n"
        "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s-1, namespace: "
        "a, "
        "labels: {kubernetes.io/service-name: s}}, addressType: IPv4, ports: [{name: '', port: 80, "
        "protocol: TCP}], endpoints: [{addresses: [10.0.0.1]}, {addresses: [10.0.0.2]}]}\n---\n";
    const std::string closed = global_policy("w", "app == 'two'", "types: [Ingress]");
    CHECK(verdict(service, {"a/far", "service:a/s", 80}) == Verdict::Allow);
    const auto mixed = judge(service + closed, {"a/far", "service:a/s", 80});
    CHECK(mixed.verdict == Verdict::Depends);
    CHECK_FALSE(mixed.reason.empty());
}

TEST_CASE("neighbour discovery of a pod with its host always passes") {
    const std::string pods =
        "{apiVersion: v1, kind: Pod, metadata: {name: six, namespace: a, labels: {app: six}}, "
        "spec: "
        "{nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: 'fd00::6'}}\n---\n"
        "{apiVersion: v1, kind: Node, metadata: {name: n3}, status: {addresses: [{type: "
        "InternalIP, "
        "address: 'fd00:1::1'}]}}\n---\n";
    const std::string mute = global_policy("w", "app == 'six'", "types: [Egress]");
    const std::string accept = felix("defaultEndpointToHostAction: Accept");
    const std::string node_six = "{apiVersion: v1, kind: Pod, metadata: {name: six3, namespace: a, "
                                 "labels: {app: six}}, spec: {nodeName: n3, containers: [{name: c, "
                                 "image: i}]}, status: {podIP: 'fd00::7'}}\n---\n";
    const Ask solicit{"a/six3", "node:n3", 0, net::kIcmpV6, 135};
    CHECK(verdict(pods + node_six + mute + accept, solicit) == Verdict::Allow);
    CHECK(verdict(pods + node_six + mute, solicit) == Verdict::Allow); // before the host's action
    const Ask echo{"a/six3", "node:n3", 0, net::kIcmpV6, 128};
    CHECK(verdict(pods + node_six + mute + accept, echo) == Verdict::Deny);
}
