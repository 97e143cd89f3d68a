#include "backends/iptables/blocks.h"

#include <algorithm>

#include "backends/iptables/filter_sets.h"
#include "backends/iptables/layout.h"
#include "backends/node/numbers.h"

namespace polecat::iptables {

namespace {

constexpr const char* kAnySet = "polecat-any";

/// The set of addresses that a rule asks the one side for; null: it does not.
const InSet* asked(const FilterRule& rule, bool source) {
    for (const Match& match : rule.matches)
        if (const auto* set = std::get_if<InSet>(&match);
            set != nullptr && set->source == source && !set->negated && !set->pair)
            return set;
    return nullptr;
}

AnyOf any_of(const std::vector<FilterRule>& rules, const std::vector<std::uint32_t>& places) {
    for (const bool source : {true, false}) {
        AnyOf out{source, {}};
        for (const std::uint32_t each : places)
            if (const InSet* set = asked(rules[each], source))
                out.sets.push_back(set->set);
        if (out.sets.size() < places.size())
            continue;
        std::sort(out.sets.begin(), out.sets.end());
        out.sets.erase(std::unique(out.sets.begin(), out.sets.end()), out.sets.end());
        return out;
    }
    return {};
}

} // namespace

std::vector<Block> blocks(const std::vector<FilterRule>& rules,
                          const std::vector<std::uint32_t>& places, std::size_t most) {
    const std::size_t count = std::max<std::size_t>(
        1, std::min(most, (places.size() + kLongestBlock - 1) / kLongestBlock));
    std::vector<Block> out;
    for (std::size_t i = 0; i < count; ++i) {
        const auto at = [&](std::size_t block) {
            return places.begin() + static_cast<std::ptrdiff_t>(places.size() * block / count);
        };
        Block made{{}, {at(i), at(i + 1)}};
        if (i + 1 < count)
            made.of = any_of(rules, made.rules);
        if (!out.empty() && made.of.sets.empty() && out.back().of.sets.empty())
            out.back().rules.insert(out.back().rules.end(), made.rules.begin(), made.rules.end());
        else
            out.push_back(std::move(made));
    }
    return out;
}

std::string any_set(const std::vector<std::string>& sets, net::Family family) {
    std::string text;
    for (const std::string& each : sets)
        text += each + "\n";
    return filter_layout::name(kAnySet, family) + backends::digest_of(text, 12);
}

bool is_any_set(std::string_view name) {
    return name.starts_with(filter_layout::name(kAnySet, net::Family::V4)) ||
           name.starts_with(filter_layout::name(kAnySet, net::Family::V6));
}

Set union_of(const std::vector<std::string>& names, net::Family family,
             const std::map<std::string, Set>& sets) {
    std::vector<net::Cidr> nets;
    std::string what = "in any of:";
    for (const std::string& each : names) {
        what += " " + each;
        if (const auto found = sets.find(each); found != sets.end()) // a listing may lack it
            for (const Member& member : found->second.members)
                nets.push_back(member.nets);
    }
    Set out;
    out.name = any_set(names, family);
    out.what = filter_layout::plain_text(what, 400);
    out.family = family;
    out.members = members_of(net::AddressSet::of(nets), family);
    return out;
}

} // namespace polecat::iptables
