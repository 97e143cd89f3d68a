// Known mistakes in manifests of BGP, each put into sound clusters of several shapes: lint, the
// contradictions of `polecat bgp sessions`, or `polecat diff` against the sound version must name
// the line. POLECAT_SEEDS is how many clusters each is put into.
#include <algorithm>
#include <map>
#include <set>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "analyzer/lint/lint.h"
#include "analyzer/routing/diff/routing_diff.h"
#include "bgp_clusters.h"
#include "manifests.h"
#include "passes/routing/routing.h"

using namespace polecat;
using testing::BgpCluster;

namespace {

constexpr std::uint64_t kBgpSeed = 20261130;

struct Version {
    testing::RandomCluster read;
    routing::ClusterRouting routing;
    std::vector<routing::NodeRouting> forms; ///< without the mesh
    /// "slug message", by line; 0: of another line, with a label of it or none.
    std::map<std::string, std::set<std::uint32_t>> findings;

    explicit Version(const BgpCluster& cluster) {
        load_text(cluster.text(), read);
        frontend::check_references(read.policy, read.diagnostics);
        const policy::OrderedPolicies policies = passes::order_policies(read.policy);
        lint::Context context(read.policy, policies, read.lowered, {});
        lint::run(context, read.diagnostics);
        routing = passes::lower_routing(read.policy, {}, read.diagnostics);
        routing::ClusterRouting bare = routing;
        bare.mesh = false;
        for (routing::NodeIndex i = 0; i < bare.nodes.size(); ++i)
            if (bare.nodes[i].v4)
                if (auto form = passes::node_routing(bare, i, read.diagnostics))
                    forms.push_back(std::move(*form));
        for (const diag::Diagnostic& each : read.diagnostics.list()) {
            auto& lines = findings[fmt::format("{}: {}", diag::info(each.code).slug, each.message)];
            lines.insert(each.span.line);
            for (const diag::Label& label : each.labels)
                lines.insert(label.span.line);
        }
    }
    routing::RoutingVersion version() const {
        return {read.policy, routing, forms,
                [](const routing::ClusterRouting& of, routing::NodeIndex node) {
                    diag::Diagnostics told;
                    return passes::node_routing(of, node, told);
                }};
    }
};

/// Which lines a way of looking names.
using Lines = std::set<std::uint32_t>;

Lines lint_lines(const Version& sound, const Version& broken) {
    Lines out;
    for (const auto& [text, lines] : broken.findings)
        if (!sound.findings.contains(text))
            out.insert(lines.begin(), lines.end());
    return out;
}

Lines session_lines(const Version& sound, const Version& broken) {
    std::set<std::string> known;
    for (const auto& each : routing::sessions(sound.read.policy, sound.routing, sound.forms).faults)
        known.insert(each.reason);
    Lines out;
    for (const auto& each :
         routing::sessions(broken.read.policy, broken.routing, broken.forms).faults)
        if (!known.contains(each.reason)) {
            out.insert(each.here.span.line);
            out.insert(each.there.span.line);
        }
    return out;
}

Lines diff_lines(const Version& sound, const Version& broken) {
    const auto diff = routing::routing_diff(sound.version(), broken.version());
    Lines out;
    const auto add = [&](const routing::Origin& origin) { out.insert(origin.span.line); };
    for (const auto& each : diff.sessions)
        for (const auto* origin : {&each.before, &each.now, &each.node_line})
            if (*origin)
                add(**origin);
    for (const auto* list : {&diff.breaks, &diff.mends})
        for (const auto& each : *list)
            add(each.here), add(each.there);
    for (const auto& each : diff.rules)
        add(each.before_origin), add(each.now_origin);
    for (const auto& each : diff.announcements)
        add(each.origin);
    for (const auto& each : diff.routes)
        add(each.before_origin), add(each.now_origin);
    return out;
}

struct Tally {
    std::size_t put = 0, found = 0, lint = 0, sessions = 0, diff = 0;

    void add(bool by_lint, bool by_sessions, bool by_diff) {
        ++put;
        found += by_lint || by_sessions || by_diff ? 1 : 0;
        lint += by_lint ? 1 : 0;
        sessions += by_sessions ? 1 : 0;
        diff += by_diff ? 1 : 0;
    }
};

} // namespace

TEST_CASE("clusters of BGP without a mistake are sound") {
    testing::Random random(kBgpSeed);
    for (const char* shape : testing::kBgpShapes)
        for (std::size_t i = 0; i < testing::clusters_for_each(); ++i) {
            const BgpCluster cluster = testing::bgp_cluster(shape, random);
            const Version version(cluster);
            CAPTURE(cluster.text());
            for (const auto& [text, lines] : version.findings)
                CHECK_MESSAGE(text.empty(), std::string(shape), ": line ", *lines.begin(), ": ",
                              text);
            for (const auto& each :
                 routing::sessions(version.read.policy, version.routing, version.forms).faults)
                CHECK_MESSAGE(each.reason.empty(), std::string(shape), ": ", each.reason);
            CHECK(routing::routing_diff(version.version(), version.version()).empty());
        }
}

TEST_CASE("mistakes in manifests of BGP are found by lint, sessions or diff") {
    testing::Random random(kBgpSeed);
    std::map<std::string, Tally> tallies;
    Tally all;
    for (const char* shape : testing::kBgpShapes)
        for (const testing::BgpMistake& mistake : testing::bgp_mistakes())
            for (std::size_t i = 0; i < testing::clusters_for_each(); ++i) {
                BgpCluster cluster = testing::bgp_cluster(shape, random);
                const BgpCluster before = cluster;
                const auto place = mistake.put(cluster, random);
                if (!place)
                    break;
                const Version sound(before), broken(cluster);
                const auto line = static_cast<std::uint32_t>(2 * *place + 1);
                const bool by_lint = lint_lines(sound, broken).contains(line),
                           by_sessions = session_lines(sound, broken).contains(line),
                           by_diff = diff_lines(sound, broken).contains(line);
                tallies[mistake.name].add(by_lint, by_sessions, by_diff);
                all.add(by_lint, by_sessions, by_diff);
                if (!by_lint && !by_sessions && !by_diff)
                    MESSAGE("not found in ", std::string(shape), ": ", mistake.name, "\n  ",
                            before.objects[*place], "\n  ", cluster.objects[*place]);
            }
    std::string table;
    for (const auto& [name, tally] : tallies)
        table += fmt::format("\n  {:40} {:>4} of {:>4}: lint {}, sessions {}, diff {}", name,
                             tally.found, tally.put, tally.lint, tally.sessions, tally.diff);
    MESSAGE(fmt::format("seed {}: {} of {} mistakes found, {:.2f} %: lint {}, sessions {}, diff {}"
                        "{}",
                        kBgpSeed, all.found, all.put,
                        100.0 * static_cast<double>(all.found) / static_cast<double>(all.put),
                        all.lint, all.sessions, all.diff, table));
    CHECK(all.found * 100 >= all.put * 99);
}
