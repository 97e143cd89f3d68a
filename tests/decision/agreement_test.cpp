// The three forms of a program agree on random clusters, every program, sampled flows.
#include "tests/decision/agreement.h"

using namespace polecat;
using testing::Checker;

TEST_CASE("eval, table and connection sets agree on random clusters") {
    std::size_t flows = 0, allowed = 0;
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        INFO("seed ", seed);
        testing::ClusterShape shape;
        shape.host_endpoints = true;
        testing::RandomCluster cluster;
        load_text(testing::ClusterWriter(seed, shape).write(), cluster);
        for (const diag::Diagnostic& each : cluster.diagnostics.list())
            CHECK_MESSAGE(each.severity != diag::Severity::Error, each.message);
        Checker checker(cluster.lowered);
        for (const decision::Program& program : cluster.lowered.programs)
            checker.check(program);
        flows += checker.flows;
        allowed += checker.allowed;
    }
    MESSAGE(flows << " flows, " << allowed << " allowed");
    CHECK(flows > 100'000);
    CHECK(allowed > flows / 10);
    CHECK(allowed < flows - flows / 10);
}

TEST_CASE("eval and connection sets agree on HTTP requests") {
    std::size_t requests = 0, allowed = 0;
    for (std::uint64_t seed = 100; seed <= 104; ++seed) {
        INFO("seed ", seed);
        testing::ClusterShape shape;
        shape.http = true;
        testing::RandomCluster cluster;
        load_text(testing::ClusterWriter(seed, shape).write(), cluster);
        for (const diag::Diagnostic& each : cluster.diagnostics.list())
            REQUIRE_MESSAGE(each.severity != diag::Severity::Error, each.message);
        Checker checker(cluster.lowered);
        for (const decision::Program& program : cluster.lowered.programs)
            checker.check(program);
        requests += checker.requests;
        allowed += checker.requests_allowed;
    }
    MESSAGE(requests << " requests, " << allowed << " allowed");
    CHECK(requests > 50'000);
    CHECK(allowed > requests / 20);
}
