// Host endpoints on the kernel: packets to, from and through the node meet the programs of each
// hook as eval has it along the path.
#include <doctest/doctest.h>

#include "tests/host_policies.h"
#include "tests/kernel/host_node.h"

using namespace polecat;
using namespace polecat::kernel_test;
using testing::host_endpoint;
using testing::host_policy;

TEST_CASE("at every hook of host endpoints the kernel's verdicts are those of eval") {
    if (may_run())
        check_random_hosts("nftables", 6, [](std::uint64_t) { return Node::Loader{}; });
}

TEST_CASE("a host endpoint without policy lets failsafe ports in and out and what it forwards") {
    if (may_run())
        check_failsafe_ports({});
}

TEST_CASE("host endpoints that come with a plan judge flows that are there") {
    if (!may_run())
        return;
    HostNode host(host_manifests());
    const PacketSpec in = spec_of(kNear, kHostAddress, net::kUdp, 99);
    const PacketSpec out = spec_of(kHostAddress, kNear, net::kUdp, 99, 50000);
    const PacketSpec through = spec_of(kNear, "10.9.0.1", net::kUdp, 99);
    for (const PacketSpec& each : {in, out, through})
        CHECK(host.passes(each));
    const std::string forward =
        host_policy("forward", "applyOnForward: true, types: [Ingress, Egress], ingress: "
                               "[{action: Allow, protocol: TCP}], egress: [{action: Allow, "
                               "protocol: TCP}]");
    CHECK(
        host.node.change_by_plan(host_manifests() + host_endpoint("uplink") + forward).judges_anew);
    CHECK(host.node.kernel_agrees());
    for (const PacketSpec& each : {in, out, through}) {
        CHECK_FALSE(host.passes(each));
        CHECK_FALSE(host.passes(each));
    }
    host.node.change_by_plan(host_manifests());
    CHECK(host.node.kernel_agrees());
    for (const PacketSpec& each : {in, out, through})
        CHECK(host.passes(each));
}

TEST_CASE("answers follow the flow that a host endpoint allowed") {
    if (may_run())
        check_answers_of_hosts({});
}

TEST_CASE("what others take out of conntrack is judged all the same") {
    if (may_run())
        check_untracked_by_others({});
}
