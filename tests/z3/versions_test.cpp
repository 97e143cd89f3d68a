// What is said of two versions of a cluster is confirmed by Z3 and eval; what is not so is found
// out; staged policies; a limit is said to be one.
#include <doctest/doctest.h>

#include "analyzer/z3/versions.h"
#include "passes/enforce_staged.h"
#include "tests/random_cluster.h"
#include "tests/z3/second_opinion.h"

using namespace polecat;
using analyzer::ChangeKind;
using analyzer::Diff;
using analyzer::ProgramPair;
using smt::DiffProof;

namespace {

struct Versions {
    testing::RandomCluster base, head;
    Diff diff;

    Versions(const std::string& before, const std::string& now) {
        load_text(before, base);
        load_text(now, head);
        diff = analyzer::diff(base.lowered, head.lowered, true);
    }
    DiffProof confirm(const smt::QueryOptions& options = {}) const {
        return smt::confirm(base.lowered, head.lowered, diff, options);
    }
};

/// The same cluster with two policies more; pods without addresses where `unplaced`.
Versions random_versions(std::uint64_t seed) {
    testing::ClusterShape less, more;
    less.http = more.http = seed % 3 == 0;
    less.host_endpoints = more.host_endpoints = seed % 4 == 0;
    more.policies = less.policies + 2;
    std::string before = testing::ClusterWriter(seed, less).write();
    std::string now = testing::ClusterWriter(seed, more).write();
    if (seed % 4 == 1) // known before, not known now
        for (const std::string host : {"1", "2"}) {
            const std::string status =
                ", status: {podIPs: [{ip: 10.9.0." + host + "}, {ip: 'fd00:9::" + host + "'}]}";
            const std::size_t at = now.find(status);
            REQUIRE(at != std::string::npos);
            now.erase(at, status.size());
        }
    return {before, now};
}

/// Of a pair of programs that differ: packets or ends left out, packets added.
std::size_t refuses_other_differences(const Versions& two, std::size_t family, std::size_t pair) {
    const auto wrong_with = [&](const auto& change) {
        Diff wrong = two.diff;
        change(wrong.families[family].programs[pair].differences.front());
        CHECK_THROWS_AS(smt::confirm(two.base.lowered, two.head.lowered, wrong), smt::Disagreement);
    };
    using Difference = ProgramPair::Difference;
    const auto some = analyzer::ConnectionSet::of(net::kUdp);
    const auto& given = two.diff.families[family].programs[pair].differences.front();
    const bool has_all = (some - given.connections).empty();
    wrong_with([&](Difference& each) {
        each.connections = has_all ? each.connections - some : each.connections | some;
    });
    wrong_with([&](Difference& each) { each.connections = {}; });
    if (given.peers.size() > 1)
        wrong_with([&](Difference& each) { each.peers.pop_back(); });
    return 2;
}

} // namespace

TEST_CASE("what a diff of random clusters says is confirmed") {
    DiffProof all;
    std::size_t asked = 0;
    std::vector<testing::Query> sample;
    smt::QueryOptions options;
    options.sink = [&](const std::string&, const std::string& text) {
        if (++asked % 61 == 0)
            sample.push_back({text, text.find(":status sat") != std::string::npos});
    };
    for (std::uint64_t seed = 1; seed <= 24; ++seed) {
        INFO("seed ", seed);
        const DiffProof proof = random_versions(seed).confirm(options);
        CHECK(proof.unknown == 0);
        all.equal += proof.equal;
        all.different += proof.different;
        all.examples += proof.examples;
    }
    MESSAGE(all.equal << " equal, " << all.different << " different, " << all.examples
                      << " examples");
    CHECK(all.equal > 100);
    CHECK(all.different > 50);
    CHECK(all.examples > 100);
    testing::check_again(sample);
}

TEST_CASE("what is not so of two versions is found out") {
    std::size_t refused = 0;
    for (std::uint64_t seed = 50; seed < 60; ++seed) {
        INFO("seed ", seed);
        const Versions two = random_versions(seed);
        for (std::size_t family = 0; family < two.diff.families.size(); ++family) {
            for (std::size_t i = 0; i < two.diff.families[family].programs.size(); ++i) {
                Diff wrong = two.diff;
                ProgramPair& pair = wrong.families[family].programs[i];
                pair.same = !pair.same;
                CHECK_THROWS_AS(smt::confirm(two.base.lowered, two.head.lowered, wrong),
                                smt::Disagreement);
                ++refused;
                if (pair.same) // it was not, before
                    refused += refuses_other_differences(two, family, i);
            }
            if (two.diff.families[family].changes.empty())
                continue;
            Diff wrong = two.diff;
            auto& kind = wrong.families[family].changes.front().kind;
            kind = kind == ChangeKind::Opened ? ChangeKind::Closed : ChangeKind::Opened;
            CHECK_THROWS_AS(smt::confirm(two.base.lowered, two.head.lowered, wrong),
                            smt::Disagreement);
        }
    }
    CHECK(refused > 50);
}

TEST_CASE("one version and itself, a limit of steps") {
    const std::string text = testing::ClusterWriter(7, {}).write();
    const DiffProof same = Versions(text, text).confirm();
    CHECK(same.equal > 5);
    CHECK(same.different + same.examples + same.unknown == 0);
    smt::QueryOptions few;
    few.steps = 1;
    CHECK(random_versions(2).confirm(few).unknown > 0);
}

TEST_CASE("staged policies against what is enforced") {
    const std::string pods =
        "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ns, labels: {app: a}}, spec: "
        "{containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.1}}\n---\n";
    const auto policy = [](const std::string& kind, const std::string& port) {
        return "{apiVersion: projectcalico.org/v3, kind: " + kind +
               ", metadata: {name: p, namespace: ns}, spec: {types: [Ingress], ingress: [{action: "
               "Allow, protocol: TCP, destination: {ports: [" +
               port + "]}}]}}\n---\n";
    };
    const auto preview = [&](const std::string& staged) {
        testing::RandomCluster cluster;
        load_text(pods + policy("NetworkPolicy", "'80:90'") + policy("StagedNetworkPolicy", staged),
                  cluster);
        const auto head = passes::enforce_staged(cluster.policy);
        const auto enforced = passes::lower(head).cluster;
        return smt::confirm(cluster.lowered, enforced,
                            analyzer::diff(cluster.lowered, enforced, true));
    };
    // Written otherwise, meant the same.
    const DiffProof same = preview("'80:85', '86:90'");
    CHECK(same.equal == 2);
    CHECK(same.different == 0);
    const DiffProof other = preview("'80:91'");
    CHECK(other.different == 1);
    CHECK(other.examples == 1);
}
