/// What happens to a route on one session: the rules of BGP around the filters.
#pragma once

#include "analyzer/routing/propagation/propagation.h"

namespace polecat::routing {

const Session& session_of(const Network& network, SpeakerIndex speaker, std::size_t session);

/// Why BGP does not offer a route over a session, before any filter is asked.
enum class Withheld : std::uint8_t {
    No,
    BackToSender, ///< never back over the session that it came by
    Internal,     ///< came by iBGP, and neither neighbour is a reflector's client
    Reflected,    ///< has been through this reflector's cluster
    Community,    ///< no-export or no-advertise
};

/// "a route never goes back over the session that it came by"
std::string_view to_string(Withheld why);

Withheld withheld(const Network& network, const Link& link, const Path& path);

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
