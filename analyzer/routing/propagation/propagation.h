/// Which node learns which prefix from whom: BGP between explicit speakers, one prefix at a time
/// (BGP treats each prefix by itself). What BGP itself decides is here, RFC 4271 and 4456 as BIRD 2
/// has them; what Calico's filters decide is ir/routing/eval. Meant to be read, not to be fast:
/// every path is listed, so take it for few speakers, and propagation_classes.h for many.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "ir/policy/fabric.h"
#include "ir/routing/eval.h"

namespace polecat::routing {

using SpeakerIndex = std::uint32_t; ///< into Network::speakers

struct Speaker {
    NodeRouting form;
    /// A router of the fabric: gets and sends the best route only (any of equally good ones: all of
    /// them are listed), where nodes send each other all (add-path).
    bool fabric = false;
};

/// A session that both ends agree on, in one direction.
struct Link {
    SpeakerIndex from = 0, to = 0;
    std::size_t from_session = 0, to_session = 0; ///< into FamilyRouting::sessions
    bool operator==(const Link&) const = default;
};

struct Network {
    net::Family family = net::Family::V4;
    std::vector<Speaker> speakers;
    std::vector<Link> links; ///< by `to`
};

/// One way in which a speaker has a route.
struct Path {
    Route route;
    /// Whose hands it went through, from the origin to the neighbour that sent it; empty: its own.
    std::vector<SpeakerIndex> journey;
    std::optional<std::size_t> session;     ///< that it came by; nullopt: its own
    bool internal = false;                  ///< came by iBGP
    std::uint32_t preference = 0;           ///< BIRD's: higher wins before all else
    std::optional<net::Address> originator; ///< ORIGINATOR_ID
    std::vector<net::Address> cluster_list;
    bool operator==(const Path&) const = default;
};

struct Spread {
    std::vector<std::vector<Path>> paths; ///< by speaker; the best one first
    /// False: routes go on changing, what comes first decides for good, or there are too many;
    /// nothing can be said.
    bool settled = true;
};

inline constexpr std::uint32_t kBgpPreference = 100, kStaticPreference = 200;

/// Whether two configured ends make a session; ends that only wait, or disagree on AS numbers, TTL
/// security or whether there is a password, do not.
bool establishes(const NodeRouting& a, const Session& of_a, const NodeRouting& b,
                 const Session& of_b);

/// The links among `speakers`, which have addresses of their own.
Network connect(std::vector<Speaker> speakers, net::Family family);

/// A router that peers with every node that peers with it, and passes everything on. What the
/// inventory doesn't say (its filters, its other neighbours) is not in it.
Speaker fabric_speaker(const policy::FabricRouter& router, const std::vector<Speaker>& nodes,
                       net::Family family);

Spread spread(const Network& network, const net::Cidr& prefix);

} // namespace polecat::routing
