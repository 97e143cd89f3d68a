#include "tests/kernel/host_node.h"

#include <doctest/doctest.h>

#include "driver/try/experiment.h"
#include "runtime/nft.h"
#include "tests/host_policies.h"
#include "tests/scale.h"

namespace polecat::kernel_test {

using decision::Verdict;
using testing::felix_of_host;
using testing::host_endpoint;
using testing::host_policy;
using testing::Random;

namespace {

bool is_host(const net::Address& address) {
    const std::string text = net::to_string(address);
    return text == kHostAddress || text == kHostAddress6;
}

} // namespace

HostNode::HostNode(const std::string& manifests, Node::Loader loader)
    : node(manifests, {kNear, kFar, kNear6, kFar6}, {}, std::move(loader)) {
    for (const char* each : {kHostAddress, kHostAddress6})
        node.lab.give_node(address(each), "uplink");
}

std::uint64_t HostNode::send(PacketSpec spec) {
    spec.nonce = node.next_nonce++;
    const std::string packet = runtime::make_packet(spec);
    if (is_host(spec.source))
        sockets_.send(packet, spec.destination);
    else
        REQUIRE(node.lab.send(node.host_of(spec.source), packet, spec.destination));
    return spec.nonce;
}

bool HostNode::arrived(const PacketSpec& spec, std::uint64_t nonce, int milliseconds) {
    node.lab.collect(milliseconds);
    sockets_.collect();
    if (is_host(spec.destination))
        return sockets_.has_seen(nonce);
    return node.lab.has_seen(node.host_of(node.server_of(spec)), nonce);
}

PacketSpec spec_of(const std::string& from, const std::string& to, net::Protocol protocol,
                   std::uint16_t port, std::uint16_t source_port) {
    PacketSpec out;
    out.protocol = protocol;
    out.source = address(from);
    out.destination = address(to);
    out.destination_port = port;
    out.source_port = source_port;
    return out;
}

namespace {

/// Of the packet itself, whatever becomes of answers to it.
Verdict expected_of_packet(const Node& node, const PacketSpec& spec) {
    const ir::FlowVerdict verdict = ir::judge_flow(node.cluster.lowered, driver::query_of(spec));
    std::set<Verdict> wanted;
    for (const ir::WayVerdict& way : verdict.ways) {
        const auto stops = [&](bool answers) {
            return std::any_of(way.hops.begin(), way.hops.end(), [&](const ir::HopVerdict& each) {
                return each.hop.of_answers == answers && each.verdict != Verdict::Allow;
            });
        };
        const bool only_answers = stops(true) && !stops(false);
        wanted.insert(only_answers ? Verdict::Allow : way.verdict);
    }
    REQUIRE(wanted.size() == 1);
    return *wanted.begin();
}

void check_host_flows(HostNode& host, Random& random, HostTally& tally) {
    const std::set<std::string> beyond{kNear, kFar, kNear6, kFar6};
    std::vector<std::string> ends{kHostAddress, kHostAddress6};
    ends.insert(ends.end(), beyond.begin(), beyond.end());
    for (const backends::DispatchEntry& entry : host.node.image.dispatch)
        ends.push_back(net::to_string(entry.address));
    std::vector<std::pair<PacketSpec, std::uint64_t>> sent;
    std::uint16_t source_port = 20000;
    for (const std::string& from : ends)
        for (const std::string& to : ends) {
            if (from == to || address(from).family != address(to).family ||
                (beyond.contains(from) && beyond.contains(to)))
                continue;
            for (const net::Protocol protocol : {net::kTcp, net::kUdp})
                for (const int port : {22, 53, 80, 443, 30080}) {
                    // Some from failsafe ports, as if they were answers.
                    const std::uint16_t from_port =
                        port != 53 && random.chance(10) ? std::uint16_t{53} : ++source_port;
                    const PacketSpec spec =
                        spec_of(from, to, protocol, static_cast<std::uint16_t>(port), from_port);
                    sent.emplace_back(spec, host.send(spec));
                }
            host.node.lab.collect(0);
        }
    host.node.lab.collect(200);
    for (const auto& [spec, nonce] : sent) {
        const Verdict wanted = expected_of_packet(host.node, spec);
        bool arrived = host.arrived(spec, nonce, 0);
        // Once more: IPv6 gives up packets while it looks for a neighbour on a busy machine. What
        // policy drops is dropped again.
        if (!arrived && wanted == Verdict::Allow)
            arrived = host.arrived(spec, host.send(spec), 200);
        ++tally.flows;
        tally.allowed += arrived ? 1 : 0;
        CHECK_MESSAGE(arrived == (wanted == Verdict::Allow),
                      net::to_string(spec.source)
                          << ":" << spec.source_port << " -> " << net::to_string(spec.destination)
                          << ":" << spec.destination_port << " protocol " << int{spec.protocol}
                          << ": eval says " << decision::to_string(wanted));
    }
}

} // namespace

void check_random_host(std::uint64_t seed, const Node::Loader& loader, HostTally& tally) {
    INFO("seed ", seed);
    Random random(seed + 700);
    testing::ClusterShape shape;
    shape.pods = 4;
    const bool wildcard = seed % 3 == 0;
    HostNode host(testing::ClusterWriter(seed, shape).write() +
                      host_endpoint(wildcard ? "*" : "uplink") + testing::neighbour_discovery() +
                      testing::random_host_policies(random, !wildcard) +
                      felix_of_host(seed % 2 == 0 ? "Accept" : "Drop"),
                  loader);
    if (!loader)
        CHECK(host.node.kernel_agrees());
    check_host_flows(host, random, tally);
    if (!loader)
        CHECK(host.node.kernel_agrees());
}

void check_random_hosts(const char* target, std::size_t usual_seeds,
                        const std::function<Node::Loader(std::uint64_t seed)>& loader_of) {
    HostTally tally;
    const std::size_t first = count_of("POLECAT_KERNEL_FIRST", 1);
    const std::size_t seeds = count_of("POLECAT_KERNEL_SEEDS", usual_seeds);
    for (std::uint64_t seed = first; seed < first + seeds; ++seed)
        check_random_host(seed, loader_of(seed), tally);
    MESSAGE(std::string(target) << ", " << seeds << " clusters with host endpoints: " << tally.flows
                                << " flows, " << tally.allowed << " allowed");
    CHECK(tally.flows > 200 * seeds);
    CHECK(tally.allowed > tally.flows / 20);
}

std::string host_manifests() {
    return "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n"
           "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: "
           "web}}, spec: "
           "{nodeName: node0, containers: [{name: c, image: i}]}, status: {podIP: "
           "10.9.0.1}}\n---\n" +
           felix_of_host("Accept");
}

void check_failsafe_ports(const Node::Loader& loader) {
    HostNode host(host_manifests() + host_endpoint("uplink"), loader);
    CHECK(host.passes(spec_of(kNear, kHostAddress, net::kTcp, 22)));
    CHECK_FALSE(host.passes(spec_of(kNear, kHostAddress, net::kTcp, 80)));
    CHECK(host.passes(spec_of(kHostAddress, kNear, net::kUdp, 53)));
    CHECK_FALSE(host.passes(spec_of(kHostAddress, kNear, net::kUdp, 54)));
    CHECK(host.passes(spec_of(kNear, "10.9.0.1", net::kTcp, 80)));
    CHECK(host.passes(spec_of("10.9.0.1", kNear, net::kTcp, 80)));
    CHECK(host.passes(spec_of(kHostAddress, "10.9.0.1", net::kTcp, 80)));
}

void check_answers_of_hosts(const Node::Loader& loader) {
    HostNode host(host_manifests() + host_endpoint("uplink") +
                      host_policy("normal", "types: [Ingress, Egress], ingress: [{action: Allow, "
                                            "protocol: UDP, destination: {ports: [80]}}], egress: "
                                            "[{action: Allow, protocol: UDP, destination: {ports: "
                                            "[80]}}]"),
                  loader);
    CHECK(host.passes(spec_of(kNear, kHostAddress, net::kUdp, 80, 5000)));
    CHECK(host.passes(spec_of(kHostAddress, kNear, net::kUdp, 5000, 80)));
    CHECK_FALSE(host.passes(spec_of(kHostAddress, kFar, net::kUdp, 5000, 80)));
    CHECK(host.passes(spec_of(kHostAddress, kNear, net::kUdp, 80, 5001)));
    CHECK(host.passes(spec_of(kNear, kHostAddress, net::kUdp, 5001, 80)));
    CHECK_FALSE(host.passes(spec_of(kFar, kHostAddress, net::kUdp, 5001, 80)));
}

void check_untracked_by_others(const Node::Loader& loader) {
    HostNode host(host_manifests() + host_endpoint("uplink") +
                      host_policy("raw",
                                  "doNotTrack: true, applyOnForward: true, types: [Ingress], "
                                  "ingress: [{action: Allow, protocol: UDP, destination: "
                                  "{ports: [80]}}]"),
                  loader);
    const auto others = runtime::nft_load("table inet others {\n"
                                          "chain in { type filter hook prerouting priority -290; "
                                          "notrack; }\n"
                                          "chain out { type filter hook output priority -290; "
                                          "notrack; }\n}\n");
    REQUIRE_MESSAGE(others.ok(), (others ? "" : others.error()));
    CHECK(host.passes(spec_of(kNear, kHostAddress, net::kUdp, 80)));
    CHECK_FALSE(host.passes(spec_of(kNear, kHostAddress, net::kUdp, 81)));
    CHECK_FALSE(host.passes(spec_of(kHostAddress, kNear, net::kUdp, 81)));
    CHECK(host.passes(spec_of(kNear, kHostAddress, net::kTcp, 22)));
}

void check_hosts_that_come(
    const Node::Loader& loader,
    const std::function<void(HostNode&, const std::string& manifests)>& change) {
    HostNode host(host_manifests(), loader);
    const PacketSpec in = spec_of(kNear, kHostAddress, net::kUdp, 99);
    const PacketSpec out = spec_of(kHostAddress, kNear, net::kUdp, 99, 50000);
    const PacketSpec through = spec_of(kNear, "10.9.0.1", net::kUdp, 99);
    for (const PacketSpec& each : {in, out, through})
        CHECK(host.passes(each));
    const std::string forward =
        host_policy("forward", "applyOnForward: true, types: [Ingress, Egress], ingress: "
                               "[{action: Allow, protocol: TCP}], egress: [{action: Allow, "
                               "protocol: TCP}]");
    change(host, host_manifests() + host_endpoint("uplink") + forward);
    for (const PacketSpec& each : {in, out, through}) {
        CHECK_FALSE(host.passes(each));
        CHECK_FALSE(host.passes(each));
    }
    change(host, host_manifests());
    for (const PacketSpec& each : {in, out, through})
        CHECK(host.passes(each));
}

void check_taken_before(
    const Node::Loader& loader,
    const std::function<void(HostNode&, const std::string& manifests)>& change) {
    const auto early_of = [](const std::string& role) {
        return "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: "
               "early}, spec: {selector: role == '" +
               role +
               "', preDNAT: true, applyOnForward: true, types: [Ingress], ingress: [{action: "
               "Allow, protocol: UDP, destination: {ports: [80]}}]}}\n---\n";
    };
    const std::string hosts =
        host_manifests() + host_endpoint("uplink") +
        "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: o, labels: {role: "
        "other}}, spec: {node: node0, interfaceName: other}}\n---\n";
    HostNode host(hosts + early_of("host"), loader);
    const PacketSpec flow = spec_of(kNear, kHostAddress, net::kUdp, 80);
    CHECK(host.passes(flow));
    CHECK(host.passes(flow));
    change(host, hosts + early_of("other"));
    CHECK_FALSE(host.passes(flow));
    CHECK_FALSE(host.passes(flow));
}

} // namespace polecat::kernel_test
