/// What happens to a route on one session: the rules of BGP around the filters. Private to
/// analyzer/routing.
#pragma once

#include "analyzer/routing/propagation.h"

namespace polecat::routing {

/// The path as it leaves `link.from`; nullopt: not offered, or rejected by the export filters.
std::optional<Path> send(const Network& network, const Link& link, const Path& path);
/// As `link.to` takes it; nullopt: a loop, or rejected by the import filters.
std::optional<Path> receive(const Network& network, const Link& link, Path path);
/// Order of the decision process: the better path first.
bool better(const Network& network, const Path& a, const Path& b);
/// Better before identifiers are asked.
bool clearly_better(const Path& a, const Path& b);
/// Equal in all that decides before identifiers do: BIRD's kernel gets both (merge paths).
bool equally_good(const Path& a, const Path& b);

} // namespace polecat::routing
