#include "driver/map/picture.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "driver/input/answer_notes.h"
#include "driver/input/input.h"
#include "driver/map/rows.h"
#include "ir/path/host_network.h"
#include "support/listed.h"

namespace polecat::driver {

using analyzer::Bounds;
using analyzer::ConnectionSet;
using analyzer::ConnectivityMap;
using analyzer::EndGroup;
using analyzer::SetBounds;
using backends::Graph;
using decision::Direction;

namespace {

constexpr std::size_t kNamesInTooltip = 12;

struct Box {
    std::string label, space;
    std::map<std::uint32_t, std::vector<decision::ObjectId>> parts; ///< by group of the map
    bool outside = false;

    std::size_t size() const {
        std::size_t out = 0;
        for (const auto& [group, objects] : parts)
            out += objects.size();
        return out;
    }
};

/// What is allowed between two boxes: sets of the pairs of their parts.
struct Between {
    std::set<SetBounds> pairs;
    bool implied = true; ///< each pair is of two unrestricted ends
};

class Painter {
  public:
    Painter(const decision::LoweredCluster& cluster, const ConnectivityMap& map, net::Family family)
        : cluster_(cluster), map_(map), family_(family), groups_(map.groups()) {
        for (const EndGroup& group : groups_) {
            ingress_.push_back(restricted(group, Direction::Ingress));
            egress_.push_back(restricted(group, Direction::Egress));
        }
    }

    Graph paint(Grouping grouping) {
        const bool chosen = grouping.by != Grouping::By::Auto;
        if (!chosen)
            grouping.by = Grouping::By::Workload;
        collect(grouping);
        const std::size_t fine = boxes_.size();
        if (!chosen && fine > kMostWorkloads) {
            grouping.by = Grouping::By::Namespace;
            collect(grouping);
        }
        Graph out;
        out.title = fmt::format("Allowed connections, {}: {}", net::to_string(family_),
                                counted(count_endpoints(), "endpoint"));
        if (!chosen && by_ == Grouping::By::Namespace)
            out.notes.push_back(fmt::format("One box a namespace, since there are {} groups of "
                                            "workloads; --group-by chooses another.",
                                            fine));
        if (cluster_.endpoints.empty())
            out.notes.emplace_back(kNobody);
        if (std::string note = hooks_note(cluster_); !note.empty())
            out.notes.push_back(std::move(note));
        for (const Box& box : boxes_)
            out.nodes.push_back(node(box));
        for (std::size_t i = 0; i < boxes_.size() && boxes_.size() <= backends::kMostNodes; ++i)
            edges_from(i, out);
        return out;
    }

  private:
    /// Some policy governs the endpoints in this direction, a staged one aside; or nothing lets
    /// anything through, as on host endpoints without policy.
    bool restricted(const EndGroup& group, Direction direction) const {
        if (group.is_outside())
            return false;
        const auto governor =
            ir::HostNetwork(cluster_).governor(group.objects.front(), direction, family_);
        if (governor.program == nullptr)
            return governor.unsure;
        // Without the failsafe ports, which no policy closes.
        const auto* found =
            cluster_.find(*governor.object, direction, decision::Hook::Normal, family_);
        const auto& stages = cluster_.program(found->program).stages;
        return found->slots.any_enforced() ||
               std::none_of(stages.begin(), stages.end(), [](const decision::Stage& stage) {
                   return std::any_of(stage.entries.begin(), stage.entries.end(),
                                      [](const decision::Entry& entry) {
                                          return !entry.staged &&
                                                 entry.action == policy::Action::Allow;
                                      });
               });
    }

    const decision::Object& object(decision::ObjectId id) const {
        return cluster_.world.object(id);
    }

    std::string space_of(decision::ObjectId id) const {
        const decision::Object& found = object(id);
        if (found.kind == decision::Object::Kind::HostEndpoint)
            return "host endpoints";
        const std::size_t slash = found.name.find('/');
        return slash == std::string::npos ? "" : found.name.substr(0, slash);
    }

    void collect(const Grouping& grouping) {
        by_ = grouping.by;
        boxes_.clear();
        std::map<std::string, std::size_t> by_key;
        for (std::uint32_t group = 0; group < groups_.size(); ++group)
            for (const decision::ObjectId id : groups_[group].objects) {
                const std::string space = space_of(id);
                std::string key = space, label = space;
                if (grouping.by == Grouping::By::Workload) {
                    key += "\n" + std::to_string(group);
                } else if (grouping.by == Grouping::By::Label) {
                    const auto& labels = object(id).labels;
                    const auto found = labels.find(grouping.key);
                    label = key = found ? fmt::format("{} = {}", grouping.key, *found)
                                        : "without label " + grouping.key;
                }
                const auto [place, added] = by_key.try_emplace(key, boxes_.size());
                if (added)
                    boxes_.push_back({label, space, {}, false});
                boxes_[place->second].parts[group].push_back(id);
            }
        collect_outside();
    }

    void collect_outside() {
        const MapRows rows = outside_rows(map_);
        const bool one = by_ != Grouping::By::Workload && rows.ends.size() > kMostOutside;
        std::size_t at = 0;
        for (std::uint32_t group = 0; group < groups_.size(); ++group) {
            if (!groups_[group].is_outside())
                continue;
            if (!one || at == 0)
                boxes_.push_back(
                    {one ? fmt::format("outside addresses, {} ranges that policies tell apart",
                                       rows.ends.size())
                         : rows.ends[at].label,
                     "",
                     {},
                     true});
            boxes_.back().parts[group];
            ++at;
        }
    }

    std::size_t count_endpoints() const {
        std::size_t out = 0;
        for (const Box& box : boxes_)
            out += box.size();
        return out;
    }

    static std::string short_name(const std::string& name) {
        const std::size_t slash = name.find('/');
        return slash == std::string::npos ? name : name.substr(slash + 1);
    }

    Graph::Node node(const Box& box) const {
        Graph::Node out{box.label, by_ == Grouping::By::Workload ? box.space : "", "",
                        Graph::NodeKind::Outside};
        if (box.outside) {
            out.label = "";
            for (std::size_t i = 0; i < box.label.size(); ++i) // long lists of CIDRs: in lines
                out.label += box.label[i] == ',' && out.label.size() > 24
                                 ? ",\n"
                                 : std::string(1, box.label[i]);
            out.tooltip = box.label;
            return out;
        }
        std::size_t open_in = 0, open_out = 0, seen = 0;
        const std::size_t total = box.size();
        if (by_ == Grouping::By::Workload)
            out.label.clear();
        for (const auto& [group, objects] : box.parts) {
            open_in += ingress_[group] ? 0 : objects.size();
            open_out += egress_[group] ? 0 : objects.size();
            for (const decision::ObjectId id : objects) {
                const std::string name = name_of(cluster_, id);
                if (by_ == Grouping::By::Workload && seen < 2)
                    out.label += (seen == 0 ? "" : ", ") + short_name(name);
                if (seen < kNamesInTooltip)
                    out.tooltip += (seen == 0 ? "" : ", ") + name;
                ++seen;
            }
        }
        if (seen > kNamesInTooltip)
            out.tooltip += fmt::format(" and {} more", seen - kNamesInTooltip);
        describe(out, total, open_in, open_out);
        return out;
    }

    void describe(Graph::Node& out, std::size_t total, std::size_t open_in,
                  std::size_t open_out) const {
        using Kind = Graph::NodeKind;
        const bool whole =
            (open_in == 0 || open_in == total) && (open_out == 0 || open_out == total);
        out.kind = !whole                          ? Kind::Mixed
                   : open_in == 0 && open_out == 0 ? Kind::Governed
                   : open_in == 0                  ? Kind::Ingress
                   : open_out == 0                 ? Kind::Egress
                                                   : Kind::Open;
        if (by_ == Grouping::By::Workload) {
            if (total > 2)
                out.label += fmt::format(" and {} more", total - 2);
        } else {
            if (out.label.empty())
                out.label = "(no namespace)";
            out.label += "\n" + counted(total, "endpoint");
            if (out.kind == Kind::Mixed)
                out.label +=
                    fmt::format("\nno ingress policy: {}\nno egress policy: {}", open_in, open_out);
        }
        const char* words = out.kind == Kind::Open      ? "no policy"
                            : out.kind == Kind::Ingress ? "no egress policy"
                            : out.kind == Kind::Egress  ? "no ingress policy"
                                                        : "";
        if (*words != '\0') {
            out.label += std::string("\n") + words;
            out.tooltip += std::string("\n") + words;
        }
    }

    /// The only endpoint of both parts is one and the same: no pair.
    static bool same_one(const Box& a, const Box& b, std::uint32_t from, std::uint32_t to) {
        return &a == &b && from == to && a.parts.at(from).size() == 1;
    }

    void edges_from(std::size_t source, Graph& out) {
        std::vector<Between> cells(boxes_.size());
        for (const auto& [from, senders] : boxes_[source].parts) {
            const std::vector<std::uint32_t> row = map_.row(from);
            for (std::size_t to_box = 0; to_box < boxes_.size(); ++to_box) {
                if (boxes_[source].outside && boxes_[to_box].outside)
                    continue;
                Between& cell = cells[to_box];
                for (const auto& [to, receivers] : boxes_[to_box].parts) {
                    if (same_one(boxes_[source], boxes_[to_box], from, to))
                        continue;
                    const SetBounds& pair = map_.pair(row[to]);
                    cell.pairs.insert(pair);
                    cell.implied = cell.implied && !egress_[from] && !ingress_[to] &&
                                   map_.set(pair.sure) == ConnectionSet::all();
                }
            }
        }
        for (std::size_t to = 0; to < boxes_.size(); ++to)
            add_edge(source, to, cells[to], out);
    }

    /// One edge says all: what is allowed for some pair, and whether that holds for every pair.
    void add_edge(std::size_t from, std::size_t to, const Between& cell, Graph& out) {
        const std::vector<SetBounds> key(cell.pairs.begin(), cell.pairs.end());
        auto [place, added] = texts_.try_emplace(key);
        if (added) {
            Bounds<ConnectionSet> all;
            for (const SetBounds& each : key) {
                all.sure = all.sure | map_.set(each.sure);
                all.may = all.may | map_.set(each.may);
            }
            const bool sure = all.is_certain();
            std::string text = all.sure.empty() ? "" : all.sure.describe(map_.http());
            if (!sure)
                text += (text.empty() ? "depends: " : "; depends: ") +
                        (all.may - all.sure).describe(map_.http());
            place->second = {all.may.empty() ? "" : text, !sure ? Graph::EdgeKind::Depends
                                                          : key.size() > 1
                                                              ? Graph::EdgeKind::Partly
                                                              : Graph::EdgeKind::Allowed};
        }
        if (!place->second.first.empty())
            out.edges.push_back(
                {from, to, place->second.first, place->second.second, cell.implied});
    }

    const decision::LoweredCluster& cluster_;
    const ConnectivityMap& map_;
    net::Family family_;
    const std::vector<EndGroup>& groups_;
    std::vector<bool> ingress_, egress_; ///< restricted, by group
    std::vector<Box> boxes_;
    Grouping::By by_ = Grouping::By::Workload;
    std::map<std::vector<SetBounds>, std::pair<std::string, Graph::EdgeKind>> texts_;
};

} // namespace

Result<Grouping> grouping_named(const std::string& text) {
    if (text == "auto")
        return Grouping{};
    if (text == "workload")
        return Grouping{Grouping::By::Workload, ""};
    if (text == "namespace")
        return Grouping{Grouping::By::Namespace, ""};
    if (text.starts_with("label:") && text.size() > 6)
        return Grouping{Grouping::By::Label, text.substr(6)};
    return Error{"--group-by is auto, workload, namespace or label:KEY, not `" + text + "`"};
}

Graph picture_of(const decision::LoweredCluster& cluster, const ConnectivityMap& map,
                 net::Family family, const Grouping& grouping) {
    Graph whole = Painter(cluster, map, family).paint(grouping);
    if (whole.edges.size() <= backends::kMostArrows / 2)
        return whole;
    // A table has room for everything; arrows have not.
    Graph fewer = backends::condensed(whole);
    return backends::drawing_of(fewer) == backends::Drawing::Arrows ? fewer : whole;
}

} // namespace polecat::driver
