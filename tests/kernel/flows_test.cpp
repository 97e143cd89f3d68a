// Random clusters: compiled, loaded into the kernel, real packets sent. Every verdict must be the
// one that eval gives along the path.
#include <doctest/doctest.h>

#include "tests/kernel/node.h"

using namespace polecat;
using namespace polecat::kernel_test;
using decision::Verdict;
using runtime::make_packet;

namespace {

const std::vector<std::string> kOutside{"203.0.113.7", "203.0.113.70", "8.8.8.8", "2001:db8:9::1",
                                        "2600::1"};

std::vector<PacketSpec> kinds_of(net::Family family) {
    std::vector<PacketSpec> out;
    for (const net::Protocol protocol : {net::kTcp, net::kUdp, net::kSctp})
        for (const int port : {53, 80, 443, 1000, 2500, 8080}) {
            PacketSpec spec;
            spec.protocol = protocol;
            spec.destination_port = static_cast<std::uint16_t>(port);
            spec.source_port = static_cast<std::uint16_t>(port == 443 ? 80 : 40000 + port);
            out.push_back(spec);
        }
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

struct Tally {
    std::size_t flows = 0, allowed = 0;
};

void send_all(Node& node, Tally& tally) {
    std::vector<net::Address> ends;
    for (const backends::DispatchEntry& entry : node.image.dispatch)
        ends.push_back(entry.address);
    for (const std::string& text : kOutside)
        ends.push_back(address(text));
    std::vector<PacketSpec> sent;
    for (const net::Address& from : ends)
        for (const net::Address& to : ends) {
            const bool same_host = node.host_of(from) == node.host_of(to);
            if (from.family != to.family || same_host)
                continue;
            for (PacketSpec spec : kinds_of(from.family)) {
                // Without ports the other way round is the same flow's reply.
                if ((spec.protocol == 47 || spec.protocol == 50) && to < from)
                    continue;
                spec.source = from;
                spec.destination = to;
                spec.nonce = node.next_nonce++;
                spec.icmp_id = static_cast<std::uint16_t>(spec.nonce);
                REQUIRE(node.lab.send(node.host_of(from), make_packet(spec), to));
                sent.push_back(spec);
            }
            node.lab.collect(0);
        }
    node.lab.collect(300);
    for (const PacketSpec& spec : sent) {
        const Verdict wanted = node.expected(spec);
        const bool arrived = node.lab.has_seen(node.host_of(spec.destination), spec.nonce);
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

TEST_CASE("the kernel's verdicts are those of eval") {
    if (!may_run())
        return;
    Tally tally;
    const std::uint64_t seeds = 4;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed ", seed);
        testing::ClusterShape shape;
        shape.pods = 8;
        Node node(testing::ClusterWriter(seed, shape).write(), kOutside);
        CHECK(node.kernel_agrees());
        send_all(node, tally);
        CHECK(node.kernel_agrees());
    }
    MESSAGE(tally.flows << " flows over " << seeds << " clusters, " << tally.allowed << " allowed");
    CHECK(tally.flows >= 10'000);
    CHECK(tally.allowed > tally.flows / 20);
}
