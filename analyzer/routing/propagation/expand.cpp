// Propagation::learnt: the paths of a representative, with every choice of nodes in the place of
// those that stand for them.
#include <algorithm>
#include <set>
#include <tuple>

#include "analyzer/routing/propagation/propagation_classes.h"

namespace polecat::routing {

namespace {

using Run = Propagation::Run;
using Group = Propagation::Group;

bool is_router(const Run& run, SpeakerIndex speaker) {
    return speaker >= run.groups.size();
}

/// The journey with the nodes of a group numbered as they come: equal for paths that differ only in
/// which of them they go through.
using Shape = std::vector<std::tuple<bool, Group, SpeakerIndex>>;

Shape shape_of(const Run& run, SpeakerIndex speaker, const Path& path) {
    std::map<SpeakerIndex, SpeakerIndex> number{{speaker, 0}};
    std::map<Group, SpeakerIndex> next{{run.groups[speaker], 1}};
    Shape out;
    for (const SpeakerIndex each : path.journey)
        if (is_router(run, each)) {
            out.emplace_back(true, Group{}, each);
        } else {
            if (!number.contains(each))
                number[each] = next[run.groups[each]]++;
            out.emplace_back(false, run.groups[each], number[each]);
        }
    return out;
}

/// One path of a representative.
class Expansion {
  public:
    Expansion(const ClusterRouting& cluster, const NodeClasses& classes,
              const Propagation::Roles& roles, net::Family family, const Run& run, std::size_t most,
              Propagation::Learnt& into)
        : cluster_(cluster), classes_(classes), roles_(roles), family_(family), run_(run),
          most_(most), into_(into) {}

    void add(const Path& path, SpeakerIndex speaker, NodeIndex node) {
        chosen_ = {{speaker, node}};
        choose(path, 0);
    }

  private:
    /// Nodes for the journey from its step `at` on.
    void choose(const Path& path, std::size_t at) {
        if (into_.paths.size() >= most_) {
            into_.known = false;
            return;
        }
        if (at == path.journey.size()) {
            into_.paths.push_back(named(path));
            return;
        }
        const SpeakerIndex speaker = path.journey[at];
        if (is_router(run_, speaker) || chosen_.contains(speaker))
            return choose(path, at + 1);
        for (const NodeIndex node : classes_.members[run_.groups[speaker].of_class]) {
            if (role_of(node) != run_.groups[speaker].role || is_chosen(node))
                continue;
            chosen_[speaker] = node;
            choose(path, at + 1);
            chosen_.erase(speaker);
        }
    }

    std::uint8_t role_of(NodeIndex node) const {
        const auto found = roles_.find(node);
        return found == roles_.end() ? std::uint8_t{0} : found->second;
    }
    bool is_chosen(NodeIndex node) const {
        return std::any_of(chosen_.begin(), chosen_.end(),
                           [&](const auto& each) { return each.second == node; });
    }

    Path named(const Path& path) const {
        Path out = path;
        for (SpeakerIndex& each : out.journey)
            each =
                is_router(run_, each)
                    ? static_cast<SpeakerIndex>(each - run_.groups.size() + cluster_.nodes.size())
                    : chosen_.at(each);
        for (const auto& [speaker, node] : chosen_)
            if (out.route.next_hop == run_.network.speakers[speaker].form.of(family_).address) {
                out.route.next_hop = cluster_.nodes[node].of(family_)->address;
                break;
            }
        for (const auto& [speaker, node] : chosen_)
            if (out.originator &&
                net::to_string(*out.originator) == run_.network.speakers[speaker].form.router_id) {
                if (const auto& v4 = cluster_.nodes[node].v4; v4 && cluster_.router_id.empty())
                    out.originator = v4->address;
                break;
            }
        return out;
    }

    const ClusterRouting& cluster_;
    const NodeClasses& classes_;
    const Propagation::Roles& roles_;
    const net::Family family_;
    const Run& run_;
    const std::size_t most_;
    Propagation::Learnt& into_;
    std::map<SpeakerIndex, NodeIndex> chosen_; ///< by representative
};

} // namespace

Propagation::Learnt Propagation::expanded(const Run& run, SpeakerIndex speaker, NodeIndex node,
                                          const Roles& roles, std::size_t most) const {
    Learnt out;
    Expansion expansion(cluster_, classes_, roles, family_, run, most, out);
    std::set<Shape> shapes;
    for (const Path& path : run.spread.paths[speaker])
        if (shapes.insert(shape_of(run, speaker, path)).second)
            expansion.add(path, speaker, node);
    return out;
}

} // namespace polecat::routing
