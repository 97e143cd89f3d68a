// Z3's answers about rules, policies and tiers of random clusters against the exact algebra
// (analyzer/effects), every flow confirmed by eval, queries checked again by other
// programs.
#include <algorithm>

#include <doctest/doctest.h>

#include "analyzer/effects/runs.h"
#include "analyzer/flows/program_flows.h"
#include "analyzer/z3/questions.h"
#include "tests/random_cluster.h"
#include "tests/z3/second_opinion.h"

using namespace polecat;
using analyzer::UnitEffect;
using smt::Answer;

namespace {

struct Tally {
    std::size_t yes = 0, no = 0, wrong = 0, unknown = 0;

    /// exact: false where something is not known; there the algebra may say yes to be safe.
    void add(const smt::FlowAnswer& answer, bool expected, bool exact = true) {
        const bool found = answer.kind == Answer::Kind::Yes;
        ++(found ? yes : no);
        unknown += answer.kind == Answer::Kind::Unknown ? 1 : 0;
        const bool right = found == expected || (!exact && expected);
        wrong += right ? 0 : 1;
        CHECK(right);
    }
};

struct Checker {
    Tally matches, decides, reached, needed;
    std::vector<testing::Query> sample;
    std::size_t asked = 0;
    bool exact = true;

    void check(const decision::LoweredCluster& cluster) {
        const decision::Identities identities(cluster);
        const analyzer::HttpAtoms requests({&cluster});
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            analyzer::EffectRuns runs(cluster, identities, family);
            const smt::ExistingEnds ends(cluster, family);
            for (analyzer::Run& run : runs.list())
                check(runs, run, ends, requests);
        }
    }

    void check(analyzer::EffectRuns& runs, analyzer::Run& run, const smt::ExistingEnds& ends,
               const analyzer::HttpAtoms& requests) {
        const decision::Program& program = runs.program(run);
        const auto expected = by_algebra(runs, run, requests);
        smt::QueryOptions options;
        options.sink = [&](const std::string&, const std::string& text) {
            if (++asked % 211 == 0)
                sample.push_back({text, text.find(":status sat") != std::string::npos});
        };
        smt::ProgramQuestions questions(ends, requests, program, runs.own_objects(run), options);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            const analyzer::Unit& unit = run.units.units[i];
            INFO(decision::to_string(program.hook), " ", decision::to_string(program.direction),
                 " family ", static_cast<int>(program.family), ", unit ", i);
            matches.add(questions.matches(unit), expected[i].matches, exact);
            decides.add(questions.decides(unit), expected[i].decides, exact);
            reached.add(questions.reached(unit), expected[i].reached, exact);
            needed.add(questions.needed(unit), expected[i].needed, exact);
        }
    }

    static std::vector<UnitEffect> by_algebra(analyzer::EffectRuns& runs, const analyzer::Run& run,
                                              const analyzer::HttpAtoms& requests) {
        analyzer::SetStore store;
        analyzer::MatchSets sets(requests, store);
        analyzer::EffectsWalk walk(runs.program(run), run.units.units, sets);
        std::vector<UnitEffect> out(run.units.units.size());
        runs.each_pair(run,
                       [&](const decision::Identity& source, const decision::Identity& destination,
                           std::uint32_t, std::uint32_t) {
                           walk.between(source, destination, out);
                           return true;
                       });
        return out;
    }
};

/// Can the two programs be told apart, by the algebra?
bool differ(analyzer::EffectRuns& runs, const analyzer::Run& a, const analyzer::Run& b,
            const analyzer::HttpAtoms& requests) {
    const analyzer::ProgramFlows mine(runs.program(a), requests), other(runs.program(b), requests);
    const bool egress = runs.program(a).direction == decision::Direction::Egress;
    for (const std::uint32_t own : a.own)
        for (std::uint32_t peer = 0; peer < runs.ends().list().size(); ++peer) {
            if (peer == own && runs.ends().list()[own].objects.size() == 1)
                continue;
            const auto& source = runs.ends().identity(egress ? own : peer);
            const auto& destination = runs.ends().identity(egress ? peer : own);
            if (!(mine.between(source, destination) == other.between(source, destination)))
                return true;
        }
    return false;
}

/// The first two pods have no address yet.
void take_addresses(std::string& text) {
    for (const std::string host : {"1", "2"}) {
        const std::string status =
            ", status: {podIPs: [{ip: 10.9.0." + host + "}, {ip: 'fd00:9::" + host + "'}]}";
        const std::size_t at = text.find(status);
        REQUIRE(at != std::string::npos);
        text.erase(at, status.size());
    }
}

/// A rule, the rest of a policy, a pod and a network set can't be read.
void make_unreadable(std::string& text) {
    const auto put = [&](const std::string& before, const std::string& what, std::size_t from) {
        const std::size_t at = text.find(before, from);
        if (at != std::string::npos)
            text.insert(at + before.size(), what);
    };
    put("{action: ", "Allow, oops: 1, x", 0);
    put("spec: {podSelector", "s", text.find("kind: NetworkPolicy"));
    put("labels: {app: ", "[1], x: ", text.find("kind: Pod"));
    put("spec: {nets: [", "everything, ", 0);
}

} // namespace

TEST_CASE("Z3 and the exact algebra agree on every rule, policy and tier of random clusters") {
    Checker checker;
    for (std::uint64_t seed = 1; seed <= 16; ++seed) {
        INFO("seed ", seed);
        testing::ClusterShape shape;
        shape.http = seed % 3 == 0;
        testing::RandomCluster cluster;
        // A host without an IPv6 address in any manifest: what is asked of it is not known.
        shape.host_endpoints = seed % 4 == 0;
        const bool unplaced = seed % 4 == 1;
        const bool unread = seed % 4 == 2;
        checker.exact = !shape.host_endpoints && !unplaced && !unread;
        std::string text = testing::ClusterWriter(seed, shape).write();
        if (unplaced)
            take_addresses(text);
        if (unread)
            make_unreadable(text);
        testing::load_text(text, cluster);
        CHECK(cluster.diagnostics.has_errors() == unread);
        const auto& objects = cluster.lowered.world.objects;
        CHECK(std::any_of(objects.begin(), objects.end(), [](const decision::Object& object) {
                  return !object.addresses_known;
              }) == unplaced);
        checker.check(cluster.lowered);
    }
    for (const auto* tally :
         {&checker.matches, &checker.decides, &checker.reached, &checker.needed}) {
        CHECK(tally->wrong == 0);
        CHECK(tally->unknown == 0);
        CHECK(tally->yes > 50);
    }
    CHECK(checker.matches.no > 20);
    CHECK(checker.decides.no > 20);
    CHECK(checker.needed.no > 20);
    MESSAGE(checker.asked << " questions; decides: " << checker.decides.yes << " yes, "
                          << checker.decides.no << " no");
    testing::check_again(checker.sample);
}

TEST_CASE("two programs: equivalent or a flow that tells them apart") {
    Tally tally;
    for (std::uint64_t seed = 30; seed < 34; ++seed) {
        INFO("seed ", seed);
        testing::RandomCluster cluster;
        testing::load_text(testing::ClusterWriter(seed, {}).write(), cluster);
        const decision::Identities identities(cluster.lowered);
        const analyzer::HttpAtoms requests({&cluster.lowered});
        analyzer::EffectRuns runs(cluster.lowered, identities, net::Family::V4);
        const smt::ExistingEnds ends(cluster.lowered, net::Family::V4);
        for (const analyzer::Run& a : runs.list()) {
            smt::ProgramQuestions questions(ends, requests, runs.program(a), runs.own_objects(a),
                                            {});
            for (const analyzer::Run& b : runs.list())
                if (runs.program(a).direction == runs.program(b).direction)
                    tally.add(questions.differs(runs.program(b)), differ(runs, a, b, requests));
        }
    }
    CHECK(tally.wrong == 0);
    CHECK(tally.yes > 10);
    CHECK(tally.no > 10);
}
