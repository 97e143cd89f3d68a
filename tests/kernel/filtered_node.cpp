#include "tests/kernel/filtered_node.h"

#include <doctest/doctest.h>

namespace polecat::kernel_test {

using decision::Verdict;
using runtime::make_packet;

namespace {

const std::vector<std::string> kBeyond{"203.0.113.7", "203.0.113.70", "8.8.8.8", "2001:db8:9::1",
                                       "2600::1"};

std::vector<PacketSpec> filtered_kinds(net::Family family) {
    std::vector<PacketSpec> out;
    for (const net::Protocol protocol : {net::kTcp, net::kUdp, net::kSctp})
        for (const int port : {53, 80, 443, 1000, 2500, 8080}) {
            PacketSpec spec;
            spec.protocol = protocol;
            spec.destination_port = static_cast<std::uint16_t>(port);
            spec.source_port = static_cast<std::uint16_t>(port == 443 ? 80 : 40000 + port);
            out.push_back(spec);
        }
    PacketSpec vxlan;
    vxlan.protocol = net::kUdp;
    vxlan.destination_port = 4789;
    vxlan.source_port = 40001;
    out.push_back(vxlan);
    // Only requests open a flow; conntrack takes any other ICMP message for invalid.
    PacketSpec echo;
    echo.protocol = family == net::Family::V4 ? net::kIcmp : net::kIcmpV6;
    echo.icmp_type = family == net::Family::V4 ? 8 : 128;
    out.push_back(echo);
    for (const net::Protocol protocol : {net::Protocol{47}, net::Protocol{50}}) {
        PacketSpec spec;
        spec.protocol = protocol;
        out.push_back(spec);
    }
    return out;
}

std::vector<net::Address> filtered_ends(const Node& node) {
    std::vector<net::Address> ends;
    for (const backends::DispatchEntry& entry : node.image.dispatch)
        ends.push_back(entry.address);
    for (const std::string& text : kBeyond)
        ends.push_back(address(text));
    return ends;
}

void send_filtered(Node& node, PacketSpec spec, std::vector<PacketSpec>& sent) {
    spec.nonce = node.next_nonce++;
    spec.icmp_id = static_cast<std::uint16_t>(spec.nonce);
    REQUIRE(node.lab.send(node.host_of(spec.source), make_packet(spec), spec.destination));
    sent.push_back(spec);
}

std::vector<PacketSpec> filter_to_ends(Node& node) {
    std::vector<PacketSpec> sent;
    const auto ends = filtered_ends(node);
    for (const net::Address& from : ends)
        for (const net::Address& to : ends) {
            const bool same_host = node.host_of(from) == node.host_of(to);
            if (from.family != to.family || same_host)
                continue;
            for (PacketSpec spec : filtered_kinds(from.family)) {
                // Without ports the other way round is the same flow's reply.
                if ((spec.protocol == 47 || spec.protocol == 50) && to < from)
                    continue;
                spec.source = from;
                spec.destination = to;
                send_filtered(node, spec, sent);
            }
            node.lab.collect(0);
        }
    return sent;
}

std::vector<PacketSpec> send_to_filtered_services(Node& node) {
    node.serve();
    std::vector<PacketSpec> sent;
    for (const net::Address& from : filtered_ends(node))
        for (const auto& [name, front] : node.cluster.lowered.service_fronts)
            for (const decision::ServiceFront::Port& port : front.ports)
                for (const net::Address& to : front.cluster_ips) {
                    PacketSpec spec;
                    spec.source = from;
                    spec.destination = to;
                    spec.protocol = port.protocol;
                    spec.destination_port = port.port;
                    // From numbers of its own: no flow of before is met again.
                    spec.source_port = static_cast<std::uint16_t>(20000 + node.next_nonce % 10000);
                    if (from.family != to.family || port.backends.empty() ||
                        node.host_of(from) == node.host_of(node.server_of(spec)))
                        continue;
                    send_filtered(node, spec, sent);
                }
    return sent;
}

void check_filtered(Node& node, const std::vector<PacketSpec>& sent, FilterTally& tally) {
    node.lab.collect(300);
    for (const PacketSpec& spec : sent) {
        const Verdict wanted = node.expected(spec);
        if (wanted == Verdict::Depends) { // on where a service's clients come in
            ++tally.open;
            continue;
        }
        const bool arrived = node.lab.has_seen(node.host_of(node.server_of(spec)), spec.nonce);
        ++tally.flows;
        tally.allowed += arrived ? 1 : 0;
        CHECK_MESSAGE(arrived == (wanted == Verdict::Allow),
                      net::to_string(spec.source)
                          << " -> " << net::to_string(spec.destination) << " protocol "
                          << int{spec.protocol} << " port " << spec.destination_port << " from "
                          << spec.source_port << ": eval says " << decision::to_string(wanted));
    }
}

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

void check_random_cluster(std::uint64_t seed, const Node::Loader& loader, FilterTally& direct,
                          FilterTally& translated) {
    testing::ClusterShape shape;
    shape.pods = 8;
    Node node(testing::ClusterWriter(seed, shape).write() + services(shape.namespaces), kBeyond, {},
              loader);
    check_filtered(node, filter_to_ends(node), direct);
    check_filtered(node, send_to_filtered_services(node), translated);
}

void check_tallies(const char* target, std::uint64_t seeds, const FilterTally& direct,
                   const FilterTally& translated) {
    MESSAGE(std::string(target) << ", seeds 1 to " << seeds << ": " << direct.flows << " flows, "
                                << direct.allowed << " allowed; " << translated.flows
                                << " through services, " << translated.allowed << " allowed");
    CHECK(direct.flows >= 10'000);
    CHECK(direct.allowed > direct.flows / 20);
    CHECK(direct.open == 0);
    CHECK(translated.open <= translated.flows / 50);
    CHECK(translated.flows >= 500);
    CHECK(translated.allowed > translated.flows / 20);
}

void check_forging(const Node::Loader& loader) {
    Node node(kShop, {"203.0.113.7"}, {}, loader);
    CHECK(node.passes(datagram("10.9.0.1", "10.9.0.3", 80), address("10.9.0.3")));
    for (const char* forged : {"10.9.0.3", "10.9.9.9"}) {
        PacketSpec spec = datagram(forged, "10.9.0.2", 80);
        spec.nonce = node.next_nonce++;
        REQUIRE(
            node.lab.send(node.host_of(address("10.9.0.1")), make_packet(spec), spec.destination));
        node.lab.collect(30);
        CHECK_FALSE(node.lab.has_seen(node.host_of(spec.destination), spec.nonce));
    }
}

void check_gateway(const Node::Loader& loader) {
    for (const bool accept : {true, false}) {
        const std::string settings =
            "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: "
            "default}, spec: {defaultEndpointToHostAction: Accept}}\n---\n";
        Node node(kShop + (accept ? settings : ""), {"203.0.113.7"}, {}, loader);
        node.lab.give_node(address("192.168.7.1"), "lo");
        PacketSpec ping;
        ping.protocol = net::kIcmp;
        ping.source = address("10.9.0.1");
        ping.destination = address("192.168.7.1");
        CHECK(node.passes(ping, ping.source) == accept);
    }
}

void check_change(const Node::Loader& loader) {
    Node node(kShop + db_allows("web"), {"203.0.113.7"}, {}, loader);
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

} // namespace polecat::kernel_test
