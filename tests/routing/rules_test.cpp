// What a node announces and what enters its kernel.
#include <doctest/doctest.h>

#include "tests/routing/routed.h"

using namespace polecat;
using namespace polecat::routing;
using testing::node;
using testing::object;
using testing::Routed;

namespace {

using Texts = std::vector<std::string>;

Texts texts(const std::vector<PrefixLine>& lines) {
    Texts out;
    for (const PrefixLine& line : lines)
        out.push_back(net::to_string(line.prefix));
    return out;
}

std::string service(const std::string& name, const std::string& spec,
                    const std::string& status = "") {
    return "{apiVersion: v1, kind: Service, metadata: {name: " + name +
           ", namespace: n}, spec: {ports: [{port: 80}], " + spec + "}" +
           (status.empty() ? "" : ", status: {loadBalancer: {ingress: [{ip: " + status + "}]}}") +
           "}\n---\n";
}

std::string slice(const std::string& service, const std::string& endpoint) {
    return "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: " + service +
           "-1, namespace: n, labels: {kubernetes.io/service-name: " + service +
           "}}, addressType: IPv4, endpoints: [{addresses: [10.1.0.5], " + endpoint + "}]}\n---\n";
}

const std::string kNodes = node("a", "10.0.0.1/24") + node("b", "10.0.0.2/24");

std::string ranges(const std::string& more) {
    return object("BGPConfiguration", "default", more);
}

Texts announced(const std::string& text, const std::string& by) {
    return texts(Routed(kNodes + text).node(by)->v4.services);
}

} // namespace

TEST_CASE("ranges of services are announced by every node, and kept out of its kernel") {
    const std::string lists =
        ranges("serviceClusterIPs: [{cidr: 10.96.0.0/16}, {}], serviceExternalIPs: [{cidr: "
               "203.0.113.0/24}, {cidr: 198.51.100.1/32}], serviceLoadBalancerIPs: [{cidr: "
               "192.0.2.0/24}]");
    CHECK(announced(lists, "a") == Texts{"10.96.0.0/16", "192.0.2.0/24", "203.0.113.0/24"});
    Routed excluded(lists + node("a", "10.0.0.1/24", "",
                                 "node.kubernetes.io/exclude-from-external-load-balancers: "
                                 "\"true\""));
    CHECK(excluded.node("a")->v4.services.empty());
    CHECK(excluded.node("a")->v4.kernel.reject_services.size() == 3);
    Routed empty(lists + node("a", "10.0.0.1/24", "",
                              "node.kubernetes.io/exclude-from-external-load-balancers: \"\""));
    CHECK(empty.node("a")->v4.services.size() == 3);
}

TEST_CASE("services of policy Local are announced where an endpoint is ready") {
    const std::string lists = ranges("serviceClusterIPs: [{cidr: 10.96.0.0/16}], "
                                     "serviceExternalIPs: [{cidr: 203.0.113.0/24}]");
    const std::string local = service("s", "type: LoadBalancer, externalTrafficPolicy: Local, "
                                           "clusterIP: 10.97.0.7, externalIPs: [203.0.113.9, "
                                           "198.51.100.9]");
    const Texts only_ranges{"10.96.0.0/16", "203.0.113.0/24"};
    const Texts with{"10.96.0.0/16", "10.97.0.7/32", "203.0.113.0/24", "203.0.113.9/32"};
    CHECK(announced(lists + local + slice("s", "nodeName: a"), "a") == with);
    CHECK(announced(lists + local + slice("s", "nodeName: a"), "b") == only_ranges);
    CHECK(announced(lists + local + slice("s", "nodeName: a, conditions: {ready: false}"), "a") ==
          only_ranges);
    CHECK(announced(lists + local, "a") == only_ranges); // no slice
    const std::string v6 = service("s", "type: LoadBalancer, externalTrafficPolicy: Local, "
                                        "clusterIP: 10.97.0.7, ipFamilies: [IPv6]");
    CHECK(announced(lists + v6 + slice("s", "nodeName: a"), "a") == only_ranges);
}

TEST_CASE("one address that is listed by itself makes host routes on every node") {
    const std::string lists = ranges("serviceExternalIPs: [{cidr: 203.0.113.0/24}, {cidr: "
                                     "198.51.100.9/32}]");
    const std::string cluster =
        service("s", "type: ClusterIP, clusterIP: 10.97.0.7, externalIPs: [203.0.113.9, "
                     "198.51.100.9]");
    CHECK(announced(lists + cluster + slice("s", "conditions: {ready: false}"), "b") ==
          Texts{"198.51.100.9/32", "203.0.113.0/24", "203.0.113.9/32"});
    const std::string none = service("s", "type: ClusterIP, clusterIP: 10.97.0.7, externalIPs: "
                                          "[203.0.113.9]");
    CHECK(announced(lists + none + slice("s", "nodeName: a"), "a") == Texts{"203.0.113.0/24"});
}

TEST_CASE("without aggregation load balancers' addresses go one by one") {
    const std::string lists = ranges("serviceLoadBalancerIPs: [{cidr: 192.0.2.0/24}], "
                                     "serviceLoadBalancerAggregation: Disabled");
    const std::string cluster =
        service("s", "type: LoadBalancer, clusterIP: 10.97.0.7", "192.0.2.5");
    CHECK(announced(lists, "a").empty());
    CHECK(announced(lists + cluster + slice("s", "nodeName: a"), "b") == Texts{"192.0.2.5/32"});
    CHECK(announced(lists + cluster + slice("s", "conditions: {ready: false}"), "b").empty());
}

TEST_CASE("blocks by state") {
    const auto block = [](const std::string& name, const std::string& cidr,
                          const std::string& state) {
        return object("BlockAffinity", name,
                      "cidr: " + cidr + ", node: a, state: '" + state + "', deleted: false");
    };
    Routed routed(kNodes + block("one", "10.1.0.0/26", "") +
                  block("two", "10.1.1.0/26", "pending") +
                  block("three", "10.1.2.0/26", "pendingDeletion") +
                  block("four", "10.1.3.3/32", "confirmed"));
    const auto blocks = routed.node("a")->v4.blocks;
    REQUIRE(blocks.size() == 3);
    CHECK((blocks[0].originates && blocks[0].hides));
    CHECK((blocks[1].originates && !blocks[1].hides));
    CHECK((!blocks[2].originates && blocks[2].hides));
    CHECK(routed.node("b")->v4.blocks.empty());
}

TEST_CASE("who writes a pool's routes") {
    const std::string pools = object("IPPool", "plain", "cidr: 10.1.0.0/16") +
                              object("IPPool", "always", "cidr: 10.2.0.0/16, ipipMode: Always") +
                              object("IPPool", "cross",
                                     "cidr: 10.3.0.0/16, ipipMode: "
                                     "CrossSubnet") +
                              object("IPPool", "vxlan", "cidr: 10.4.0.0/16, vxlanMode: Always");
    const auto actions = [&](const std::string& mode) {
        Routed routed(kNodes + pools +
                      (mode.empty() ? "" : ranges("programClusterRoutes: " + mode)));
        std::string out;
        const auto node = routed.node("a");
        for (const KernelPool& pool : node->v4.kernel.pools)
            out += pool.action == KernelAction::Reject   ? 'r'
                   : pool.action == KernelAction::Direct ? 'd'
                   : pool.direct_inside                  ? 'c'
                                                         : 't';
        return out;
    };
    CHECK(actions("") == "drrr");
    CHECK(actions("EnabledNoEncapOnly") == "drrr");
    CHECK(actions("EnabledIPIPOnly") == "rtcr");
    CHECK(actions("Enabled") == "dtcr");
    CHECK(actions("Disabled") == "rrrr");
    // The operator writes the field for its own; what is written stands.
    const auto by_operator = [](const std::string& mode) {
        return "{apiVersion: operator.tigera.io/v1, kind: Installation, metadata: {name: default}, "
               "spec: {calicoNetwork: {clusterRoutingMode: " +
               mode + "}}}\n---\n";
    };
    const auto first = [&](const std::string& more) {
        const auto list = Routed(kNodes + pools + more).node("a")->v4.kernel.pools;
        return std::pair(list[0].action, list[1].action);
    };
    using enum KernelAction;
    CHECK(first(by_operator("BIRD")) == std::pair(Direct, Tunnel));
    CHECK(first(by_operator("FelixIPIPOnly")) == std::pair(Direct, Reject));
    CHECK(first(by_operator("Felix")) == std::pair(Reject, Reject));
    CHECK(first(by_operator("Felix") + ranges("programClusterRoutes: EnabledNoEncapOnly")) ==
          std::pair(Direct, Reject));
    Routed felix(kNodes + pools);
    CHECK(felix.node("a")->v4.exports.reject_interfaces_inside ==
          Texts{"*.cali", "*.calico", "tunl0"});
    Routed bird(kNodes + pools + ranges("programClusterRoutes: Enabled"));
    CHECK(bird.node("a")->v4.exports.reject_interfaces_inside == Texts{"*.cali", "*.calico"});
    CHECK(bird.node("a")->v4.kernel.pools[2].direct_inside ==
          net::parse_cidr("10.0.0.0/24", net::CidrForm::Strict));
}

TEST_CASE("communities: names resolved, unknown ones gone, a node's list hides the cluster's") {
    const std::string all = ranges("communities: [{name: x, value: '1:2'}], prefixAdvertisements: "
                                   "[{cidr: 10.0.0.0/8, communities: [x, '100:2', '1:2', '20:2']},"
                                   " {cidr: 'fd00::/8', communities: [x]}]");
    Routed routed(kNodes + all);
    const auto lines = routed.node("a")->v4.exports.communities;
    REQUIRE(lines.size() == 1);
    CHECK(lines[0].communities ==
          std::vector<Community>{{{100, 2}}, {{1, 2}}, {{20, 2}}}); // sorted as text
    CHECK(routed.node("a")->v6.exports.communities.size() == 1);
    Routed own(kNodes + all +
               object("BGPConfiguration", "node.a",
                      "prefixAdvertisements: [{cidr: 10.0.0.0/8, communities: ['7:7']}]"));
    CHECK(own.node("a")->v4.exports.communities[0].communities == std::vector<Community>{{{7, 7}}});
    CHECK(own.node("a")->v6.exports.communities.empty());
    CHECK(own.node("b")->v6.exports.communities.size() == 1);
}

TEST_CASE("nodes that speak WireGuard leave each other's routes to Felix") {
    const auto wireguard = [](const std::string& name, const std::string& address) {
        return "{apiVersion: projectcalico.org/v3, kind: Node, metadata: {name: " + name +
               "}, spec: {bgp: {ipv4Address: " + address +
               "}, wireguard: {interfaceIPv4Address: 10.9.0.1}}}\n---\n";
    };
    Routed routed(wireguard("a", "10.0.0.1/24") + wireguard("b", "10.0.0.2/24") +
                  node("c", "10.0.0.3/24"));
    CHECK(routed.node("a")->v4.kernel.reject_next_hops.size() == 1);
    CHECK(routed.node("c")->v4.kernel.reject_next_hops.empty());
}
