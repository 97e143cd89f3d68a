// The image of a node and its ruleset: what is refused, and that everything reads back.
#include <algorithm>

#include <doctest/doctest.h>

#include "backends/nftables/plan.h"
#include "tests/backends/built.h"

using namespace polecat;
using diag::Code;
using testing::build;
using testing::Built;

namespace {

const std::string kPod =
    "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns, labels: {app: a}}, spec: "
    "{nodeName: node0, containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.1}}\n---\n";

std::string rule(const std::string& action, const std::string& rest) {
    return "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: x, "
           "namespace: ns}, spec: {egress: [{action: " +
           action + ", " + rest + "}]}}\n---\n";
}

} // namespace

TEST_CASE("what a ruleset can't say is refused or left out, never widened") {
    CHECK(build(kPod).image.has_value());
    for (const char* place : {"expectedIPs: [192.0.2.1]", "interfaceName: cali1"}) {
        const Built host = build(kPod +
                                 "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, "
                                 "metadata: {name: h}, spec: {node: node0, " +
                                 place + "}}");
        CHECK(host.has(Code::HostEndpointNotPlaced));
        CHECK_FALSE(host.image.has_value());
    }
    const std::string domain = "destination: {domains: [example.com]}";
    const Built deny = build(kPod + rule("Deny", domain));
    CHECK(deny.has(Code::RuleNotExpressible));
    CHECK_FALSE(deny.image.has_value());
    const Built allow = build(kPod + rule("Allow", domain));
    CHECK(allow.has(Code::RuleLeftOut));
    REQUIRE(allow.image.has_value());
    for (const auto& [name, program] : allow.image->programs)
        if (program->direction == decision::Direction::Egress)
            CHECK(std::none_of(program->cells.begin(), program->cells.end(),
                               [](const auto& cell) { return cell.second.passes(); }));
}

TEST_CASE("endpoints that no rule can name") {
    const Built unplaced =
        build("{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: ns}, spec: "
              "{nodeName: node0, containers: [{name: c, image: i}]}}");
    CHECK(unplaced.has(Code::EndpointNotPlaced));
    const Built other =
        build("{apiVersion: projectcalico.org/v3, kind: WorkloadEndpoint, metadata: "
              "{name: node0-k8s-p-eth0, namespace: ns}, spec: {orchestrator: k8s, "
              "node: node0, endpoint: eth0, interfaceName: tap0, ipNetworks: "
              "[10.0.0.1/32], pod: p}}");
    CHECK(other.has(Code::InterfaceOutsidePrefix));
    CHECK_FALSE(other.image.has_value());
}

TEST_CASE("every ruleset reads back as the image it was made from") {
    for (std::uint64_t seed = 100; seed < 130; ++seed) {
        INFO("seed ", seed);
        const Built built = build(testing::ClusterWriter(seed, {}).write());
        REQUIRE(built.image.has_value());
        const nft::Ruleset ruleset = backends::emit(*built.image);
        const auto parsed = nft::parse(nft::print(ruleset));
        REQUIRE_MESSAGE(parsed.ok(), (parsed ? "" : parsed.error()));
        CHECK(*parsed == ruleset);
        const std::string text = nft::print(ruleset); // the kernel looks through the oldest first
        CHECK(text.find("map pod6_a {") < text.find("map from {"));
        const auto replacing = nft::parse("# a remark\n" + nft::print_replacing(ruleset));
        REQUIRE_MESSAGE(replacing.ok(), (replacing ? "" : replacing.error()));
        CHECK(*replacing == ruleset);
        CHECK_FALSE(backends::generation_of(ruleset).has_value());
        const backends::Generation generation{4095};
        const nft::Ruleset numbered = nft::with_generation(ruleset, generation.bits());
        const auto loaded = nft::parse(nft::print(numbered));
        REQUIRE_MESSAGE(loaded.ok(), (loaded ? "" : loaded.error()));
        CHECK(*loaded == numbered);
        CHECK(backends::generation_of(numbered) == generation);
        const auto of_kernel = backends::read_back(*loaded);
        REQUIRE_MESSAGE(of_kernel.ok(), (of_kernel ? "" : of_kernel.error()));
        CHECK(*of_kernel == *built.image);
        const auto read = backends::read_back(*parsed);
        REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
        CHECK(*read == *built.image);
        const auto plan = backends::plan(*parsed, *built.image);
        REQUIRE(plan.ok());
        CHECK(plan->steps.empty());
        CHECK(plan->forget.empty());
    }
}

TEST_CASE("the bits of conntrack marks that rules use are the node's choice") {
    Built built = build(testing::ClusterWriter(7, {}).write());
    REQUIRE(built.image.has_value());
    const nft::Ruleset usual = backends::emit(*built.image);
    for (unsigned lowest = 0; lowest <= backends::kLastFlowMarkBit; ++lowest) {
        built.image->flow_mark_bit = lowest;
        const std::uint32_t ours = backends::flow_mark_bits(*built.image);
        CHECK(ours == 0x7fffu << lowest);
        const nft::Ruleset rules = backends::emit(*built.image);
        for (const nft::Chain& chain : rules.chains)
            for (const nft::Rule& rule : chain.rules) {
                for (const nft::Match& match : rule.matches)
                    if (const auto* is = std::get_if<nft::FlowMarkIs>(&match))
                        CHECK(((is->mask | is->value) & ~ours) == 0);
                for (const nft::Statement& statement : rule.statements)
                    if (const auto* set = std::get_if<nft::SetFlowMark>(&statement))
                        CHECK(((~set->keep | set->bits) & ~ours) == 0);
            }
        const backends::Generation generation{4095};
        CHECK((generation.bits(lowest) & ~ours) == 0);
        const auto loaded =
            nft::parse(nft::print(nft::with_generation(rules, generation.bits(lowest))));
        REQUIRE(loaded.ok());
        CHECK(backends::generation_of(*loaded) == generation);
        const auto read = backends::read_back(*loaded);
        REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
        CHECK(*read == *built.image);
        // Marks of other bits would be taken for these.
        CHECK(backends::plan(usual, *built.image).ok() == (lowest == backends::kFlowMarkBit));
        CHECK((rules == usual) == (lowest == backends::kFlowMarkBit));
    }
}

TEST_CASE("a generation is a number of the node and no part of the policy") {
    const std::string text = testing::ClusterWriter(7, {}).write();
    const Built one = build(text), two = build(text);
    REQUIRE(one.image.has_value());
    CHECK(nft::print_replacing(backends::emit(*one.image)) ==
          nft::print_replacing(backends::emit(*two.image)));
    CHECK(backends::Generation{1}.next() == backends::Generation{2});
    CHECK(backends::Generation{4095}.next() == backends::Generation{1});
    // Rules of two generations at once are nobody's.
    nft::Ruleset mixed = nft::with_generation(backends::emit(*one.image), 0x10000);
    for (nft::Chain& chain : mixed.chains)
        if (chain.name == "deny")
            chain = *nft::with_generation(backends::emit(*one.image), 0x20000).find_chain("deny");
    CHECK_FALSE(backends::read_back(mixed).ok());
}

TEST_CASE("a ruleset that was tampered with does not read back") {
    const Built built = build(testing::ClusterWriter(7, {}).write());
    REQUIRE(built.image.has_value());
    const nft::Ruleset good = backends::emit(*built.image);
    // Each chain loses its first rule; each map its first element.
    for (std::size_t i = 0; i < good.chains.size(); ++i) {
        nft::Ruleset bad = good;
        if (bad.chains[i].rules.empty())
            continue;
        bad.chains[i].rules.erase(bad.chains[i].rules.begin());
        const auto read = backends::read_back(bad);
        CHECK_MESSAGE((!read.ok() || *read != *built.image), bad.chains[i].name);
    }
    for (std::size_t i = 0; i < good.maps.size(); ++i) {
        nft::Ruleset bad = good;
        if (bad.maps[i].elements.empty())
            continue;
        bad.maps[i].elements.erase(bad.maps[i].elements.begin());
        const auto read = backends::read_back(bad);
        CHECK_MESSAGE((!read.ok() || *read != *built.image), bad.maps[i].name);
    }
    const auto parses = [](const std::string& inner) {
        return nft::parse("table inet polecat {\n" + inner + "\n}\n").ok();
    };
    // A number is not cut to what fits.
    const std::string ports = "map m {\ntype inet_service : classid\nelements = { ";
    CHECK(parses(ports + "80 : 0:1 }\n}"));
    CHECK_FALSE(parses(ports + "4294967376 : 0:1 }\n}"));
    CHECK(parses("chain c {\nct mark & 0x1 == 0x1 accept\n}"));
    CHECK_FALSE(parses("chain c {\nct mark & 0x100000001 == 0x1 accept\n}"));
    CHECK(parses("map m {\ntype classid : classid\nflags interval\n}"));
    CHECK_FALSE(parses("map m {\ntype classid : classid\nflags timeout\n}"));
    CHECK_FALSE(parses("map m {\ntype classid : counter\n}"));
    // Words in short, but no number that nft reads to another base.
    const auto has = [&](const std::string& value) {
        return parses("map m {\ntype classid : classid\nelements = { 0:1 " + value + " }\n}");
    };
    for (const char* fine : {":2", ": 2", ":0", ":4000:1,0:2 :0:3"})
        CHECK_MESSAGE(has(fine), fine);
    for (const char* bad : {":010", ":0x2", ":c", ":4294967296", ":", "::2"})
        CHECK_FALSE_MESSAGE(has(bad), bad);
    CHECK(parses("chain c {\ncounter drop\n}"));
    CHECK_FALSE(parses("chain c {\ncounter packets 1 drop\n}"));
    CHECK(parses("chain x {\nmeta priority set ip saddr map @m\n}"));
    CHECK_FALSE(parses("chain x {\nmeta priority set ip ttl map @m\n}"));
    CHECK_FALSE(parses("chain x {\nmeta mark set ip saddr map @m\n}")); // nobody's mark is ours
    CHECK_FALSE(parses("chain x {\nip ttl 1 drop\n}"));
    CHECK_FALSE(parses("chain x {\nudp dport 70000 drop\n}"));
    CHECK_FALSE(nft::parse("table inet a {\n}\ndelete table inet b\ntable inet a {\n}\n").ok());
}
