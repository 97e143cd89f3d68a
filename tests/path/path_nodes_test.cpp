// Ways over several nodes: node ports, host endpoints of all interfaces, marks, pods without a
// node.
#include <set>

#include "tests/path/path_case.h"

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

/// Ingress of the pod from these addresses alone.
std::string from_net(const std::string& app, const std::string& net) {
    return global_policy("w", "app == '" + app + "'",
                         "types: [Ingress], ingress: [{action: Allow, source: {nets: [" + net +
                             "]}}]");
}

std::string pool(const std::string& spec) {
    return "{apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: pods}, spec: {cidr: "
           "10.0.0.0/16, " +
           spec + "}}\n---\n";
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
    // The backend sees the node that handed the packet on, not the client.
    CHECK(verdict(kNodePorts + from_net("far", "203.0.113.0/24"), ask) == Verdict::Deny);
    CHECK(verdict(kNodePorts + from_net("far", "192.168.0.1/32"), ask) == Verdict::Allow);
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
    CHECK(verdict(kHost + raw + before, {kOutside, "node:n1"}) == Verdict::Allow);
    CHECK(verdict(kNodePorts + kHost, {kOutside, "node:n1", 30080}) == Verdict::Allow);
    CHECK(verdict(kNodePorts + kHost + raw, {kOutside, "node:n1", 30080}) == Verdict::Deny);
}

TEST_CASE("what doNotTrack policy takes to a pod has no connection, so its answers are dropped") {
    const std::string raw = hook("host == 'n1'", "doNotTrack", "ingress: [{action: Allow}]");
    const auto found = judge(kHost + raw, {kOutside, "a/two"});
    CHECK(found.verdict == Verdict::Deny);
    CHECK(found.ways.front().hops.back().skipped == ir::HopVerdict::Skipped::NoConnection);
    CHECK(verdict(kHost + raw, {"a/far", "a/two"}) == Verdict::Deny);  // from another node as well
    CHECK(verdict(kHost + raw, {"a/one", "a/two"}) == Verdict::Allow); // not through eth0
    CHECK(verdict(kHost + raw, {kOutside, "a/far"}) == Verdict::Allow);
    // A rule for other ports, and one that only denies others, leaves it alone.
    const std::string other = hook("host == 'n1'", "doNotTrack",
                                   "ingress: [{action: Allow, protocol: TCP, destination: {ports: "
                                   "[6443]}}, {action: Deny, source: {nets: [198.51.100.0/24]}}]");
    CHECK(verdict(kHost + other, {kOutside, "a/two"}) == Verdict::Allow);
    // An answer to a datagram is a new flow of the pod: its own policy decides.
    const Ask datagram{kOutside, "a/two", 8080, net::kUdp};
    const std::string as_it_is = kHost + raw + pool("natOutgoing: false");
    CHECK(verdict(as_it_is, datagram) == Verdict::Allow);
    const std::string mute = global_policy("m", "app == 'two'", "types: [Egress]");
    CHECK(verdict(as_it_is + mute, datagram) == Verdict::Deny);
    // With natOutgoing it has the node's address, which the client did not ask.
    CHECK(verdict(kHost + raw + pool("natOutgoing: true"), datagram) == Verdict::Deny);
    CHECK(verdict(kHost + raw, datagram) == Verdict::Depends);
    CHECK(verdict(kHost + raw + pool("natOutgoing: true"), {"a/far", "a/two", 8080, net::kUdp}) ==
          Verdict::Allow);
}

TEST_CASE("answers to pods come back through doNotTrack policy") {
    const std::string raw = hook("host == 'n1'", "doNotTrack", "ingress: [{action: Allow}]");
    const std::string deny = hook("host == 'n1'", "doNotTrack", kDenyAll);
    // The answer is a packet without connection: the pod's ingress policy sees a new flow.
    CHECK(verdict(kHost + raw, {"a/one", "a/far"}) == Verdict::Allow);
    const std::string closed = global_policy("c", "app == 'one'", "types: [Ingress]");
    CHECK(verdict(kHost + closed, {"a/one", "a/far"}) == Verdict::Allow);
    CHECK(verdict(kHost + raw + closed, {"a/one", "a/far"}) == Verdict::Deny);
    CHECK(verdict(kHost + deny, {"a/one", "a/far"}) == Verdict::Deny);
    CHECK(verdict(kHost + deny, {"a/one", "a/far", 6443}) == Verdict::Allow); // a failsafe port
    CHECK(verdict(kHost + deny, {"a/one", "a/two"}) == Verdict::Allow);
    // Nobody translates it back.
    CHECK(verdict(kNodePorts + kHost, {"a/one", "10.96.0.6", 80}) == Verdict::Allow);
    CHECK(verdict(kNodePorts + kHost + raw, {"a/one", "10.96.0.6", 80}) == Verdict::Deny);
    const std::string hidden = pool("natOutgoing: true") + kHost;
    CHECK(verdict(hidden, {"a/one", kOutside}) == Verdict::Allow);
    CHECK(verdict(hidden + raw, {"a/one", kOutside}) == Verdict::Deny);
    CHECK(verdict(kHost + raw, {"a/one", kOutside}) == Verdict::Depends); // natOutgoing not known
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
    // Nodes without host endpoints count as well: there the client's address is lost.
    const std::string from_client = from_net("two", "203.0.113.0/24");
    CHECK(verdict(kNodePorts + on_n2 + from_client, ask) == Verdict::Depends);
    const auto without = judge(kNodePorts + from_client, ask);
    CHECK(without.verdict == Verdict::Depends);
    std::set<Verdict> verdicts;
    for (const ir::WayVerdict& way : without.ways)
        verdicts.insert(way.verdict);
    CHECK(verdicts.size() == 2);
    CHECK(without.reason.find("with the source address of node n2") != std::string::npos);
    CHECK(verdict(kNodePorts + from_net("two", "198.51.100.0/24"), ask) == Verdict::Deny);
}

namespace {

std::string node_service(const std::string& spec) {
    return "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {clusterIP: "
           "10.96.0.7, externalIPs: [198.51.100.2], selector: {app: two}, ports: [{port: 80, "
           "targetPort: 8080, nodePort: 30082}], " +
           spec + "}}\n---\n";
}

const std::string kLocal = node_service("type: NodePort, externalTrafficPolicy: Local");

/// Calico's object of a node, with a tunnel address and the node's network.
std::string calico_node(const std::string& name, const std::string& tunnel,
                        const std::string& address) {
    return "{apiVersion: projectcalico.org/v3, kind: Node, metadata: {name: " + name +
           "}, spec: {" + (tunnel.empty() ? "" : "ipv4VXLANTunnelAddr: " + tunnel + ", ") +
           "bgp: {ipv4Address: " + address + "}}}\n---\n";
}

} // namespace

TEST_CASE(
    "externalTrafficPolicy Local: only pods of the node that is asked, by the client's address") {
    const std::string from_client = from_net("two", "203.0.113.0/24");
    CHECK(verdict(kLocal + from_client, {kOutside, "node:n1", 30082}) == Verdict::Allow);
    const auto dropped = judge(kLocal, {kOutside, "node:n2", 30082});
    CHECK(dropped.verdict == Verdict::Deny);
    CHECK(dropped.reason.find("node n2 has no pod of service a/s") != std::string::npos);
    // A node's packets to another node, and a pod's that natOutgoing gives its node's address.
    CHECK(verdict(kLocal, {"node:n1", "node:n2", 30082}) == Verdict::Deny);
    CHECK(verdict(pool("natOutgoing: true") + kLocal, {"a/one", "node:n2", 30082}) ==
          Verdict::Deny);
    CHECK(verdict(pool("natOutgoing: false") + kLocal, {"a/one", "node:n2", 30082}) ==
          Verdict::Allow);
    CHECK(verdict(kLocal, {"a/one", "node:n2", 30082}) == Verdict::Depends);
    // The cluster's own pods and the node's own packets ask all pods.
    CHECK(verdict(kLocal, {"a/far", "node:n2", 30082}) == Verdict::Allow);
    CHECK(verdict(kLocal, {"node:n2", "node:n2", 30082}) == Verdict::Allow);
    CHECK(verdict(kLocal, {"a/far", "198.51.100.2", 80}) == Verdict::Allow);
    // An external address may be asked at a node without a pod; a load balancer chooses others.
    CHECK(verdict(kLocal, {kOutside, "198.51.100.2", 80}) == Verdict::Depends);
    const std::string balanced =
        "{apiVersion: v1, kind: Service, metadata: {name: b, namespace: a}, spec: {type: "
        "LoadBalancer, externalTrafficPolicy: Local, clusterIP: 10.96.0.8, selector: {app: two}, "
        "ports: [{port: 80, targetPort: 8080}]}, status: {loadBalancer: {ingress: [{ip: "
        "198.51.100.3}]}}}\n---\n";
    CHECK(verdict(balanced + from_client, {kOutside, "198.51.100.3", 80}) == Verdict::Allow);
    CHECK(verdict(balanced + from_client, {kOutside, "service:a/b", 80}) == Verdict::Allow);
    CHECK(verdict(balanced + from_client, {"198.51.100.200", "198.51.100.3", 80}) == Verdict::Deny);
}

TEST_CASE("a pod that asks itself by way of another node comes back with that node's address") {
    const std::string as_it_is = pool("natOutgoing: false") + kLocal;
    const Ask ask{"a/two", "node:n2", 30082};
    CHECK(verdict(as_it_is + from_net("two", "192.168.0.2/32"), ask) == Verdict::Allow);
    CHECK(verdict(as_it_is + from_net("two", "10.0.0.2/32"), ask) == Verdict::Deny);
    // On its own node policy comes before masquerade.
    const Ask near{"a/two", "node:n1", 30082};
    CHECK(verdict(as_it_is + from_net("two", "10.0.0.2/32"), near) == Verdict::Allow);
}

TEST_CASE("externalTrafficPolicy Local and a pod that is not placed") {
    const std::string loose =
        "{apiVersion: v1, kind: Pod, metadata: {name: loose, namespace: a, labels: {app: loose}}, "
        "spec: {containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.9}}\n---\n"
        "{apiVersion: v1, kind: Service, metadata: {name: l, namespace: a}, spec: {type: NodePort, "
        "externalTrafficPolicy: Local, clusterIP: 10.96.0.9, selector: {app: loose}, ports: "
        "[{port: 80, targetPort: 8080, nodePort: 30083}]}}\n---\n";
    CHECK(verdict(loose, {kOutside, "node:n2", 30083}) == Verdict::Depends);
    const std::string closed = global_policy("w", "app == 'loose'", "types: [Ingress]");
    CHECK(verdict(loose + closed, {kOutside, "node:n2", 30083}) == Verdict::Deny);
}

TEST_CASE("internalTrafficPolicy Local: cluster addresses lead to pods of the same node") {
    const std::string inside = node_service("internalTrafficPolicy: Local");
    CHECK(verdict(inside, {"a/one", "10.96.0.7", 80}) == Verdict::Allow);
    const auto dropped = judge(inside, {"a/far", "service:a/s", 80});
    CHECK(dropped.verdict == Verdict::Deny);
    CHECK(dropped.reason.find("internalTrafficPolicy Local") != std::string::npos);
    CHECK(verdict(inside, {"a/far", "198.51.100.2", 80}) == Verdict::Allow);
    CHECK(verdict(node_service("internalTrafficPolicy: Cluster"), {"a/far", "10.96.0.7", 80}) ==
          Verdict::Allow);
}

TEST_CASE("what leaves a node through a tunnel has the tunnel's address") {
    const std::string nodes = calico_node("n1", "10.0.1.1", "192.168.0.1/24") +
                              calico_node("n2", "10.0.2.1", "192.168.0.2/24");
    const std::string by_node = from_net("two", "192.168.0.0/24"),
                      by_tunnel = from_net("two", "10.0.2.1/32");
    const std::string always = nodes + pool("vxlanMode: Always") + kNodePorts;
    for (const Ask& ask : {Ask{kOutside, "node:n2", 30080}, Ask{"node:n2", "a/two"},
                           Ask{"node:n2", "node:n2", 30080}}) {
        CHECK(verdict(always + by_tunnel, ask) == Verdict::Allow);
        CHECK(verdict(always + by_node, ask) == Verdict::Deny);
        // Without a tunnel, and between nodes of one network.
        for (const char* mode : {"vxlanMode: Never", "vxlanMode: CrossSubnet"}) {
            const std::string near = nodes + pool(mode) + kNodePorts;
            CHECK(verdict(near + by_node, ask) == Verdict::Allow);
            CHECK(verdict(near + by_tunnel, ask) == Verdict::Deny);
        }
        // A tunnel whose address no manifest gives, and tunnels of which it is not known which
        // pools they are for.
        const std::string unknown = pool("vxlanMode: Always") + kNodePorts;
        CHECK(verdict(unknown + by_node, ask) == Verdict::Depends);
        CHECK(verdict(nodes + kNodePorts + by_node, ask) == Verdict::Depends);
    }
    // To a host it goes as it is.
    CHECK(verdict(always + kHost +
                      global_policy("h", "host == 'n1'",
                                    "types: [Ingress], ingress: [{action: Allow, "
                                    "source: {nets: [192.168.0.2/32]}}]"),
                  {"node:n2", "node:n1"}) == Verdict::Allow);
    // Another network: CrossSubnet takes the tunnel.
    const std::string apart = calico_node("n1", "10.0.1.1", "192.168.0.1/31") +
                              calico_node("n2", "10.0.2.1", "192.168.0.2/31") +
                              pool("vxlanMode: CrossSubnet");
    CHECK(verdict(apart + by_tunnel, {"node:n2", "a/two"}) == Verdict::Allow);
}

TEST_CASE("Calico's BPF dataplane keeps the client's address") {
    const Ask ask{kOutside, "node:n2", 30080};
    const std::string bpf = felix("bpfEnabled: true");
    CHECK(verdict(kNodePorts + bpf + from_net("two", "203.0.113.0/24"), ask) == Verdict::Allow);
    CHECK(verdict(kNodePorts + bpf + from_net("two", "192.168.0.0/24"), ask) == Verdict::Deny);
}

TEST_CASE("natOutgoing: a pod's packets to another node have its node's address") {
    const std::string host = host_endpoint("n2-eth0", "node: n2, interfaceName: eth0, expectedIPs: "
                                                      "[192.168.0.2]");
    const auto from = [&](const std::string& net) {
        return host + global_policy("h", "hep == 'n2-eth0'",
                                    "types: [Ingress], ingress: [{action: Allow, source: {nets: [" +
                                        net + "]}}]");
    };
    const Ask ask{"a/one", "node:n2"};
    const std::string by_node = from("192.168.0.1/32"), by_pod = from("10.0.0.1/32");
    CHECK(verdict(pool("natOutgoing: true") + by_node, ask) == Verdict::Allow);
    CHECK(verdict(pool("natOutgoing: true") + by_pod, ask) == Verdict::Deny);
    CHECK(verdict(pool("natOutgoing: false") + by_pod, ask) == Verdict::Allow);
    CHECK(verdict(by_pod, ask) == Verdict::Depends);
    const std::string spared = felix("natOutgoingExclusions: IPPoolsAndHostIPs");
    CHECK(verdict(spared + pool("natOutgoing: true") + by_pod, ask) == Verdict::Allow);
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
    CHECK(verdict(of_n1, {"a/far", "node:n2"}) == Verdict::Depends);
    CHECK(verdict(of_n1 + kHost, {kOutside, "node:n1", 22}) == Verdict::Deny);
}
