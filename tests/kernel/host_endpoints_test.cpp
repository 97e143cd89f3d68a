// Host endpoints on the kernel: packets to, from and through the node meet the programs of each
// hook as eval has it along the path.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>

#include <doctest/doctest.h>

#include "runtime/nft.h"
#include "tests/host_policies.h"
#include "tests/kernel/node.h"
#include "tests/kernel/scale.h"

using namespace polecat;
using namespace polecat::kernel_test;
using decision::Verdict;
using runtime::make_packet;
using testing::felix_of_host;
using testing::host_endpoint;
using testing::host_policy;
using testing::Random;
using testing::random_host_policies;

namespace {

const char* const kHostAddress = "192.168.7.1";

/// A node with an interface to the network, and the packets that its host gets.
class HostNode {
  public:
    explicit HostNode(const std::string& manifests)
        : node(manifests, {"203.0.113.7", "203.0.113.170"}) {
        node.lab.give_node(address(kHostAddress), "uplink");
        for (std::size_t i = 0; i < sockets_.size(); ++i)
            sockets_[i] = socket(AF_INET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, kProtocols[i]);
    }
    ~HostNode() {
        for (const int each : sockets_)
            close(each);
    }
    HostNode(const HostNode&) = delete;
    HostNode& operator=(const HostNode&) = delete;

    /// The number by which the packet is known.
    std::uint64_t send(PacketSpec spec) {
        spec.nonce = node.next_nonce++;
        const std::string packet = make_packet(spec);
        if (spec.source == address(kHostAddress))
            send_from_host(packet, spec.destination);
        else
            REQUIRE(node.lab.send(node.host_of(spec.source), packet, spec.destination));
        return spec.nonce;
    }

    bool arrived(const PacketSpec& spec, std::uint64_t nonce) {
        node.lab.collect(20);
        read_sockets();
        if (spec.destination == address(kHostAddress))
            return seen_.contains(nonce);
        return node.lab.has_seen(node.host_of(node.server_of(spec)), nonce);
    }
    bool passes(const PacketSpec& spec) { return arrived(spec, send(spec)); }

    Node node;

  private:
    static constexpr std::array kProtocols{IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP};

    static void send_from_host(const std::string& packet, const net::Address& to) {
        const int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
        sockaddr_in where{};
        where.sin_family = AF_INET;
        const std::string raw = runtime::address_bytes(to);
        std::copy(raw.begin(), raw.end(), reinterpret_cast<char*>(&where.sin_addr));
        // Refused where a rule drops it.
        (void)!sendto(fd, packet.data(), packet.size(), 0, reinterpret_cast<sockaddr*>(&where),
                      sizeof where);
        close(fd);
    }

    void read_sockets() {
        char buffer[2048];
        for (const int each : sockets_)
            for (ssize_t got; (got = recv(each, buffer, sizeof buffer, 0)) > 0;)
                if (const auto nonce = runtime::find_nonce({buffer, static_cast<std::size_t>(got)}))
                    seen_.insert(*nonce);
    }

    std::array<int, 3> sockets_{};
    std::set<std::uint64_t> seen_;
};

PacketSpec spec_of(const std::string& from, const std::string& to, net::Protocol protocol,
                   std::uint16_t port, std::uint16_t source_port = 40000) {
    PacketSpec out;
    out.protocol = protocol;
    out.source = address(from);
    out.destination = address(to);
    out.destination_port = port;
    out.source_port = source_port;
    return out;
}

const std::string kHostManifests =
    "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n"
    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: "
    "{nodeName: node0, containers: [{name: c, image: i}]}, status: {podIP: 10.9.0.1}}\n---\n" +
    felix_of_host("Accept");
const char *const kNear = "203.0.113.7", *const kFar = "203.0.113.170",
                  *const kPodBehind = "10.9.0.1";

/// Of the packet itself, whatever becomes of answers to it.
Verdict expected_of_packet(const Node& node, const PacketSpec& spec) {
    ir::PathQuery query;
    query.source.address = spec.source;
    query.destination.address = spec.destination;
    query.route = ir::Route::Wire;
    query.packet.protocol = spec.protocol;
    query.packet.source_port = spec.source_port;
    query.packet.destination_port = spec.destination_port;
    const ir::FlowVerdict verdict = ir::judge_flow(node.cluster.lowered, query);
    std::set<Verdict> wanted, told;
    for (const ir::WayVerdict& way : verdict.ways) {
        if (!told.insert(way.verdict).second)
            continue; // the same by other rules
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

struct HostTally {
    std::size_t flows = 0, allowed = 0;
};

void check_flows(HostNode& host, Random& random, HostTally& tally) {
    std::vector<std::string> ends{kHostAddress, kNear, kFar};
    for (const backends::DispatchEntry& entry : host.node.image.dispatch)
        if (entry.address.family == net::Family::V4)
            ends.push_back(net::to_string(entry.address));
    std::vector<std::pair<PacketSpec, std::uint64_t>> sent;
    std::uint16_t source_port = 20000;
    for (const std::string& from : ends)
        for (const std::string& to : ends) {
            const bool both_outside = from.starts_with("203.") && to.starts_with("203.");
            if (from == to || both_outside)
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
        const bool arrived = host.arrived(spec, nonce);
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

TEST_CASE("at every hook of host endpoints the kernel's verdicts are those of eval") {
    if (!may_run())
        return;
    HostTally tally;
    const std::size_t first = count_of("POLECAT_KERNEL_FIRST", 1);
    const std::size_t seeds = count_of("POLECAT_KERNEL_SEEDS", 6);
    for (std::uint64_t seed = first; seed < first + seeds; ++seed) {
        INFO("seed ", seed);
        Random random(seed + 700);
        testing::ClusterShape shape;
        shape.pods = 4;
        const bool wildcard = seed % 3 == 0;
        HostNode host(testing::ClusterWriter(seed, shape).write() +
                      host_endpoint(wildcard ? "*" : "uplink") +
                      random_host_policies(random, !wildcard) +
                      felix_of_host(seed % 2 == 0 ? "Accept" : "Drop"));
        CHECK(host.node.kernel_agrees());
        check_flows(host, random, tally);
        CHECK(host.node.kernel_agrees());
    }
    MESSAGE(seeds << " clusters: " << tally.flows << " flows, " << tally.allowed << " allowed");
    CHECK(tally.flows > 200 * seeds);
    CHECK(tally.allowed > tally.flows / 20);
}

TEST_CASE("a host endpoint without policy lets failsafe ports in and out and what it forwards") {
    if (!may_run())
        return;
    HostNode host(kHostManifests + host_endpoint("uplink"));
    CHECK(host.passes(spec_of(kNear, kHostAddress, net::kTcp, 22)));
    CHECK_FALSE(host.passes(spec_of(kNear, kHostAddress, net::kTcp, 80)));
    CHECK(host.passes(spec_of(kHostAddress, kNear, net::kUdp, 53)));
    CHECK_FALSE(host.passes(spec_of(kHostAddress, kNear, net::kUdp, 54)));
    CHECK(host.passes(spec_of(kNear, kPodBehind, net::kTcp, 80)));
    CHECK(host.passes(spec_of(kPodBehind, kNear, net::kTcp, 80)));
    CHECK(host.passes(spec_of(kHostAddress, kPodBehind, net::kTcp, 80)));
}

TEST_CASE("host endpoints that come with a plan judge flows that are there") {
    if (!may_run())
        return;
    HostNode host(kHostManifests);
    const PacketSpec in = spec_of(kNear, kHostAddress, net::kUdp, 99);
    const PacketSpec out = spec_of(kHostAddress, kNear, net::kUdp, 99, 50000);
    const PacketSpec through = spec_of(kNear, kPodBehind, net::kUdp, 99);
    for (const PacketSpec& each : {in, out, through})
        CHECK(host.passes(each));
    const std::string forward =
        host_policy("forward", "applyOnForward: true, types: [Ingress, Egress], ingress: "
                               "[{action: Allow, protocol: TCP}], egress: [{action: Allow, "
                               "protocol: TCP}]");
    CHECK(host.node.change_by_plan(kHostManifests + host_endpoint("uplink") + forward).judges_anew);
    CHECK(host.node.kernel_agrees());
    for (const PacketSpec& each : {in, out, through}) {
        CHECK_FALSE(host.passes(each));
        CHECK_FALSE(host.passes(each));
    }
    host.node.change_by_plan(kHostManifests);
    CHECK(host.node.kernel_agrees());
    for (const PacketSpec& each : {in, out, through})
        CHECK(host.passes(each));
}

TEST_CASE("answers follow the flow that a host endpoint allowed") {
    if (!may_run())
        return;
    HostNode host(kHostManifests + host_endpoint("uplink") +
                  host_policy("normal", "types: [Ingress, Egress], ingress: [{action: Allow, "
                                        "protocol: UDP, destination: {ports: [80]}}], egress: "
                                        "[{action: Allow, protocol: UDP, destination: {ports: "
                                        "[80]}}]"));
    CHECK(host.passes(spec_of(kNear, kHostAddress, net::kUdp, 80, 5000)));
    CHECK(host.passes(spec_of(kHostAddress, kNear, net::kUdp, 5000, 80)));
    CHECK_FALSE(host.passes(spec_of(kHostAddress, kFar, net::kUdp, 5000, 80)));
    CHECK(host.passes(spec_of(kHostAddress, kNear, net::kUdp, 80, 5001)));
    CHECK(host.passes(spec_of(kNear, kHostAddress, net::kUdp, 5001, 80)));
    CHECK_FALSE(host.passes(spec_of(kFar, kHostAddress, net::kUdp, 5001, 80)));
}

TEST_CASE("what others take out of conntrack is judged all the same") {
    if (!may_run())
        return;
    HostNode host(kHostManifests + host_endpoint("uplink") +
                  host_policy("raw", "doNotTrack: true, applyOnForward: true, types: [Ingress], "
                                     "ingress: [{action: Allow, protocol: UDP, destination: "
                                     "{ports: [80]}}]"));
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
