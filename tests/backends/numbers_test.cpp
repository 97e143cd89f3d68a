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
    for (const char* bad :
         {"identity 0 IPv4 yes 0\n", "address 10.0.0.1 4\n", "address x 0\n", "row 1 abc\n",
          "identity 0 IPv5\n", "program p\n  cell x a1\n", "nonsense\n"})
        CHECK_FALSE(backends::parse_numbers(bad).ok());
}
