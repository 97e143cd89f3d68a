// Classes of HTTP requests against eval: no rule tells two requests of one class apart, and each
// class has a request.
#include <algorithm>

#include <doctest/doctest.h>

#include "analyzer/algebra/http_atoms.h"
#include "analyzer/effects/effects.h"
#include "ir/decision/match.h"
#include "tests/random_cluster.h"

using namespace polecat;
using analyzer::HttpAtoms;
using decision::Tri;
using Http = decision::Match::Http;

namespace {

const std::vector<std::vector<std::string>> kMethods{{}, {"*"}, {"GET"}, {"GET", "PATCH"}};
const std::vector<std::vector<std::pair<bool, std::string>>> kPaths{
    {},
    {{true, "/"}},
    {{false, "/"}},
    {{true, "/a"}, {false, "/c"}},
    {{true, "/a/b/"}},
    {{false, "/a%20b"}}, // that of the request /a%2520b
    {{true, "/a%2Fb"}},  // of no request
    {{true, "/a;b"}},    // of no request
};
const std::vector<std::string> kRequestMethods{"GET", "PATCH", "get", "PUT", ""};
const std::vector<std::string> kRequestPaths{
    "/",    "/a",       "/a/b", "/a/b/c",  "/ab", "/c",   "/c/d", "/a%20b", "/a%2520b",
    "/a;b", "/a%252Fb", "",     "/a/../c", "/a%", "/%00", "a",    "*",      "/..%252f"};

decision::LoweredCluster cluster_of(const std::vector<Http>& wanted) {
    decision::LoweredCluster out;
    decision::Program program;
    decision::Stage& stage = program.stages.emplace_back();
    for (const Http& each : wanted) {
        decision::Match match;
        match.http = each;
        stage.entries.emplace_back().match = match;
    }
    out.programs.push_back(std::move(program));
    return out;
}

bool eval_matches(const decision::LoweredCluster& cluster, const Http& wanted,
                  const std::string& method, const std::string& path) {
    decision::Match match;
    match.http = wanted;
    decision::Flow flow;
    flow.http = decision::Flow::Http{method, path};
    return decision::matches(match, cluster.predicates, cluster.world, flow) == Tri::Yes;
}

void check(const std::vector<Http>& wanted, std::size_t& checked) {
    const decision::LoweredCluster cluster = cluster_of(wanted);
    const HttpAtoms atoms({&cluster});
    for (const Http& each : wanted) {
        const analyzer::HttpSet set = atoms.of(each);
        const auto has = [&](std::uint32_t atom) {
            return std::binary_search(set.begin(), set.end(), atom);
        };
        for (const std::string& method : kRequestMethods)
            for (const std::string& path : kRequestPaths) {
                const bool expected = eval_matches(cluster, each, method, path);
                CHECK_MESSAGE(has(atoms.of({method, path})) == expected, method << " " << path);
                ++checked;
            }
        for (std::uint32_t atom = 0; atom < atoms.count(); ++atom) {
            const auto shown = atoms.example(atom);
            CHECK_MESSAGE(atoms.of(shown) == atom, shown.method << " " << shown.path);
            CHECK(eval_matches(cluster, each, shown.method, shown.path) == has(atom));
        }
    }
}

/// Does the second of two Allow rules on TCP decide anything?
bool second_decides(const std::string& first, const std::string& second) {
    testing::RandomCluster cluster;
    testing::load_text(
        "{apiVersion: v1, kind: Namespace, metadata: {name: s}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: s}, spec: "
        "{nodeName: node0, containers: []}, status: {podIP: 10.0.0.1}}\n---\n"
        "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: x, namespace: "
        "s}, spec: {ingress: [{action: Allow, protocol: TCP, http: {" +
            first + "}}, {action: Allow, protocol: TCP, http: {" + second + "}}]}}",
        cluster);
    const auto effects =
        analyzer::effects_of(cluster.lowered, decision::Identities(cluster.lowered));
    for (const auto& [key, rule] : effects.rules)
        if (key.index == 1)
            return rule.effect.decides;
    FAIL("no second rule");
    return false;
}

} // namespace

TEST_CASE("classes of requests are as fine as eval, and each has a request") {
    std::vector<Http> all;
    for (const auto& methods : kMethods)
        for (const auto& paths : kPaths)
            all.push_back({methods, paths});
    std::size_t checked = 0;
    for (const Http& a : all)
        for (const Http& b : all)
            check({a, b}, checked);
    check(all, checked);
    CHECK(checked > 100'000);
}

TEST_CASE("a rule without paths takes the requests that a rule for every path refuses") {
    CHECK(second_decides("paths: [{prefix: /}]", "methods: [GET]"));
    CHECK(second_decides("methods: [GET], paths: [{prefix: /}]", "methods: [GET]"));
    CHECK_FALSE(second_decides("methods: [GET, PUT]", "methods: [GET]"));
    CHECK_FALSE(second_decides("paths: [{prefix: /}]", "methods: [GET], paths: [{exact: /a}]"));
    CHECK_FALSE(second_decides("methods: ['*']", "paths: [{prefix: /}]"));
    CHECK(second_decides("methods: [GET]", "methods: [get]"));
}

TEST_CASE("sets of requests are described so that the refused paths show") {
    const auto cluster =
        cluster_of({{{}, {{true, "/"}}}, {{"GET"}, {}}, {{"GET"}, {{true, "/a"}}}});
    const HttpAtoms atoms({&cluster});
    CHECK(atoms.describe(atoms.of(Http{{"GET"}, {}})) == "GET any path");
    CHECK(atoms.describe(atoms.of(Http{{"GET"}, {{true, "/"}}})) == "GET /*");
    analyzer::HttpSet rest;
    const auto all = atoms.of(Http{{"GET"}, {}}), below = atoms.of(Http{{"GET"}, {{true, "/"}}});
    std::set_difference(all.begin(), all.end(), below.begin(), below.end(),
                        std::back_inserter(rest));
    CHECK(atoms.describe(rest) == "GET paths that can't be normalised");
}
