#include "frontend/rendered.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "frontend/kinds/groups.h"

namespace polecat::frontend {

namespace {

using yaml::Node;

std::string metadata_text(const Node& root, std::string_view key) {
    const Node* meta = root.find("metadata");
    return meta != nullptr && meta->is_mapping() ? scalar_text(*meta, key) : std::string();
}

/// Everything of `node` stands at `place`: the source does not have it.
void place_all(Node& node, const Span& place) {
    node.span = place;
    for (Node& each : node.items)
        place_all(each, place);
    for (yaml::Member& each : node.members) {
        each.key_span = place;
        place_all(each.value, place);
    }
}

const yaml::Member* member_of(const Node& mapping, const std::string& key) {
    const auto found = std::find_if(mapping.members.begin(), mapping.members.end(),
                                    [&](const yaml::Member& each) { return each.key == key; });
    return found == mapping.members.end() ? nullptr : &*found;
}

void take_places(Node& node, const Node& source) {
    node.span = source.span;
    for (std::size_t i = 0; i < node.items.size(); ++i)
        if (i < source.items.size())
            take_places(node.items[i], source.items[i]);
        else
            place_all(node.items[i], source.span);
    for (yaml::Member& each : node.members) {
        const yaml::Member* there = member_of(source, each.key);
        each.key_span = there != nullptr ? there->key_span : source.span;
        if (there != nullptr)
            take_places(each.value, there->value);
        else
            place_all(each.value, source.span);
    }
}

} // namespace

void point_to_sources(std::vector<yaml::Document>& rendered,
                      const std::vector<yaml::Document>& sources) {
    std::multimap<std::pair<std::string, std::string>, const Node*> by_name;
    for (const yaml::Document& each : sources)
        if (each.root.is_mapping())
            by_name.emplace(
                std::pair{scalar_text(each.root, "kind"), metadata_text(each.root, "name")},
                &each.root);
    for (yaml::Document& each : rendered) {
        const std::string name = metadata_text(each.root, "name");
        const std::string space = metadata_text(each.root, "namespace");
        const auto [begin, end] = by_name.equal_range({scalar_text(each.root, "kind"), name});
        for (auto it = begin; it != end && !name.empty(); ++it) {
            const std::string there = metadata_text(*it->second, "namespace");
            if (!there.empty() && there != space)
                continue;
            take_places(each.root, *it->second);
            break;
        }
    }
}

} // namespace polecat::frontend
