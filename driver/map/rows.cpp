#include "driver/map/rows.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <unordered_map>

#include <fmt/format.h>

#include "driver/input/input.h"
#include "driver/input/outside.h"
#include "support/listed.h"

namespace polecat::driver {

using analyzer::ConnectivityMap;
using analyzer::EndGroup;
using analyzer::SetBounds;
using decision::LoweredCluster;

namespace {

/// Outside addresses that no policy tells apart, named by what they are or by what they are not.
MapEndText outside_text(const net::AddressSet& nets, const net::AddressSet& all_outside) {
    MapEndText out;
    out.outside = true;
    for (const net::Cidr& cidr : nets.cidrs())
        out.members.push_back(net::to_string(cidr));
    out.label = outside_label(nets, all_outside);
    out.nets = nets;
    return out;
}

net::AddressSet together(const std::vector<const net::AddressSet*>& sets) {
    std::vector<net::Range> ranges;
    for (const net::AddressSet* each : sets)
        ranges.insert(ranges.end(), each->ranges().begin(), each->ranges().end());
    return net::AddressSet::of(std::move(ranges));
}

net::AddressSet all_outside(const std::vector<EndGroup>& groups) {
    std::vector<const net::AddressSet*> sets;
    for (const EndGroup& group : groups)
        sets.push_back(&group.outside);
    return together(sets);
}

std::string space_of(const std::string& name) {
    const std::size_t slash = name.find('/');
    return slash == std::string::npos ? "" : name.substr(0, slash);
}

MapEndText group_text(const LoweredCluster& cluster, const EndGroup& group,
                      const net::AddressSet& outside) {
    if (group.is_outside())
        return outside_text(group.outside, outside);
    MapEndText out;
    for (const decision::ObjectId id : group.objects)
        out.members.push_back(name_of(cluster, id));
    out.objects = group.objects;
    out.space = space_of(cluster.world.object(group.objects.front()).name);
    for (const decision::ObjectId id : group.objects)
        if (space_of(cluster.world.object(id).name) != out.space)
            out.space.clear();
    for (std::size_t i = 0; i < out.members.size() && i < 3; ++i)
        out.label += (i == 0 ? "" : ", ") + out.members[i];
    if (out.members.size() > 3)
        out.label += fmt::format(" and {} more", out.members.size() - 3);
    return out;
}

std::size_t count_endpoints(const std::vector<EndGroup>& groups) {
    std::size_t out = 0;
    for (const EndGroup& group : groups)
        out += group.objects.size();
    return out;
}

std::size_t hash_of(const std::vector<std::uint32_t>& row) {
    constexpr std::size_t kPrime = 1099511628211u;
    std::array<std::size_t, 4> lanes{1, 2, 3, 4}; // a multiplication waits for the one before
    std::size_t i = 0;
    for (; i + 2 * lanes.size() <= row.size(); i += 2 * lanes.size())
        for (std::size_t k = 0; k < lanes.size(); ++k)
            lanes[k] =
                (lanes[k] ^ (std::size_t{row[i + 2 * k]} << 32) ^ row[i + 2 * k + 1]) * kPrime;
    for (; i < row.size(); ++i)
        lanes[0] = (lanes[0] ^ row[i]) * kPrime;
    std::size_t hash = 0;
    for (const std::size_t lane : lanes)
        hash = ((hash ^ lane) * kPrime) ^ (lane >> 32);
    return hash;
}

/// Groups that are reached with the same connections: a part of Alike::groups.
struct Reached {
    SetBounds pair;
    std::size_t first = 0, last = 0; ///< the latter not included
};

/// Sources that reach the same, and what they reach, by connections.
struct Alike {
    std::vector<std::uint32_t> sources, groups;
    std::vector<Reached> destinations;
};

/// Sorts the destinations of a row by what reaches them. Keeps its room from row to row.
class RowSorter {
  public:
    explicit RowSorter(const ConnectivityMap& map) : map_(map) {}

    /// `outside`: the source is an outside address, which says nothing towards others of its kind.
    Alike sort(std::uint32_t source, const std::vector<std::uint32_t>& row, bool outside) {
        const auto& groups = map_.groups();
        const auto counts = [&](std::uint32_t group) {
            return row[group] != 0 && !(outside && groups[group].is_outside());
        };
        found_.clear();
        for (std::uint32_t i = 0; i < row.size(); ++i)
            if (counts(i))
                ++count_of(row[i]);
        std::sort(found_.begin(), found_.end(),
                  [this](std::uint32_t a, std::uint32_t b) { return map_.pair(a) < map_.pair(b); });
        Alike out{{source}, {}, {}};
        std::size_t size = 0;
        for (const std::uint32_t pair : found_) {
            const std::size_t first = size;
            size += counts_[pair];
            out.destinations.push_back({map_.pair(pair), first, size});
            counts_[pair] = first; // where the next one goes
        }
        out.groups.resize(size);
        for (std::uint32_t i = 0; i < row.size(); ++i)
            if (counts(i))
                out.groups[counts_[row[i]]++] = i;
        for (const std::uint32_t pair : found_)
            counts_[pair] = 0;
        return out;
    }

  private:
    std::size_t& count_of(std::uint32_t pair) {
        if (pair >= counts_.size())
            counts_.resize(pair + std::size_t{1}, 0);
        if (counts_[pair] == 0)
            found_.push_back(pair);
        return counts_[pair];
    }

    const ConnectivityMap& map_;
    std::vector<std::size_t> counts_;  ///< by pair, all 0 but while a row is sorted
    std::vector<std::uint32_t> found_; ///< pairs of the row
};

/// An endpoint and itself are no pair.
void drop_self(const std::vector<EndGroup>& groups, Alike& alike) {
    const std::uint32_t self = alike.sources.front();
    if (alike.sources.size() > 1 || groups[self].objects.size() > 1)
        return;
    const auto found = std::find(alike.groups.begin(), alike.groups.end(), self);
    if (found == alike.groups.end())
        return;
    const auto place = static_cast<std::size_t>(found - alike.groups.begin());
    alike.groups.erase(found);
    for (Reached& each : alike.destinations) {
        each.first -= each.first > place ? 1 : 0;
        each.last -= each.last > place ? 1 : 0;
    }
    std::erase_if(alike.destinations, [](const Reached& each) { return each.first == each.last; });
}

std::vector<Alike> alike_sources(const ConnectivityMap& map) {
    const auto& groups = map.groups();
    std::vector<Alike> out;
    RowSorter sorter(map);
    std::unordered_map<std::size_t, std::vector<std::size_t>> by_hash;
    for (std::uint32_t i = 0; i < groups.size(); ++i) {
        const std::vector<std::uint32_t> row = map.row(i);
        auto& candidates = by_hash[hash_of(row)];
        const auto found =
            std::find_if(candidates.begin(), candidates.end(), [&](std::size_t each) {
                const std::uint32_t first = out[each].sources.front();
                return groups[first].is_outside() == groups[i].is_outside() &&
                       map.row(first) == row;
            });
        if (found != candidates.end()) {
            out[*found].sources.push_back(i);
        } else {
            candidates.push_back(out.size());
            out.push_back(sorter.sort(i, row, groups[i].is_outside()));
        }
    }
    for (Alike& alike : out)
        drop_self(groups, alike);
    return out;
}

} // namespace

std::string counted_ends(std::size_t number) {
    return counted(number, "group") + (number == 1 ? " or outside range" : " and outside ranges");
}

MapNames::MapNames(const std::vector<MapEndText>& ends) : ends_(ends) {
    std::vector<const net::AddressSet*> outside;
    for (const MapEndText& end : ends)
        outside.push_back(&end.nets);
    outside_ = together(outside);
}

std::string MapNames::joined(MapEnds which, const char* separator) const {
    std::string out;
    const auto add = [&](const std::string& name) { out += (out.empty() ? "" : separator) + name; };
    std::vector<const net::AddressSet*> outside;
    for (const std::uint32_t each : which)
        if (ends_[each].outside)
            outside.push_back(&ends_[each].nets);
        else
            add(ends_[each].label);
    if (!outside.empty())
        add(outside_label(together(outside), outside_));
    return out;
}

std::string MapNames::members(MapEnds which) const {
    std::string out;
    const auto add = [&](const std::string& name) { out += (out.empty() ? "" : " ") + name; };
    std::vector<const net::AddressSet*> outside;
    for (const std::uint32_t each : which)
        if (ends_[each].outside)
            outside.push_back(&ends_[each].nets);
        else
            for (const std::string& member : ends_[each].members)
                add(member);
    const net::AddressSet nets = together(outside);
    if (!nets.empty() && nets == outside_)
        add(outside_label(nets, outside_));
    else
        for (const net::Cidr& cidr : nets.cidrs())
            add(net::to_string(cidr));
    return out;
}

std::vector<net::Family> families_in_use(const LoweredCluster& cluster) {
    for (const decision::Object& object : cluster.world.objects)
        for (const net::Address& address : object.addresses)
            if (address.family == net::Family::V6)
                return {net::Family::V4, net::Family::V6};
    return {net::Family::V4};
}

std::vector<MapEndText> end_texts(const LoweredCluster& cluster,
                                  const std::vector<EndGroup>& groups) {
    const net::AddressSet outside = all_outside(groups);
    std::vector<MapEndText> out;
    for (const EndGroup& group : groups) {
        out.push_back(group_text(cluster, group, outside));
        out.back().group = static_cast<std::uint32_t>(out.size() - 1);
    }
    return out;
}

MapRows grouped_rows(const LoweredCluster& cluster, const ConnectivityMap& map,
                     net::Family family) {
    const auto& groups = map.groups();
    MapRows out;
    out.family = family;
    out.endpoints = count_endpoints(groups);
    out.ends = end_texts(cluster, groups);
    std::vector<Alike> all = alike_sources(map);
    std::size_t rows = 0;
    for (const Alike& alike : all)
        rows += alike.destinations.size();
    out.rows.reserve(rows);
    for (Alike& alike : all) {
        const MapEnds from = out.lists.emplace_back(std::move(alike.sources));
        const MapEnds to = out.lists.emplace_back(std::move(alike.groups));
        for (const Reached& each : alike.destinations)
            out.rows.push_back({from, to.subspan(each.first, each.last - each.first), each.pair});
    }
    return out;
}

MapRows outside_rows(const ConnectivityMap& map) {
    MapRows out;
    const net::AddressSet outside = all_outside(map.groups());
    for (const EndGroup& group : map.groups())
        if (group.is_outside())
            out.ends.push_back(outside_text(group.outside, outside));
    return out;
}

MapRows expanded_rows(const LoweredCluster& cluster, const ConnectivityMap& map,
                      net::Family family) {
    const auto& groups = map.groups();
    MapRows out;
    out.family = family;
    out.endpoints = count_endpoints(groups);
    const net::AddressSet outside = all_outside(groups);
    std::vector<std::vector<std::uint32_t>> ends(groups.size());
    for (std::size_t i = 0; i < groups.size(); ++i) {
        if (groups[i].is_outside()) {
            ends[i].push_back(static_cast<std::uint32_t>(out.ends.size()));
            out.ends.push_back(outside_text(groups[i].outside, outside));
            out.ends.back().group = static_cast<std::uint32_t>(i);
        }
        for (const decision::ObjectId id : groups[i].objects) {
            ends[i].push_back(static_cast<std::uint32_t>(out.ends.size()));
            MapEndText end;
            end.label = name_of(cluster, id);
            end.members = {end.label};
            end.objects = {id};
            end.group = static_cast<std::uint32_t>(i);
            end.space = space_of(cluster.world.object(id).name);
            out.ends.push_back(std::move(end));
        }
    }
    auto& every = out.lists.emplace_back(out.ends.size());
    std::iota(every.begin(), every.end(), 0u);
    for (std::uint32_t source = 0; source < groups.size(); ++source) {
        const std::vector<std::uint32_t> row = map.row(source);
        for (const std::uint32_t from : ends[source])
            for (std::uint32_t destination = 0; destination < groups.size(); ++destination) {
                if (row[destination] == 0 ||
                    (groups[source].is_outside() && groups[destination].is_outside()))
                    continue;
                for (const std::uint32_t to : ends[destination])
                    if (from != to)
                        out.rows.push_back(
                            {{&every[from], 1}, {&every[to], 1}, map.pair(row[destination])});
            }
    }
    return out;
}

Hanging mark_hanging(const decision::LoweredCluster& cluster, const analyzer::ConnectivityMap& map,
                     MapRows& rows) {
    Hanging out;
    const auto in_doubt = [&](MapEnds ends, decision::Direction direction) {
        return std::any_of(ends.begin(), ends.end(), [&](std::uint32_t end) {
            const auto program = map.groups()[rows.ends[end].group].program(direction);
            return program && cluster.is_in_doubt(*program);
        });
    };
    for (MapRow& row : rows.rows) {
        row.hangs_on_unread =
            !row.connections.is_certain() && (in_doubt(row.from, decision::Direction::Egress) ||
                                              in_doubt(row.to, decision::Direction::Ingress));
        out.add(row.hangs_on_unread);
    }
    return out;
}

} // namespace polecat::driver
