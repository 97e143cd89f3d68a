// Numbers come from content and from a base, never from the order of reading: what survives keeps
// its number, and what a node must change is no more than what changed.
#include <set>

#include <doctest/doctest.h>

#include "tests/backends/built.h"
#include "tests/backends/changes.h"

using namespace polecat;
using backends::NodeImage;
using backends::ProgramImage;
using testing::build;
using testing::Built;
using testing::change;
using testing::documents_of;
using testing::pod;
using testing::Random;
using testing::shuffle;
using testing::text_of;

namespace {

std::string bundle(const Built& built) {
    REQUIRE(built.image.has_value());
    return nft::print_replacing(backends::emit(*built.image)) + backends::print(built.numbers);
}

/// What an identity is, with predicates by what they say instead of by number.
std::set<std::string> meaning(const backends::Numbers& numbers, std::uint32_t number,
                              const std::set<std::string>& predicates) {
    std::set<std::string> out;
    const backends::Numbers::Identity& identity = numbers.identities.at(number);
    const auto add = [&](const char* how, std::uint32_t predicate, const std::string& rest) {
        if (predicates.contains(numbers.predicates[predicate]))
            out.insert(how + numbers.predicates[predicate] + rest);
    };
    for (const std::uint32_t each : identity.yes)
        add("yes ", each, "");
    for (const std::uint32_t each : identity.unknown)
        add("unknown ", each, "");
    for (const auto& each : identity.members)
        add("member ", each.predicate,
            " " + std::to_string(each.protocol) + "/" + std::to_string(each.port));
    out.insert(identity.family == net::Family::V4 ? "4" : "6");
    return out;
}

std::set<std::string> common_predicates(const backends::Numbers& a, const backends::Numbers& b) {
    std::set<std::string> out, in_b(b.predicates.begin(), b.predicates.end());
    for (const std::string& each : a.predicates)
        if (in_b.contains(each))
            out.insert(each);
    return out;
}

/// A number that both have means the same in both; no identity that could go on has lost its own.
void check_identities(const backends::Numbers& before, const backends::Numbers& after) {
    const auto common = common_predicates(before, after);
    std::map<std::set<std::string>, std::set<std::uint32_t>> olds, news;
    for (const auto& [number, identity] : before.identities)
        olds[meaning(before, number, common)].insert(number);
    for (const auto& [number, identity] : after.identities) {
        news[meaning(after, number, common)].insert(number);
        if (before.identities.contains(number))
            CHECK(meaning(before, number, common) == meaning(after, number, common));
    }
    for (const auto& [what, numbers] : olds) {
        std::size_t kept = 0;
        for (const std::uint32_t number : numbers)
            kept += news[what].contains(number) ? 1 : 0;
        CHECK(kept == std::min(numbers.size(), news[what].size()));
    }
}

/// Programs of one name say the same by the same numbers.
void check_programs(const NodeImage& before, const NodeImage& after) {
    for (const auto& [name, program] : after.programs) {
        const auto found = before.programs.find(name);
        if (found == before.programs.end())
            continue;
        const ProgramImage& was = found->second;
        CHECK(program->l4 == was.l4);
        CHECK(program->source_ports == was.source_ports);
        for (const auto& [number, row] : program->rows)
            if (was.rows.contains(number))
                CHECK(was.rows.at(number) == row);
        for (const auto& [number, cell] : program->cells)
            if (was.cells.contains(number))
                CHECK(was.cells.at(number) == cell);
        REQUIRE(program->others.size() == was.others.size());
        for (std::size_t i = 0; i < was.others.size(); ++i)
            CHECK(program->others[i].usual == was.others[i].usual);
    }
}

} // namespace

TEST_CASE("manifests in any order are the same bundle") {
    Random random(11);
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        INFO("seed ", seed);
        std::vector<std::string> documents = documents_of(testing::ClusterWriter(seed, {}).write());
        const std::string expected = bundle(build(text_of(documents)));
        shuffle(documents, random);
        CHECK(bundle(build(text_of(documents))) == expected);
    }
}

TEST_CASE("after any change, what survives keeps its number") {
    std::uint64_t fresh = 1000;
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        INFO("seed ", seed);
        Random random(seed);
        std::vector<std::string> documents = documents_of(testing::ClusterWriter(seed, {}).write());
        Built before = build(text_of(documents));
        REQUIRE(before.image.has_value());
        for (int step = 0; step < 8; ++step) {
            INFO("step ", step);
            change(documents, random, fresh);
            shuffle(documents, random);
            Built after = build(text_of(documents), before.numbers);
            REQUIRE(after.image.has_value());
            check_identities(before.numbers, after.numbers);
            check_programs(*before.image, *after.image);
            // The order makes no difference to what is numbered by a base either.
            shuffle(documents, random);
            CHECK(bundle(build(text_of(documents), before.numbers)) == bundle(after));
            before = std::move(after);
        }
        // With a base that knows everything, nothing changes at all.
        CHECK(bundle(build(text_of(documents), before.numbers)) == bundle(before));
    }
}

TEST_CASE("one replica more at the front changes one address") {
    const std::string policy =
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: x, namespace: "
        "ns}, spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: "
        "{matchLabels: {app: web}}}]}]}}\n---\n";
    const Built before = build(pod("web", "web", 5) + pod("db", "db", 6) + policy);
    const Built after = build(
        pod("a", "web", 4) + pod("web", "web", 5) + pod("db", "db", 6) + policy, before.numbers);
    REQUIRE(before.image.has_value());
    REQUIRE(after.image.has_value());
    CHECK(before.image->programs == after.image->programs);
    CHECK(after.image->addresses.size() == before.image->addresses.size() + 1);
    for (const auto& [address, number] : before.image->addresses)
        CHECK(after.image->addresses.at(address) == number);
    // A label nobody had: a new number, and rows only where a program can tell it apart.
    const Built fresh = build(
        pod("a", "other", 4) + pod("web", "web", 5) + pod("db", "db", 6) + policy, before.numbers);
    for (const auto& [address, number] : before.image->addresses)
        CHECK(fresh.image->addresses.at(address) == number);
}

TEST_CASE("numbers read back from their text") {
    const Built built = build(testing::ClusterWriter(3, {}).write());
    const auto read = backends::parse_numbers(backends::print(built.numbers));
    REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
    CHECK(*read == built.numbers);
    const std::string text = backends::print(built.numbers);
    const auto with = [&](const std::string& before, const std::string& line) {
        const std::size_t at = text.find(before);
        REQUIRE(at != std::string::npos);
        return text.substr(0, at) + line + text.substr(at);
    };
    const std::string frame = "program 0123\n  row 0 aa\n";
    CHECK(backends::parse_numbers(with("end\n", frame + "  row 1 bb\n  cell 0 d1\n")).ok());
    // Whatever gives one number two meanings, as files do that were merged.
    for (const std::string& bad :
         {with("end\n", frame + "  row 0 bb\n"), with("end\n", frame + "  row 1 aa\n"),
          with("end\n", frame + "  cell 65536 d1\n"), with("end\n", frame + "  row 65536 bb\n"),
          with("end\n", frame + frame), with("identity 0 ", "identity 0 IPv4\n"),
          with("end\n", frame + "  own 0 65536\n"), with("end\n", frame + "  own 0 1\n  own 0 2\n"),
          with("end\n", frame + "  mostly 0 1 aa\n  mostly 0 1 bb\n"),
          with("identity 0 ", "block 7 x\nblock 7 y\n"),
          with("range ", "address 203.0.113.1 0\naddress 203.0.113.1 0\n"),
          with("end\n", "identity 1073741823 IPv4\n"), text + "predicate 00\n",
          text.substr(0, text.size() - 4), text.substr(text.find("predicate")), std::string()})
        CHECK_FALSE(backends::parse_numbers(bad).ok());
    for (const char* bad :
         {"identity 0 IPv4 yes 0\n", "address 10.0.0.1 4\n", "address x 0\n", "row 1 abc\n",
          "identity 0 IPv5\n", "program p\n  cell x a1\n", "nonsense\n"})
        CHECK_FALSE(backends::parse_numbers(std::string("numbers 2\n") + bad + "end\n").ok());
}

TEST_CASE("most of a namespace is said once") {
    std::string text;
    for (int i = 0; i < 240; ++i) {
        std::string made = pod("p" + std::to_string(i), "a" + std::to_string(i), 1 + i);
        if (i % 2 == 0)
            made.replace(made.find("namespace: ns"), 13, "namespace: of");
        text += made;
    }
    text += "{apiVersion: v1, kind: Namespace, metadata: {name: of, labels: {team: x}}}\n---\n"
            "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: x, "
            "namespace: ns}, spec: {podSelector: {}, ingress: [{from: [{podSelector: {matchLabels: "
            "{app: a3}}}, {namespaceSelector: {matchLabels: {team: x}}}]}]}}\n---\n";
    for (const int first : {2, 3}) { // tells all of a namespace apart
        text += std::string("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: "
                            "{name: each, namespace: ") +
                (first == 2 ? "of" : "ns") + "}, spec: {podSelector: {matchLabels: {app: a" +
                std::to_string(first) + "}}, ingress: [";
        for (int i = first - 2; i < 240; i += 2)
            text += "{from: [{podSelector: {matchLabels: {app: a" + std::to_string(i) + "}}}]}, ";
        text += "]}}\n---\n";
    }
    const Built built = build(text);
    REQUIRE(built.image.has_value());
    std::size_t blocks = 0;
    for (const auto& [name, program] : built.image->programs)
        for (const auto& others : program->others)
            if (!others.blocks.empty()) {
                ++blocks;
                CHECK(others.rows.size() < 10); // of 240
            }
    CHECK(blocks == 1);
    const auto read = backends::read_back(backends::emit(*built.image));
    REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
    CHECK(*read == *built.image);
    const Built again = build(text, built.numbers);
    CHECK(*again.image == *built.image);
}

TEST_CASE("rules that packets do not show leave each program its own ends") {
    const auto policy = [](const std::string& app, const std::string& method) {
        return "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: " + app +
               ", namespace: ns}, spec: {selector: app == '" + app +
               "', types: [Ingress], ingress: [{action: Allow, protocol: TCP, source: {nets: "
               "[10.9.0.0/16]}, destination: {nets: [10.0.0.1/32]}}, {action: Allow, protocol: "
               "TCP, http: {methods: [" +
               method + "]}}]}}\n---\n";
    };
    const Built built =
        build(pod("pa", "a", 1) + pod("pb", "b", 2) + policy("a", "GET") + policy("b", "POST"));
    REQUIRE(built.image.has_value());
    const auto outside = std::find_if(
        built.image->outside.begin(), built.image->outside.end(), [](const auto& each) {
            const net::Address client{net::Family::V4, 0, 0x0A090001};
            return each.first.first <= client && client <= each.first.last;
        });
    REQUIRE(outside != built.image->outside.end());
    for (const auto& entry : built.image->dispatch) {
        const backends::ProgramImage& program =
            built.image->programs.at(built.image->groups.at(entry.group).ingress);
        const auto own = program.own.find(built.image->addresses.at(entry.address));
        const auto& others = program.others.at(own == program.own.end() ? 0 : own->second);
        const auto& row = program.rows.at(others.row_of(outside->second));
        const auto cell = program.cells.at(row.at(0, program.l4.of({net::kTcp, 80})));
        CHECK(cell.passes() == (net::to_string(entry.address) == "10.0.0.1"));
    }
}

TEST_CASE("a pod stands once, and not with two policies") {
    const std::string web = pod("web", "web", 1);
    const auto endpoint = [](const std::string& app) {
        return "{apiVersion: projectcalico.org/v3, kind: WorkloadEndpoint, metadata: {name: "
               "node0-k8s-web-eth0, namespace: ns, labels: {app: " +
               app +
               ", projectcalico.org/namespace: ns, projectcalico.org/orchestrator: k8s}}, spec: "
               "{node: node0, orchestrator: k8s, pod: web, endpoint: eth0, interfaceName: "
               "calia5b7a3d7a1b, ipNetworks: [10.0.0.1/32], profiles: [kns.ns]}}\n---\n";
    };
    const std::string policy =
        "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: w, namespace: "
        "ns}, spec: {selector: app == 'web', types: [Ingress]}}\n---\n";
    std::string renamed = endpoint("db");
    renamed.replace(renamed.find("node0-k8s-web-eth0"), 18, "node0-k8s-x-eth0");
    CHECK(build(endpoint("web") + policy).image.has_value());
    const Built twice = build(endpoint("web") + renamed + policy);
    CHECK_FALSE(twice.image.has_value());
    CHECK(twice.has(diag::Code::EndpointTwice));
}
