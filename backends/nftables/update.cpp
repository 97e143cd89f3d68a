#include "backends/nftables/update.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace polecat::backends {

using nft::Map;
using nft::Ruleset;

namespace {

/// When a map's elements may change: before what refers to them.
std::size_t stage_of(const std::string& name) {
    if (name.starts_with("addr") || name.starts_with("net"))
        return 2;
    return name.starts_with("p") ? 0 : 1; // programs' own maps, then dispatch by interface
}

/// One command for the elements that `map` has and `other` lacks.
std::string command(const char* what, const std::string& table, const Map& map, const Map& other) {
    Ruleset shown;
    shown.table = table;
    Map part = map;
    part.elements.clear();
    std::set_difference(map.elements.begin(), map.elements.end(), other.elements.begin(),
                        other.elements.end(), std::back_inserter(part.elements));
    if (part.elements.empty())
        return {};
    return std::string(what) + " element inet " + table + " " + map.name + " " +
           nft::print_elements(part) + "\n";
}

/// Whether a key that both have leads elsewhere.
bool changes_values(const Map& before, const Map& after) {
    std::map<nft::Key, const nft::Value*> values;
    for (const nft::Element& each : before.elements)
        values.emplace(each.key, &each.value);
    return std::any_of(after.elements.begin(), after.elements.end(), [&](const auto& each) {
        const auto found = values.find(each.key);
        return found != values.end() && *found->second != each.value;
    });
}

/// The addresses that `map` has and `other` lacks.
void add_missing(const Map& map, const Map& other, std::vector<net::Address>& out) {
    std::set<nft::Key> there;
    for (const nft::Element& each : other.elements)
        there.insert(each.key);
    for (const nft::Element& each : map.elements)
        if (!there.contains(each.key))
            out.push_back(each.key.first);
}

} // namespace

std::optional<ElementUpdate> element_update(const Ruleset& from, const Ruleset& to) {
    if (from.table != to.table || from.chains != to.chains || from.maps.size() != to.maps.size())
        return std::nullopt;
    ElementUpdate out;
    std::array<std::string, 3> removed, added;
    for (std::size_t i = 0; i < from.maps.size(); ++i) {
        const Map& before = from.maps[i];
        const Map& after = to.maps[i];
        if (before.name != after.name || before.key != after.key || before.kind != after.kind ||
            before.interval != after.interval || changes_values(before, after))
            return std::nullopt;
        const std::size_t stage = stage_of(before.name);
        removed[stage] += command("delete", from.table, before, after);
        added[stage] += command("add", from.table, after, before);
        if (before.name.starts_with("addr")) {
            add_missing(before, after, out.flush);
            add_missing(after, before, out.flush);
        }
    }
    out.text = removed[2] + removed[1] + removed[0] + added[0] + added[1] + added[2];
    return out;
}

} // namespace polecat::backends
