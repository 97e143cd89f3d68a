#include "analyzer/compare.h"

#include <map>
#include <set>

#include "analyzer/map.h"

namespace polecat::analyzer {

using decision::LoweredCluster;
using decision::ObjectId;

namespace {

/// Ends that neither version tells apart: one group of each.
struct CommonGroup {
    std::uint32_t base = 0, head = 0;
    std::string example;
    std::size_t members = 0; ///< outside: many
    bool outside = false;
};

class Differ {
  public:
    Differ(const ConnectivityMap& base, const ConnectivityMap& head, Comparison& out)
        : base_(base), head_(head), out_(out) {}

    void collect(const LoweredCluster& base, const LoweredCluster& head) {
        std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> known;
        const auto add = [&](const std::map<std::string, ObjectId>& mine,
                             const std::map<std::string, ObjectId>& theirs) {
            std::set<ObjectId> seen; // several names may stand for one object
            for (const auto& [name, id] : mine) {
                const auto twin = theirs.find(name);
                if (twin == theirs.end() || !seen.insert(id).second)
                    continue;
                const auto a = base_.group_of(id), b = head_.group_of(twin->second);
                if (!a || !b)
                    continue;
                const auto [place, added] = known.try_emplace({*a, *b}, groups_.size());
                if (added)
                    groups_.push_back({*a, *b, name, 0, false});
                ++groups_[place->second].members;
            }
        };
        add(base.workloads_by_name, head.workloads_by_name);
        add(base.host_endpoints_by_name, head.host_endpoints_by_name);
        for (std::uint32_t a = 0; a < base_.groups().size(); ++a)
            for (std::uint32_t b = 0; b < head_.groups().size(); ++b) {
                if (!base_.groups()[a].is_outside() || !head_.groups()[b].is_outside())
                    continue;
                const auto common = base_.groups()[a].outside & head_.groups()[b].outside;
                if (!common.empty())
                    groups_.push_back(
                        {a, b, net::to_string(common.ranges().front().first), 2, true});
            }
    }

    void run() {
        for (const CommonGroup& source : groups_)
            for (const CommonGroup& destination : groups_) {
                const bool self = &source == &destination && source.members == 1;
                if (!self && !(source.outside && destination.outside))
                    compare_pair(source, destination);
            }
    }

  private:
    void compare_pair(const CommonGroup& source, const CommonGroup& destination) {
        const auto before = base_.between(source.base, destination.base);
        const auto after = head_.between(source.head, destination.head);
        const ConnectionSet& old_allow = base_.set(before.allow);
        const ConnectionSet& new_allow = head_.set(after.allow);
        if (before.allow != before.may || after.allow != after.may)
            out_.depends = true;
        if (old_allow == new_allow)
            return;
        const std::string ends = source.example + " -> " + destination.example + " ";
        if (const ConnectionSet opened = new_allow - old_allow; !opened.empty() && !out_.opens) {
            out_.opens = true;
            out_.opened_example = ends + opened.describe(base_.http());
        }
        if (const ConnectionSet closed = old_allow - new_allow; !closed.empty() && !out_.closes) {
            out_.closes = true;
            out_.closed_example = ends + closed.describe(base_.http());
        }
    }

    const ConnectivityMap& base_;
    const ConnectivityMap& head_;
    Comparison& out_;
    std::vector<CommonGroup> groups_;
};

} // namespace

Comparison compare(const LoweredCluster& base, const LoweredCluster& head) {
    Comparison out;
    const decision::Identities base_identities(base), head_identities(head);
    const HttpAtoms atoms({&base, &head});
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        const ConnectivityMap base_map(base, base_identities, family, atoms);
        const ConnectivityMap head_map(head, head_identities, family, atoms);
        Differ differ(base_map, head_map, out);
        differ.collect(base, head);
        differ.run();
    }
    return out;
}

} // namespace polecat::analyzer
