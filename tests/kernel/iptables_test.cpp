// iptables and ipset on the kernel: real packets over random clusters, and what random flows don't
// show.
#include <doctest/doctest.h>

#include "tests/kernel/filtered_node.h"
#include "tests/kernel/host_node.h"
#include "tests/kernel/iptables_rules.h"
#include "tests/scale.h"

using namespace polecat::kernel_test;

TEST_CASE("the verdicts of iptables and ipset are those of eval") {
    if (!may_run() || !may_run_iptables())
        return;
    FilterTally direct, translated;
    const std::uint64_t seeds = count_of("POLECAT_KERNEL_SEEDS", 4);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed ", seed);
        check_random_cluster(seed, load_iptables(seed % 2 == 0 ? Iptables::Legacy : Iptables::Nft),
                             direct, translated);
    }
    check_tallies("iptables", seeds, direct, translated);
}

TEST_CASE("iptables: a forging pod is dropped") {
    if (may_run() && may_run_iptables())
        check_forging(load_iptables(Iptables::Nft));
}

TEST_CASE("iptables: a pod and its gateway") {
    if (may_run() && may_run_iptables())
        check_gateway(load_iptables(Iptables::Legacy));
}

TEST_CASE("iptables: a change of policy reaches flows from either side") {
    if (!may_run() || !may_run_iptables())
        return;
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy})
        check_change(load_iptables(variant));
}

TEST_CASE("iptables: at every hook of host endpoints the kernel's verdicts are those of eval") {
    if (!may_run() || !may_run_iptables())
        return;
    check_random_hosts("iptables", 6, [](std::uint64_t seed) {
        return load_iptables(seed % 2 == 0 ? Iptables::Legacy : Iptables::Nft);
    });
}

TEST_CASE("iptables: failsafe ports of host endpoints, answers, and what others do not track") {
    if (!may_run() || !may_run_iptables())
        return;
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy}) {
        check_failsafe_ports(load_iptables(variant));
        check_answers_of_hosts(load_iptables(variant));
        check_untracked_by_others(load_iptables(variant));
        check_taken_before(load_iptables(variant),
                           [](HostNode& host, const std::string& manifests) {
                               host.node.change_policy(manifests, host.node.generation.next());
                           });
    }
}
