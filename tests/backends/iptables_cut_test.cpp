// Long programs of iptables as trees of chains: packets meet the same rules in the same order, and
// few others.
#include <doctest/doctest.h>

#include <set>

#include "backends/iptables/build.h"
#include "backends/iptables/cut.h"
#include "backends/iptables/iptables.h"
#include "tests/backends/built.h"
#include "tests/backends/filtered.h"

using namespace polecat;
using iptables::CutPart;
using iptables::FilterRule;
using testing::Random;

namespace {

struct CutPacket {
    net::Protocol protocol = 0;
    std::uint16_t port = 0;
    std::set<std::string> source{}, destination{}; ///< sets that its ends are in

    bool is_in(const std::string& set, bool is_source) const {
        return (is_source ? source : destination).contains(set);
    }
};

/// As iptables has it: ports of packets that have none are nobody's.
bool fits(const std::vector<iptables::Match>& matches, const CutPacket& packet) {
    return std::all_of(matches.begin(), matches.end(), [&](const iptables::Match& match) {
        if (const auto* protocol = std::get_if<iptables::ProtocolIs>(&match))
            return (protocol->protocol == packet.protocol) != protocol->negated;
        if (const auto* ports = std::get_if<iptables::PortIn>(&match)) {
            if (ports->source)
                return true;
            bool in = false;
            for (const net::PortRange& each : ports->ports)
                in = in || (each.first <= packet.port && packet.port <= each.last);
            return in != ports->negated;
        }
        if (const auto* set = std::get_if<iptables::InSet>(&match))
            return packet.is_in(set->set, set->source) != set->negated;
        return true;
    });
}
bool leads_on(const CutPart::Branch& branch, const CutPacket& packet) {
    const auto& sets = branch.of.sets;
    return fits(branch.matches, packet) &&
           (sets.empty() || std::any_of(sets.begin(), sets.end(), [&](const std::string& each) {
                return packet.is_in(each, branch.of.source);
            }));
}

void ask_sets(Random& random, std::vector<iptables::Match>& matches) {
    const bool source = random.chance(98);
    if (random.chance(98))
        matches.emplace_back(iptables::InSet{
            random.chance(5), "s" + std::to_string(random.below(30)), source, random.chance(2)});
    if (random.chance(10))
        matches.emplace_back(iptables::InSet{
            random.chance(20), "s" + std::to_string(random.below(30)), !source, false});
}

FilterRule random_cut_rule(Random& random, std::uint32_t slot) {
    FilterRule out;
    out.slot = slot;
    out.action = random.pick<decision::Action>({decision::Action::Allow, decision::Action::Deny});
    ask_sets(random, out.matches);
    const auto protocol =
        random.pick<net::Protocol>({net::kTcp, net::kTcp, net::kTcp, net::kUdp, 47});
    if (random.chance(15)) {
        if (random.chance(50))
            out.matches.emplace_back(iptables::ProtocolIs{true, protocol});
        return out;
    }
    out.matches.emplace_back(iptables::ProtocolIs{false, protocol});
    if (!net::has_ports(protocol))
        return out;
    std::vector<net::PortRange> ports;
    for (std::size_t i = random.below(3); i < 3; ++i) {
        const auto first = static_cast<std::uint16_t>(random.below(200));
        const auto size = random.chance(70) ? std::size_t{0} : random.below(60000);
        ports.push_back({first, static_cast<std::uint16_t>(first + size)});
    }
    if (!ports.empty())
        out.matches.emplace_back(iptables::PortIn{random.chance(20), random.chance(20), ports});
    return out;
}

/// What the packet crosses, and which rules of the list fit it on the way.
std::pair<std::size_t, std::vector<std::uint32_t>> cross(const std::vector<CutPart>& parts,
                                                         const std::vector<FilterRule>& rules,
                                                         const CutPacket& packet) {
    std::size_t crossed = 0, place = 0;
    std::vector<std::uint32_t> fitting;
    while (true) {
        crossed += parts.at(place).rules.size();
        for (const std::uint32_t each : parts[place].rules)
            if (fits(rules[each].matches, packet))
                fitting.push_back(each);
        const auto& branches = parts[place].branches;
        if (branches.empty())
            return {crossed, fitting};
        std::size_t next = 0;
        for (; next < branches.size() && !leads_on(branches[next], packet); ++next)
            ++crossed;
        REQUIRE(next < branches.size());
        ++crossed;
        place = branches[next].to;
    }
}

std::string long_policy(std::size_t rules, std::size_t ports) {
    std::string out = "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: "
                      "long, namespace: ns}, spec: {selector: app == 'web', types: [Ingress], "
                      "ingress: [";
    for (std::size_t i = 0; i < rules; ++i)
        out += std::string(i == 0 ? "" : ", ") + "{action: " + (i % 7 == 0 ? "Deny" : "Allow") +
               ", protocol: TCP, source: {nets: [10." + std::to_string(i / 250) + "." +
               std::to_string(i % 250) + ".0/24]}, destination: {ports: [" +
               std::to_string(1000 + i % ports) + "]}}";
    return out + "]}}\n---\n";
}

} // namespace

TEST_CASE("a packet meets in a tree what it meets in the list") {
    std::size_t trees = 0, blocks = 0;
    for (std::uint64_t seed = 1; seed <= 90; ++seed) {
        INFO("seed ", seed);
        Random random(seed);
        std::vector<FilterRule> rules;
        for (std::uint32_t i = 0; i < 20 + random.below(200); ++i)
            rules.push_back(random_cut_rule(random, i));
        const auto parts = iptables::cut(rules, 2 + random.below(9));
        CHECK(parts.empty() == (rules.size() < 32));
        if (parts.empty())
            continue;
        ++trees;
        std::size_t written = 0;
        for (const CutPart& each : parts) {
            written += each.rules.size();
            blocks += !each.rules.empty() && !each.branches.empty() ? 1 : 0;
        }
        CHECK(written <= 6 * rules.size());
        for (int i = 0; i < 400; ++i) {
            const CutPacket packet{
                random.pick<net::Protocol>({net::kTcp, net::kUdp, net::kSctp, 47, 1}),
                static_cast<std::uint16_t>(random.chance(70) ? random.below(220)
                                                             : random.below(65536)),
                {"s" + std::to_string(random.below(30)), "s" + std::to_string(random.below(30))},
                {"s" + std::to_string(random.below(30))}};
            std::vector<std::uint32_t> wanted;
            for (std::uint32_t each = 0; each < rules.size(); ++each)
                if (fits(rules[each].matches, packet))
                    wanted.push_back(each);
            CHECK(cross(parts, rules, packet).second == wanted);
        }
    }
    CHECK(trees > 40);
    CHECK(blocks > 40);
}

TEST_CASE("a new flow crosses few rules of a long program") {
    for (const auto& [count, ports, most] :
         {std::tuple<std::uint32_t, std::uint32_t, std::size_t>{1000, 20, 65},
          {10000, 20, 515},
          {1000, 1000, 40}}) {
        std::vector<FilterRule> rules;
        for (std::uint32_t i = 0; i < count; ++i) {
            const auto port = static_cast<std::uint16_t>(1000 + i % ports);
            rules.push_back({{iptables::ProtocolIs{false, net::kTcp},
                              iptables::PortIn{false, false, {{port, port}}}},
                             decision::Action::Allow,
                             i,
                             "rule"});
        }
        const auto parts = iptables::cut(rules, 10);
        REQUIRE_FALSE(parts.empty());
        CHECK(parts.size() < 1156); // that two digits can number
        for (std::uint32_t port = 990; port < 1000 + ports + 10; ++port)
            CHECK(cross(parts, rules, {net::kTcp, static_cast<std::uint16_t>(port)}).first <= most);
        CHECK(cross(parts, rules, {net::kUdp, 53}).first < 4);
    }
}

TEST_CASE("a new flow goes past the rules that ask for others") {
    std::vector<FilterRule> rules;
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const auto port = static_cast<std::uint16_t>(1000 + i % 20);
        rules.push_back({{iptables::ProtocolIs{false, net::kTcp},
                          iptables::PortIn{false, false, {{port, port}}},
                          iptables::InSet{false, "s" + std::to_string(i), true, false}},
                         decision::Action::Allow,
                         i,
                         "rule"});
    }
    const auto parts = iptables::cut(rules, 9);
    for (std::uint32_t i = 0; i < 1000; ++i) {
        const auto port = static_cast<std::uint16_t>(1000 + i % 20);
        const auto [crossed, fitting] =
            cross(parts, rules, {net::kTcp, port, {"s" + std::to_string(i)}, {}});
        CHECK(fitting == std::vector<std::uint32_t>{i});
        CHECK(crossed <= (i < 740 ? 62 : 30)); // the last block of a port's 50 rules
    }
}

TEST_CASE("rules of one slot stand in one order, and a list without slots in order is not cut") {
    std::vector<FilterRule> rules;
    for (std::uint32_t i = 0; i < 40; ++i)
        rules.push_back(
            {{iptables::ProtocolIs{false, net::kTcp}}, decision::Action::Allow, i, "x"});
    CHECK_FALSE(iptables::cut(rules, 10).empty());
    rules.push_back({{iptables::ProtocolIs{false, 1}}, decision::Action::Allow, 39, "x"});
    CHECK(iptables::cut(rules, 10).empty());
    iptables::settle_order(rules);
    CHECK_FALSE(iptables::cut(rules, 10).empty());
    CHECK(rules[39].matches == std::vector<iptables::Match>{iptables::ProtocolIs{false, 1}});
    std::swap(rules[3], rules[4]);
    const auto before = rules;
    iptables::settle_order(rules);
    CHECK(rules == before);
    CHECK(iptables::cut(rules, 10).empty());
}

TEST_CASE("a long program reads back from its tree") {
    const auto image =
        testing::filter_image_of(testing::pod("web", "web", 1) + long_policy(400, 20));
    REQUIRE(image.has_value());
    const auto made = iptables::compile(*image);
    REQUIRE_MESSAGE(made.ok(), (made ? "" : made.error()));
    CHECK(made->v4.find("-p tcp -m multiport --dports 0:10") != std::string::npos);
    // A rule less in one leaf is another policy, or none.
    const std::string rule = "ingress[77] of NetworkPolicy ns/long\"";
    const std::size_t at = made->v4.find(rule);
    REQUIRE(at != std::string::npos);
    const std::size_t start = made->v4.rfind('\n', at) + 1;
    std::string damaged = made->v4;
    damaged.erase(start, damaged.find('\n', at) + 1 - start);
    const auto sets = iptables::parse_sets(made->sets);
    const auto v4 = iptables::parse_table(damaged), v6 = iptables::parse_table(made->v6);
    REQUIRE((sets.ok() && v4.ok() && v6.ok()));
    const auto read = iptables::read_back({*sets, *v4, *v6});
    CHECK((!read.ok() || !(*read == *image)));
}
