// Host endpoints beside the BPF classifier: rules of iptables, which read back with the tables.
#include <doctest/doctest.h>

#include "tests/backends/bpf_node.h"
#include "tests/backends/built.h"
#include "tests/backends/filtered.h"
#include "tests/host_policies.h"

using namespace polecat;
using iptables::In;
using testing::host_policy;
using testing::TabledNode;

namespace {

iptables::Ruleset must_parse(const iptables::CompiledRules& text) {
    const auto sets = iptables::parse_sets(text.sets);
    const auto v4 = iptables::parse_table(text.v4), v6 = iptables::parse_table(text.v6);
    REQUIRE(sets.ok());
    REQUIRE(v4.ok());
    REQUIRE(v6.ok());
    return {*sets, *v4, *v6};
}

const std::string kGuarded =
    testing::pod("a", "a", 1) + testing::pod("b", "b", 2) + testing::host_endpoint("eth0") +
    host_policy("normal", "types: [Ingress], ingress: [{action: Allow, source: {selector: app == "
                          "'a'}}, {action: Allow, protocol: TCP, destination: {ports: [80]}}]") +
    host_policy("early", "preDNAT: true, applyOnForward: true, types: [Ingress], ingress: "
                         "[{action: Deny, protocol: UDP}]");

} // namespace

TEST_CASE("BPF: random policy at every hook of host endpoints reads back with the tables") {
    std::size_t programs = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        INFO("seed ", seed);
        testing::Random random(seed);
        const bool wildcard = seed % 3 == 0;
        const TabledNode made =
            testing::tabled_node(testing::ClusterWriter(seed, {}).write() +
                                 testing::host_endpoint(wildcard ? "*" : "eth0") +
                                 testing::random_host_policies(random, !wildcard) +
                                 testing::felix_of_host(seed % 2 == 0 ? "Accept" : "Drop"));
        CHECK_FALSE(made.node.host.frame.attached.empty());
        CHECK(made.node.image.attached.empty());
        CHECK(made.node.host.pods.empty());
        programs += made.node.host.programs.size();
        const auto written = bpf::compile(made.tables, made.node);
        REQUIRE_MESSAGE(written.ok(), (written ? "" : written.error()));
        const auto again = bpf::read_around(made.node.image, must_parse(written->rules));
        REQUIRE_MESSAGE(again.ok(), (again ? "" : again.error()));
        CHECK(again->host == made.node.host);
    }
    CHECK(programs > 100);
}

TEST_CASE("BPF: the rules of host endpoints are those of the iptables target") {
    const auto filters = testing::filter_image_of(kGuarded);
    REQUIRE(filters.has_value());
    const iptables::Ruleset rules = bpf::rules_around(testing::tabled_node(kGuarded).node),
                            others = iptables::emit(*filters);
    std::size_t same = 0;
    for (const iptables::Chain& chain : rules.v4.chains) {
        const iptables::Chain* const other = others.v4.find(chain.name, chain.table);
        REQUIRE_MESSAGE(other != nullptr, chain.name);
        const bool asks = chain.name.starts_with("polecat-from") || chain.name == "polecat-to" ||
                          chain.name == "polecat-to-r";
        CHECK_MESSAGE((*other == chain) != asks, chain.name);
        same += asks ? 0 : 1;
    }
    CHECK(rules.v4.find("polecat-early-in", In::Mangle) != nullptr);
    CHECK(rules.v4.find("polecat-host-in") != nullptr);
    CHECK(same > 12);
    // Of sets those that they ask.
    for (const iptables::Set& set : rules.sets)
        CHECK_MESSAGE(others.find_set(set.name) != nullptr, set.name);
    CHECK(rules.sets.size() > 2);
    CHECK(rules.sets.size() < others.sets.size());
}

TEST_CASE("BPF: rules of host endpoints that say something else are not read") {
    const TabledNode made = testing::tabled_node(kGuarded);
    const iptables::Ruleset whole = bpf::rules_around(made.node);
    REQUIRE(bpf::read_around(made.node.image, whole).ok());
    for (std::size_t i = 0; i < whole.v4.chains.size(); ++i) {
        INFO(whole.v4.chains[i].name);
        iptables::Ruleset bad = whole;
        bad.v4.chains[i].rules.insert(bad.v4.chains[i].rules.begin(),
                                      iptables::plain({}, iptables::Target::Kind::Return));
        CHECK_FALSE(bpf::read_around(made.node.image, bad).ok());
        bad.v4.chains.erase(bad.v4.chains.begin() + static_cast<std::ptrdiff_t>(i));
        const auto read = bpf::read_around(made.node.image, bad);
        CHECK((!read.ok() || !(read->host == made.node.host)));
    }
    // Other settings than the tables have.
    backends::NodeImage image = made.node.image;
    image.to_host = image.to_host == policy::HostAction::Drop ? policy::HostAction::Accept
                                                              : policy::HostAction::Drop;
    CHECK_FALSE(bpf::read_around(image, whole).ok());
    CHECK_FALSE(bpf::read_around(made.node.image, whole, "/elsewhere").ok());
}

TEST_CASE("BPF: untracked policy that only conntrack could be asked is refused") {
    const auto refused = [](const std::string& rule) {
        testing::RandomCluster cluster;
        testing::load_text(testing::host_endpoint("eth0") +
                               host_policy("raw", "doNotTrack: true, applyOnForward: true, types: "
                                                  "[Ingress], ingress: [" +
                                                      rule + "]"),
                           cluster);
        diag::Diagnostics told;
        const bool made = testing::bpf_node_of(cluster.lowered, told).has_value();
        const bool said = std::any_of(told.list().begin(), told.list().end(), [](const auto& each) {
            return each.code == diag::Code::HostEndpointNotInBpf;
        });
        CHECK(made != said);
        return said;
    };
    CHECK(refused("{action: Deny, notProtocol: TCP, notICMP: {type: 8}}"));
    CHECK_FALSE(refused("{action: Deny, notProtocol: UDP}"));
}
