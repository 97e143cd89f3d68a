// prefixAdvertisements: which prefixes get which communities.
#include <algorithm>

#include <fmt/format.h>

#include "passes/routing/parts.h"

namespace polecat::passes::routing_parts {

namespace {

/// What a name or a value in `communities` stands for; names that are not defined vanish.
std::optional<routing::Community> resolve(const policy::Settings& spec, const std::string& text) {
    if (auto value = routing::parse_community(text))
        return value;
    for (std::size_t i = 0; i < spec.size("communities"); ++i) {
        const std::string at = fmt::format("communities[{}]", i);
        const auto name = spec.text(at + ".name"), value = spec.text(at + ".value");
        if (name && value && name->value == text)
            return routing::parse_community(value->value);
    }
    return std::nullopt;
}

} // namespace

std::vector<routing::CommunityLine> communities(const policy::OtherObject& object) {
    std::vector<routing::CommunityLine> out;
    const policy::Settings& spec = object.spec;
    for (std::size_t i = 0; i < spec.size("prefixAdvertisements"); ++i) {
        const std::string at = fmt::format("prefixAdvertisements[{}]", i);
        const auto cidr = spec.cidr(at + ".cidr");
        if (!cidr)
            continue;
        std::map<std::string, routing::Community> sorted; // as text, as Calico has them
        for (const At<std::string>& text : spec.texts(at + ".communities"))
            if (const auto value = resolve(spec, text.value))
                sorted.emplace(routing::to_string(*value), *value);
        routing::CommunityLine line{cidr->value, {}, origin_of(object, at)};
        for (auto& [text, value] : sorted)
            line.communities.push_back(std::move(value));
        if (!line.communities.empty())
            out.push_back(std::move(line));
    }
    return out;
}

} // namespace polecat::passes::routing_parts
