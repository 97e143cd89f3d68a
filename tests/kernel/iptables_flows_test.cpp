// Random clusters on iptables and ipset: real packets, and every verdict must be the one that eval
// gives along the path.
#include <doctest/doctest.h>

#include "tests/kernel/iptables_rules.h"
#include "tests/kernel/scale.h"

using namespace polecat;
using namespace polecat::kernel_test;
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

struct FilterTally {
    std::size_t flows = 0, allowed = 0;
};

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

} // namespace

TEST_CASE("the verdicts of iptables and ipset are those of eval") {
    if (!may_run() || !may_run_iptables())
        return;
    FilterTally direct, translated;
    const std::uint64_t seeds = count_of("POLECAT_KERNEL_SEEDS", 4);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed ", seed);
        testing::ClusterShape shape;
        shape.pods = 8;
        Node node(testing::ClusterWriter(seed, shape).write() + services(shape.namespaces), kBeyond,
                  {}, load_iptables(seed % 2 == 0 ? Iptables::Legacy : Iptables::Nft));
        check_filtered(node, filter_to_ends(node), direct);
        check_filtered(node, send_to_filtered_services(node), translated);
    }
    MESSAGE("iptables, seeds 1 to " << seeds << ": " << direct.flows << " flows, " << direct.allowed
                                    << " allowed; " << translated.flows << " through services, "
                                    << translated.allowed << " allowed");
    CHECK(direct.flows >= 10'000);
    CHECK(direct.allowed > direct.flows / 20);
    CHECK(translated.flows >= 500);
    CHECK(translated.allowed > translated.flows / 20);
}
