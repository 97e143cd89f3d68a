#include "driver/bgp/picture.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/routing/sessions/fabric.h"
#include "driver/bgp/session_text.h"
#include "support/listed.h"

namespace polecat::driver {

namespace {

using backends::FabricPicture;
using Layer = FabricPicture::Layer;
using routing::BgpNode;
using routing::NodeIndex;
using routing::SessionLink;

constexpr std::size_t kSessionNames = 12;

/// What one box stands for.
struct Part {
    Layer layer = Layer::Nodes;
    std::vector<std::string> titles; ///< of what was put together
    std::vector<std::string> members;
    std::set<net::AsNumber> numbers;
    std::set<std::string> clusters; ///< of reflectors
    std::uint64_t inside = 0;       ///< sessions between its members
    bool in_mesh = false;
    std::set<std::size_t> own, mesh; ///< problems
};

struct SessionsBetween {
    std::uint64_t external = 0, internal = 0;
    std::set<std::size_t> problems;
};

class FabricPainter {
  public:
    FabricPainter(const RoutedInput& routed, const routing::SessionReport& report)
        : routed_(routed), report_(report), routing_(routed.routing),
          fabric_(routed.input.cluster, routed.routing) {}

    FabricPicture paint() {
        for (NodeIndex i = 0; i < routing_.nodes.size(); ++i)
            add_node(i);
        for (const NodeIndex each : report_.mesh_nodes)
            parts_[box_of_[each]].in_mesh = true;
        for (const SessionLink& link : report_.links)
            add(link);
        for (std::size_t i = 0; i < report_.faults.size(); ++i)
            if (report_.faults[i].of_mesh)
                if (const auto node = routing_.find(report_.faults[i].node))
                    parts_[box_of_[*node]].mesh.insert(i);
        for (int coarse = 0; coarse <= 3; ++coarse)
            fold(coarse);
        return picture();
    }

  private:
    // --- what there is ---------------------------------------------------------------------------

    std::string rack_of(NodeIndex index) const {
        if (const policy::FabricRack* rack = fabric_.rack(index))
            return rack->name.value;
        for (const char* label :
             {"rack", "topology.kubernetes.io/rack", "topology.kubernetes.io/zone"})
            if (const auto value = routing_.nodes[index].labels.find(label))
                return std::string(*value);
        return "";
    }

    std::size_t part(Layer layer, const std::string& key, const std::string& title) {
        const auto [place, fresh] = places_.emplace(std::pair(layer, key), parts_.size());
        if (fresh) {
            parts_.emplace_back();
            parts_.back().layer = layer;
            parts_.back().titles = {title};
        }
        return place->second;
    }

    void add_node(NodeIndex index) {
        const BgpNode& node = routing_.nodes[index];
        const bool reflects = node.cluster_id.has_value();
        const std::string cluster = reflects ? net::to_string(*node.cluster_id) : "";
        const std::string rack = rack_of(index);
        const std::size_t box = reflects ? part(Layer::Reflector, cluster, "route reflectors")
                                         : part(Layer::Nodes, rack, rack.empty() ? "nodes" : rack);
        box_of_.push_back(box);
        parts_[box].members.push_back(node.name);
        parts_[box].numbers.insert(routing_.as_of(node));
        if (reflects)
            parts_[box].clusters.insert(cluster);
    }

    std::size_t router(const SessionLink& link) {
        const std::string address = net::to_string(link.neighbor);
        const auto known = fabric_.routers(link.neighbor, link.node);
        std::string title = address;
        if (!known.empty())
            title = routing::title(*known.front().router);
        const std::size_t box = part(Layer::Router, title + " " + address, title);
        if (parts_[box].members.empty())
            parts_[box].members.push_back(address);
        for (const routing::Fabric::Router& each : known)
            parts_[box].numbers.insert(each.router->as_number.value);
        return box;
    }

    void add(const SessionLink& link) {
        if (link.workload) {
            ++workloads_;
            return;
        }
        const std::size_t a = box_of_[link.node],
                          b = link.other ? box_of_[*link.other] : router(link);
        if (a == b) {
            ++parts_[a].inside;
            parts_[a].own.insert(link.faults.begin(), link.faults.end());
            return;
        }
        SessionsBetween& between = between_[std::minmax(a, b)];
        ++(link.internal ? between.internal : between.external);
        between.problems.insert(link.faults.begin(), link.faults.end());
    }

    // --- fewer boxes -----------------------------------------------------------------------------

    std::size_t count(Layer layer) const {
        return static_cast<std::size_t>(std::count_if(
            parts_.begin(), parts_.end(), [&](const Part& each) { return each.layer == layer; }));
    }

    std::set<std::size_t> problems_of(std::size_t box) const {
        std::set<std::size_t> out = parts_[box].own;
        out.insert(parts_[box].mesh.begin(), parts_[box].mesh.end());
        for (const auto& [ends, between] : between_)
            if (ends.first == box || ends.second == box)
                out.insert(between.problems.begin(), between.problems.end());
        return out;
    }

    /// Boxes with equal texts are put together. 0: with the same neighbours; 1: alike in all but
    /// names and numbers; 2: by their problems; 3: with problems or without.
    std::vector<std::string> likeness(int coarse) const {
        std::vector<std::vector<std::size_t>> others(parts_.size());
        for (const auto& [ends, between] : between_) {
            others[ends.first].push_back(ends.second);
            others[ends.second].push_back(ends.first);
        }
        std::vector<std::string> out;
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            const auto problems = problems_of(i);
            std::string text = fmt::format("{} ", static_cast<int>(parts_[i].layer));
            if (coarse == 3)
                text += problems.empty() ? "fine" : "not";
            else
                text += fmt::format("{}", fmt::join(problems, ","));
            if (coarse <= 1)
                text += fmt::format(" {} {}", parts_[i].in_mesh, parts_[i].inside != 0);
            std::vector<std::string> ends;
            for (const std::size_t other : others[i]) {
                // A neighbour of its own, or one of many.
                const bool own =
                    coarse != 0 && (others[other].size() == 1 ||
                                    (parts_[i].layer == Layer::Router && others[i].size() == 1));
                const auto& between = between_.at(std::minmax(i, other));
                ends.push_back(fmt::format("{}{}{}{}", static_cast<int>(parts_[other].layer),
                                           own ? "own" : std::to_string(other),
                                           between.external != 0 ? 'e' : '-',
                                           between.internal != 0 ? 'i' : '-'));
            }
            std::sort(ends.begin(), ends.end());
            if (coarse <= 1)
                text += fmt::format(" {}", fmt::join(ends, ";"));
            out.push_back(std::move(text));
        }
        return out;
    }

    void fold(int coarse) {
        std::set<Layer> crowded;
        for (const Layer layer : {Layer::Router, Layer::Reflector, Layer::Nodes})
            if (count(layer) > kMostBoxes)
                crowded.insert(layer);
        if (crowded.empty())
            return;
        const auto texts = likeness(coarse);
        std::map<std::string, std::size_t> first;
        std::vector<std::size_t> now(parts_.size());
        std::vector<Part> parts;
        for (std::size_t i = 0; i < parts_.size(); ++i) {
            const auto found =
                crowded.contains(parts_[i].layer) ? first.find(texts[i]) : first.end();
            if (found != first.end()) {
                now[i] = found->second;
                merge(parts[found->second], parts_[i]);
                continue;
            }
            now[i] = parts.size();
            first.emplace(texts[i], parts.size());
            parts.push_back(parts_[i]);
        }
        std::map<std::pair<std::size_t, std::size_t>, SessionsBetween> between;
        for (const auto& [ends, each] : between_) {
            const std::size_t a = now[ends.first], b = now[ends.second];
            if (a == b) {
                parts[a].inside += each.external + each.internal;
                parts[a].own.insert(each.problems.begin(), each.problems.end());
                continue;
            }
            SessionsBetween& into = between[std::minmax(a, b)];
            into.external += each.external;
            into.internal += each.internal;
            into.problems.insert(each.problems.begin(), each.problems.end());
        }
        parts_ = std::move(parts);
        between_ = std::move(between);
    }

    static void merge(Part& into, const Part& from) {
        into.titles.insert(into.titles.end(), from.titles.begin(), from.titles.end());
        into.members.insert(into.members.end(), from.members.begin(), from.members.end());
        into.numbers.insert(from.numbers.begin(), from.numbers.end());
        into.clusters.insert(from.clusters.begin(), from.clusters.end());
        into.inside += from.inside;
        into.in_mesh = into.in_mesh || from.in_mesh;
        into.own.insert(from.own.begin(), from.own.end());
        into.mesh.insert(from.mesh.begin(), from.mesh.end());
    }

    // --- the picture -----------------------------------------------------------------------------

    static std::string numbers_text(const std::set<net::AsNumber>& numbers) {
        if (numbers.empty())
            return "";
        if (numbers.size() <= 2)
            return fmt::format("AS {}", fmt::join(numbers, ", "));
        return fmt::format("{} AS, {} to {}", numbers.size(), *numbers.begin(), *numbers.rbegin());
    }

    FabricPicture::Box box(const Part& part) const {
        FabricPicture::Box out;
        out.layer = part.layer;
        const std::size_t many = part.titles.size();
        const char* word = part.layer == Layer::Router ? "router" : "rack";
        out.title =
            many == 1 || part.layer == Layer::Reflector ? part.titles.front() : counted(many, word);
        if (many > 1 && part.layer != Layer::Reflector)
            out.lines.push_back(part.titles.front() + " to " + part.titles.back());
        if (part.layer == Layer::Router) {
            if (many == 1 && part.members.front() != part.titles.front())
                out.lines.push_back(part.members.front());
        } else {
            out.lines.push_back(counted(part.members.size(), "node"));
        }
        if (const std::string text = numbers_text(part.numbers); !text.empty())
            out.lines.push_back(text);
        if (!part.clusters.empty())
            out.lines.push_back(fmt::format("cluster {}", fmt::join(part.clusters, ", ")));
        if (part.inside != 0)
            out.lines.push_back(counted(part.inside, "session") + " inside");
        for (std::size_t i = 0; i < std::min(kSessionNames, part.members.size()); ++i)
            out.tooltip += (i == 0 ? "" : ", ") + part.members[i];
        if (part.members.size() > kSessionNames)
            out.tooltip += fmt::format(" and {} more", part.members.size() - kSessionNames);
        out.in_mesh = part.in_mesh;
        out.own_problems.assign(part.own.begin(), part.own.end());
        out.mesh_problems.assign(part.mesh.begin(), part.mesh.end());
        return out;
    }

    FabricPicture picture() const {
        FabricPicture out;
        out.title = fmt::format("BGP: {}, {} that will not establish",
                                counted(report_.sessions, "session"), report_.broken);
        const bool folded = std::any_of(parts_.begin(), parts_.end(),
                                        [](const Part& each) { return each.titles.size() > 1; });
        out.notes.push_back(fmt::format("{}, {}{}", counted(routing_.nodes.size(), "node"),
                                        routing_.mesh ? "node-to-node mesh on" : "mesh off",
                                        folded ? "; what is alike is one box" : ""));
        if (workloads_ != 0)
            out.notes.push_back(counted(workloads_, "session") + " with workloads not drawn");
        std::vector<std::size_t> order(parts_.size());
        for (std::size_t i = 0; i < order.size(); ++i)
            order[i] = i;
        std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return parts_[a].titles.front() < parts_[b].titles.front();
        });
        std::vector<std::size_t> place(parts_.size());
        for (const std::size_t each : order) {
            place[each] = out.boxes.size();
            out.boxes.push_back(box(parts_[each]));
        }
        for (const auto& [ends, between] : between_)
            out.lines.push_back({place[ends.first],
                                 place[ends.second],
                                 between.external,
                                 between.internal,
                                 {between.problems.begin(), between.problems.end()}});
        for (const routing::SessionFault& fault : report_.faults)
            out.problems.push_back(problem(fault));
        if (report_.mesh.nodes != 0)
            out.mesh = fmt::format("mesh of {}, {}{}", counted(report_.mesh_nodes.size(), "node"),
                                   counted(report_.mesh.sessions, "session"),
                                   report_.mesh.advises_reflectors()
                                       ? fmt::format("; with {} route reflectors {}",
                                                     report_.mesh.kReflectors,
                                                     report_.mesh.with_reflectors())
                                       : "");
        return out;
    }

    FabricPicture::Problem problem(const routing::SessionFault& fault) const {
        const FaultText text = describe(routed_, fault);
        FabricPicture::Problem out;
        out.certain = fault.certain;
        out.text = fmt::format("{}: {}: {}", text.ends, text.what, text.reason);
        out.places.push_back(text.here);
        if (!text.there.empty())
            out.places.push_back(text.there);
        return out;
    }

    const RoutedInput& routed_;
    const routing::SessionReport& report_;
    const routing::ClusterRouting& routing_;
    routing::Fabric fabric_;
    std::vector<Part> parts_;
    std::map<std::pair<Layer, std::string>, std::size_t> places_;
    std::map<std::pair<std::size_t, std::size_t>, SessionsBetween> between_;
    std::vector<std::size_t> box_of_; ///< by node
    std::uint64_t workloads_ = 0;
};

} // namespace

FabricPicture fabric_picture(const RoutedInput& routed, const routing::SessionReport& report) {
    return FabricPainter(routed, report).paint();
}

} // namespace polecat::driver
