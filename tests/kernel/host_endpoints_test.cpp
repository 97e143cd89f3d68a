// Host endpoints on the kernel: packets to, from and through the node meet the programs of each
// hook as eval has it along the path.
#include <doctest/doctest.h>

#include "tests/kernel/host_node.h"

using namespace polecat;
using namespace polecat::kernel_test;

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
    check_hosts_that_come({}, [](HostNode& host, const std::string& manifests) {
        host.node.change_by_plan(manifests);
        CHECK(host.node.kernel_agrees());
    });
}

TEST_CASE("what preDNAT policy of before took counts for nothing where there is none now") {
    if (!may_run())
        return;
    check_taken_before({}, [](HostNode& host, const std::string& manifests) {
        host.node.change_by_plan(manifests);
    });
}

TEST_CASE("answers follow the flow that a host endpoint allowed") {
    if (may_run())
        check_answers_of_hosts({});
}

TEST_CASE("what others take out of conntrack is judged all the same") {
    if (may_run())
        check_untracked_by_others({});
}
