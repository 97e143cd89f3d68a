// The BPF classifier asked by iptables, both variants, about real packets.
#include <doctest/doctest.h>

#include "tests/kernel/bpf_verdicts.h"
#include "tests/kernel/filtered_node.h"
#include "tests/kernel/host_node.h"
#include "tests/scale.h"

using namespace polecat;
using namespace polecat::kernel_test;

TEST_CASE("the verdicts of iptables with the BPF classifier are those of eval") {
    if (!may_ask_bpf())
        return;
    FilterTally direct, translated;
    const std::uint64_t seeds = count_of("POLECAT_KERNEL_SEEDS", 4);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed ", seed);
        check_random_cluster(seed, load_bpf(seed % 2 == 0 ? Iptables::Nft : Iptables::Legacy),
                             direct, translated);
    }
    check_tallies("BPF", seeds, direct, translated);
}

TEST_CASE("BPF: a forging pod is dropped") {
    if (may_ask_bpf())
        check_forging(load_bpf(Iptables::Legacy));
}

TEST_CASE("BPF: a pod and its gateway") {
    if (!may_ask_bpf())
        return;
    check_gateway(load_bpf(Iptables::Nft));
}

TEST_CASE("BPF: a change of policy reaches flows from either side") {
    if (!may_ask_bpf())
        return;
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy})
        check_change(load_bpf(variant));
}

TEST_CASE("BPF: at every hook of host endpoints the kernel's verdicts are those of eval") {
    if (!may_ask_bpf())
        return;
    check_random_hosts("BPF", 6, [](std::uint64_t seed) {
        return load_bpf(seed % 2 == 0 ? Iptables::Legacy : Iptables::Nft);
    });
}

TEST_CASE("BPF: failsafe ports of host endpoints, answers, and what others do not track") {
    if (!may_ask_bpf())
        return;
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy}) {
        check_failsafe_ports(load_bpf(variant));
        check_answers_of_hosts(load_bpf(variant));
        check_untracked_by_others(load_bpf(variant));
        check_hosts_that_come(load_bpf(variant), [](HostNode& host, const std::string& manifests) {
            host.node.change_policy(manifests, host.node.generation.next());
        });
        check_taken_before(load_bpf(variant), [](HostNode& host, const std::string& manifests) {
            host.node.change_policy(manifests, host.node.generation.next());
        });
    }
}
