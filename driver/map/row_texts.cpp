#include "driver/map/row_texts.h"

#include <fmt/format.h>

namespace polecat::driver {

namespace {

std::string ranges(MapEnds ends) {
    std::string out;
    for (std::size_t i = 0; i < ends.size();) {
        std::size_t stop = i + 1;
        while (stop < ends.size() && ends[stop] == ends[stop - 1] + 1)
            ++stop;
        out += fmt::format("{}{}", i == 0 ? "" : " ", ends[i]);
        if (stop - i > 1)
            out += fmt::format("-{}", ends[stop - 1]);
        i = stop;
    }
    return out;
}

} // namespace

const std::string& MapRowTexts::described(std::uint32_t id) const {
    if (id >= texts_.size())
        texts_.resize(id + 1);
    if (texts_[id].empty())
        texts_[id] = map_.set(id).describe(map_.http());
    return texts_[id];
}

std::string MapRowTexts::allowed(const MapRow& row) const {
    return row.connections.sure == 0 ? "" : described(row.connections.sure);
}

std::string MapRowTexts::depends(const MapRow& row) const {
    return (map_.set(row.connections.may) - map_.set(row.connections.sure)).describe(map_.http());
}

std::string MapRowTexts::connections(const MapRow& row) const {
    if (row.connections.is_certain())
        return described(row.connections.sure);
    const std::string sure = allowed(row);
    return sure + (sure.empty() ? "" : "; ") + "depends: " + depends(row);
}

std::string MapRowTexts::first_of(MapEnds ends) const {
    constexpr std::size_t kMost = 8;
    if (ends.size() <= kMost)
        return joined(ends, "; ");
    return joined(ends.first(kMost), "; ") +
           fmt::format("; and {} more groups", ends.size() - kMost);
}

std::string MapRowTexts::no_route(const MapRow& row) {
    if (!row.no_route)
        return "";
    const NoRoute& of = *row.no_route;
    return fmt::format("{}: {} -> {}{}: {}", of.certain ? "no route" : "perhaps no route", of.from,
                       of.to, of.pairs > 1 ? fmt::format(" and {} more pairs", of.pairs - 1) : "",
                       of.reason);
}

std::vector<MapLine> MapRowTexts::lines(std::size_t most) const {
    std::vector<MapLine> out;
    for (std::size_t i = 0; i < rows_.rows.size() && i < most; ++i) {
        const MapRow& row = rows_.rows[i];
        out.push_back({first_of(row.from), first_of(row.to), connections(row),
                       ranges(row.from) + " " + ranges(row.to), !row.connections.is_certain()});
    }
    return out;
}

} // namespace polecat::driver
