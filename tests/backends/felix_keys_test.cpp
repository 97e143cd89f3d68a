// What FelixConfiguration says: followed, told, or of no effect on rules; every key is one of them.
#include <doctest/doctest.h>

#include "backends/node/felix_keys.h"
#include "frontend/kinds/schema/tables.h"
#include "tests/backends/built.h"

using namespace polecat;
using backends::FelixUse;
using diag::Code;
using testing::build;
using testing::Built;
using testing::pod;

namespace {

std::string felix(const std::string& spec) {
    return "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: "
           "default}, spec: {" +
           spec + "}}\n---\n";
}

bool tells(const std::string& spec) {
    Built built = build(felix(spec));
    backends::report_felix_keys(built.cluster.policy, built.cluster.diagnostics);
    return built.has(Code::FelixKeyNotInRules);
}

std::size_t rules_like(const nft::Ruleset& rules, const std::string& text) {
    std::size_t out = 0;
    for (const nft::Chain& chain : rules.chains)
        for (const nft::Rule& rule : chain.rules)
            out += nft::print(rule).find(text) != std::string::npos ? 1 : 0;
    return out;
}

/// With a setting; what was emitted reads back.
nft::Ruleset rules_with(const std::string& text) {
    const Built built = build(text);
    REQUIRE(built.image.has_value());
    const nft::Ruleset rules = backends::emit(*built.image);
    const auto parsed = nft::parse(nft::print(rules));
    REQUIRE_MESSAGE(parsed.ok(), (parsed ? "" : parsed.error()));
    const auto read = backends::read_back(*parsed);
    REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
    CHECK(*read == *built.image);
    return rules;
}

} // namespace

TEST_CASE("every key of FelixConfiguration is followed, told or of no effect") {
    for (const auto& row : frontend::schema::felix_configuration()) {
        const std::string key(row.path);
        if (key.find_first_of(".[") != std::string::npos)
            continue;
        INFO(key);
        CHECK(backends::use_of_felix_key(key).has_value());
    }
    CHECK_FALSE(backends::use_of_felix_key("noSuchKey").has_value());
    CHECK(backends::use_of_felix_key("nftablesMarkMask") == FelixUse::WithoutEffect);
    CHECK(backends::use_of_felix_key("nftablesFilterDenyAction") == FelixUse::Followed);
}

TEST_CASE("keys that rules do not follow are told, unless their value says what holds anyway") {
    CHECK(tells("serviceLoopPrevention: Reject"));
    CHECK_FALSE(tells("serviceLoopPrevention: Disabled"));
    CHECK(tells("ipv6Support: false"));
    CHECK_FALSE(tells("ipv6Support: true"));
    CHECK(tells("interfaceExclude: kube-ipvs0"));
    CHECK(tells("externalNodesList: [192.0.2.0/24]"));
    CHECK_FALSE(tells("nftablesMarkMask: 4096, nftablesFilterAllowAction: Return"));
}

TEST_CASE("settings that change rules") {
    const std::string some = pod("web", "web", 1) + pod("db", "db", 2);
    const std::string log =
        "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: db, namespace: "
        "ns}, spec: {selector: app == 'db', ingress: [{action: Log}, {action: Allow, protocol: "
        "TCP}]}}\n---\n";
    const nft::Ruleset usual = rules_with(some);
    CHECK(rules_like(usual, "ct state 0x1 ") == 2);
    CHECK(rules_like(usual, "reject") == 0);
    CHECK(rules_like(rules_with(some + felix("disableConntrackInvalidCheck: true")),
                     "ct state 0x1 ") == 0);
    for (const char* key : {"iptablesFilterDenyAction", "nftablesFilterDenyAction"})
        CHECK(rules_like(rules_with(some + felix(std::string(key) + ": Reject")), "reject") == 1);
    CHECK(rules_like(rules_with(some + felix("iptablesFilterDenyAction: Reject, "
                                             "nftablesFilterDenyAction: Drop")),
                     "reject") == 0);
    CHECK(rules_like(rules_with(some + log), "limit rate") == 0);
    CHECK(rules_like(rules_with(some + log + felix("logActionRateLimit: 3/minute")),
                     "limit rate 3/minute log prefix") > 0);
    CHECK(rules_like(rules_with(some + log +
                                felix("logActionRateLimit: 3/minute, logActionRateLimitBurst: 9")),
                     "limit rate 3/minute burst 9 packets log prefix") > 0);
    // Machines of OpenStack ask the host for an address before they have one.
    CHECK(rules_like(usual, "udp sport 68") == 0);
    CHECK(rules_like(rules_with(some + felix("interfacePrefix: tap")),
                     "iifname \"tap*\" udp sport 68 udp dport 67 accept") == 1);
}

TEST_CASE("what is denied can be reported to a group of nfnetlink_log") {
    testing::RandomCluster cluster;
    load_text(pod("web", "web", 1) +
                  "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: none, "
                  "namespace: ns}, spec: {podSelector: {}, policyTypes: [Ingress]}}\n---\n",
              cluster);
    const decision::Identities identities(cluster.lowered);
    backends::NodeImages images(cluster.lowered, identities, {}, {std::uint16_t{7}});
    const auto image = images.of("node0", cluster.diagnostics);
    REQUIRE(image.has_value());
    const nft::Ruleset rules = backends::emit(*image);
    CHECK(rules_like(rules, "limit rate 10/second log prefix \"polecat p") > 0);
    CHECK(rules_like(rules, "group 7") > 0);
    const auto parsed = nft::parse(nft::print(rules));
    REQUIRE(parsed.ok());
    const auto read = backends::read_back(*parsed);
    REQUIRE(read.ok());
    CHECK(*read == *image);
}

TEST_CASE("sources that an endpoint may use beside its own address") {
    const std::string spoofing =
        "{apiVersion: v1, kind: Pod, metadata: {name: router, namespace: ns, annotations: "
        "{cni.projectcalico.org/allowedSourcePrefixes: '[\"10.8.0.0/24\", \"10.8.0.128/25\"]'}}, "
        "spec: {nodeName: node0, containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.9}}"
        "\n---\n";
    CHECK(rules_like(rules_with(spoofing), "range4") == 0);
    const std::string any = felix("workloadSourceSpoofing: Any");
    const nft::Ruleset rules = rules_with(spoofing + any);
    const nft::Map* ranges = rules.find_map("range4_a");
    REQUIRE(ranges != nullptr);
    CHECK(ranges->elements.size() == 1); // overlapping ones are one
    CHECK(rules_like(rules, "iifname . ip saddr @range4_a return") == 1);
    CHECK(rules.find_map("range6_a") == nullptr);
    CHECK(rules_like(rules_with(pod("web", "web", 1) + any), "range4") == 0);
}
