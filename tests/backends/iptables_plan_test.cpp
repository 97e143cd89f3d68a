// Plans of iptables without a kernel: their steps are done to the model of what a node holds, and
// what comes out is looked at after each of them.
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "backends/iptables/build.h"
#include "backends/iptables/plan.h"
#include "tests/backends/built.h"
#include "tests/backends/changes.h"
#include "tests/backends/filtered.h"
#include "tests/backends/ipset_model.h"

using namespace polecat;
using testing::pod;

namespace {

/// ipset and iptables-restore as far as plans use them. Fails where they would.
class FilterKernel {
  public:
    explicit FilterKernel(iptables::Ruleset held) : rules(std::move(held)) {}
    iptables::Ruleset rules;

    void load(const iptables::Plan::Step& step) {
        if (step.command == "ipset restore")
            testing::restore_sets(rules, step.text);
        else
            load_table(
                rules.table(step.command.starts_with("ip6") ? net::Family::V6 : net::Family::V4),
                step.text);
        rules.sort();
        check_references();
    }

  private:
    static void load_table(iptables::Table& table, const std::string& text) {
        if (text.find("-X ") == std::string::npos) {
            const auto made = iptables::parse_table(text);
            REQUIRE(made.ok());
            for (const iptables::Chain& chain : made->chains) {
                std::erase_if(table.chains, [&](const auto& each) {
                    return each.table == chain.table && each.name == chain.name;
                });
                table.chains.push_back(chain);
            }
            return;
        }
        std::istringstream lines(text);
        std::string in;
        for (std::string line; std::getline(lines, line);) {
            if (line.starts_with('*'))
                in = line.substr(1);
            if (line.starts_with("-X "))
                std::erase_if(table.chains, [&](const auto& each) {
                    return iptables::to_string(each.table) == in && each.name == line.substr(3);
                });
        }
    }

    /// Rules lead to chains and ask sets that are there.
    void check_references() const {
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            for (const iptables::Chain& chain : rules.table(family).chains)
                for (const iptables::Rule& rule : chain.rules) {
                    const auto kind = rule.target.kind;
                    if (kind == iptables::Target::Kind::Jump ||
                        kind == iptables::Target::Kind::Goto)
                        CHECK_MESSAGE(rules.table(family).find(rule.target.name, chain.table) !=
                                          nullptr,
                                      rule.target.name);
                    for (const iptables::Match& match : rule.matches)
                        if (const auto* in = std::get_if<iptables::InSet>(&match))
                            CHECK_MESSAGE(rules.find_set(in->set) != nullptr, in->set);
                }
    }
};

iptables::Ruleset follow(const iptables::Ruleset& from, const iptables::FilterImage& to) {
    const auto plan = iptables::plan(from, to);
    REQUIRE_MESSAGE(plan.ok(), (plan ? "" : plan.error()));
    FilterKernel kernel(from);
    for (const iptables::Plan::Step& step : plan->steps) {
        kernel.load(step);
        backends::Work counted = iptables::work_of(step.text);
        // Which of them are there already no text says.
        counted.chains_in = step.work.chains_in;
        counted.rules_out = step.work.rules_out;
        counted.elements_dropped = step.work.elements_dropped;
        CHECK(counted == step.work);
    }
    const auto read = iptables::read_back(kernel.rules);
    REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
    const auto whole = iptables::read_back(iptables::emit(to));
    CHECK(read->programs == whole->programs);
    CHECK(read->pods == whole->pods);
    CHECK(kernel.rules.v4 == plan->result.v4);
    CHECK(kernel.rules.v6 == plan->result.v6);
    return kernel.rules;
}

} // namespace

TEST_CASE("iptables: plans lead from any policy to any other") {
    std::uint64_t fresh = 12000;
    for (std::uint64_t seed = 1; seed <= 8; ++seed) {
        INFO("seed ", seed);
        testing::Random random(seed);
        auto documents = testing::documents_of(testing::ClusterWriter(seed, {}).write());
        auto image = testing::filter_image_of(testing::text_of(documents));
        REQUIRE(image.has_value());
        iptables::Ruleset held = iptables::emit(*image);
        for (int step = 0; step < 5; ++step) {
            INFO("step ", step);
            testing::change(documents, random, fresh);
            image = testing::filter_image_of(testing::text_of(documents));
            REQUIRE(image.has_value());
            held = follow(held, *image);
            CHECK(iptables::plan(held, *image)->steps.empty());
        }
    }
}

TEST_CASE("iptables: one pod's change is one round of ipset") {
    const std::string policy =
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: "
        "ns}, spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: "
        "{matchLabels: {app: web}}}]}]}}\n---\n";
    const std::string some = pod("web", "web", 1) + pod("db", "db", 2) + policy;
    const iptables::Ruleset held = iptables::emit(*testing::filter_image_of(some));
    const auto comes =
        iptables::plan(held, *testing::filter_image_of(some + pod("web2", "web", 4)));
    REQUIRE(comes.ok());
    REQUIRE(comes->steps.size() == 1);
    CHECK(comes->steps[0].command == "ipset restore");
    CHECK(comes->steps[0].work.elements_in == 4); // a predicate, and three for itself
    CHECK_FALSE(comes->judges_anew);
    REQUIRE(comes->forget.size() == 1);
    CHECK(net::to_string(comes->forget[0]) == "10.0.0.4");
    const std::string& text = comes->steps[0].text;
    CHECK(text.rfind("add polecat4-pods") > text.rfind("add polecat4-to-"));
    // Another label: who it is to others changes while it sends, so flows are judged again.
    const auto labelled = iptables::plan(
        held, *testing::filter_image_of(pod("web", "log", 1) + pod("db", "db", 2) + policy));
    REQUIRE(labelled.ok());
    CHECK(labelled->judges_anew);
    REQUIRE(labelled->steps.size() == 3);
    CHECK(labelled->steps[1].text.find("@G@") != std::string::npos);
    CHECK(labelled->steps[1].text.find("polecat-known") != std::string::npos);
    CHECK(labelled->steps[1].text.find("-A polecat-p") == std::string::npos);
    // Nothing of ours to begin with.
    CHECK_FALSE(iptables::plan({}, *testing::filter_image_of(some)).ok());
    CHECK(iptables::plan_from_nothing(*testing::filter_image_of(some)).steps.size() == 3);
}
