// What a service or a port of a node leads to: addresses that nobody has chosen yet, names,
// hostPort.
#include "tests/decision/path_case.h"

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
