// Sizes grow with what rules say, not with products of it; what is too large closes itself alone.
#include <doctest/doctest.h>

#include "tests/backends/built.h"

using namespace polecat;
using diag::Code;
using testing::build;
using testing::Built;
using testing::pod;

namespace {

const std::string kPods = pod("db", "db", 1) + pod("web", "web", 2);

std::string db_policy(const std::string& rules, const std::string& name = "large") {
    return "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: " + name +
           ", namespace: ns}, spec: {selector: app == 'db', types: [Ingress], ingress: [" + rules +
           "]}}\n---\n";
}

/// Each rule has a net and a port of its own.
std::string grid(int count) {
    std::string rules;
    for (int i = 0; i < count; ++i)
        rules += "{action: Allow, protocol: TCP, source: {nets: [20." + std::to_string(i / 256) +
                 "." + std::to_string(i % 256) + ".0/24]}, destination: {ports: [" +
                 std::to_string(1000 + i) + "]}}, ";
    return db_policy(rules);
}

struct Size {
    std::size_t elements = 0, chains = 0;
};

Size size_of(const Built& built) {
    REQUIRE(built.image.has_value());
    const nft::Ruleset rules = backends::emit(*built.image);
    Size out;
    out.chains = rules.chains.size();
    for (const nft::Map& map : rules.maps)
        out.elements += map.elements.size();
    return out;
}

bool any_closed(const Built& built) {
    return std::any_of(built.image->programs.begin(), built.image->programs.end(),
                       [](const auto& each) { return each.second->closed; });
}

void check_closes(const std::string& text) {
    const Built built = build(kPods + text);
    REQUIRE(built.image.has_value());
    std::size_t closed = 0;
    for (const auto& [name, program] : built.image->programs)
        if (program->closed) {
            ++closed;
            CHECK(program->direction == decision::Direction::Ingress);
        }
    CHECK(closed == 1);
    bool named = false;
    for (const diag::Diagnostic& each : built.cluster.diagnostics.list())
        named = named || (each.code == Code::TableTooLarge &&
                          each.message.find("NetworkPolicy ns/large") != std::string::npos);
    CHECK(named);
    const nft::Ruleset rules = backends::emit(*built.image);
    const auto parsed = nft::parse(nft::print(rules));
    REQUIRE(parsed.ok());
    const auto read = backends::read_back(*parsed);
    REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
    CHECK(*read == *built.image);
}

} // namespace

TEST_CASE("rules that each have a net and a port of their own grow by themselves") {
    const Size small = size_of(build(kPods + grid(500))),
               large = size_of(build(kPods + grid(1000)));
    CHECK(large.elements < 2 * small.elements);
    CHECK(large.elements < 1000 * 8);
    CHECK(large.chains < 2 * 1000 + 200); // a class of packets and a cell for each rule
}

TEST_CASE("a port is cut for the protocols that a rule is of") {
    const Built built = build(
        kPods + db_policy("{action: Allow, protocol: TCP, destination: {ports: [80, '100:200']}}"));
    for (const auto& [name, program] : built.image->programs)
        if (program->l4.by_protocol.at(net::kTcp).size() > 1) {
            CHECK(program->l4.by_protocol.at(net::kTcp).size() == 5);
            CHECK(program->l4.by_protocol.at(net::kUdp).size() == 1);
            CHECK(program->l4.by_protocol.at(net::kSctp).size() == 1);
        }
}

TEST_CASE("too many ports close the endpoints of that policy and no others") {
    std::string policies;
    for (int first = 0; first < 17'000; first += 1000) {
        std::string rules;
        for (int i = first; i < first + 1000; ++i)
            rules += "{action: " + std::string(i % 2 == 0 ? "Allow" : "Deny") +
                     ", protocol: TCP, destination: {ports: [" + std::to_string(2 * i + 1) +
                     "]}}, ";
        policies += db_policy(rules, "large" + std::to_string(first));
    }
    check_closes(policies);
}

TEST_CASE("too many source ports with ports close the endpoints of that policy") {
    std::string rules;
    for (int i = 0; i < 130; ++i)
        rules += "{action: Allow, protocol: TCP, source: {ports: [" + std::to_string(1000 + i) +
                 "]}, destination: {ports: [" + std::to_string(2000 + i * 2) + "]}}, ";
    check_closes(db_policy(rules));
}

TEST_CASE("source ports and ports within the limit are told") {
    std::string rules;
    for (int i = 0; i < 60; ++i)
        rules += "{action: Allow, protocol: TCP, source: {ports: [" + std::to_string(1000 + i) +
                 "]}, destination: {ports: [" + std::to_string(2000 + i * 2) + "]}}, ";
    const Built built = build(kPods + db_policy(rules));
    CHECK_FALSE(any_closed(built));
    CHECK(size_of(built).elements < 2000);
}

TEST_CASE("selectors that many pods can be told apart by") {
    std::string pods, rules;
    for (int i = 0; i < 200; ++i) {
        const std::string app = "a" + std::to_string(i);
        pods += pod(app, app, 20 + i);
        rules += "{action: Allow, source: {selector: app == 'a" + std::to_string(i) + "'}}, ";
    }
    const Built built = build(kPods + pods + db_policy(rules));
    CHECK_FALSE(any_closed(built));
    CHECK(size_of(built).elements < 200 * 12 + 1000);
}

TEST_CASE("identities that no rule tells apart cost an address, those that one does a row") {
    const auto sized = [](int identities) {
        std::string pods;
        for (int i = 0; i < identities; ++i)
            pods +=
                pod("p" + std::to_string(i),
                    "a" + std::to_string(i % 2) + ", l" + std::to_string(i / 2) + ": x", 10 + i);
        std::string rules = "{action: Allow, source: {selector: app == 'a0'}}, ";
        // Each pair is of another identity, but one rule only treats them differently.
        for (int i = 0; i < identities / 2; ++i)
            rules += "{action: Allow, protocol: UDP, source: {selector: has(l" + std::to_string(i) +
                     ")}}, ";
        return size_of(build(kPods + pods + db_policy(rules))).elements;
    };
    const std::size_t small = sized(60), large = sized(120);
    CHECK(large - small <= 60 * 6);
}

TEST_CASE("endpoints that each run a policy of their own grow by themselves") {
    const auto sized = [](int groups) {
        std::string text;
        for (int i = 0; i < groups; ++i) {
            const std::string app = "a" + std::to_string(i);
            text +=
                pod(app, app, 10 + i) +
                "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: " + app +
                ", namespace: ns}, spec: {selector: app == '" + app +
                "', types: [Ingress], ingress: [{action: Allow, source: {selector: app == 'a" +
                std::to_string((i + 1) % groups) + "'}}]}}\n---\n";
        }
        return size_of(build(text));
    };
    const Size small = sized(50), large = sized(100);
    CHECK(large.elements < 2 * small.elements + 100);
    CHECK(large.chains < 2 * small.chains + 100);
}
