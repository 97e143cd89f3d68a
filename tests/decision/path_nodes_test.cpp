// Ways over several nodes: node ports, host endpoints of all interfaces, marks, pods without a
// node.
#include "tests/decision/path_case.h"

using namespace polecat;
using namespace polecat::testing;
using decision::Verdict;

namespace {

// One backend on n1, one service on n2; a node port each.
const std::string kNodePorts =
    "{apiVersion: v1, kind: Service, metadata: {name: near, namespace: a}, spec: {type: NodePort, "
    "clusterIP: 10.96.0.5, externalIPs: [198.51.100.1], selector: {app: two}, ports: [{port: 80, "
    "targetPort: 8080, nodePort: 30080}]}}\n---\n"
    "{apiVersion: v1, kind: Service, metadata: {name: remote, namespace: a}, spec: {type: "
    "NodePort, clusterIP: 10.96.0.6, selector: {app: far}, ports: [{port: 80, targetPort: 8080, "
    "nodePort: 30081}]}}\n---\n";

std::string host_endpoint(const std::string& name, const std::string& spec) {
    return "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: " + name +
           ", labels: {hep: " + name + "}}, spec: {" + spec + "}}\n---\n";
}

std::string hook(const std::string& selector, const std::string& which, const std::string& rules,
                 const std::string& types = "Ingress") {
    return global_policy("hook-" + std::to_string(which.size()), selector,
                         which + ": true, " +
                             (which == "applyOnForward" ? "" : "applyOnForward: true, ") +
                             "types: [" + types + "], " + rules);
}

const std::string kDenyAll = "ingress: [{action: Deny}]";

} // namespace

TEST_CASE("a node port by the node's name is the service's as well") {
    const std::string closed = global_policy("w", "app == 'two'", "types: [Ingress]");
    CHECK(verdict(kNodePorts, {kOutside, "node:n1", 30080}) == Verdict::Allow);
    CHECK(verdict(kNodePorts + closed, {kOutside, "node:n1", 30080}) == Verdict::Deny);
    CHECK(verdict(kNodePorts + closed, {kOutside, "192.168.0.1", 30080}) == Verdict::Deny);
    CHECK(verdict(kNodePorts + closed, {kOutside, "node:n1", 30082}) == Verdict::Allow);
}

TEST_CASE("a node port with a backend on another node crosses both nodes") {
    // The backend's own node, by a host endpoint there.
    const std::string on_n2 =
        host_endpoint("n2-eth0", "node: n2, interfaceName: eth0, expectedIPs: [192.168.0.2]");
    const Ask ask{kOutside, "node:n1", 30081};
    CHECK(verdict(kNodePorts + on_n2, ask) == Verdict::Allow);
    CHECK(verdict(kNodePorts + on_n2 + hook("hep == 'n2-eth0'", "applyOnForward", kDenyAll), ask) ==
          Verdict::Deny);
    CHECK(verdict(kNodePorts + on_n2 + hook("hep == 'n2-eth0'", "preDNAT", kDenyAll), ask) ==
          Verdict::Deny);
    // The node that was asked: what it forwards out again.
    const std::string out = hook("host == 'n1'", "applyOnForward", "egress: []", "Egress");
    CHECK(verdict(kNodePorts + kHost + out, ask) == Verdict::Deny);
    CHECK(verdict(kNodePorts + kHost + out, {kOutside, "node:n1", 30080}) == Verdict::Allow);
    // The backend may see the client or the node that handed the packet on.
    const std::string from_client =
        global_policy("w", "app == 'far'",
                      "types: [Ingress], ingress: [{action: Allow, source: {nets: "
                      "[203.0.113.0/24]}}]");
    CHECK(verdict(kNodePorts + from_client, ask) == Verdict::Depends);
}

TEST_CASE("pods to another node's port: translated there, after their own egress") {
    const Ask ask{"a/one", "node:n2", 30080}; // the backend is beside the pod
    const std::string by_address =
        global_policy("w", "app == 'one'",
                      "types: [Egress], egress: [{action: Allow, destination: {nets: "
                      "[192.168.0.2/32]}}]");
    CHECK(verdict(kNodePorts + by_address, ask) == Verdict::Allow);
    const std::string by_label =
        global_policy("w", "app == 'one'",
                      "types: [Egress], egress: [{action: Allow, destination: {selector: \"app == "
                      "'two'\"}}]");
    CHECK(verdict(kNodePorts + by_label, ask) == Verdict::Deny);
    // On its own node the port is translated first.
    const Ask own{"a/one", "node:n1", 30080};
    CHECK(verdict(kNodePorts + by_label, own) == Verdict::Allow);
    CHECK(verdict(kNodePorts + by_address, own) == Verdict::Deny);
    // And it crosses n1 on its way out.
    const std::string out = hook("host == 'n1'", "applyOnForward", "egress: []", "Egress");
    CHECK(verdict(kNodePorts + kHost + out, ask) == Verdict::Deny);
}

TEST_CASE(
    "host endpoints of all interfaces govern pods' interfaces before DNAT and in forwarding") {
    const std::string all = kAllInterfaces;
    const auto with = [&](const std::string& policy, const Ask& ask) {
        return verdict(all + policy, ask);
    };
    const std::string before = hook("host == 'n1'", "preDNAT", kDenyAll);
    CHECK(with(before, {"a/one", "a/two"}) == Verdict::Deny);
    CHECK(with(before, {"a/one", kOutside}) == Verdict::Deny);
    CHECK(with(before, {"a/one", kOutside, 22}) == Verdict::Allow); // a failsafe port
    CHECK(with(before, {"node:n1", "a/two"}) == Verdict::Allow);
    const std::string forward = hook("host == 'n1'", "applyOnForward", kDenyAll);
    CHECK(with(forward, {"a/one", "a/two"}) == Verdict::Deny);
    const std::string out = hook("host == 'n1'", "applyOnForward", "egress: []", "Egress");
    CHECK(with(out, {"a/one", "a/two"}) == Verdict::Deny);
    CHECK(with(out, {"a/far", "a/two"}) == Verdict::Deny);
    // A host endpoint of one interface governs that one alone.
    CHECK(verdict(kHost + before, {"a/one", "a/two"}) == Verdict::Allow);
    // Its normal policy is not for pods that talk to their host.
    const std::string accept = felix("defaultEndpointToHostAction: Accept");
    CHECK(with(accept, {"a/one", "node:n1"}) == Verdict::Allow);
    CHECK(with(accept + before, {"a/one", "node:n1"}) == Verdict::Deny);
    // doNotTrack policy does not hold there.
    const std::string raw = hook("host == 'n1'", "doNotTrack", kDenyAll);
    CHECK(with(raw, {kOutside, "a/one"}) == Verdict::Allow);
}

TEST_CASE(
    "of two host endpoints for an interface the first name holds, a specific one before all") {
    const std::string first =
        host_endpoint("aaa", "node: n1, interfaceName: eth0, expectedIPs: [192.168.0.1]");
    const std::string second =
        host_endpoint("bbb", "node: n1, interfaceName: eth0, expectedIPs: [192.168.0.1]");
    const std::string by_address = host_endpoint("abc", "node: n1, expectedIPs: [192.168.0.1]");
    const std::string open =
        global_policy("p", "hep == 'aaa'", "types: [Ingress], ingress: [{action: Allow}]");
    CHECK(verdict(first + second + open, {kOutside, "node:n1"}) == Verdict::Allow);
    CHECK(verdict(first + by_address + open, {kOutside, "node:n1"}) == Verdict::Allow);
    const std::string open_second =
        global_policy("p", "hep == 'bbb'", "types: [Ingress], ingress: [{action: Allow}]");
    CHECK(verdict(first + second + open_second, {kOutside, "node:n1"}) == Verdict::Deny);
    const std::string open_all =
        global_policy("p", "host == 'n1'", "types: [Ingress], ingress: [{action: Allow}]");
    CHECK(verdict(first + kAllInterfaces + open_all, {kOutside, "node:n1"}) == Verdict::Deny);
}

TEST_CASE("a failsafe port before DNAT is no accept for forwarded traffic") {
    const std::string before = hook("host == 'n1'", "preDNAT", "ingress: [{action: Allow}]");
    const std::string nothing = hook("host == 'n1'", "preDNAT", "ingress: []");
    const std::string forward =
        global_policy("fwd", "host == 'n1'", "applyOnForward: true, types: [Ingress]");
    CHECK(verdict(kHost + before + forward, {kOutside, "a/one", 8080}) == Verdict::Allow);
    CHECK(verdict(kHost + nothing + forward, {kOutside, "a/one", 22}) == Verdict::Deny);
    CHECK(verdict(kHost + before + forward, {kOutside, "a/one", 22}) == Verdict::Deny);
}

TEST_CASE("what doNotTrack policy accepts is not translated, and skips the hooks after it") {
    const std::string raw = hook("host == 'n1'", "doNotTrack", "ingress: [{action: Allow}]");
    const std::string before = hook("host == 'n1'", "preDNAT", kDenyAll);
    CHECK(verdict(kHost + raw + before, {kOutside, "a/one"}) == Verdict::Allow);
    CHECK(verdict(kNodePorts + kHost, {kOutside, "node:n1", 30080}) == Verdict::Allow);
    CHECK(verdict(kNodePorts + kHost + raw, {kOutside, "node:n1", 30080}) == Verdict::Deny);
    CHECK(verdict(kNodePorts + kHost + raw, {kOutside, "a/two", 8080}) == Verdict::Allow);
}

TEST_CASE("answers of failsafe ports pass doNotTrack policy") {
    const std::string raw = hook("host == 'n1'", "doNotTrack", kDenyAll);
    testing::RandomCluster cluster;
    load_text(kCluster + kHost + raw +
                  global_policy("p", "host == 'n1'",
                                "types: [Ingress], ingress: "
                                "[{action: Allow}]"),
              cluster);
    ir::PathQuery query;
    query.source = end_of(cluster.lowered, kOutside);
    query.destination = end_of(cluster.lowered, "node:n1");
    query.route = ir::Route::Wire;
    query.packet.protocol = net::kTcp;
    query.packet.destination_port = 40000;
    query.packet.source_port = 6443; // an outbound failsafe port
    CHECK(ir::judge_flow(cluster.lowered, query).verdict == Verdict::Allow);
    query.packet.source_port = 6444;
    CHECK(ir::judge_flow(cluster.lowered, query).verdict == Verdict::Deny);
}

TEST_CASE("a pod whose node is not known may be on any") {
    const std::string pod =
        "{apiVersion: v1, kind: Pod, metadata: {name: loose, namespace: a, labels: {app: loose}}, "
        "spec: {containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.9}}\n---\n";
    const auto to_host = judge(pod, {"a/loose", "node:n1"});
    CHECK(to_host.verdict == Verdict::Depends); // on n1 it is dropped
    CHECK(to_host.reason.find("from a pod on another node") != std::string::npos);
    CHECK(verdict(pod, {"a/loose", "a/one"}) == Verdict::Allow);
    const std::string forward = hook("host == 'n1'", "applyOnForward", kDenyAll);
    CHECK(verdict(pod + kHost + forward, {"a/loose", "a/one"}) == Verdict::Depends);
    CHECK(verdict(pod + kHost + forward, {kOutside, "a/loose"}) == Verdict::Depends);
}

TEST_CASE("a service's address from outside: any node may be the way in") {
    const Ask ask{kOutside, "198.51.100.1", 80};
    CHECK(verdict(kNodePorts, ask) == Verdict::Allow);
    const std::string on_n2 =
        host_endpoint("n2-eth0", "node: n2, interfaceName: eth0, expectedIPs: [192.168.0.2]");
    const auto found =
        judge(kNodePorts + on_n2 + hook("hep == 'n2-eth0'", "preDNAT", kDenyAll), ask);
    CHECK(found.verdict == Verdict::Depends);
    CHECK(found.reason.find("by way of node n2") != std::string::npos);
    const std::string from_client =
        global_policy("w", "app == 'two'",
                      "types: [Ingress], ingress: [{action: Allow, source: {nets: "
                      "[203.0.113.0/24]}}]");
    CHECK(verdict(kNodePorts + on_n2 + from_client, ask) == Verdict::Depends);
}

TEST_CASE("encapsulated packets of pods are dropped") {
    CHECK(verdict("", {"a/one", "a/far", 4789, net::kUdp}) == Verdict::Deny);
    CHECK(verdict("", {"a/one", "a/far", 4790, net::kUdp}) == Verdict::Allow);
    CHECK(verdict("", {kOutside, "a/far", 4789, net::kUdp}) == Verdict::Allow);
    const std::string port = felix("vxlanPort: 4790");
    CHECK(verdict(port, {"a/one", "a/far", 4790, net::kUdp}) == Verdict::Deny);
    CHECK(verdict(port, {"a/one", "a/far", 4789, net::kUdp}) == Verdict::Allow);
    CHECK(verdict("", {"a/one", kOutside, 0, net::kIpIp}) == Verdict::Deny);
    CHECK(verdict(felix("allowIPIPPacketsFromWorkloads: true"),
                  {"a/one", kOutside, 0, net::kIpIp}) == Verdict::Allow);
    CHECK(verdict(felix("allowVXLANPacketsFromWorkloads: true"),
                  {"a/one", "a/far", 4789, net::kUdp}) == Verdict::Allow);
}

TEST_CASE("a node's own FelixConfiguration holds there") {
    const std::string of_n1 =
        "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: node.n1}, "
        "spec: {defaultEndpointToHostAction: Accept, failsafeInboundHostPorts: []}}\n---\n";
    CHECK(verdict(of_n1, {"a/one", "node:n1"}) == Verdict::Allow);
    CHECK(verdict(of_n1, {"a/far", "node:n2"}) == Verdict::Deny);
    CHECK(verdict(of_n1 + kHost, {kOutside, "node:n1", 22}) == Verdict::Deny);
}
