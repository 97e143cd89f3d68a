// What the kernel counts for rules of iptables, and what others keep in marks.

#include <doctest/doctest.h>

#include "runtime/nft.h"
#include "runtime/process.h"
#include "tests/expressions.h"
#include "tests/kernel/iptables_rules.h"

using namespace polecat;
using namespace polecat::kernel_test;

namespace {

std::string output_of(const std::vector<std::string>& program) {
    const auto output = runtime::run_program(program, "");
    REQUIRE_MESSAGE(output.ok(), (output ? "" : output.error()));
    REQUIRE_MESSAGE(output->exit_code == 0, output->error);
    return output->out;
}

/// Of the rule that says where it comes from, in whichever chain.
std::size_t counted_by(const std::string& listing, const std::string& what) {
    std::size_t out = 0;
    for (const testing::Match& line : testing::matches(listing, "\\[(\\d+):\\d+\\] -A (.*)"))
        if (line[2].find(": " + what + "\"") != std::string::npos)
            out += std::stoul(line[1]);
    return out;
}

const std::string kCountedPod =
    "{apiVersion: v1, kind: Pod, metadata: {name: web, namespace: shop, labels: {app: web}}, spec: "
    "{nodeName: node0, containers: [{name: c, image: i}]}, status: {podIP: 10.9.0.1}}\n---\n"
    "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: web, namespace: "
    "shop}, spec: {selector: app == 'web', types: [Ingress], ingress: [{action: Allow, protocol: "
    "UDP, destination: {ports: [80]}}, {action: Log}, {action: Deny, protocol: UDP, destination: "
    "{ports: [81]}}]}}\n---\n";

PacketSpec counted_flow(std::uint16_t port, std::uint16_t source_port) {
    PacketSpec out;
    out.protocol = net::kUdp;
    out.source = address("203.0.113.7");
    out.destination = address("10.9.0.1");
    out.destination_port = port;
    out.source_port = source_port;
    return out;
}

} // namespace

TEST_CASE("iptables: each rule of a policy counts what it decided, by its slot") {
    if (!may_run() || !may_run_iptables())
        return;
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy}) {
        Node node(kCountedPod, {"203.0.113.7"}, {}, load_iptables(variant));
        for (std::uint16_t i = 0; i < 3; ++i)
            CHECK(node.passes(counted_flow(80, static_cast<std::uint16_t>(4000 + i)),
                              address("10.9.0.1")));
        CHECK(node.passes(counted_flow(80, 4000), address("10.9.0.1"))); // judged already
        for (std::uint16_t i = 0; i < 2; ++i)
            CHECK_FALSE(node.passes(counted_flow(81, static_cast<std::uint16_t>(5000 + i)),
                                    address("10.9.0.1")));
        CHECK_FALSE(node.passes(counted_flow(82, 6000), address("10.9.0.1")));
        const std::string listing = output_of(
            {variant == Iptables::Nft ? "iptables-nft-save" : "iptables-legacy-save", "-c"});
        const std::string of = "] of NetworkPolicy shop/web";
        CHECK(counted_by(listing, "ingress[0" + of) == 3);
        CHECK(counted_by(listing, "ingress[1" + of) == 3); // Log
        CHECK(counted_by(listing, "ingress[2" + of) == 2);
        CHECK(counted_by(listing, "end of tier default") == 1);
        CHECK(listing.find("-j LOG --log-prefix \"polecat p") != std::string::npos);
    }
}

TEST_CASE("iptables: marks of packets and the other bits of connections' stay others'") {
    if (!may_run() || !may_run_iptables())
        return;
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy}) {
        Node node(kCountedPod, {"203.0.113.7"}, {}, load_iptables(variant));
        const auto others = runtime::nft_load(
            "table inet others {\n  counter kept { }\n"
            "  chain before { type filter hook prerouting priority -160; meta mark set 0x1234; ct "
            "state new ct mark set 0x2000ffff; }\n"
            "  chain after { type filter hook postrouting priority 0; meta mark 0x1234 ct mark & "
            "0x2000ffff == 0x2000ffff counter name kept; }\n}\n");
        REQUIRE_MESSAGE(others.ok(), (others ? "" : others.error()));
        CHECK(node.passes(counted_flow(80, 4000), address("10.9.0.1")));
        CHECK(node.passes(counted_flow(80, 4000), address("10.9.0.1")));
        CHECK(output_of({"nft", "list", "counter", "inet", "others", "kept"}).find("packets 2 ") !=
              std::string::npos);
    }
}
