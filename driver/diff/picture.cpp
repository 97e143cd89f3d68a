#include "driver/diff/picture.h"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <tuple>

#include <fmt/format.h>

#include "driver/map/picture.h"

namespace polecat::driver {

using analyzer::ChangeKind;
using analyzer::ConnectionSet;
using analyzer::DiffEnd;
using analyzer::FamilyDiff;
using backends::Graph;

namespace {

Graph::EdgeKind edge_kind(ChangeKind kind) {
    switch (kind) {
    case ChangeKind::Opened:
        return Graph::EdgeKind::Opened;
    case ChangeKind::PerhapsOpen:
        return Graph::EdgeKind::PerhapsOpened;
    case ChangeKind::Closed:
        return Graph::EdgeKind::Closed;
    case ChangeKind::PerhapsShut:
        return Graph::EdgeKind::PerhapsClosed;
    }
    return Graph::EdgeKind::Opened;
}

bool in_use(const FamilyDiff& family) {
    return std::any_of(family.ends.begin(), family.ends.end(),
                       [](const DiffEnd& end) { return !end.is_outside(); });
}

class DiffPainter {
  public:
    DiffPainter(const DiffReport& report, const decision::LoweredCluster& head)
        : report_(report), head_(head) {}

    Graph paint() {
        collect();
        if (out_.nodes.size() > kMostWorkloads) {
            by_space_ = true;
            collect();
            out_.notes.push_back("One box a namespace, since many groups of workloads change.");
        }
        for (const auto& [key, sets] : changes_) {
            const auto& [from, to, kind] = key;
            out_.edges.push_back({from, to, label(sets), edge_kind(kind)});
        }
        out_.title = "Changed connections: " + counts_of(report_);
        std::istringstream lines(lists_of(report_, ""));
        for (std::string line; std::getline(lines, line);)
            out_.notes.push_back(line);
        if (report_.diff.depends)
            out_.notes.push_back("Some flows depend on what is not known.");
        return std::move(out_);
    }

  private:
    using Sets = std::array<ConnectionSet, 2>; ///< IPv4, IPv6

    void collect() {
        out_.nodes.clear();
        numbers_.clear();
        changes_.clear();
        for (const FamilyDiff& family : report_.diff.families) {
            std::map<std::uint32_t, std::vector<std::size_t>> known; // of endpoints
            for (const analyzer::FlowChange& change : family.changes) {
                const auto sources = nodes_of(family, change.sources, known);
                const auto destinations = nodes_of(family, change.destinations, known);
                for (const std::size_t from : sources)
                    for (const std::size_t to : destinations) {
                        ConnectionSet& set =
                            changes_[{from, to, change.kind}][family.family == net::Family::V6];
                        set = set | change.connections;
                    }
            }
        }
    }

    /// The outside addresses of a change are one box, as they are one name in its text.
    std::vector<std::size_t> nodes_of(const FamilyDiff& family,
                                      const std::vector<std::uint32_t>& ends,
                                      std::map<std::uint32_t, std::vector<std::size_t>>& known) {
        std::vector<std::size_t> out;
        std::vector<std::uint32_t> outside;
        for (const std::uint32_t end : ends) {
            if (family.ends[end].is_outside()) {
                outside.push_back(end);
                continue;
            }
            const auto [place, added] = known.try_emplace(end);
            if (added)
                place->second = boxes_of(family.ends[end]);
            out.insert(out.end(), place->second.begin(), place->second.end());
        }
        if (!outside.empty())
            out.push_back(node({outside_name(family, outside), "", "", Graph::NodeKind::Outside}));
        return out;
    }

    std::vector<std::size_t> boxes_of(const DiffEnd& end) {
        std::map<std::string, std::vector<std::string>> by_space;
        for (const decision::ObjectId id : end.head) {
            const std::string name = name_of(head_, id);
            const std::size_t slash = name.find('/');
            by_space[slash == std::string::npos ? "" : name.substr(0, slash)].push_back(name);
        }
        std::vector<std::size_t> out;
        for (const auto& [space, names] : by_space) {
            std::string label, tooltip;
            for (std::size_t i = 0; i < names.size() && i < 12; ++i) {
                if (i < 2)
                    label += (i == 0 ? "" : ", ") +
                             names[i].substr(space.empty() ? 0 : space.size() + 1);
                tooltip += (i == 0 ? "" : ", ") + names[i];
            }
            if (names.size() > 2)
                label += fmt::format(" and {} more", names.size() - 2);
            if (by_space_ && !space.empty())
                out.push_back(node({space, "", "", Graph::NodeKind::Plain}));
            else
                out.push_back(node({label, space, tooltip, Graph::NodeKind::Plain}));
        }
        return out;
    }

    /// The same name and members in both families are one box.
    std::size_t node(const Graph::Node& wanted) {
        const auto [place, added] = numbers_.try_emplace(
            wanted.cluster + "\n" + wanted.label + "\n" + wanted.tooltip, out_.nodes.size());
        if (added)
            out_.nodes.push_back(wanted);
        return place->second;
    }

    std::string outside_name(const FamilyDiff& family,
                             const std::vector<std::uint32_t>& ends) const {
        const std::string text = shown_ends(family, ends, head_);
        return text.starts_with("any") || text.starts_with("outside") ? text : "outside " + text;
    }

    std::string label(const Sets& sets) const {
        const auto families =
            std::count_if(report_.diff.families.begin(), report_.diff.families.end(), in_use);
        const auto text = [&](const ConnectionSet& set) {
            return set.describe(report_.diff.atoms);
        };
        if (families < 2 || sets[0] == sets[1])
            return text(sets[0].empty() ? sets[1] : sets[0]);
        std::string out = sets[0].empty() ? "" : "IPv4 " + text(sets[0]);
        if (!sets[1].empty())
            out += (out.empty() ? "IPv6 " : " / IPv6 ") + text(sets[1]);
        return out;
    }

    const DiffReport& report_;
    const decision::LoweredCluster& head_;
    bool by_space_ = false;
    Graph out_;
    std::map<std::string, std::size_t> numbers_; ///< of nodes
    std::map<std::tuple<std::size_t, std::size_t, ChangeKind>, Sets> changes_;
};

} // namespace

Graph diff_picture(const DiffReport& report, const decision::LoweredCluster& head) {
    return DiffPainter(report, head).paint();
}

} // namespace polecat::driver
