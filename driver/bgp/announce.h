/// Whether a prefix is announced, to whom, and which line decides.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/bgp/ends.h"

namespace polecat::driver {

/// Announcements that are alike.
struct AnnounceRow {
    routing::Announcement first;
    std::vector<std::string> nodes; ///< those that were looked at
    std::size_t all_nodes = 0;      ///< with those that are like them
    std::size_t neighbors = 0;      ///< of `nodes`
    std::string text;               ///< what happens, and why
};

struct AnnouncedPrefix {
    net::Cidr prefix;
    std::vector<routing::NodeIndex> origins;
    bool assumed_service = false;        ///< its pods are those that it selects
    std::optional<routing::Block> block; ///< that is taken for granted
    bool known = false;                  ///< a node that is asked has a route and a session
    std::vector<AnnounceRow> rows;
};

struct AnnounceAnswer {
    BgpTarget target;
    std::vector<AnnouncedPrefix> prefixes; ///< empty: no node originates it,
    std::string hint;                      ///< and what may be done
    bool announced = false;                ///< to somebody, over a session that establishes

    /// "10.0.0.1 (pod web/shop)".
    std::string title() const;
};

/// By `node`, or by all; to `to`, or to all. A pod's block, or with `node` any, is taken for
/// granted where the input has none.
AnnounceAnswer announce(RoutedInput& routed, const BgpTarget& target,
                        const std::optional<BgpNeighbor>& to,
                        std::optional<routing::NodeIndex> node, routing::Trail trail);

} // namespace polecat::driver
