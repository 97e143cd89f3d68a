// Chains and sets of iptables that were damaged at random beside the policy's: each damage is
// found and named where it is, and what says the same is no difference. POLECAT_DAMAGES: how many.
#include <algorithm>
#include <array>

#include <doctest/doctest.h>

#include "backends/iptables/iptables.h"
#include "driver/rollout/filter.h"
#include "driver/verify/filter_differences.h"
#include "tests/backends/built.h"
#include "tests/backends/filtered.h"
#include "tests/host_policies.h"
#include "tests/scale.h"

using namespace polecat;

namespace {
namespace filter_damage {

using iptables::Ruleset;
using testing::Random;

/// Where the damage is: any of these words belongs into what is said of it. Empty: there is none.
using Names = std::vector<std::string>;
using FilterDamage = Names (*)(Ruleset&, Random&);

iptables::Chain& some_chain(Ruleset& rules, Random& random) {
    auto& chains = rules.table(random.chance(70) ? net::Family::V4 : net::Family::V6).chains;
    return chains[random.below(chains.size())];
}

Names names_of(const iptables::Chain& chain) {
    return {chain.name};
}

iptables::Set* some_set(Ruleset& rules, Random& random) {
    iptables::Set& set = rules.sets[random.below(rules.sets.size())];
    return set.members.empty() ? nullptr : &set;
}

Names names_of(const iptables::Set& set, const iptables::Member& member) {
    if (set.type == iptables::Set::Type::NetInterfaces)
        return {net::to_string(member.nets.base), member.interface};
    return {set.name};
}

Names lose_rule(Ruleset& rules, Random& random) {
    iptables::Chain& chain = some_chain(rules, random);
    if (chain.rules.empty())
        return {};
    chain.rules.erase(chain.rules.begin() +
                      static_cast<std::ptrdiff_t>(random.below(chain.rules.size())));
    return names_of(chain);
}

Names repeat_rule(Ruleset& rules, Random& random) {
    iptables::Chain& chain = some_chain(rules, random);
    if (chain.rules.empty())
        return {};
    const std::size_t at = random.below(chain.rules.size());
    chain.rules.push_back(chain.rules[at]);
    return names_of(chain);
}

Names swap_rules(Ruleset& rules, Random& random) {
    iptables::Chain& chain = some_chain(rules, random);
    if (chain.rules.size() < 2)
        return {};
    const std::size_t at = random.below(chain.rules.size() - 1);
    std::swap(chain.rules[at], chain.rules[at + 1]);
    return names_of(chain);
}

Names lose_match(Ruleset& rules, Random& random) {
    iptables::Chain& chain = some_chain(rules, random);
    if (chain.rules.empty())
        return {};
    auto& matches = chain.rules[random.below(chain.rules.size())].matches;
    if (matches.empty())
        return {};
    matches.erase(matches.begin() + static_cast<std::ptrdiff_t>(random.below(matches.size())));
    return names_of(chain);
}

Names negate(Ruleset& rules, Random& random) {
    iptables::Chain& chain = some_chain(rules, random);
    for (iptables::Rule& rule : chain.rules)
        for (iptables::Match& match : rule.matches)
            if (auto* in = std::get_if<iptables::InSet>(&match); in != nullptr) {
                in->negated = !in->negated;
                return names_of(chain);
            } else if (auto* ports = std::get_if<iptables::PortIn>(&match)) {
                ports->ports.front().last ^= 1;
                return names_of(chain);
            }
    return {};
}

Names other_target(Ruleset& rules, Random& random) {
    using Kind = iptables::Target::Kind;
    iptables::Chain& chain = some_chain(rules, random);
    if (chain.rules.empty())
        return {};
    iptables::Target& target = chain.rules[random.below(chain.rules.size())].target;
    if (random.chance(30))
        target.kind = random.pick<Kind>({Kind::Accept, Kind::Drop, Kind::Return});
    else
        target.name = some_chain(rules, random).name;
    return names_of(chain);
}

Names lose_chain(Ruleset& rules, Random& random) {
    auto& chains = rules.v4.chains;
    const auto at = chains.begin() + static_cast<std::ptrdiff_t>(random.below(chains.size()));
    const Names out = names_of(*at);
    chains.erase(at);
    return out;
}

Names lose_member(Ruleset& rules, Random& random) {
    iptables::Set* set = some_set(rules, random);
    if (set == nullptr)
        return {};
    const auto at =
        set->members.begin() + static_cast<std::ptrdiff_t>(random.below(set->members.size()));
    const Names out = names_of(*set, *at);
    set->members.erase(at);
    return out;
}

Names other_member(Ruleset& rules, Random& random) {
    iptables::Set* set = some_set(rules, random);
    if (set == nullptr)
        return {};
    iptables::Member& member = set->members[random.below(set->members.size())];
    const Names out = names_of(*set, member);
    if (set->type == iptables::Set::Type::NetInterfaces && random.chance(50))
        member.interface.back() = member.interface.back() == '0' ? '1' : '0';
    else if (set->type == iptables::Set::Type::AddressPorts)
        member.port ^= 1;
    else
        member.nets.base.low ^= std::uint64_t{1}
                                << std::min(63, int(net::width(set->family)) - member.nets.prefix);
    return out;
}

Names lose_set(Ruleset& rules, Random& random) {
    const auto at =
        rules.sets.begin() + static_cast<std::ptrdiff_t>(random.below(rules.sets.size()));
    Names out{at->name};
    for (const iptables::Member& each : at->members)
        for (const std::string& name : names_of(*at, each))
            out.push_back(name);
    rules.sets.erase(at);
    return out;
}

Names other_texts(Ruleset& rules, Random& random) {
    const auto number = static_cast<std::uint16_t>(1 + random.below(4095));
    for (iptables::Set& set : rules.sets)
        set.what.clear();
    for (iptables::Table* table : {&rules.v4, &rules.v6})
        for (iptables::Chain& chain : table->chains)
            for (iptables::Rule& rule : chain.rules) {
                if (rule.target.kind == iptables::Target::Kind::SetFlowMark)
                    rule.target.mark.generation = number;
                for (iptables::Match& match : rule.matches)
                    if (auto* mark = std::get_if<iptables::FlowMarkIs>(&match))
                        mark->mark.generation = number;
            }
    return {};
}

Ruleset compiled_rules(std::uint64_t seed) {
    testing::RandomCluster cluster;
    Random random(seed);
    testing::load_text(testing::ClusterWriter(seed, {3, 5, 5}).write() +
                           (seed % 2 == 0 ? testing::host_endpoint("eth0") +
                                                testing::random_host_policies(random, true)
                                          : ""),
                       cluster);
    const auto image = testing::filter_image_of(cluster);
    REQUIRE(image.has_value());
    Ruleset out = iptables::emit(*image);
    out.sort();
    return out;
}

/// Whether something is said of one of these.
bool is_named(const std::vector<driver::Difference>& found, const Names& names) {
    for (const driver::Difference& each : found)
        for (const std::string& name : names)
            if (each.what.find(name) != std::string::npos || each.interface == name)
                return true;
    return false;
}

constexpr FilterDamage kAll[] = {lose_rule,    repeat_rule,  swap_rules, lose_match,
                                 negate,       other_target, lose_chain, lose_member,
                                 other_member, lose_set,     other_texts};

} // namespace filter_damage
} // namespace

TEST_CASE("iptables: every damage to chains and sets is named beside the policy's") {
    constexpr std::uint64_t kClusters = 8;
    std::size_t named = 0, harmless = 0, missed = 0, untrue = 0;
    std::array<std::size_t, std::size(filter_damage::kAll)> tried{}, by_kind{};
    for (std::uint64_t seed = 1; seed <= kClusters; ++seed) {
        const iptables::Ruleset policy = filter_damage::compiled_rules(seed);
        testing::Random random(seed);
        for (std::size_t i = 0; i < testing::count_of("POLECAT_DAMAGES", 800) / kClusters; ++i) {
            iptables::Ruleset rules = policy;
            const std::size_t kind = i % std::size(filter_damage::kAll);
            const auto names = filter_damage::kAll[kind](rules, random);
            ++tried[kind];
            rules.sort();
            const auto found = driver::filter_differences(
                rules, policy, [](const net::Address&) { return std::string(); });
            if (names.empty() || rules == policy) {
                untrue += found.empty() ? 0 : 1;
                ++harmless;
            } else if (filter_damage::is_named(found, names)) {
                ++named;
                ++by_kind[kind];
            } else {
                ++missed;
                MESSAGE("seed " << seed << ", damage " << i << " to " << names.front() << ": "
                                << (found.empty() ? "not found" : found.front().what));
            }
        }
    }
    MESSAGE(named << " named, " << harmless << " change nothing");
    CHECK(missed == 0);
    CHECK(untrue == 0);
    // Some find nothing to damage where they look; the last says the same always.
    for (std::size_t kind = 0; kind + 1 < tried.size(); ++kind) {
        INFO("damage of kind ", kind);
        CHECK(by_kind[kind] > tried[kind] / 4);
    }
}
