// Z3 beside chains and sets of iptables: what is compiled is proved, and planted damages are named
// with a flow.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include "backends/iptables/iptables.h"
#include "tests/backends/built.h"
#include "tests/backends/filtered.h"
#include "tests/host_policies.h"
#include "tests/verify/proved.h"

using namespace polecat;

namespace {

struct Chained {
    explicit Chained(const std::string& text) {
        testing::load_text(text, cluster);
        const auto image = testing::filter_image_of(cluster);
        REQUIRE(image.has_value());
        rules = iptables::emit(*image);
        rules.sort();
    }
    driver::NodeProof prove(const iptables::Ruleset& of) const {
        return driver::Prover(cluster.lowered).prove("node0", of);
    }

    testing::RandomCluster cluster;
    iptables::Ruleset rules;
};

const std::string kShop =
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, namespace: ns}, "
    "spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: {matchLabels: "
    "{app: web}}}, {ipBlock: {cidr: 203.0.113.0/24}}], ports: [{port: 5432}]}]}}\n---\n" +
    testing::pod("web", "web", 1) + testing::pod("db", "db", 2) + testing::pod("x", "x", 3);

iptables::Chain& chain_in(iptables::Ruleset& rules, const std::string& ends,
                          const std::string& asks) {
    for (iptables::Chain& chain : rules.v4.chains)
        if (chain.name.ends_with(ends) && chain.name.starts_with("polecat-p"))
            for (const iptables::Rule& rule : chain.rules)
                if (iptables::rule_text(rule).find(asks) != std::string::npos)
                    return chain;
    FAIL("no chain asks " << asks);
    return rules.v4.chains.front();
}

iptables::PortIn* port_of(iptables::Chain& chain) {
    for (iptables::Rule& rule : chain.rules)
        for (iptables::Match& match : rule.matches)
            if (auto* ports = std::get_if<iptables::PortIn>(&match))
                return ports;
    return nullptr;
}

iptables::Set& set_with(iptables::Ruleset& rules, const std::string& address,
                        iptables::Set::Type type) {
    const auto wanted = net::block_of(*net::parse_address(address), 32);
    for (iptables::Set& set : rules.sets)
        if (set.type == type && set.members.size() == 1 && set.members.front().nets == wanted)
            return set;
    FAIL("no set has " << address);
    return rules.sets.front();
}

const driver::FlowDifference& only_flow(const driver::NodeProof& proof) {
    REQUIRE(proof.differences.size() == 1);
    REQUIRE_MESSAGE(proof.differences.front().flow.has_value(), proof.differences.front().what);
    return *proof.differences.front().flow;
}

} // namespace

TEST_CASE("every program of a node's chains is proved, host endpoints' as well") {
    std::size_t proved = 0;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        testing::Random random(seed);
        testing::ClusterShape shape{3, 5, 5};
        const Chained made(testing::ClusterWriter(seed, shape).write() +
                           (seed % 2 == 0 ? testing::host_endpoint("eth0") +
                                                testing::random_host_policies(random, true)
                                          : ""));
        INFO("seed ", seed);
        proved += testing::all_proved(made.prove(made.rules));
    }
    MESSAGE(proved << " programs proved");
    CHECK(proved > 60);
}

TEST_CASE("Z3 names the flow that damaged chains and sets judge otherwise") {
    const Chained made(kShop);
    CHECK(made.prove(made.rules).differences.empty());
    iptables::Ruleset rules = made.rules;
    port_of(chain_in(rules, "-0", "--dports 5432"))->ports = {{5432, 5433}};
    const auto opened = made.prove(rules);
    CHECK(only_flow(opened).opens());
    CHECK(only_flow(opened).packet.value == 5433);
    CHECK(net::to_string(only_flow(opened).destination) == "10.0.0.2");
    CHECK(only_flow(opened).rules.by == "ingress[0] of NetworkPolicy ns/db");
    CHECK(only_flow(opened).policy.by == "end of tier default");

    rules = made.rules; // answers alone
    port_of(chain_in(rules, "-0r", "--sports 5432"))->source = false;
    CHECK(only_flow(made.prove(rules)).rules.program.ends_with("-0r of table filter"));

    rules = made.rules; // nobody runs it
    set_with(rules, "10.0.0.2", iptables::Set::Type::NetInterfaces).members.clear();
    CHECK(!made.prove(rules).differences.empty()); // db has no program then
    rules = made.rules;
    for (iptables::Set& set : rules.sets)
        if (set.type == iptables::Set::Type::Nets)
            for (iptables::Member& each : set.members)
                if (net::to_string(each.nets.base) == "203.0.113.0")
                    each.nets = net::block_of(each.nets.base, 16);
    const auto nets = made.prove(rules);
    REQUIRE(!nets.differences.empty());
    REQUIRE(nets.differences.front().flow.has_value());
    CHECK(net::to_string(nets.differences.front().flow->source).starts_with("203.0."));
    CHECK(nets.differences.front().flow->opens());
}

TEST_CASE("Z3 refuses chains that do what no program does, and asks of a pod to itself") {
    const Chained made(kShop);
    iptables::Ruleset rules = made.rules;
    iptables::Chain& first = chain_in(rules, "-0", "--dports 5432");
    first.rules.front().target = {iptables::Target::Kind::Accept, {}, {}, {}};
    const auto accepts = made.prove(rules);
    REQUIRE(accepts.differences.size() == 1);
    CHECK(accepts.differences.front().what.find("no rule of a program is") != std::string::npos);
    rules = made.rules;
    chain_in(rules, "-0", "--dports 5432").rules.back().target.name = "polecat-p000000000000-1";
    CHECK(made.prove(rules).differences.front().what.find("there is no chain") !=
          std::string::npos);
    rules = made.rules;
    iptables::Chain& circle = chain_in(rules, "-0", "--dports 5432");
    circle.rules.back().target.name = circle.name;
    CHECK(made.prove(rules).differences.front().what.find("circle") != std::string::npos);

    // db is let in to itself, and by nobody else: only that flow differs.
    rules = made.rules;
    iptables::Set own;
    own.name = "polecat4-0000000000000000";
    own.members = {{net::block_of(*net::parse_address("10.0.0.2"), 32), 0, 0, {}}};
    rules.sets.push_back(own);
    rules.sort();
    iptables::Chain& chain = chain_in(rules, "-0", "--dports 5432");
    chain.rules.insert(chain.rules.begin(), {{iptables::InSet{false, own.name, true, false}},
                                             "slot 0: ingress[0] of NetworkPolicy ns/db",
                                             {iptables::Target::Kind::Return, {}, {}, {}}});
    const auto itself = made.prove(rules);
    CHECK(net::to_string(only_flow(itself).source) == "10.0.0.2");
    CHECK(only_flow(itself).source == only_flow(itself).destination);
}

TEST_CASE("Z3 asks programs of host endpoints in each table that has them") {
    const Chained made(
        testing::host_endpoint("eth0") + testing::pod("a", "a", 1) +
        testing::host_policy("raw", "doNotTrack: true, applyOnForward: true, types: [Ingress], "
                                    "ingress: [{action: Allow, protocol: UDP, destination: "
                                    "{ports: [53]}}]") +
        testing::host_policy("early", "preDNAT: true, applyOnForward: true, types: [Ingress], "
                                      "ingress: [{action: Deny, protocol: TCP, destination: "
                                      "{ports: [30000]}}]"));
    CHECK(made.prove(made.rules).differences.empty());
    std::size_t changed = 0;
    for (const iptables::Chain& chain : made.rules.v4.chains) {
        if (!chain.name.starts_with("polecat-p") || chain.rules.size() < 2)
            continue;
        iptables::Ruleset rules = made.rules;
        for (iptables::Chain& each : rules.v4.chains)
            if (each.name == chain.name && each.table == chain.table)
                if (iptables::PortIn* ports = port_of(each)) {
                    ports->ports = {{54, 54}};
                    ++changed;
                    INFO(each.name, " of table ", iptables::to_string(each.table));
                    const auto proof = made.prove(rules);
                    CHECK(only_flow(proof).rules.program.find(iptables::to_string(each.table)) !=
                          std::string::npos);
                }
    }
    CHECK(changed >= 3);
}
