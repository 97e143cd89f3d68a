#include "backends/nftables/update.h"

#include <algorithm>
#include <array>

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

} // namespace

std::optional<std::string> element_update(const Ruleset& from, const Ruleset& to) {
    if (from.table != to.table || from.chains != to.chains || from.maps.size() != to.maps.size())
        return std::nullopt;
    std::array<std::string, 3> removed, added;
    for (std::size_t i = 0; i < from.maps.size(); ++i) {
        const Map& before = from.maps[i];
        const Map& after = to.maps[i];
        if (before.name != after.name || before.key != after.key || before.kind != after.kind ||
            before.interval != after.interval)
            return std::nullopt;
        const std::size_t stage = stage_of(before.name);
        removed[stage] += command("delete", from.table, before, after);
        added[stage] += command("add", from.table, after, before);
    }
    return removed[2] + removed[1] + removed[0] + added[0] + added[1] + added[2];
}

} // namespace polecat::backends
