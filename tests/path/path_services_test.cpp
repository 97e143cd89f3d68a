// What a service or a port of a node leads to: addresses that nobody has chosen yet, names,
// hostPort.
#include "tests/path/path_case.h"

using namespace polecat;
using decision::Verdict;
using testing::Ask;
using testing::global_policy;
using testing::kOutside;
using testing::verdict;

namespace {

std::string service(const std::string& spec) {
    return "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {" + spec +
           "}}\n---\n";
}

std::string only_port(int port) {
    return global_policy("p", "app == 'two'",
                         "types: [Ingress], ingress: [{action: Allow, protocol: TCP, destination: "
                         "{ports: [" +
                             std::to_string(port) + "]}}]");
}

const std::string kPorts = "selector: {app: two}, ports: [{port: 80, targetPort: 8080}]";

/// A pod that no policy lets in, behind a port of its node, or of any node.
std::string host_port(const std::string& placed) {
    return "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: a, labels: {app: web}}, "
           "spec: {" +
           placed +
           "containers: [{name: c, image: i, ports: [{containerPort: 8080, hostPort: 18080}]}]}, "
           "status: {podIP: 10.0.0.9}}\n---\n" +
           global_policy("w", "app == 'web'", "types: [Ingress], ingress: []");
}

} // namespace

TEST_CASE("a service whose cluster address is still to be chosen is translated all the same") {
    const Ask ask{"a/one", "service:a/s", 80};
    for (const char* address : {"", "clusterIP: '', ", "clusterIP: 10.96.0.9, "}) {
        INFO(address);
        CHECK(verdict(service(address + kPorts) + only_port(80), ask) == Verdict::Deny);
        CHECK(verdict(service(address + kPorts) + only_port(8080), ask) == Verdict::Allow);
        CHECK(verdict(service(address + kPorts) + only_port(8080), {"a/one", "service:a/s", 81}) ==
              Verdict::Deny);
    }
    // Headless: names lead to the pods, at the port that is asked.
    CHECK(verdict(service("clusterIP: None, " + kPorts) + only_port(80), ask) == Verdict::Allow);
    CHECK(verdict(service("clusterIP: None, " + kPorts) + only_port(8080), ask) == Verdict::Deny);
}

TEST_CASE("a service that stands for a name outside is not known") {
    CHECK(verdict(service("type: ExternalName, externalName: example.com"),
                  {"a/one", "service:a/s", 80}) == Verdict::Depends);
}

TEST_CASE("hostPort leads to the pod, by its policy") {
    const Ask at_pod{kOutside, "node:n1", 18080}, beside{kOutside, "node:n1", 18081},
        elsewhere{kOutside, "node:n2", 18080};
    const std::string placed = host_port("nodeName: n1, ");
    CHECK(verdict(placed, at_pod) == Verdict::Deny);
    CHECK(verdict(placed, beside) == Verdict::Allow);
    CHECK(verdict(placed, elsewhere) == Verdict::Allow);
    CHECK(verdict(host_port(""), elsewhere) == Verdict::Depends);
    CHECK(verdict(host_port("nodeName: n1, hostNetwork: true, "), at_pod) == Verdict::Allow);
}

TEST_CASE("loadBalancerSourceRanges: whom a load balancer leaves out is not let in for sure") {
    const std::string balanced =
        service("type: LoadBalancer, clusterIP: 10.96.0.9, externalIPs: [198.51.100.77], "
                "loadBalancerSourceRanges: [203.0.113.0/24], " +
                kPorts);
    CHECK(verdict(balanced, {kOutside, "198.51.100.77", 80}) == Verdict::Allow);
    CHECK(verdict(balanced, {"8.8.8.8", "198.51.100.77", 80}) == Verdict::Depends);
    CHECK(verdict(balanced, {"a/one", "10.96.0.9", 80}) == Verdict::Allow);
}

TEST_CASE("loadBalancerSourceRanges: kube-proxy drops others at the load balancer's address") {
    const auto balanced = [](const std::string& ranges, const std::string& address) {
        std::string text = service("type: LoadBalancer, clusterIP: 10.96.0.9, " + ranges + kPorts);
        if (!address.empty())
            text.replace(text.rfind("}}\n---"), 2,
                         "}, status: {loadBalancer: {ingress: [" + address + "]}}}");
        return text;
    };
    const std::string ranges = "loadBalancerSourceRanges: [203.0.113.0/24], ";
    for (const char* address :
         {"", "{ip: 198.51.100.88}", "{ip: 198.51.100.88}, {ip: '2001:db8::1'}",
          "{hostname: lb.example.com}"}) {
        INFO(address);
        CHECK(verdict(balanced(ranges, address), {kOutside, "service:a/s", 80}) == Verdict::Allow);
        const auto dropped =
            testing::judge(balanced(ranges, address), {"8.8.8.8", "service:a/s", 80});
        CHECK(dropped.verdict == Verdict::Deny);
        CHECK(dropped.reason ==
              "loadBalancerSourceRanges of service a/s leaves the source out: kube-proxy drops it "
              "at the load balancer's address");
        CHECK(verdict(balanced("", address), {"8.8.8.8", "service:a/s", 80}) == Verdict::Allow);
    }
    const std::string at = balanced(ranges, "{ip: 198.51.100.88}");
    CHECK(verdict(at, {"8.8.8.8", "198.51.100.88", 80}) == Verdict::Deny);
    CHECK(verdict(at, {kOutside, "198.51.100.88", 80}) == Verdict::Allow);
    CHECK(verdict(at, {"a/one", "198.51.100.88", 80}) == Verdict::Deny); // the pod's own address
    // Pods ask by the cluster address, where ranges do not count.
    const auto inside = testing::judge(at, {"a/one", "service:a/s", 80});
    CHECK(inside.verdict == Verdict::Allow);
    CHECK(inside.reason.find("cluster address") != std::string::npos);
    CHECK(testing::judge(balanced("", ""), {"a/one", "service:a/s", 80}).reason.empty());
    const std::string pods = "loadBalancerSourceRanges: [10.0.0.0/8], ";
    CHECK(verdict(balanced(pods, "{ip: 198.51.100.88}"), {"a/one", "198.51.100.88", 80}) ==
          Verdict::Allow);
    CHECK(testing::judge(balanced(pods, ""), {"a/one", "service:a/s", 80}).reason.empty());
    // Of another family, they are not asked by kube-proxy; a load balancer may.
    CHECK(verdict(balanced("loadBalancerSourceRanges: ['2001:db8::/32'], ", ""),
                  {"8.8.8.8", "service:a/s", 80}) == Verdict::Depends);
}

TEST_CASE("a service takes packets of its own families, and has only these addresses for members") {
    const std::string pods =
        "{apiVersion: v1, kind: Node, metadata: {name: n8}, status: {addresses: [{type: "
        "InternalIP, address: 192.168.0.8}, {type: InternalIP, address: 'fd00::8'}]}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: from, namespace: a, labels: {app: from}}, "
        "spec: {nodeName: n8, containers: [{name: c, image: i}]}, status: {podIPs: [{ip: "
        "10.0.0.91}, {ip: 'fd01::91'}]}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: to, namespace: a, labels: {app: to}}, spec: "
        "{nodeName: n8, containers: [{name: c, image: i}]}, status: {podIPs: [{ip: 10.0.0.92}, "
        "{ip: 'fd01::92'}]}}\n---\n";
    const auto of = [&](const std::string& spec) {
        return pods +
               service("type: NodePort, " + spec +
                       "selector: {app: to}, ports: [{port: 80, targetPort: 8080, nodePort: "
                       "30080}]") +
               global_policy("p", "app == 'from'",
                             "types: [Egress], egress: [{action: Allow, destination: {services: "
                             "{name: s, namespace: a}}}]");
    };
    const Ask v4{"10.0.0.91", "10.0.0.92", 8080}, v6{"fd01::91", "fd01::92", 8080},
        port4{kOutside, "192.168.0.8", 30080}, port6{"2001:db8::1", "fd00::8", 30080},
        by_name{"2001:db8::1", "service:a/s", 80};
    // Without a word, that of a pod's first address; what the API server wrote, or a manifest asks.
    for (const char* single : {"", "clusterIP: 10.96.0.9, ", "ipFamilies: [IPv4], ",
                               "ipFamilyPolicy: SingleStack, ", "clusterIPs: [10.96.0.9], "}) {
        INFO(single);
        CHECK(verdict(of(single), v4) == Verdict::Allow);
        CHECK(verdict(of(single), v6) == Verdict::Deny);
        CHECK(testing::judge(of(single), port4).ways.front().hops.size() == 1);
        CHECK(testing::judge(of(single), port6).ways.front().hops.empty()); // the node's own
        CHECK(verdict(of(single), by_name) == Verdict::Deny);
    }
    for (const char* both : {"ipFamilies: [IPv4, IPv6], ", "ipFamilyPolicy: PreferDualStack, ",
                             "clusterIPs: [10.96.0.9, 'fd02::9'], "}) {
        INFO(both);
        CHECK(verdict(of(both), v4) == Verdict::Allow);
        CHECK(verdict(of(both), v6) == Verdict::Allow);
        CHECK(testing::judge(of(both), port6).ways.front().hops.size() == 1);
        CHECK(verdict(of(both), by_name) == Verdict::Allow);
    }
    CHECK(verdict(of("ipFamilies: [IPv6], "), v4) == Verdict::Deny);
    CHECK(verdict(of("ipFamilies: [IPv6], "), v6) == Verdict::Allow);
}

TEST_CASE("a cluster address answers at its service's ports only") {
    const std::string text = service("clusterIP: 10.96.0.9, " + kPorts);
    CHECK(verdict(text, {"a/one", "10.96.0.9", 80}) == Verdict::Allow);
    const auto other = testing::judge(text, {"a/one", "10.96.0.9", 81});
    CHECK(other.verdict == Verdict::Deny);
    CHECK(other.reason == "the service a/s, whose address it is, has no such port (it has 80/TCP)");
    CHECK(verdict(text, {"a/one", "10.96.0.10", 81}) == Verdict::Allow);
    testing::RandomCluster broken;
    testing::load_text(testing::kCluster + service("clusterIP: 10.96.0.9, ports: [{port: web}]"),
                       broken);
    ir::PathQuery query;
    query.source = testing::end_of(broken.lowered, "a/one");
    query.destination = testing::end_of(broken.lowered, "10.96.0.9");
    query.route = ir::Route::Wire;
    query.packet.protocol = net::kTcp;
    query.packet.destination_port = 80;
    CHECK(ir::judge_flow(broken.lowered, query).verdict == Verdict::Depends);
}
