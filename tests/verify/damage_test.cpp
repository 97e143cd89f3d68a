// Rulesets that were damaged at random: every damage that changes what becomes of a packet is
// found, and none that does not is called a difference.
#include <cstdlib>
#include <functional>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "backends/nftables/nftables.h"
#include "backends/nftables/reachable.h"
#include "driver/verify/differences.h"
#include "tests/backends/built.h"
#include "tests/scale.h"
#include "tests/verify/packet_by_packet.h"

using namespace polecat;
using backends::NodeImage;
using nft::Ruleset;
using testing::Random;

namespace {

nft::Map* any_map(Ruleset& rules, Random& random) {
    std::vector<nft::Map*> full;
    for (nft::Map& each : rules.maps)
        if (!each.elements.empty())
            full.push_back(&each);
    return full.empty() ? nullptr : random.pick(full);
}

nft::Rule* any_rule(Ruleset& rules, Random& random, nft::Chain** of = nullptr) {
    std::vector<nft::Chain*> full;
    for (nft::Chain& each : rules.chains)
        if (!each.rules.empty())
            full.push_back(&each);
    nft::Chain* chain = random.pick(full);
    if (of != nullptr)
        *of = chain;
    return &chain->rules[random.below(chain->rules.size())];
}

// --- what may change the meaning -----------------------------------------------------------------

bool lose_element(Ruleset& rules, Random& random) {
    nft::Map* map = any_map(rules, random);
    map->elements.erase(map->elements.begin() +
                        static_cast<std::ptrdiff_t>(random.below(map->elements.size())));
    return true;
}

bool change_value(Ruleset& rules, Random& random) {
    nft::Map* map = any_map(rules, random);
    nft::Element& element = map->elements[random.below(map->elements.size())];
    const nft::Value other = map->elements[random.below(map->elements.size())].value;
    if (auto* word = std::get_if<std::uint32_t>(&element.value);
        word != nullptr && random.chance(50))
        *word ^= 1U << random.below(random.chance(80) ? 3 : 32);
    else
        element.value = other;
    return true;
}

bool change_key(Ruleset& rules, Random& random) {
    nft::Map* map = any_map(rules, random);
    nft::Key& key = map->elements[random.below(map->elements.size())].key;
    if (map->key == nft::KeyType::Ipv4 || map->key == nft::KeyType::Ipv6) {
        net::Address& end = random.chance(50) ? key.first : key.last;
        end.low ^= 1U << random.below(8);
        if (!map->interval)
            key.first = key.last = end;
        return key.first <= key.last;
    }
    if (!key.interface.empty()) {
        key.interface.back() = "0123456789abcdef"[random.below(16)];
        return true;
    }
    std::uint32_t& end = random.chance(50) ? key.low : key.high;
    end ^= 1U << random.below(10);
    if (!map->interval)
        key.low = key.high = end;
    return key.low <= key.high;
}

bool lose_rule(Ruleset& rules, Random& random) {
    nft::Chain* chain = nullptr;
    const nft::Rule* rule = any_rule(rules, random, &chain);
    chain->rules.erase(chain->rules.begin() + (rule - chain->rules.data()));
    return true;
}

bool swap_rules(Ruleset& rules, Random& random) {
    nft::Chain* chain = nullptr;
    nft::Rule* rule = any_rule(rules, random, &chain);
    std::swap(*rule, chain->rules[random.below(chain->rules.size())]);
    return true;
}

bool change_verdict(Ruleset& rules, Random& random) {
    using Kind = nft::Verdict::Kind;
    nft::Rule* rule = any_rule(rules, random);
    for (nft::Statement& statement : rule->statements)
        if (auto* verdict = std::get_if<nft::Verdict>(&statement)) {
            const bool ends = verdict->chain.empty();
            const Kind was = verdict->kind;
            verdict->kind = ends ? random.pick<Kind>({Kind::Accept, Kind::Drop, Kind::Return})
                                 : random.pick<Kind>({Kind::Jump, Kind::Goto, Kind::Return});
            if (verdict->kind == Kind::Return)
                verdict->chain.clear();
            return verdict->kind != was;
        }
    return false;
}

bool swap_verdicts_of_cells(Ruleset& rules, Random& random) {
    std::vector<nft::Chain*> cells;
    for (nft::Chain& each : rules.chains)
        if (each.name.find("_c") != std::string::npos && each.rules.size() > 1)
            cells.push_back(&each);
    if (cells.size() < 2)
        return false;
    std::swap(random.pick(cells)->rules.back(), random.pick(cells)->rules.back());
    return true;
}

bool lose_match(Ruleset& rules, Random& random) {
    nft::Rule* rule = any_rule(rules, random);
    if (rule->matches.empty())
        return false;
    rule->matches.erase(rule->matches.begin() +
                        static_cast<std::ptrdiff_t>(random.below(rule->matches.size())));
    return true;
}

bool change_hook(Ruleset& rules, Random& random) {
    for (nft::Chain& chain : rules.chains)
        if (!chain.hook.empty() && random.chance(50)) {
            chain.hook = random.pick<std::string>({"forward", "input", "output"});
            return true;
        }
    return false;
}

bool change_comment(Ruleset& rules, Random& random) {
    nft::Rule* rule = any_rule(rules, random);
    if (rule->comment.empty())
        return false;
    rule->comment.back() = "0123456789"[random.below(10)];
    return true;
}

// --- what never does -----------------------------------------------------------------------------

bool count_packets(Ruleset& rules, Random& random) {
    for (nft::Chain& chain : rules.chains)
        for (nft::Rule& rule : chain.rules)
            for (nft::Statement& statement : rule.statements)
                if (auto* counter = std::get_if<nft::Counter>(&statement))
                    *counter = {random.next() >> 20, random.next() >> 20};
    return true;
}

bool number_generation(Ruleset& rules, Random& random) {
    rules = nft::with_generation(
        rules, backends::Generation{static_cast<std::uint16_t>(1 + random.below(4095))}.bits());
    return true;
}

bool shuffle_elements(Ruleset& rules, Random& random) {
    for (nft::Map& map : rules.maps)
        for (std::size_t i = map.elements.size(); i > 1; --i)
            std::swap(map.elements[i - 1], map.elements[random.below(i)]);
    return true;
}

bool leave_something(Ruleset& rules, Random& random) {
    nft::Chain left;
    left.name = fmt::format("p{:012x}", random.next() >> 16);
    left.rules.push_back({{}, {nft::Verdict{nft::Verdict::Kind::Accept, {}}}, {}});
    rules.chains.push_back(std::move(left));
    return true;
}

bool say_it_twice(Ruleset& rules, Random& random) {
    const auto image = backends::read_back(rules);
    if (!image.ok())
        return false;
    NodeImage other = *image;
    for (auto& [name, shared] : other.programs) {
        backends::ProgramImage program = *shared;
        if (program.closed || !random.chance(50))
            continue;
        for (auto& others : program.others)
            for (const auto& [range, identity] : other.outside)
                others.rows.try_emplace(identity, others.row_of(identity));
        shared = program;
    }
    rules = backends::emit(other);
    return true;
}

bool rename(Ruleset& rules, Random& random) {
    const auto image = backends::read_back(rules);
    if (!image.ok())
        return false;
    NodeImage other = *image;
    other.programs.clear();
    std::map<std::string, std::string> names;
    for (const auto& [name, program] : image->programs) {
        names[name] = fmt::format("p{:012x}", random.next() >> 16);
        other.programs.emplace(names[name], program);
    }
    for (auto& [number, group] : other.groups)
        group = {names.at(group.egress), names.at(group.ingress)};
    for (auto& each : other.attached)
        each.program = names.at(each.program);
    backends::Slots slots;
    slots.flip("addr4");
    slots.flip("net6");
    rules = backends::emit(other, slots);
    return true;
}

struct Damage {
    const char* what;
    std::function<bool(Ruleset&, Random&)> run; ///< false: there was nothing to damage
};
const Damage kDamages[] = {{"an element less", lose_element},
                           {"another value", change_value},
                           {"another key", change_key},
                           {"a rule less", lose_rule},
                           {"two rules in the other order", swap_rules},
                           {"another verdict", change_verdict},
                           {"another verdict of a cell", swap_verdicts_of_cells},
                           {"a condition less", lose_match},
                           {"another hook", change_hook},
                           {"another comment", change_comment}};
const Damage kHarmless[] = {{"counters", count_packets},  {"generation", number_generation},
                            {"order", shuffle_elements},  {"something left over", leave_something},
                            {"said twice", say_it_twice}, {"other names", rename}};

struct Sample {
    testing::Built built;
    Ruleset rules;
};

std::vector<Sample> samples() {
    std::vector<Sample> out;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        testing::ClusterShape shape{3, 6, 7};
        shape.host_endpoints = seed % 3 == 0;
        Sample each{testing::build(testing::ClusterWriter(seed, shape).write()), {}};
        REQUIRE(each.built.image.has_value());
        each.rules = backends::emit(*each.built.image);
        out.push_back(std::move(each));
    }
    return out;
}

/// As verify reads a listing.
Result<NodeImage> read(const Ruleset& rules) {
    const auto parsed = nft::parse(nft::print(rules));
    if (!parsed)
        return Error{parsed.error()};
    return backends::read_back(backends::without_unreachable(*parsed));
}

} // namespace

TEST_CASE("every damage that changes a packet's fate is found, and no other is a difference") {
    Random random(7);
    std::size_t changed = 0, refused = 0, unchanged = 0, tried = 0;
    const std::vector<Sample> all = samples();
    while (tried < testing::count_of("POLECAT_DAMAGES", 500)) {
        const Sample& sample = random.pick(all);
        const Damage& damage = kDamages[random.below(std::size(kDamages))];
        Ruleset rules = sample.rules;
        if (!damage.run(rules, random) || rules == sample.rules)
            continue;
        INFO(damage.what, ", number ", tried);
        ++tried;
        const auto image = read(rules);
        if (!image) { // nobody takes it for the policy
            ++refused;
            continue;
        }
        const bool same = testing::PacketByPacket(*image, *sample.built.image).same();
        const auto found = driver::differences(*image, *sample.built.image);
        CHECK(found.empty() == same);
        ++(same ? unchanged : changed);
    }
    MESSAGE(tried << " damages: " << refused << " not of the rules' form, " << changed
                  << " change what becomes of packets and are named, " << unchanged
                  << " change nothing and are no difference");
    CHECK(changed > tried / 20);
    CHECK(refused > tried / 20);
}

TEST_CASE("what changes no packet's fate is no difference") {
    Random random(11);
    std::size_t tried = 0;
    const std::vector<Sample> all = samples();
    while (tried < testing::count_of("POLECAT_DAMAGES", 500) / 3) {
        const Sample& sample = random.pick(all);
        Ruleset rules = sample.rules;
        std::string what;
        for (std::size_t i = 1 + random.below(3); i > 0; --i) {
            const Damage& damage = kHarmless[random.below(std::size(kHarmless))];
            damage.run(rules, random);
            what += std::string(damage.what) + ", ";
        }
        INFO(what);
        ++tried;
        const auto image = read(rules);
        REQUIRE_MESSAGE(image.ok(), (image ? "" : image.error()));
        const auto found = driver::differences(*image, *sample.built.image);
        CHECK_MESSAGE(found.empty(), (found.empty() ? "" : found.front().what));
    }
    MESSAGE(tried << " changes of counters, order, numbers and names: none is a difference");
}

TEST_CASE("a table that sleeps, and keys that stand twice, are refused") {
    const Sample sample = samples().front();
    std::string text = nft::print(sample.rules);
    REQUIRE(nft::parse(text).ok());
    text.insert(text.find("{\n") + 2, "\tflags dormant\n");
    CHECK_FALSE(nft::parse(text).ok());
    for (std::size_t i = 0; i < sample.rules.maps.size(); ++i) {
        Ruleset rules = sample.rules;
        auto& elements = rules.maps[i].elements;
        if (elements.empty())
            continue;
        elements.push_back(elements.front());
        rules.sort();
        CHECK_FALSE(backends::read_back(rules).ok());
    }
}
