/// The rows that `polecat map` shows, from a connectivity map: grouped, or one for each pair.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analyzer/flows/map.h"
#include "driver/input/unread.h"
#include "support/box.h"

namespace polecat::driver {

/// An end as shown: a group of endpoints or a range of outside addresses.
struct MapEndText {
    std::string label;                ///< "shop/web and 2 more", "outside 10.0.0.0/8"
    std::vector<std::string> members; ///< names of endpoints, or CIDRs
    std::string space;                ///< the namespace, where all members share it
    bool outside = false;
    net::AddressSet nets;                    ///< of outside addresses
    std::vector<decision::ObjectId> objects; ///< of endpoints
    std::uint32_t group = 0;                 ///< of the map, that it is or belongs to
};

/// Pairs of a row that policy lets through, and that no route joins.
struct NoRoute {
    bool certain = true;          ///< of the first
    std::size_t pairs = 0;        ///< at least, if there are more than are looked at
    std::string from, to, reason; ///< of the first
};

/// Indices into MapRows::ends.
using MapEnds = std::span<const std::uint32_t>;

struct MapRow {
    MapEnds from, to; ///< parts of MapRows::lists
    analyzer::SetBounds connections;
    bool hangs_on_unread = false;         ///< what could not be read may make it another
    Box<NoRoute> no_route = std::nullopt; ///< where rows are marked
};

struct MapRows {
    MapRows() = default;
    MapRows(MapRows&&) noexcept = default; // a copy's rows would be parts of another's lists
    MapRows& operator=(MapRows&&) noexcept = default;

    net::Family family = net::Family::V4;
    std::size_t endpoints = 0;
    std::vector<MapEndText> ends;
    std::vector<MapRow> rows; ///< one after the other where they have the same source
    std::vector<std::vector<std::uint32_t>> lists;
    std::vector<std::string> unread; ///< what was not read, for formats that hold it themselves
    bool routed = false;             ///< routes were looked for
    bool cut = false;                ///< of large rows only between the first pairs
};

/// "1 group or outside range", "5 groups and outside ranges".
std::string counted_ends(std::size_t number);

/// Names of some ends; outside addresses are put together and come last.
class MapNames {
  public:
    /// `ends` must outlive this.
    explicit MapNames(const std::vector<MapEndText>& ends);
    std::string joined(MapEnds which, const char* separator) const;
    /// Every member by name; outside addresses as CIDRs, or as "any outside address".
    std::string members(MapEnds which) const;

  private:
    const std::vector<MapEndText>& ends_;
    net::AddressSet outside_; ///< all of it
};

/// IPv4, and IPv6 where some endpoint has such an address.
std::vector<net::Family> families_in_use(const decision::LoweredCluster& cluster);

/// The ends of a map in words, in its order.
std::vector<MapEndText> end_texts(const decision::LoweredCluster& cluster,
                                  const std::vector<analyzer::EndGroup>& groups);
/// Groups of ends that reach the same and are reached alike; only rows in which something is
/// allowed or depends.
MapRows grouped_rows(const decision::LoweredCluster& cluster, const analyzer::ConnectivityMap& map,
                     net::Family family);
/// The outside ends only, in the order of the map's groups, and no rows.
MapRows outside_rows(const analyzer::ConnectivityMap& map);
/// One row a pair of endpoints or outside ranges; an endpoint and itself are no pair.
MapRows expanded_rows(const decision::LoweredCluster& cluster, const analyzer::ConnectivityMap& map,
                      net::Family family);

/// Marks rows that hang on what could not be read.
Hanging mark_hanging(const decision::LoweredCluster& cluster, const analyzer::ConnectivityMap& map,
                     MapRows& rows);

} // namespace polecat::driver
