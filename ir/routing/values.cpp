#include "ir/routing/values.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "ir/routing/cluster.h"

namespace polecat::routing {

std::optional<Community> parse_community(std::string_view text) {
    Community out;
    for (;;) {
        const std::size_t colon = text.find(':');
        const std::string_view part = text.substr(0, colon);
        std::uint32_t number = 0;
        const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), number);
        if (part.empty() || error != std::errc() || end != part.data() + part.size())
            return std::nullopt;
        out.parts.push_back(number);
        if (colon == std::string_view::npos)
            break;
        text.remove_prefix(colon + 1);
    }
    const std::size_t size = out.parts.size();
    const bool small = size == 2 && out.parts[0] <= 0xffff && out.parts[1] <= 0xffff;
    return small || size == 3 ? std::optional(out) : std::nullopt;
}

std::string to_string(const Community& community) {
    return fmt::format("{}", fmt::join(community.parts, ":"));
}

bool matches_interface(std::string_view pattern, std::string_view name) {
    if (pattern.empty())
        return name.empty();
    if (pattern.front() != '*')
        return !name.empty() && name.front() == pattern.front() &&
               matches_interface(pattern.substr(1), name.substr(1));
    for (std::size_t skipped = 0; skipped <= name.size(); ++skipped)
        if (matches_interface(pattern.substr(1), name.substr(skipped)))
            return true;
    return false;
}

std::string_view to_string(SessionKind kind) {
    switch (kind) {
    case SessionKind::Global:
        return "global";
    case SessionKind::LocalWorkload:
        return "localWorkload";
    case SessionKind::Mesh:
        return "mesh";
    case SessionKind::Node:
        return "node";
    }
    return "";
}

std::string endpoint_text(const net::Address& address, std::uint16_t port) {
    std::string text = net::to_string(address);
    if (port == 179)
        return text;
    return address.family == net::Family::V4 ? fmt::format("{}:{}", text, port)
                                             : fmt::format("[{}]:{}", text, port);
}

const Filter* FamilyRouting::filter(std::string_view name) const {
    for (const Filter& each : filters)
        if (each.name == name)
            return &each;
    return nullptr;
}

} // namespace polecat::routing
