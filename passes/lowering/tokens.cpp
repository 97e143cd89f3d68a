#include "passes/lowering/tokens.h"

#include <utility>

namespace polecat::passes::lowering {

/// Of what tells most of them apart.
std::size_t Tokens::Hash::operator()(const Token& token) const {
    std::size_t out = static_cast<std::size_t>(token.action) * 2 + (token.staged ? 1 : 0);
    const auto add = [&](std::size_t part) {
        out = (out ^ part) * 0x9E3779B97F4A7C15u;
        out ^= out >> 29;
    };
    const decision::Match& match = *token.match;
    add(match.protocol.value_or(0));
    for (const decision::EndMatch* end : {&match.source, &match.destination}) {
        for (const auto* list : {&end->all, &end->none}) {
            add(list->size());
            for (const decision::PredicateId id : *list)
                add(id.value);
        }
        if (!end->ports)
            continue;
        for (const net::PortRange& range : end->ports->numbers.ranges())
            add(std::size_t{range.first} << 16 | range.last);
        for (const decision::PredicateId id : end->ports->named)
            add(id.value);
    }
    return out;
}

std::uint32_t Tokens::intern(Token token) {
    const auto next = static_cast<std::uint32_t>(tokens_.size());
    const auto [place, added] = ids_.emplace(token, next);
    if (added)
        tokens_.push_back(std::move(token));
    return place->second;
}

} // namespace polecat::passes::lowering
