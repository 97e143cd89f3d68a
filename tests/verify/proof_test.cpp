// Z3 beside the comparison of tables: what is compiled is proved, and damages that change a
// verdict are found by both.
#include <functional>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "tests/backends/built.h"
#include "tests/verify/proved.h"

using namespace polecat;
using backends::NodeImage;
using backends::Outcome;
using backends::ProgramImage;
using testing::Random;

namespace {

testing::Built sample(std::uint64_t seed) {
    testing::ClusterShape shape{3, 5, 5};
    shape.host_endpoints = seed % 3 == 0;
    testing::Built out = testing::build(testing::ClusterWriter(seed, shape).write());
    REQUIRE(out.image.has_value());
    return out;
}

/// One of the programs, changed in place.
void change_program(NodeImage& image, Random& random,
                    const std::function<void(ProgramImage&)>& change) {
    auto place = image.programs.begin();
    std::advance(place, random.below(image.programs.size()));
    ProgramImage program = *place->second;
    if (!program.closed)
        change(program);
    place->second = std::move(program);
}

void change_outcome(NodeImage& image, Random& random) {
    change_program(image, random, [&](ProgramImage& program) {
        auto cell = program.cells.begin();
        std::advance(cell, random.below(program.cells.size()));
        cell->second.outcome = cell->second.passes() ? Outcome::Deny : Outcome::Allow;
    });
}

void change_usual(NodeImage& image, Random& random) {
    change_program(image, random, [&](ProgramImage& program) {
        auto row = program.rows.begin();
        std::advance(row, random.below(program.rows.size()));
        program.others[random.below(program.others.size())].usual = row->first;
    });
}

void lose_row(NodeImage& image, Random& random) {
    change_program(image, random, [&](ProgramImage& program) {
        auto& rows = program.others[random.below(program.others.size())].rows;
        if (!rows.empty())
            rows.erase(rows.begin());
    });
}

void move_port(NodeImage& image, Random& random) {
    change_program(image, random, [&](ProgramImage& program) {
        for (auto& [protocol, pieces] : program.l4.by_protocol)
            if (pieces.size() > 1 && pieces[0].range.last < 65000) {
                ++pieces[0].range.last;
                if (pieces[1].range.first++ == pieces[1].range.last)
                    pieces.erase(pieces.begin() + 1);
                return;
            }
    });
}

void change_pod_identity(NodeImage& image, Random& random) {
    auto one = image.addresses.begin(), other = one;
    std::advance(one, random.below(image.addresses.size()));
    std::advance(other, random.below(image.addresses.size()));
    if (one->first.family == other->first.family)
        one->second = other->second;
}

void change_range(NodeImage& image, Random& random) {
    auto one = image.outside.begin(), other = one;
    std::advance(one, random.below(image.outside.size()));
    std::advance(other, random.below(image.outside.size()));
    if (one->first.first.family == other->first.first.family)
        one->second = other->second;
}

bool changes_a_verdict(const std::vector<driver::Difference>& differences) {
    return std::any_of(differences.begin(), differences.end(), [](const auto& each) {
        return each.flow && each.flow->rules.outcome != each.flow->policy.outcome;
    });
}

} // namespace

TEST_CASE("every program of a compiled node is proved") {
    std::size_t proved = 0;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        const testing::Built built = sample(seed);
        INFO("seed ", seed);
        proved +=
            testing::all_proved(driver::Prover(built.cluster.lowered).prove("node0", *built.image));
    }
    MESSAGE(proved << " programs proved");
    CHECK(proved > 50);
}

TEST_CASE("Z3 and the comparison of tables find the same damages") {
    void (*const damages[])(NodeImage&, Random&) = {
        change_outcome, change_usual, lose_row, move_port, change_pod_identity, change_range};
    Random random(17);
    std::size_t found = 0, harmless = 0;
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
        const testing::Built built = sample(seed);
        driver::Prover prover(built.cluster.lowered);
        for (int i = 0; i < 18; ++i) {
            NodeImage rules = *built.image;
            damages[i % std::size(damages)](rules, random);
            INFO("seed ", seed, ", damage ", i);
            const driver::NodeProof proof = prover.prove("node0", rules);
            const auto compared = driver::differences(rules, *built.image);
            CHECK(proof.unknown == 0);
            if (compared.empty()) {
                CHECK(proof.differences.empty());
                ++harmless;
            } else if (changes_a_verdict(compared)) {
                CHECK(!proof.differences.empty());
                ++found;
            }
        }
    }
    MESSAGE(found << " damages found by both, " << harmless << " change nothing");
    CHECK(found > 15);
}

TEST_CASE("Z3 names the flow and the rule") {
    const testing::Built built = testing::build(
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: "
        "ns}, spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: "
        "{matchLabels: {app: web}}}], ports: [{port: 5432}]}]}}\n---\n" +
        testing::pod("web", "web", 1) + testing::pod("db", "db", 2) + testing::pod("x", "x", 3));
    REQUIRE(built.image.has_value());
    driver::Prover prover(built.cluster.lowered);
    CHECK(prover.prove("node0", *built.image).differences.empty());
    NodeImage rules = *built.image;
    const auto at = [](int host) { return *net::parse_address(fmt::format("10.0.0.{}", host)); };
    rules.addresses[at(3)] = rules.addresses[at(1)]; // it may do what web may
    const driver::NodeProof proof = prover.prove("node0", rules);
    REQUIRE(proof.differences.size() == 1);
    const auto& flow = proof.differences.front().flow;
    REQUIRE(flow.has_value());
    CHECK(net::to_string(flow->source) == "10.0.0.3");
    CHECK(net::to_string(flow->destination) == "10.0.0.2");
    CHECK(flow->packet.protocol == net::kTcp);
    CHECK(flow->packet.value == 5432);
    CHECK(flow->opens());
    CHECK(flow->policy.by == "end of tier default");
    // An endpoint that the rules do not know.
    rules = *built.image;
    rules.dispatch.erase(rules.dispatch.begin());
    CHECK(!prover.prove("node0", rules).differences.empty());
}
