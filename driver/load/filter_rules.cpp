#include "driver/load/filter_rules.h"

#include <algorithm>
#include <sstream>

#include <fmt/format.h>

#include "backends/iptables/frame.h"
#include "backends/nftables/generation.h"
#include "driver/load/connections.h"

namespace polecat::driver {

namespace {

constexpr net::Family kFamilies[] = {net::Family::V4, net::Family::V6};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);)
        out.push_back(line);
    return out;
}

/// Sets of others may be of types that ours never are.
std::string own_sets(const std::string& listing) {
    std::string out;
    for (const std::string& line : lines_of(listing)) {
        const std::size_t name = line.find(' ');
        if (name != std::string::npos &&
            std::string_view(line).substr(name + 1).starts_with(iptables::kPrefix))
            out += line + "\n";
    }
    return out;
}

/// iptables-nft-save says nothing where nobody has made a table yet.
Result<iptables::Table> parse_listing(const std::string& text) {
    if (!text.empty())
        return iptables::parse_table(text);
    iptables::Table none;
    none.hooks.emplace();
    return none;
}

bool comes_first(const iptables::HookRule& hook, const iptables::Table& held) {
    return held.hooks && std::any_of(held.hooks->begin(), held.hooks->end(), [&](const auto& each) {
               return each.table == hook.table && each.of == hook.of && each.chain == hook.chain &&
                      each.is_first;
           });
}

/// Those that stand behind rules of others go, and all that do not come first are put there.
std::string hooks_text(const iptables::Table& wanted, const iptables::Table& held,
                       iptables::In in) {
    std::string text;
    for (const iptables::HookRule& hook : iptables::hooks_of(wanted)) {
        if (hook.table != in || comes_first(hook, held))
            continue;
        const std::string rule = hook.of + " -j " + hook.chain + "\n";
        for (const iptables::HookRule& each :
             held.hooks.value_or(std::vector<iptables::HookRule>{}))
            if (each.table == in && each.of == hook.of && each.chain == hook.chain)
                text += "-D " + rule;
        text += "-I " + rule;
    }
    return text.empty() ? "" : fmt::format("*{}\n{}COMMIT\n", iptables::to_string(in), text);
}

runtime::Iptables other_than(runtime::Iptables variant) {
    return variant == runtime::Iptables::Nft ? runtime::Iptables::Legacy : runtime::Iptables::Nft;
}

/// The command that does, for people.
std::string taking_away(runtime::Iptables variant) {
    const auto without = [&](net::Family family) {
        return fmt::format("{} | grep -v '[ :]polecat' | {}",
                           runtime::iptables_program(variant, family, "save"),
                           runtime::iptables_program(variant, family, "restore"));
    };
    return fmt::format("`{}; {}` (no policy of theirs holds then)", without(net::Family::V4),
                       without(net::Family::V6));
}

/// Of what else of ours may stand in this kernel.
Result<FlowNumbers> numbers_beside(runtime::Iptables variant) {
    auto out = numbers_of_nftables();
    const auto other = numbers_of_iptables(other_than(variant));
    if (out && !other)
        return Error{other.error()};
    if (out)
        out->insert(other->begin(), other->end());
    return out;
}

/// Until other rules are loaded, those that are there put theirs on flows.
Result<std::uint16_t> free_number(const FlowNumbers& used) {
    const std::uint16_t last = used.empty() ? 0 : *used.rbegin();
    std::uint16_t number = last < backends::Generation::kLast ? last : 0;
    while (++number <= backends::Generation::kLast)
        if (!used.contains(number))
            return number;
    return Error{"rules of polecat say every number that flows can have"};
}

} // namespace

Result<HeldRules> held_rules(runtime::Iptables variant) {
    HeldRules out;
    const auto listed_sets = runtime::ipset_save();
    if (!listed_sets)
        return Error{listed_sets.error()};
    auto sets = iptables::parse_sets(own_sets(*listed_sets));
    if (!sets)
        return Error{"`ipset save`: " + sets.error()};
    out.rules.sets = std::move(*sets);
    for (const net::Family family : kFamilies) {
        const auto listed = runtime::iptables_save(variant, family);
        if (!listed)
            return Error{listed.error()};
        auto table = parse_listing(*listed);
        if (!table)
            return Error{fmt::format("what iptables lists: {}; rules of another version of polecat "
                                     "are taken away first: {}",
                                     table.error(), taking_away(variant))};
        out.rules.table(family) = std::move(*table);
        out.numbers.merge(numbers_in(out.rules.table(family)));
    }
    out.rules.sort();
    return out;
}

Result<std::uint16_t> next_number(const HeldRules& held, runtime::Iptables variant) {
    FlowNumbers used = held.numbers;
    const auto beside = numbers_beside(variant);
    if (!beside)
        return Error{beside.error()};
    used.insert(beside->begin(), beside->end());
    if (!held.numbers.empty() && *used.rbegin() < backends::Generation::kLast)
        return static_cast<std::uint16_t>(*used.rbegin() + 1);
    if (const auto flushed = forget_all(); !flushed)
        return Error{flushed.error()};
    return free_number(used);
}

Result<bool> stands_alone(runtime::Iptables variant) {
    const auto other = other_than(variant);
    const auto numbers = numbers_of_iptables(other);
    if (!numbers)
        return Error{numbers.error()};
    if (numbers->empty())
        return true;
    return Error{fmt::format(
        "iptables-{0} has rules of polecat, which ask the sets that these would change: load with "
        "--variant {0}, or take those away first: {1}",
        other == runtime::Iptables::Nft ? "nft" : "legacy", taking_away(other))};
}

bool hooks_come_first(const HeldRules& held, const iptables::Ruleset& wanted) {
    return std::all_of(std::begin(kFamilies), std::end(kFamilies), [&](net::Family family) {
        const auto hooks = iptables::hooks_of(wanted.table(family));
        return std::all_of(hooks.begin(), hooks.end(), [&](const auto& hook) {
            return comes_first(hook, held.rules.table(family));
        });
    });
}

Result<bool> put_hooks_first(runtime::Iptables variant, const iptables::Ruleset& wanted) {
    const auto held = held_rules(variant); // steps put some
    if (!held)
        return Error{held.error()};
    for (const net::Family family : kFamilies)
        for (const iptables::In in : // what the last judges for good came by all others
             {iptables::In::Raw, iptables::In::Mangle, iptables::In::Filter})
            if (const std::string text =
                    hooks_text(wanted.table(family), held->rules.table(family), in);
                !text.empty())
                if (auto done = runtime::iptables_restore(variant, family, text); !done)
                    return done;
    return true;
}

} // namespace polecat::driver
