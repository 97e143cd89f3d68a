// Plans of BPF tables without a kernel: what is written in place, in which order, and that a plan
// that is broken off anywhere is made good by the next.
#include <sstream>

#include <doctest/doctest.h>

#include "artefact/bpf/layout.h"
#include "backends/bpf/in_place.h"
#include "backends/bpf/plan.h"
#include "tests/backends/bpf_node.h"
#include "tests/backends/built.h"
#include "tests/backends/changes.h"
#include "tests/backends/ipset_model.h"
#include "tests/host_policies.h"

using namespace polecat;
using StepKind = bpf::Plan::Step::Kind;

namespace {

using testing::TabledNode;

/// They are where chains are.
std::string without_hooks(std::string text) {
    for (std::size_t at; (at = text.find("\n-I ")) != std::string::npos;)
        text.erase(at + 1, text.find('\n', at + 1) - at);
    return text;
}

void delete_chains(iptables::Table& from, const std::string& text) {
    std::istringstream lines(text);
    std::string in;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('*'))
            in = line.substr(1);
        if (line.starts_with("-X "))
            std::erase_if(from.chains, [&](const auto& each) {
                return iptables::to_string(each.table) == in && each.name == line.substr(3);
            });
        if (from.hooks && line.starts_with("-D "))
            std::erase_if(*from.hooks, [&](const auto& each) {
                return iptables::to_string(each.table) == in &&
                       "-D " + each.of + " -j " + each.chain == line;
            });
    }
}

/// A node without a kernel: takes steps as `polecat load` does.
class BpfKernel {
  public:
    bpf::Held held;

    bpf::Plan plan(const TabledNode& to) const { return bpf::plan(held, to.tables, to.node); }
    void take(const bpf::Plan::Step& step, const TabledNode& to) {
        switch (step.kind) {
        case StepKind::Sets: {
            if (step.text.find("swap ") == std::string::npos) {
                testing::restore_sets(held.rules, step.text);
                break;
            }
            const auto sets = iptables::parse_sets(step.text);
            REQUIRE(sets.ok());
            for (const auto& each : *sets) {
                std::erase_if(held.rules.sets,
                              [&](const auto& was) { return was.name == each.name; });
                held.rules.sets.push_back(each);
            }
            break;
        }
        case StepKind::Words:
            held.unfinished = true;
            for (const bpf::WordChange& word : step.words)
                held.tables.at(word.word) = word.value;
            break;
        case StepKind::Tables:
            held.unfinished = true;
            held.tables = to.tables.tables;
            break;
        case StepKind::Rules: {
            const auto written = iptables::parse_table(without_hooks(step.text));
            REQUIRE(written.ok());
            auto& chains = held.rules.table(step.family).chains;
            for (const iptables::Chain& each : written->chains) {
                std::erase_if(chains, [&](const auto& was) {
                    return was.name == each.name && was.table == each.table;
                });
                chains.push_back(each);
            }
            break;
        }
        case StepKind::Deletes:
            delete_chains(held.rules.table(step.family), step.text);
            break;
        }
        held.rules.sort();
    }
    bpf::Plan change(const TabledNode& to) {
        const bpf::Plan done = plan(to);
        for (const bpf::Plan::Step& step : done.steps)
            take(step, to);
        held.unfinished = false;
        check_holds(to);
        return done;
    }
    void check_holds(const TabledNode& to) const {
        CHECK(held.tables == to.tables.tables);
        CHECK(plan(to).steps.empty());
    }
};

std::vector<StepKind> kinds_of(const bpf::Plan& plan) {
    std::vector<StepKind> out;
    for (const bpf::Plan::Step& each : plan.steps)
        out.push_back(each.kind);
    return out;
}

std::string elsewhere(const std::string& name, const std::string& app, int host) {
    std::string out = testing::pod(name, app, host);
    return out.replace(out.find("node0"), 5, "node7");
}

const std::string kLetsA =
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: b, namespace: ns}, "
    "spec: {podSelector: {matchLabels: {app: b}}, ingress: [{from: [{podSelector: {matchLabels: "
    "{app: a}}}]}]}}\n---\n";
const std::string kTwo = kLetsA + testing::pod("a", "a", 1) + testing::pod("b", "b", 2);

} // namespace

TEST_CASE("a pod that comes or goes is written in place") {
    BpfKernel kernel;
    const TabledNode two = testing::tabled_node(kTwo),
                     three = testing::tabled_node(kTwo + testing::pod("c", "a", 3));
    CHECK(kernel.change(two).judges_anew);
    const bpf::Plan comes = kernel.change(three);
    CHECK(kinds_of(comes) == std::vector{StepKind::Words, StepKind::Sets});
    REQUIRE(comes.steps.front().words.size() == 2);
    CHECK_FALSE(comes.judges_anew);
    CHECK(comes.forget == std::vector{*net::parse_address("10.0.0.3")});
    // He is somebody to others before he sends anything.
    CHECK((comes.steps.front().words.front().value & kBpfIsEnd) != 0);
    const bpf::Plan goes = kernel.change(two);
    CHECK(kinds_of(goes) == std::vector{StepKind::Sets, StepKind::Words});
    CHECK(goes.steps.back().words.front().value == 0);
    CHECK(goes.forget == comes.forget);
    CHECK_FALSE(goes.judges_anew);
}

TEST_CASE("a pod of another node is one word, and rules stay") {
    BpfKernel kernel;
    const std::string others = kTwo + elsewhere("far", "a", 8);
    kernel.change(testing::tabled_node(others));
    const bpf::Plan comes =
        kernel.change(testing::tabled_node(others + elsewhere("farther", "a", 9)));
    CHECK(kinds_of(comes) == std::vector{StepKind::Words});
    CHECK(comes.steps.front().words.size() == 1);
    CHECK(comes.forget == std::vector{*net::parse_address("10.0.0.9")});
    // He gets other labels: flows that were judged by the old ones are judged anew.
    const bpf::Plan other =
        kernel.change(testing::tabled_node(others + elsewhere("farther", "b", 9)));
    CHECK(kinds_of(other) == std::vector{StepKind::Words, StepKind::Rules, StepKind::Rules});
    CHECK(other.judges_anew);
}

TEST_CASE("what a packet may not meet half of is never written in place") {
    BpfKernel kernel;
    const auto whole = [&](const std::string& text) {
        const std::vector<StepKind> kinds = kinds_of(kernel.change(testing::tabled_node(text)));
        return std::count(kinds.begin(), kinds.end(), StepKind::Tables) == 1 &&
               std::count(kinds.begin(), kinds.end(), StepKind::Words) == 0;
    };
    CHECK(whole(kLetsA + testing::pod("b", "b", 2)));
    CHECK(whole(kTwo));                                                         // an identity more
    CHECK(whole(kTwo + testing::pod("c", "a", 3) + testing::pod("d", "b", 4))); // two of them
    CHECK(whole(kTwo.substr(kLetsA.size())));
    std::string swapped = kTwo;
    swapped.replace(swapped.find("10.0.0.1"), 8, "10.0.0.9")
        .replace(swapped.find("10.0.0.2"), 8, "10.0.0.1");
    kernel.change(testing::tabled_node(kTwo));
    CHECK(whole(swapped));
    std::string far = testing::pod("c", "a", 3);
    CHECK(whole(kTwo + far.replace(far.find("10.0.0"), 6, "10.7.0"))); // a block of addresses
}

TEST_CASE("an address that is another pod's is judged by nobody's policy meanwhile") {
    // Labels that change programs and identity at once: two words that are met one after the other.
    const std::string one = kTwo + testing::pod("c", "a", 3),
                      other = kTwo + testing::pod("c", "b", 3);
    BpfKernel kernel;
    kernel.change(testing::tabled_node(one));
    const bpf::Plan plan = kernel.change(testing::tabled_node(other));
    const auto kinds = kinds_of(plan);
    CHECK(std::count(kinds.begin(), kinds.end(), StepKind::Words) == 0);
    CHECK(plan.judges_anew);
}

TEST_CASE("chains of another target go, and flows are judged under a number that they don't say") {
    BpfKernel kernel;
    const TabledNode two = testing::tabled_node(kTwo);
    kernel.change(two);
    iptables::Table& held = kernel.held.rules.v4;
    held.chains.push_back({"polecat-host-in", {}, iptables::In::Mangle});
    held.hooks = iptables::hooks_of(bpf::rules_around(two.node).v4);
    held.hooks->push_back({iptables::In::Mangle, "PREROUTING", "polecat-host-in", true});
    const bpf::Plan plan = kernel.plan(two);
    CHECK(plan.judges_anew);
    REQUIRE(kinds_of(plan) == std::vector{StepKind::Rules, StepKind::Rules, StepKind::Deletes});
    CHECK(plan.steps.back().text == "*mangle\n-D PREROUTING -j polecat-host-in\n"
                                    "-F polecat-host-in\n-X polecat-host-in\nCOMMIT\n");
    kernel.change(two);
}

TEST_CASE("members of sets that rules of host endpoints ask come and go with their pods") {
    const std::string hosts =
        testing::host_endpoint("eth0") +
        testing::host_policy("normal", "preDNAT: true, applyOnForward: true, types: [Ingress], "
                                       "ingress: [{action: Allow, source: {selector: app == "
                                       "'a'}}]");
    const std::string others = kTwo + elsewhere("far", "a", 8);
    BpfKernel kernel;
    kernel.change(testing::tabled_node(others));
    const bpf::Plan comes = kernel.change(testing::tabled_node(others + hosts));
    CHECK(comes.judges_anew);
    CHECK(std::any_of(comes.steps.begin(), comes.steps.end(), [](const auto& each) {
        return each.text.find("\n-I PREROUTING -j polecat-early\n") != std::string::npos;
    }));
    // One of another node: a word, and a member of the set; nothing is judged anew.
    const bpf::Plan far =
        kernel.change(testing::tabled_node(others + hosts + elsewhere("farther", "a", 20)));
    CHECK(kinds_of(far) == std::vector{StepKind::Words, StepKind::Sets, StepKind::Words});
    CHECK(far.steps.front().words.empty());
    CHECK(far.steps.at(1).text.find("10.0.0.20") != std::string::npos);
    CHECK_FALSE(far.judges_anew);
    CHECK(far.forget == std::vector{*net::parse_address("10.0.0.20")});
    const bpf::Plan other =
        kernel.change(testing::tabled_node(others + hosts + elsewhere("farther", "b", 20)));
    CHECK(other.judges_anew);
    const bpf::Plan go = kernel.change(testing::tabled_node(kTwo));
    CHECK(go.steps.back().text.starts_with("destroy polecat4-"));
    CHECK(kernel.held.rules.sets.size() == 2);
}

TEST_CASE("rules that know two numbers are written anew") {
    BpfKernel kernel;
    const TabledNode two = testing::tabled_node(kTwo + testing::host_endpoint("eth0"));
    kernel.change(two);
    for (iptables::Chain& chain : kernel.held.rules.v4.chains)
        if (chain.table == iptables::In::Filter)
            for (iptables::Rule& rule : chain.rules)
                if (rule.target.kind == iptables::Target::Kind::SetFlowMark)
                    rule.target.mark.generation = 7;
    CHECK(kernel.plan(two).judges_anew);
    kernel.change(two);
}

TEST_CASE("a plan of tables that is broken off is made good by the next") {
    std::uint64_t fresh = 7000;
    std::size_t words = 0, tables = 0, broken = 0;
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        testing::Random random(seed);
        auto documents = testing::documents_of(testing::ClusterWriter(seed, {}).write());
        std::string hosts;
        BpfKernel kernel;
        kernel.change(testing::tabled_node(testing::text_of(documents)));
        for (int change = 0; change < 12; ++change) {
            INFO("seed ", seed, ", change ", change);
            if (random.chance(70))
                testing::change(documents, random, fresh);
            if (random.chance(40))
                hosts = random.chance(30) ? ""
                                          : testing::host_endpoint("eth0") +
                                                testing::random_host_policies(random, true);
            const TabledNode to = testing::tabled_node(testing::text_of(documents) + hosts);
            const bpf::Plan first = kernel.plan(to);
            const std::size_t done = random.below(first.steps.size() + 1);
            for (std::size_t i = 0; i < done; ++i)
                kernel.take(first.steps[i], to);
            broken += done < first.steps.size() ? 1 : 0;
            const bpf::Plan second = kernel.change(to);
            // The number that flows were judged under before is not the one afterwards.
            if (first.judges_anew && done > 0)
                CHECK((second.judges_anew || done == first.steps.size()));
            for (const StepKind kind : kinds_of(first)) {
                words += kind == StepKind::Words ? 1 : 0;
                tables += kind == StepKind::Tables ? 1 : 0;
            }
        }
    }
    CHECK(broken > 8);
    CHECK(tables > 5);
    MESSAGE(tables << " changes of all tables, " << words << " in place, " << broken
                   << " broken off");
}
