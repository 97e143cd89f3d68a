// The BPF classifier asked by iptables, both variants, about real packets.
#include <doctest/doctest.h>

#include "tests/kernel/bpf_verdicts.h"
#include "tests/kernel/filtered_node.h"
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
