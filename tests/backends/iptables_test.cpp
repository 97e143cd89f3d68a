// Rules for iptables: what is written, that it reads back, and that damages are refused.
#include <doctest/doctest.h>

#include "backends/iptables/build.h"
#include "backends/iptables/iptables.h"
#include "tests/backends/built.h"
#include "tests/backends/filtered.h"

using namespace polecat;
using diag::Code;
using testing::pod;

namespace {

struct Filtered {
    testing::RandomCluster cluster;
    std::optional<iptables::FilterImage> image;
    iptables::Ruleset rules;

    bool has(Code code) const {
        const auto& list = cluster.diagnostics.list();
        return std::any_of(list.begin(), list.end(),
                           [&](const diag::Diagnostic& each) { return each.code == code; });
    }
    std::string text() const {
        return iptables::print(rules.sets) + iptables::print(rules.v4) + iptables::print(rules.v6);
    }
};

Filtered filter(const std::string& text) {
    Filtered out;
    testing::load_text(text, out.cluster);
    out.image = testing::filter_image_of(out.cluster);
    if (out.image)
        out.rules = iptables::emit(*out.image);
    return out;
}

std::string web_policy(const std::string& rules, const std::string& type = "ingress") {
    return "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: web, "
           "namespace: ns}, spec: {selector: app == 'web', types: [" +
           std::string(type == "ingress" ? "Ingress" : "Egress") + "], " + type + ": [" + rules +
           "]}}\n---\n";
}

const std::string kFilteredPods = pod("web", "web", 1) + pod("db", "db", 2);

/// Rules of table v4 that stand for this rule of policy `web`, without their chain.
std::vector<std::string> rules_of(const Filtered& made, const std::string& what, bool v6 = false) {
    std::vector<std::string> out;
    const std::string text = iptables::print(v6 ? made.rules.v6 : made.rules.v4);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = text.find('\n', at);
        const std::string line = text.substr(at, end - at);
        const std::size_t chain_end = line.find(' ', 3);
        if (line.starts_with("-A ") && line[chain_end - 1] != 'r' &&
            line.find(": " + what + "\"") != std::string::npos)
            out.push_back(line.substr(chain_end + 1));
        at = end + 1;
    }
    return out;
}

std::string set_named(const Filtered& made, const std::string& what) {
    for (const iptables::Set& set : made.rules.sets)
        if (set.what.find(what) != std::string::npos)
            return set.name;
    return "no set for " + what;
}

const std::string kFirst = "ingress[0] of NetworkPolicy ns/web";

/// What iptables would hold after loading the texts.
Result<iptables::FilterImage> read(const std::string& sets, const std::string& v4,
                                   const std::string& v6) {
    const auto parsed_sets = iptables::parse_sets(sets);
    const auto parsed_v4 = iptables::parse_table(v4);
    const auto parsed_v6 = iptables::parse_table(v6);
    if (!parsed_sets || !parsed_v4 || !parsed_v6)
        return Error{"does not parse"};
    return iptables::read_back({*parsed_sets, *parsed_v4, *parsed_v6});
}

} // namespace

TEST_CASE("a rule of a policy is a rule of iptables, and says where it comes from") {
    const Filtered made =
        filter(kFilteredPods +
               web_policy("{action: Allow, protocol: TCP, source: {selector: app == 'db'}, "
                          "destination: {ports: [80, '8000:9000']}}"));
    REQUIRE(made.image.has_value());
    CHECK(rules_of(made, kFirst) ==
          std::vector<std::string>{"-p tcp -m set --match-set " + set_named(made, "app ==") +
                                   " src -m multiport --dports 80,8000:9000 -m comment --comment "
                                   "\"slot 0: " +
                                   kFirst + "\" -j RETURN"});
    const iptables::Set* set = made.rules.find_set(set_named(made, "app =="));
    REQUIRE(set != nullptr);
    REQUIRE(set->members.size() == 1);
    CHECK(net::to_string(set->members.front().nets) == "10.0.0.2/32");
}

TEST_CASE("several lists of ports are every pair of their lots") {
    std::string ports, others;
    for (int i = 0; i < 20; ++i) {
        ports += std::to_string(100 + 2 * i) + ", ";
        others += std::to_string(1000 + 2 * i) + ", ";
    }
    const Filtered made =
        filter(kFilteredPods + web_policy("{action: Allow, protocol: UDP, source: {ports: [" +
                                          ports + "]}, destination: {ports: [" + others +
                                          "], notPorts: [" + ports + "]}}"));
    const auto rules = rules_of(made, kFirst);
    REQUIRE(rules.size() == 4);
    for (const std::string& each : rules) {
        CHECK(each.starts_with("-p udp -m multiport ! --dports 100,"));
        CHECK(each.find("-m multiport ! --dports 130,") != std::string::npos);
    }
}

TEST_CASE("negations, ICMP and protocols by number") {
    const auto first = [](const std::string& rule, bool v6 = false) {
        const auto rules = rules_of(filter(kFilteredPods + web_policy(rule)), kFirst, v6);
        std::vector<std::string> out;
        for (const std::string& each : rules)
            out.push_back(each.substr(0, each.find("-m comment")));
        return out;
    };
    using Lines = std::vector<std::string>;
    CHECK(first("{action: Deny, ipVersion: 4, protocol: ICMP, icmp: {type: 8, code: 0}}") ==
          Lines{"-p icmp -m icmp --icmp-type 8/0 "});
    CHECK(first("{action: Deny, ipVersion: 4, protocol: ICMP, notICMP: {type: 8}}") ==
          Lines{"-p icmp -m icmp ! --icmp-type 8 "});
    CHECK(first("{action: Deny, notProtocol: 47}") == Lines{"! -p 47 "});
    CHECK(first("{action: Deny, protocol: 47}") == Lines{"-p 47 "});
    CHECK(first("{action: Deny, protocol: UDPLite}") == Lines{"-p udplite "});
}

TEST_CASE("a rule for answers asks from the other side") {
    const Filtered made =
        filter(kFilteredPods +
               web_policy("{action: Allow, ipVersion: 4, protocol: ICMP, icmp: {type: 8}, source: "
                          "{selector: app == 'db'}}"));
    const std::string text = iptables::print(made.rules.v4), set = set_named(made, "app ==");
    CHECK(text.find("-m icmp --icmp-type 8 -m set --match-set " + set + " src") !=
          std::string::npos);
    CHECK(text.find("-m icmp --icmp-type 0 -m set --match-set " + set + " dst") !=
          std::string::npos);
}

TEST_CASE("the whole address space is two nets, since no set holds it") {
    const Filtered made =
        filter(kFilteredPods + web_policy("{action: Allow, source: {nets: [0.0.0.0/0]}}"));
    std::set<std::string> whole;
    for (const iptables::Set& set : made.rules.sets)
        for (const iptables::Member& member : set.members) {
            CHECK(member.nets.prefix > 0);
            if (member.nets.prefix == 1)
                whole.insert(net::to_string(member.nets));
        }
    CHECK(whole == std::set<std::string>{"0.0.0.0/1", "128.0.0.0/1"});
}

TEST_CASE("what reads back is what was written, on random clusters") {
    for (std::uint64_t seed = 1; seed <= 12; ++seed) {
        INFO("seed ", seed);
        const Filtered made = filter(testing::ClusterWriter(seed, {}).write());
        REQUIRE(made.image.has_value());
        const auto again = read(iptables::print(made.rules.sets), iptables::print(made.rules.v4),
                                iptables::print(made.rules.v6));
        REQUIRE_MESSAGE(again.ok(), (again ? "" : again.error()));
        CHECK(*again == *made.image);
        for (const iptables::Table* table : {&made.rules.v4, &made.rules.v6})
            for (const iptables::Chain& chain : table->chains)
                CHECK(chain.name.size() <= 28);
        for (const iptables::Set& set : made.rules.sets)
            CHECK(set.name.size() <= 29);
    }
}

namespace {

/// Each line left out, twice, or before the one above it.
std::vector<std::string> damages(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1)
        lines.push_back(text.substr(at, text.find('\n', at) + 1 - at));
    std::vector<std::string> out;
    const auto joined = [&](const std::vector<std::string>& from) {
        std::string whole;
        for (const std::string& each : from)
            whole += each;
        out.push_back(std::move(whole));
    };
    for (std::size_t i = 0; i < lines.size(); ++i) {
        auto less = lines, more = lines, swapped = lines;
        less.erase(less.begin() + static_cast<std::ptrdiff_t>(i));
        more.insert(more.begin() + static_cast<std::ptrdiff_t>(i), lines[i]);
        joined(less);
        joined(more);
        if (i > 0) {
            std::swap(swapped[i], swapped[i - 1]);
            joined(swapped);
        }
    }
    return out;
}

} // namespace

TEST_CASE("a damaged text is refused, or means what it meant, or is seen to mean something else") {
    const Filtered made =
        filter(kFilteredPods + web_policy("{action: Log}, {action: Pass, protocol: TCP, "
                                          "source: {selector: app == 'db'}}, {action: Deny, "
                                          "destination: {notPorts: [80]}, protocol: UDP}"));
    REQUIRE(made.image.has_value());
    const std::string sets = iptables::print(made.rules.sets), v4 = iptables::print(made.rules.v4),
                      v6 = iptables::print(made.rules.v6);
    std::size_t refused = 0, same = 0, other = 0;
    const auto judge = [&](const std::string& a, const std::string& b, const std::string& c) {
        const auto again = read(a, b, c);
        ++(!again ? refused : *again == *made.image ? same : other);
        if (!again || *again != *made.image)
            return;
        // Nothing but the order of chains and of members, and remarks, may differ.
        const iptables::Ruleset damaged{*iptables::parse_sets(a), *iptables::parse_table(b),
                                        *iptables::parse_table(c)};
        CHECK(damaged.v4 == made.rules.v4);
        CHECK(damaged.v6 == made.rules.v6);
    };
    for (const std::string& each : damages(sets))
        judge(each, v4, v6);
    for (const std::string& each : damages(v4))
        judge(sets, each, v6);
    for (const std::string& each : damages(v6))
        judge(sets, v4, each);
    MESSAGE(refused << " refused, " << other << " differ, " << same << " are the same");
    CHECK(refused > other);
    CHECK(other > 5); // a rule of a policy less is another policy
}

TEST_CASE("words that nobody knows and numbers that are none are refused") {
    const std::string head = "*filter\n:polecat-a - [0:0]\n-A polecat-a ", tail = "\nCOMMIT\n";
    CHECK(iptables::parse_table(head + "-p tcp -j ACCEPT" + tail).ok());
    for (const char* bad :
         {"-p 0 -j ACCEPT", "-p tcp -m owner --uid-owner 1 -j ACCEPT", "-p tcp", "-j ACCEPT -p tcp",
          "-m multiport --dports 9:1 -j DROP", "-m multiport --dports 70000 -j DROP", "-j MARK",
          "-m multiport --dports 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16 -j DROP", "-j elsewhere",
          "-m connmark --mark 0x1/0x1 -j ACCEPT", "-m connmark --mark 0x0/0x5fff0000 -j ACCEPT",
          "-m comment --comment \"open -j ACCEPT", "! -i cali+ -j ACCEPT"})
        CHECK_FALSE_MESSAGE(iptables::parse_table(head + bad + tail).ok(), bad);
    CHECK_FALSE(iptables::parse_table("*filter\n:polecat-a - [0:0]\n").ok());
    CHECK_FALSE(iptables::parse_sets("add polecat4-x 10.0.0.1\n").ok());
    CHECK_FALSE(iptables::parse_sets("create polecat4-x hash:net family inet\n"
                                     "add polecat4-x fd00::1\n")
                    .ok());
}

TEST_CASE("one pod more is members of sets and no other rules") {
    const std::string rules =
        web_policy("{action: Allow, protocol: TCP, source: {selector: app == 'db'}}");
    const Filtered before = filter(kFilteredPods + rules),
                   after = filter(kFilteredPods + pod("db2", "db", 3) + rules);
    CHECK(before.rules.v4 == after.rules.v4);
    CHECK(before.rules.v6 == after.rules.v6);
    CHECK(before.rules.sets != after.rules.sets);
}

TEST_CASE("endpoints whose rules come from the same policies share chains") {
    const std::string more = pod("web2", "web", 3) + pod("web3", "web", 4);
    CHECK(filter(kFilteredPods + web_policy("{action: Allow}")).rules.v4 ==
          filter(kFilteredPods + more + web_policy("{action: Allow}")).rules.v4);
}

TEST_CASE("what packets do not show is left out of Allow and refused in Deny") {
    const std::string domain = "protocol: TCP, destination: {domains: [example.com]}}";
    const Filtered left = filter(kFilteredPods + web_policy("{action: Allow, " + domain, "egress"));
    CHECK(left.has(Code::RuleLeftOut));
    REQUIRE(left.image.has_value());
    CHECK(rules_of(left, "egress[0] of NetworkPolicy ns/web").empty());
    const Filtered refused =
        filter(kFilteredPods + web_policy("{action: Deny, " + domain, "egress"));
    CHECK_FALSE(refused.image.has_value());
}

TEST_CASE("a generation is put in its places, and 0 is none") {
    const Filtered made = filter(kFilteredPods);
    const std::string text = iptables::print(made.rules.v4);
    const std::string numbered = iptables::with_generation(text, 0x12);
    CHECK(numbered.find("--mark 0x00120000/0x5fff0000") != std::string::npos);
    CHECK(numbered.find("--mark 0x10120000/0x5fff0000") != std::string::npos);
    CHECK(numbered.find("@G@") == std::string::npos);
    CHECK_THROWS(iptables::with_generation(text, 0));
    CHECK_THROWS(iptables::with_generation(text, 4096));
    const auto parsed = iptables::parse_table(numbered);
    REQUIRE(parsed.ok());
    const auto again = iptables::read_back({made.rules.sets, *parsed, made.rules.v6});
    CHECK_FALSE(again.ok()); // the other table has none
}

TEST_CASE("settings that rules for iptables do not follow are told") {
    const auto with = [](const std::string& spec) {
        return filter(kFilteredPods +
                      "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: "
                      "{name: default}, spec: {" +
                      spec + "}}\n---\n");
    };
    CHECK(with("iptablesFilterDenyAction: Reject").has(Code::SettingNotInIptables));
    CHECK(with("disableConntrackInvalidCheck: true").has(Code::SettingNotInIptables));
    CHECK_FALSE(with("iptablesFilterDenyAction: Drop").has(Code::SettingNotInIptables));
    CHECK_FALSE(with("defaultEndpointToHostAction: Accept").has(Code::SettingNotInIptables));
    CHECK(with("iptablesFilterDenyAction: Reject").image.has_value());
}
