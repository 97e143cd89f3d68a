// iptables and ipset on the kernel, what random flows don't show: forged sources, the gateway, a
// change of policy under a flow from both its sides.
#include <doctest/doctest.h>

#include "tests/kernel/iptables_rules.h"

using namespace polecat;
using namespace polecat::kernel_test;

namespace {

std::string filtered_pod(const std::string& app, const std::string& ip) {
    return "{apiVersion: v1, kind: Pod, metadata: {name: " + app +
           ", namespace: shop, labels: {app: " + app +
           "}}, spec: {nodeName: node0, containers: [{name: c, image: i}]}, status: {podIP: " + ip +
           "}}\n---\n";
}

std::string db_allows(const std::string& peer) {
    return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, "
           "namespace: shop}, spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: "
           "[{podSelector: {matchLabels: {app: " +
           peer + "}}}], ports: [{protocol: UDP, port: 5353}]}]}}\n---\n";
}

const std::string kShop = filtered_pod("web", "10.9.0.1") + filtered_pod("db", "10.9.0.2") +
                          filtered_pod("other", "10.9.0.3");

PacketSpec datagram(const std::string& from, const std::string& to, std::uint16_t port) {
    PacketSpec out;
    out.protocol = net::kUdp;
    out.source = address(from);
    out.destination = address(to);
    out.destination_port = port;
    out.source_port = 40000;
    return out;
}

/// The last packet that arrived at `server`, answered. True when the answer gets back.
bool is_answered(Node& node, const std::string& server, const std::string& client) {
    const std::size_t host = node.host_of(address(server));
    REQUIRE_FALSE(node.lab.hosts[host].seen.empty());
    const std::uint64_t nonce = node.next_nonce++;
    const PacketSpec answer = runtime::answer_to(node.lab.hosts[host].seen.rbegin()->second, nonce);
    REQUIRE(node.lab.send(host, runtime::make_packet(answer), answer.destination));
    node.lab.collect(30);
    return node.lab.has_seen(node.host_of(address(client)), nonce);
}

} // namespace

TEST_CASE("iptables: a forging pod is dropped") {
    if (!may_run() || !may_run_iptables())
        return;
    Node node(kShop, {"203.0.113.7"}, {}, load_iptables(Iptables::Nft));
    CHECK(node.passes(datagram("10.9.0.1", "10.9.0.3", 80), address("10.9.0.3")));
    for (const char* forged : {"10.9.0.3", "10.9.9.9"}) {
        PacketSpec spec = datagram(forged, "10.9.0.2", 80);
        spec.nonce = node.next_nonce++;
        REQUIRE(node.lab.send(node.host_of(address("10.9.0.1")), runtime::make_packet(spec),
                              spec.destination));
        node.lab.collect(30);
        CHECK_FALSE(node.lab.has_seen(node.host_of(spec.destination), spec.nonce));
    }
}

TEST_CASE("iptables: a pod and its gateway") {
    if (!may_run() || !may_run_iptables())
        return;
    for (const bool accept : {true, false}) {
        const std::string settings =
            "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: "
            "default}, spec: {defaultEndpointToHostAction: Accept}}\n---\n";
        Node node(kShop + (accept ? settings : ""), {"203.0.113.7"}, {},
                  load_iptables(Iptables::Legacy));
        node.lab.give_node(address("192.168.7.1"), "lo");
        PacketSpec ping;
        ping.protocol = net::kIcmp;
        ping.source = address("10.9.0.1");
        ping.destination = address("192.168.7.1");
        CHECK(node.passes(ping, ping.source) == accept);
    }
}

TEST_CASE("iptables: a change of policy reaches flows from either side") {
    if (!may_run() || !may_run_iptables())
        return;
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy}) {
        Node node(kShop + db_allows("web"), {"203.0.113.7"}, {}, load_iptables(variant));
        const PacketSpec query = datagram("10.9.0.1", "10.9.0.2", 5353);
        CHECK(node.passes(query, address("10.9.0.2")));
        CHECK(is_answered(node, "10.9.0.2", "10.9.0.1"));
        CHECK_FALSE(node.passes(datagram("10.9.0.3", "10.9.0.2", 5353), address("10.9.0.2")));
        // Still allowed: the answer comes first.
        node.change_policy(kShop + db_allows("web"), backends::Generation{2});
        CHECK(is_answered(node, "10.9.0.2", "10.9.0.1"));
        CHECK(node.passes(query, address("10.9.0.2")));
        // Denied now: the answer comes first again, and neither direction goes on.
        node.change_policy(kShop + db_allows("other"), backends::Generation{3});
        CHECK_FALSE(is_answered(node, "10.9.0.2", "10.9.0.1"));
        CHECK_FALSE(node.passes(query, address("10.9.0.2")));
        CHECK(node.passes(datagram("10.9.0.3", "10.9.0.2", 5353), address("10.9.0.2")));
    }
}
