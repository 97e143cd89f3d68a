/// What the rows of a map say, in words.
#pragma once

#include <string>
#include <vector>

#include "driver/map/rows.h"

namespace polecat::driver {

/// A row in words; of many ends the first few.
struct MapLine {
    std::string from, to, connections;
    std::string ends; ///< all ends of both sides by index of MapRows::ends: "0-3 7"
    bool depends = false;
};

class MapRowTexts {
  public:
    /// Both must outlive this.
    MapRowTexts(const MapRows& rows, const analyzer::ConnectivityMap& map)
        : rows_(rows), map_(map), names_(rows.ends) {}

    /// A set of connections; made once.
    const std::string& described(std::uint32_t set) const;
    std::string allowed(const MapRow& row) const; ///< for certain; empty: nothing
    std::string depends(const MapRow& row) const;
    std::string connections(const MapRow& row) const; ///< both
    /// "no route: shop/web -> shop/db and 3 more pairs: ..."; empty: there is one.
    static std::string no_route(const MapRow& row);
    std::string joined(MapEnds ends, const char* separator) const {
        return names_.joined(ends, separator);
    }
    const MapNames& names() const { return names_; }

    /// The first `most` rows.
    std::vector<MapLine> lines(std::size_t most) const;

  private:
    std::string first_of(MapEnds ends) const;

    const MapRows& rows_;
    const analyzer::ConnectivityMap& map_;
    const MapNames names_;
    mutable std::vector<std::string> texts_; ///< of connection sets, by id
};

} // namespace polecat::driver
