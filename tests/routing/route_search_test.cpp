// Flows that policy allows, and that no route carries.
#include <doctest/doctest.h>

#include "analyzer/routing/routes/route_search.h"
#include "tests/routing/networks.h"

using namespace polecat;
using namespace polecat::routing;
using testing::block;
using testing::kNoMesh;
using testing::kPool;
using testing::node;
using testing::object;

namespace {

/// Nodes a and b with a block each, and a pod on each.
struct Searched {
    testing::Routed routed;
    std::vector<NodeRouting> forms;
    std::optional<RouteSearch> search;

    explicit Searched(const std::string& manifests) : routed(manifests) {
        ClusterRouting bare = routed.routing;
        bare.mesh = false;
        const auto lower = [](const ClusterRouting& of, NodeIndex each) {
            diag::Diagnostics told;
            return passes::node_routing(of, each, told);
        };
        for (NodeIndex i = 0; i < bare.nodes.size(); ++i)
            if (auto form = lower(bare, i))
                forms.push_back(std::move(*form));
        search.emplace(routed.cluster, routed.routing, forms, lower);
    }

    /// "no: ...", "perhaps: ... unless ..."; "" where nothing is said.
    static std::string text(const std::optional<MissingRoute>& missing) {
        if (!missing)
            return "";
        std::string out = (missing->certain ? "no: " : "perhaps: ") + missing->reason;
        for (const auto& step : missing->trail)
            out += "; " + step.text;
        return out + (missing->unless.empty() ? "" : " unless " + missing->unless);
    }
    std::string to(const char* from, const char* node, const char* pod) {
        return text(search->to_pod(from, node, *net::parse_address(pod)));
    }
    std::string outside(const char* node, const char* pod) {
        return text(search->to_pod_from_outside(node, *net::parse_address(pod)));
    }
};

const std::string kSearchNodes = node("a", "10.0.0.1/24", "", "k: a") +
                                 node("b", "10.0.0.2/24", "", "k: b") + block("a", "10.1.0.0/26") +
                                 block("b", "10.1.0.64/26");
const std::string kMesh = object("BGPConfiguration", "default", "asNumber: 64512");
const std::string kPair =
    object("BGPPeer", "ab", "nodeSelector: k == 'a', peerSelector: k == 'b', filters: [f]");

std::string filter(const std::string& rules) {
    return object("BGPFilter", "f", rules);
}

bool begins(const std::string& text, const std::string& with) {
    INFO(text);
    CHECK(text.starts_with(with));
    return text.starts_with(with);
}
bool holds(const std::string& text, const std::string& what) {
    INFO(text);
    CHECK(text.find(what) != std::string::npos);
    return text.find(what) != std::string::npos;
}

} // namespace

TEST_CASE("no route: said only where the input says how routes come") {
    CHECK(Searched(kPool + kSearchNodes + kMesh).to("a", "b", "10.1.0.70") == "");
    // Nothing of BGP; no such node; no pool; the same node; BGP turned off.
    CHECK(Searched(kPool + kSearchNodes).to("a", "b", "10.1.0.70") == "");
    CHECK(Searched(kPool + kSearchNodes + kNoMesh).to("a", "c", "10.1.0.70") == "");
    CHECK(Searched(kSearchNodes + kNoMesh).to("a", "b", "10.1.0.70") == "");
    CHECK(Searched(kPool + kSearchNodes + kNoMesh).to("b", "b", "10.1.0.70") == "");
    CHECK(Searched(kPool + kSearchNodes + kNoMesh +
                   "{apiVersion: operator.tigera.io/v1, kind: Installation, metadata: {name: "
                   "default}, spec: {calicoNetwork: {bgp: Disabled}}}\n---\n")
              .to("a", "b", "10.1.0.70") == "");
    // Felix makes the routes of VXLAN, whoever speaks BGP.
    CHECK(Searched(object("IPPool", "pods", "cidr: 10.1.0.0/16, vxlanMode: Always") + kSearchNodes +
                   kNoMesh)
              .to("a", "b", "10.1.0.70") == "");
    // An address of another node's block: that node's own route leads to it.
    CHECK(Searched(kPool + kSearchNodes + kNoMesh).to("a", "b", "10.1.0.7") == "");
}

TEST_CASE("no route: not where Felix makes it besides BIRD") {
    const auto felix = [](const std::string& spec, const std::string& name = "default") {
        return object("FelixConfiguration", name, spec);
    };
    const auto by_operator = [](const std::string& mode) {
        return "{apiVersion: operator.tigera.io/v1, kind: Installation, metadata: {name: default}, "
               "spec: {calicoNetwork: {clusterRoutingMode: " +
               mode + "}}}\n---\n";
    };
    const auto environment = [](const std::string& name, const std::string& value) {
        return "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: calico-node, namespace: "
               "kube-system}, spec: {selector: {matchLabels: {k: n}}, template: {metadata: "
               "{labels: {k: n}}, spec: {containers: [{name: c, image: x, env: [{name: " +
               name + ", value: '" + value + "'}]}]}}}}\n---\n";
    };
    const std::string ipip = object("IPPool", "pods", "cidr: 10.1.0.0/16, ipipMode: Always");
    const auto missing = [](const std::string& manifests) {
        const std::string text =
            Searched(kSearchNodes + kNoMesh + manifests).to("a", "b", "10.1.0.70");
        return text.starts_with("no: ");
    };
    CHECK(missing(kPool));
    CHECK_FALSE(missing(kPool + felix("programClusterRoutes: Enabled")));
    CHECK_FALSE(missing(kPool + felix("programClusterRoutes: EnabledNoEncapOnly")));
    CHECK(missing(kPool + felix("programClusterRoutes: EnabledIPIPOnly")));
    CHECK(missing(kPool + felix("programClusterRoutes: Disabled")));
    // On the node that asks: its own, then the one of all; the environment before both.
    const std::string all = kPool + felix("programClusterRoutes: Enabled");
    CHECK(missing(all + felix("programClusterRoutes: Disabled", "node.a")));
    CHECK_FALSE(missing(all + felix("programClusterRoutes: Disabled", "node.b")));
    CHECK(missing(all + environment("FELIX_PROGRAMCLUSTERROUTES", "Disabled")));
    CHECK_FALSE(missing(kPool + environment("FELIX_PROGRAMCLUSTERROUTES", "Enabled")));

    CHECK_FALSE(missing(kPool + by_operator("Felix")));
    CHECK(missing(kPool + by_operator("FelixIPIPOnly")));
    CHECK(missing(kPool + by_operator("BIRD")));
    CHECK(missing(ipip + by_operator("BIRD")));
    CHECK_FALSE(missing(ipip));
    CHECK_FALSE(missing(ipip + by_operator("FelixIPIPOnly")));
    // Who of two wins is not known.
    CHECK_FALSE(missing(ipip + by_operator("BIRD") + felix("programClusterRoutes: Enabled")));
}

TEST_CASE("no route: not where Felix makes it for WireGuard") {
    const auto with_key = [](const std::string& name, const std::string& address,
                             const std::string& own) {
        return "{apiVersion: projectcalico.org/v3, kind: Node, metadata: {name: " + name +
               "}, spec: {bgp: {ipv4Address: " + address +
               "}, wireguard: {interfaceIPv4Address: " + own + "}}}\n---\n";
    };
    const std::string rest = kPool + kNoMesh + block("b", "10.1.0.64/26");
    const std::string a = with_key("a", "10.0.0.1/24", "10.1.0.9");
    const std::string both = a + with_key("b", "10.0.0.2/24", "10.1.0.99");
    const auto felix = [](const std::string& spec, const std::string& name = "default") {
        return object("FelixConfiguration", name, spec);
    };
    const auto missing = [&](const std::string& manifests) {
        const std::string text = Searched(rest + manifests).to("a", "b", "10.1.0.70");
        return text.starts_with("no: ");
    };
    CHECK(missing(both));
    CHECK_FALSE(missing(both + felix("wireguardEnabled: true")));
    CHECK(missing(both + felix("wireguardEnabledV6: true")));
    CHECK(missing(both + felix("wireguardEnabled: false")));
    CHECK_FALSE(missing(both + felix("wireguardEnabled: true", "node.a")));
    CHECK(missing(both + felix("wireguardEnabled: true") +
                  felix("wireguardEnabled: false", "node.a")));
    // One of the two is no peer; of nodes by hand nobody knows.
    CHECK(missing(a + node("b", "10.0.0.2/24") + felix("wireguardEnabled: true")));
    CHECK_FALSE(missing(node("a", "10.0.0.1/24") + node("b", "10.0.0.2/24") +
                        felix("wireguardEnabled: true")));
}

TEST_CASE("no route: no session") {
    Searched none(kPool + kSearchNodes + kNoMesh);
    const std::string text = none.to("a", "b", "10.1.0.70");
    begins(text, "no: node a has no route to 10.1.0.64/26 of node b; node a has no BGP session "
                 "that establishes");
    CHECK(none.search->may_miss(*net::parse_address("10.1.0.70")));
    CHECK_FALSE(
        Searched(kPool + kSearchNodes + kMesh).search->may_miss(*net::parse_address("10.1.0.70")));
    // Numbers that disagree.
    Searched numbers(kPool + node("a", "10.0.0.1/24", "asNumber: 65000") +
                     node("b", "10.0.0.2/24") + block("b", "10.1.0.64/26") + kMesh);
    holds(numbers.to("a", "b", "10.1.0.70"), "node a has no BGP session that establishes");
    // A chain that ends.
    Searched chain(kPool + kSearchNodes + node("c", "10.0.0.3/24", "", "k: c") +
                   node("d", "10.0.0.4/24", "", "k: d") + kNoMesh + filter("exportV4: []") + kPair +
                   object("BGPPeer", "cd", "nodeSelector: k == 'c', peerSelector: k == 'd'"));
    CHECK(chain.to("a", "b", "10.1.0.70") == "");
    holds(chain.to("c", "b", "10.1.0.70"), "no chain of BGP sessions leads there");
}

TEST_CASE("no route: blocks of pods are assumed where the input has none") {
    const std::string pod = "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: n}, spec: "
                            "{nodeName: b}, status: {podIP: 10.1.0.70}}\n---\n";
    const std::string nodes = node("a", "10.0.0.1/24") + node("b", "10.0.0.2/24");
    CHECK(Searched(kPool + nodes + kMesh + pod).to("a", "b", "10.1.0.70") == "");
    begins(Searched(kPool + nodes + kNoMesh + pod).to("a", "b", "10.1.0.70"),
           "no: node a has no route to 10.1.0.64/26 of node b");
    // Nobody's block: pods of both nodes lie in it.
    const std::string other =
        "{apiVersion: v1, kind: Pod, metadata: {name: q, namespace: n}, spec: "
        "{nodeName: a}, status: {podIP: 10.1.0.71}}\n---\n";
    CHECK(Searched(kPool + nodes + kNoMesh + pod + other).to("a", "b", "10.1.0.70") == "");
}

TEST_CASE("no route: pools and filters that keep it back") {
    const std::string hidden =
        object("IPPool", "pods", "cidr: 10.1.0.0/16, vxlanMode: Never, disableBGPExport: true");
    const std::string text = Searched(hidden + kSearchNodes + kMesh).to("a", "b", "10.1.0.70");
    begins(text, "no: node a has no route");
    holds(text, "node b -> node a: pool 10.1.0.0/16 is not exported");
    const std::string exported = Searched(kPool + kSearchNodes + kNoMesh + kPair +
                                          filter("exportV4: [{action: Reject, cidr: 10.1.0.64/26, "
                                                 "matchOperator: Equal}]"))
                                     .to("a", "b", "10.1.0.70");
    holds(exported, "node b -> node a: rule 1 of BGPFilter f rejects");
    const std::string imported = Searched(kPool + kSearchNodes + kNoMesh + kPair +
                                          filter("importV4: [{action: Accept, cidr: 10.1.0.0/26, "
                                                 "matchOperator: Equal}, {action: Reject}]"))
                                     .to("a", "b", "10.1.0.70");
    holds(imported, "node b -> node a: rule 2 of BGPFilter f rejects");
}

TEST_CASE("no route: whom others may lead there is said") {
    const std::string tor = object("BGPPeer", "tor", "peerIP: 10.0.0.254, asNumber: 65001");
    // Both nodes have one number, and refuse what the router passes on; it knows the way.
    const std::string text =
        Searched(kPool + kSearchNodes + kNoMesh + tor).to("a", "b", "10.1.0.70");
    begins(text, "perhaps: node a has no route");
    holds(text, "its own AS number");
    holds(text, "unless node a has a static or default route to router 10.0.0.254");
    // Reflectors that are not in the input.
    holds(Searched(kPool + kSearchNodes + kNoMesh +
                   object("BGPPeer", "up", "nodeSelector: all(), peerSelector: has(rr)"))
              .to("a", "b", "10.1.0.70"),
          "unless nodes are missing from the input: BGPPeer up selects none");
}

TEST_CASE("no route: families, tunnels, networks") {
    const std::string pool6 = object("IPPool", "pods6", "cidr: 'fd00:1::/48'");
    Searched six(kPool + pool6 + kSearchNodes + kMesh);
    begins(six.to("a", "b", "fd00:1::7"), "no: node b has no IPv6 address");
    const auto end = [](const char* name, const char* address, const char* tunnel) {
        return std::string("{apiVersion: projectcalico.org/v3, kind: Node, metadata: {name: ") +
               name + "}, spec: {bgp: {ipv4Address: " + address + "}" + tunnel + "}}\n---\n";
    };
    const std::string vxlan = object("IPPool", "pods", "cidr: 10.1.0.0/16, vxlanMode: Always");
    begins(Searched(vxlan + end("a", "10.0.0.1/24", ", ipv4VXLANTunnelAddr: 10.1.9.1") +
                    end("b", "10.0.0.2/24", "") + kMesh)
               .to("a", "b", "10.1.0.70"),
           "no: node b has no address of its VXLAN tunnel");
    // Packets between two networks without a tunnel: routers must know.
    const std::string apart =
        node("a", "10.0.0.1/24") + node("b", "10.0.1.2/24") + block("b", "10.1.0.64/26");
    begins(Searched(kPool + apart + kMesh).to("a", "b", "10.1.0.70"),
           "perhaps: nodes a and b are in different networks");
    CHECK(Searched(kPool + apart + kMesh +
                   object("BGPPeer", "tor", "peerIP: 10.0.0.254, asNumber: 65001"))
              .to("a", "b", "10.1.0.70") == "");
}

TEST_CASE("no route: from outside") {
    const std::string tor = object("BGPPeer", "tor",
                                   "peerIP: 10.0.0.254, asNumber: 65001, "
                                   "filters: [f]");
    const auto with = [&](const std::string& rules) {
        return kPool + kSearchNodes + kMesh + tor + filter(rules);
    };
    const std::string rejects =
        "exportV4: [{action: Reject, cidr: 10.1.0.0/16, matchOperator: In}]";
    CHECK(Searched(with("exportV4: []")).outside("b", "10.1.0.70") == "");
    const std::string text = Searched(with(rejects)).outside("b", "10.1.0.70");
    begins(text, "perhaps: BGP tells no router of 10.1.0.64/26 of node b");
    holds(text, "rule 1 of BGPFilter f rejects");
    CHECK(Searched(kPool + kSearchNodes + kMesh).outside("b", "10.1.0.70") == ""); // no routers
    Searched services(
        kPool + kSearchNodes + tor + filter("exportV4: []") +
        object("BGPConfiguration", "default", "serviceExternalIPs: [{cidr: 203.0.113.0/28}]"));
    const auto service = [&](const char* address, const char* field) {
        return Searched::text(
            services.search->to_service_from_outside(*net::parse_address(address), field));
    };
    CHECK(service("203.0.113.5", "serviceExternalIPs") == "");
    begins(service("203.0.113.55", "serviceExternalIPs"),
           "perhaps: no node announces the service's address 203.0.113.55");
    CHECK(service("203.0.113.55", "serviceLoadBalancerIPs") == ""); // somebody else's matter
}
