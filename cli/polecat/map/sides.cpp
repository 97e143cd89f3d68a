#include "cli/polecat/map/sides.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/polecat/map/render.h"
#include "driver/map/rows.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

using analyzer::GroupRanges;
using analyzer::Sides;

namespace {

GroupRanges ranges_of(const std::vector<std::uint32_t>& groups) {
    GroupRanges out;
    for (const std::uint32_t group : groups)
        analyzer::append(out, group, group);
    return out;
}

class SidesRenderer {
  public:
    SidesRenderer(const Sides& sides, std::vector<MapEndText> ends, net::Family family)
        : sides_(sides), ends_(std::move(ends)), family_(family), names_(ends_),
          by_number_(ends_.size() > kNamedEnds), texts_(sides.sets()) {
        number_sets();
    }

    std::string text() const {
        std::string out = fmt::format(
            "{}: {}, {}\n"
            "A connection is open where the egress side of its source and the ingress side of its\n"
            "destination both let it through.\n",
            family(), counted_ends(ends_.size()), counted(sides_.list().size(), "side"));
        if (by_number_) {
            out += "\nends (--format json names every member):\n";
            for (std::size_t i = 0; i < ends_.size(); ++i)
                fmt::format_to(std::back_inserter(out), "G{}  {}\n", i + 1, ends_[i].label);
            out += "\nsets of ends:\n";
            for (std::size_t i = 0; i < numbers_.size(); ++i)
                if (numbers_[i] != 0) {
                    fmt::format_to(std::back_inserter(out), "S{}  ", numbers_[i]);
                    append(out, sides_.peers()[i]);
                    out += '\n';
                }
        }
        for (const Sides::Side& side : sides_.list())
            append(out, side);
        return out;
    }

    std::string json(const std::vector<std::string>& unread) const {
        using nlohmann::json;
        json out{{"family", family()},
                 {"ends", json::array()},
                 {"sets", sides_.peers()},
                 {"sides", json::array()}};
        if (!unread.empty())
            out["unread"] = unread;
        for (const MapEndText& end : ends_)
            out["ends"].push_back({{"outside", end.outside}, {"members", end.members}});
        for (const Sides::Side& side : sides_.list()) {
            json openings = json::array();
            for (const Sides::Opening& opening : side.openings) {
                json entry{{"set", opening.peers},
                           {"allowed", described(opening.connections.sure)}};
                if (!opening.connections.is_certain())
                    entry["depends"] = depends(opening);
                openings.push_back(std::move(entry));
            }
            out["sides"].push_back({{"direction", decision::to_string(side.direction)},
                                    {"ends", ranges_of(side.groups)},
                                    {"open", std::move(openings)}});
        }
        return out.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
    }

  private:
    /// Sets that several sides name, and that are more than a few words, stand once.
    void number_sets() {
        std::vector<std::size_t> uses(sides_.peers().size(), 0);
        for (const Sides::Side& side : sides_.list())
            for (const Sides::Opening& opening : side.openings)
                ++uses[opening.peers];
        numbers_.assign(uses.size(), 0);
        std::uint32_t last = 0;
        for (std::size_t i = 0; i < uses.size() && by_number_; ++i)
            if (uses[i] > 1 && sides_.peers()[i].size() > 2)
                numbers_[i] = ++last;
    }

    void append(std::string& out, const Sides::Side& side) const {
        const bool egress = side.direction == decision::Direction::Egress;
        fmt::format_to(std::back_inserter(out), "\n{} of ", decision::to_string(side.direction));
        append(out, ranges_of(side.groups));
        out += '\n';
        for (const Sides::Opening& opening : side.openings) {
            fmt::format_to(std::back_inserter(out), "    {} {} ", connections(opening),
                           egress ? "->" : "<-");
            if (numbers_[opening.peers] != 0)
                fmt::format_to(std::back_inserter(out), "S{}", numbers_[opening.peers]);
            else
                append(out, sides_.peers()[opening.peers]);
            out += '\n';
        }
        if (side.openings.empty())
            out += "    nothing\n";
    }

    void append(std::string& out, const GroupRanges& ranges) const {
        std::vector<std::uint32_t> named;
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            const auto& [from, to] = ranges[i];
            if (by_number_) {
                out += i == 0 ? "" : " ";
                append_numbers(out, from, to);
            }
            for (std::uint32_t each = from; each <= to && !by_number_; ++each)
                named.push_back(each);
        }
        out += names_.joined(named, "; ");
    }

    std::string family() const { return std::string(net::to_string(family_)); }

    const std::string& described(std::uint32_t id) const {
        if (id != 0 && texts_[id].empty())
            texts_[id] = sides_.set(id).describe(sides_.http());
        return texts_[id];
    }
    std::string depends(const Sides::Opening& opening) const {
        return (sides_.set(opening.connections.may) - sides_.set(opening.connections.sure))
            .describe(sides_.http());
    }
    std::string connections(const Sides::Opening& opening) const {
        const std::string& sure = described(opening.connections.sure);
        if (opening.connections.is_certain())
            return sure;
        return sure + (sure.empty() ? "" : "; ") + "depends: " + depends(opening);
    }

    const Sides& sides_;
    std::vector<MapEndText> ends_;
    net::Family family_;
    const MapNames names_;
    bool by_number_;
    std::vector<std::uint32_t> numbers_;     ///< of sets of ends in text; 0: written out
    mutable std::vector<std::string> texts_; ///< of connection sets, by id
};

} // namespace

std::string render_sides(const decision::LoweredCluster& cluster, const Sides& sides,
                         net::Family family, const std::string& format,
                         const std::vector<std::string>& unread) {
    const SidesRenderer renderer(sides, end_texts(cluster, sides.groups()), family);
    return format == "json" ? renderer.json(unread) : renderer.text();
}

} // namespace polecat::cli
