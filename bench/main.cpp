/// polecat-bench [WORKLOAD...]: CPU seconds by phase and peak memory. Each workload runs in a
/// process of its own, so that one's memory is not another's peak. docs/bench.md has the figures.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

#include "analyzer/diff/diff.h"
#include "analyzer/flows/map.h"
#include "analyzer/flows/sides.h"
#include "analyzer/lint/lint.h"
#include "analyzer/questions/open_ends.h"
#include "backends/node/build.h"
#include "bench/apply.h"
#include "bench/bundles.h"
#include "bench/felix_workloads.h"
#include "bench/manifests.h"
#include "bench/measure.h"
#include "bench/routing.h"
#include "bench/rulesets.h"
#include "frontend/load.h"
#include "frontend/selector/parse.h"
#include "passes/lower.h"
#include "support/diag/render.h"

namespace {

using namespace polecat;
using namespace polecat::bench;

policy::Cluster read(const std::string& text, diag::Diagnostics& diagnostics) {
    Sources sources;
    policy::Cluster cluster;
    const FileId file = sources.add("bench.yaml", text);
    frontend::load_documents(yaml::read_documents(sources, file, diagnostics), cluster,
                             diagnostics);
    if (diagnostics.has_errors()) { // figures of input that was refused would mean nothing
        fmt::print(stderr, "{}", diag::render_text(diagnostics.list(), sources, {}));
        std::exit(1);
    }
    return cluster;
}

/// Reads and lowers; `then` does the rest and prints.
template <class Then> void with_identities(const std::string& text, const Then& then) {
    Phases phases;
    diag::Diagnostics diagnostics;
    const policy::Cluster cluster = read(text, diagnostics);
    phases.done("read");
    const auto lowered = passes::lower(cluster).cluster;
    phases.done("lower");
    const decision::Identities identities(lowered);
    phases.done("identities");
    then(lowered, identities, phases);
}

void map_of(const std::string& name, const std::string& text) {
    with_identities(text, [&](const auto& lowered, const auto& identities, Phases& phases) {
        const analyzer::ConnectivityMap map(lowered, identities, net::Family::V4);
        phases.done("map");
        std::size_t open = 0;
        for (std::uint32_t i = 0; i < map.groups().size(); ++i)
            for (const std::uint32_t pair : map.row(i))
                open += pair != 0 ? 1 : 0;
        phases.done("rows");
        phases.print(fmt::format("{} ({} open)", name, open));
    });
}

void sides_of(const std::string& name, const std::string& text) {
    with_identities(text, [&](const auto& lowered, const auto& identities, Phases& phases) {
        const analyzer::Sides sides(lowered, identities, net::Family::V4);
        phases.done("sides");
        phases.print(fmt::format("{} ({} groups, {} sides, {} sets)", name, sides.groups().size(),
                                 sides.list().size(), sides.peers().size()));
    });
}

void lint_of(const std::string& name, const std::string& text) {
    Phases phases;
    diag::Diagnostics diagnostics;
    const policy::Cluster cluster = read(text, diagnostics);
    phases.done("read");
    const auto [policies, lowered] = passes::lower(cluster);
    phases.done("lower");
    lint::Context context(cluster, policies, lowered, {});
    lint::run(context, diagnostics);
    phases.done("lint");
    phases.print(fmt::format("{} ({} findings)", name, diagnostics.list().size()));
}

/// Two versions of a cluster of which the second has another port in one policy.
void diff_of(const std::string& name, const std::string& text) {
    const std::string old_port = "port: 8000, endPort: 8100";
    std::string altered = text;
    altered.replace(altered.find(old_port), old_port.size(), "port: 7777");
    Phases phases;
    diag::Diagnostics diagnostics;
    const policy::Cluster base = read(text, diagnostics), head = read(altered, diagnostics);
    phases.done("read");
    const auto before = passes::lower(base).cluster, now = passes::lower(head).cluster;
    phases.done("lower");
    const analyzer::Diff found = analyzer::diff(before, now);
    phases.done("diff");
    std::size_t changes = 0;
    for (const analyzer::FamilyDiff& family : found.families)
        changes += family.changes.size();
    phases.print(fmt::format("{} ({} changes)", name, changes));
}

/// The trail of every pair, as `polecat reach any any --explain` has it.
void explain_all(const std::string& name, const std::string& text) {
    Phases phases;
    diag::Diagnostics diagnostics;
    const policy::Cluster cluster = read(text, diagnostics);
    const auto lowered = passes::lower(cluster).cluster;
    phases.done("read, lower");
    const decision::Identities identities(lowered);
    const analyzer::ConnectivityMap map(lowered, identities, net::Family::V4);
    analyzer::Questions questions(lowered, map);
    phases.done("map");
    analyzer::AskedEnds any;
    any.any = true;
    const auto answers = questions.ask(any, any, analyzer::ConnectionSet::all(), true);
    std::size_t steps = 0;
    for (const analyzer::Answer& row : answers.rows)
        for (const std::uint32_t from : row.from)
            for (const std::uint32_t to : row.to)
                for (const auto side : {decision::Direction::Egress, decision::Direction::Ingress})
                    if (const auto* trail =
                            questions.trail(answers.from[from], answers.to[to], side))
                        steps += trail->size();
    phases.done("explain");
    phases.print(fmt::format("{} ({} steps)", name, steps));
}

void tables_of(const std::string& name, const std::function<policy::Cluster()>& make) {
    Phases phases;
    const policy::Cluster cluster = make();
    phases.done("inputs");
    diag::Diagnostics diagnostics;
    passes::LowerOptions options;
    options.only_node = kLocalNode;
    const auto lowered = passes::lower(cluster, options).cluster;
    phases.done("lower");
    const decision::Identities identities(lowered);
    phases.done("identities");
    const auto image = backends::NodeImages(lowered, identities).of(kLocalNode, diagnostics);
    phases.done("flatten");
    phases.print(fmt::format("{} ({} tables)", name, image ? image->programs.size() : 0));
}

/// One flow against a policy of 19,992 rules, as a packet meets it: address to identity, identity
/// to class, classes to cell.
void flow_by_table() {
    const policy::Cluster cluster = long_policy(19'992);
    diag::Diagnostics diagnostics;
    passes::LowerOptions options;
    options.only_node = kLocalNode;
    const auto lowered = passes::lower(cluster, options).cluster;
    const decision::Identities identities(lowered);
    Phases phases;
    const auto image = backends::NodeImages(lowered, identities).of(kLocalNode, diagnostics);
    phases.done("flatten");
    const auto program =
        std::find_if(image->programs.begin(), image->programs.end(), [](const auto& each) {
            return each.second->direction == decision::Direction::Ingress;
        });
    const backends::ProgramImage& table = program->second;
    constexpr std::uint32_t kFlows = 1'000'000;
    std::size_t allowed = 0;
    for (std::uint32_t i = 0; i < kFlows; ++i) {
        const net::Address source{net::Family::V4, 0, 0x0B000000 + i % 300'000};
        const auto range = image->outside.upper_bound({source, net::last_address(source.family)});
        const std::uint32_t identity = std::prev(range)->second;
        const std::uint16_t l4 = table.l4.of({net::kTcp, static_cast<std::uint16_t>(i)});
        const auto cell = table.rows.at(table.others.front().row_of(identity));
        allowed += table.cells.at(cell.at(0, l4)).passes() ? 1 : 0;
    }
    phases.done("1M flows");
    phases.print(fmt::format("flow by table ({} ok)", allowed));
}

void nft_of(const std::string& name, const std::string& text, std::size_t nodes = 1) {
    diag::Diagnostics diagnostics;
    std::vector<std::string> names;
    for (std::size_t i = 0; i < nodes; ++i)
        names.push_back(fmt::format("node-{:04}", i));
    rulesets_of(name, read(text, diagnostics), names);
}

void parse_selectors() {
    const std::string text = "! (a == \"b\"&&! c != \"d\") || !(a == \"b\" && !c != \"d\")";
    constexpr int kTimes = 200'000;
    Phases phases;
    std::size_t good = 0;
    for (int i = 0; i < kTimes; ++i)
        good += frontend::parse_selector(text) ? 1 : 0;
    phases.done("200k parses");
    phases.print(fmt::format("selector, {} characters, read {} times", text.size(), good));
}

bool run_apart(const std::function<void()>& work) {
    std::fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        work();
        std::fflush(stdout);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return status == 0;
}

policy::Cluster cluster_of_1000_nodes() {
    diag::Diagnostics diagnostics;
    return read(cluster_manifests(100'000, 10'000, 1, 1'000), diagnostics);
}

/// The bundle is made in a process of its own: its memory is none of the node's.
void node_of_1000() {
    const std::string folder =
        (std::filesystem::temp_directory_path() / fmt::format("polecat-bench-{}", getpid()))
            .string();
    if (run_apart([&] { bundle_of("", cluster_of_1000_nodes(), folder); }))
        node_of_bundle("a node of 1000, of a bundle", folder, "node-0001");
    std::filesystem::remove_all(folder);
}

const std::map<std::string, std::function<void()>>& workloads() {
    static const std::map<std::string, std::function<void()>> kAll{
        {"map-250", [] { map_of("map 250/125", cluster_manifests(250, 125, 1)); }},
        {"map-1000", [] { map_of("map 1000/500", cluster_manifests(1000, 500, 1)); }},
        {"map-5000", [] { map_of("map 5000/2500", cluster_manifests(5000, 2500, 1)); }},
        {"lint-5000", [] { lint_of("lint 5000/1000", cluster_manifests(5000, 1000, 1)); }},
        {"lint-10000p", [] { lint_of("lint 5000/10000", cluster_manifests(5000, 10'000, 1)); }},
        {"diff-5000", [] { diff_of("diff 5000/10000", cluster_manifests(5000, 10'000, 1)); }},
        {"diff-20000", [] { diff_of("diff 20000/10000", cluster_manifests(20'000, 10'000, 1)); }},
        {"explain-100", [] { explain_all("explain 100/50", cluster_manifests(100, 50, 1)); }},
        {"sides-100000",
         [] { sides_of("map by side 100000/10000", cluster_manifests(100000, 10000, 1)); }},
        {"map-blocks", [] { map_of("map 638 ipBlocks", many_blocks(638)); }},
        {"tag-pols",
         [] { tables_of("TagPols 250k/10k", [] { return tag_policies(250'000, 10'000); }); }},
        {"netset-pols",
         [] { tables_of("NetsetPols 10k", [] { return netset_policies(10'000, 10'000); }); }},
        {"isolated",
         [] { tables_of("IsolatedCustomers 100k", [] { return isolated_customers(100'000); }); }},
        {"bird-5000",
         [] {
             diag::Diagnostics diagnostics;
             bird_of("BIRD, 5000 nodes", read(routing_manifests(5000, 3), diagnostics));
         }},
        {"propagation-5000",
         [] {
             diag::Diagnostics diagnostics;
             propagation_of("propagation, 5000 nodes",
                            read(routing_manifests(5000, 3), diagnostics));
         }},
        {"routing-diff-5000",
         [] {
             diag::Diagnostics diagnostics;
             routing_diff_of("routing diff, 5000 nodes",
                             read(routing_manifests(5000, 3), diagnostics),
                             read(routing_manifests(5000, 3, 65002), diagnostics));
         }},
        {"sessions-mesh",
         [] {
             diag::Diagnostics diagnostics;
             sessions_of("sessions, mesh of 1000 nodes", read(mesh_manifests(1000), diagnostics));
         }},
        {"sessions-5000",
         [] {
             diag::Diagnostics diagnostics;
             sessions_of("sessions, 5000 nodes and reflectors",
                         read(routing_manifests(5000, 3), diagnostics));
         }},
        {"nft-node", [] { nft_of("250 of 2500 pods", cluster_manifests(2500, 2000, 1, 10)); }},
        {"nft-nodes",
         [] { nft_of("2500 pods, 38 nodes", cluster_manifests(2500, 2000, 1, 38), 38); }},
        {"nft-apply",
         [] { apply_of("250 of 2500 pods, in the kernel", cluster_manifests(2500, 2000, 1, 10)); }},
        {"bundle", [] { bundle_of("bundle 100000/10000", cluster_of_1000_nodes()); }},
        {"bundle-again", [] { bundle_again("bundle 100000/10000", cluster_of_1000_nodes()); }},
        {"bundle-node", node_of_1000},
        {"nft-grid", [] { nft_of("grid of 10000 rules", grid(10'000)); }},
        {"nft-selectors", [] { nft_of("4000 selectors", many_selectors(4'000)); }},
        {"nft-ports", [] { nft_of("16000 ports", many_ports(16'000)); }},
        {"nft-source-ports", [] { nft_of("120 source ports", many_source_ports(120)); }},
        {"nft-identities", [] { nft_of("20000 identities", many_identities(20'000)); }},
        {"nft-groups", [] { nft_of("1000 groups", many_groups(1'000)); }},
        {"flow", flow_by_table},
        {"selector", parse_selectors},
        {"read",
         [] {
             const std::string text = cluster_manifests(20'000, 10'000, 2);
             Phases phases;
             diag::Diagnostics diagnostics;
             const auto cluster = read(text, diagnostics);
             phases.done("read");
             phases.print(
                 fmt::format("read {} pods, {} MB", cluster.workloads.size(), text.size() >> 20));
         }},
    };
    return kAll;
}

} // namespace

int main(int argc, char** argv) {
    std::vector<std::string> wanted(argv + 1, argv + argc);
    if (wanted.empty())
        for (const auto& [name, work] : workloads())
            wanted.push_back(name);
    bool good = true;
    for (const std::string& name : wanted) {
        const auto found = workloads().find(name);
        if (found == workloads().end()) {
            fmt::print(stderr, "polecat-bench: no workload `{}`; there are:", name);
            for (const auto& [known, work] : workloads())
                fmt::print(stderr, " {}", known);
            fmt::print(stderr, "\n");
            return 2;
        }
        good = run_apart(found->second) && good;
    }
    return good ? 0 : 1;
}
