#include "analyzer/diff.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>

#include "analyzer/diff_cause.h"
#include "analyzer/map.h"
#include "analyzer/set_store.h"
#include "ir/decision/print.h"

namespace polecat::analyzer {

using decision::LoweredCluster;
using decision::ObjectId;

namespace {

using Id = SetStore::Id;
using Names = std::map<std::string, ObjectId>;

/// Sets of the two maps by common numbers.
class Joint {
  public:
    Joint(SetStore& store, const ConnectivityMap& map) : store_(store), map_(map) {}
    Id of(Id id) {
        if (id >= known_.size())
            known_.resize(id + 1, kUnknown);
        if (known_[id] == kUnknown)
            known_[id] = store_.intern(map_.set(id));
        return known_[id];
    }

  private:
    static constexpr Id kUnknown = UINT32_MAX;
    SetStore& store_;
    const ConnectivityMap& map_;
    std::vector<Id> known_;
};

/// What changed between two ends, by kind; ids of sets.
using Delta = std::array<Id, kChangeKinds>;

class FamilyDiffer {
  public:
    FamilyDiffer(const LoweredCluster& base, const LoweredCluster& head,
                 const ConnectivityMap& base_map, const ConnectivityMap& head_map,
                 net::Family family)
        : base_(base), head_(head), base_map_(base_map), head_map_(head_map),
          base_sets_(store_, base_map), head_sets_(store_, head_map) {
        out_.family = family;
    }

    FamilyDiff run(bool& depends) {
        collect();
        compare_all();
        add_changes();
        depends = depends || depends_;
        return std::move(out_);
    }

  private:
    struct Groups {
        std::uint32_t base = 0, head = 0;
    };

    void collect() {
        std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> known;
        const auto add = [&](const Names& mine, const Names& theirs) {
            std::set<ObjectId> seen; // several names may stand for one object
            for (const auto& [name, id] : mine) {
                const auto twin = theirs.find(name);
                if (twin == theirs.end() || !seen.insert(id).second)
                    continue;
                const auto a = base_map_.group_of(id), b = head_map_.group_of(twin->second);
                if (!a || !b)
                    continue;
                const auto [place, added] = known.try_emplace({*a, *b}, groups_.size());
                if (added) {
                    groups_.push_back({*a, *b});
                    out_.ends.emplace_back();
                }
                out_.ends[place->second].base.push_back(id);
                out_.ends[place->second].head.push_back(twin->second);
            }
        };
        add(base_.workloads_by_name, head_.workloads_by_name);
        add(base_.host_endpoints_by_name, head_.host_endpoints_by_name);
        collect_outside();
    }

    void collect_outside() {
        for (std::uint32_t a = 0; a < base_map_.groups().size(); ++a)
            for (std::uint32_t b = 0; b < head_map_.groups().size(); ++b) {
                if (!base_map_.groups()[a].is_outside() || !head_map_.groups()[b].is_outside())
                    continue;
                auto common = base_map_.groups()[a].outside & head_map_.groups()[b].outside;
                if (common.empty())
                    continue;
                groups_.push_back({a, b});
                out_.ends.push_back({{}, {}, std::move(common)});
            }
    }

    const Delta* delta(const ConnectivityMap::Pair& before, const ConnectivityMap::Pair& now) {
        const std::array<Id, 4> key{base_sets_.of(before.allow), base_sets_.of(before.may),
                                    head_sets_.of(now.allow), head_sets_.of(now.may)};
        depends_ = depends_ || key[0] != key[1] || key[2] != key[3];
        if (key[0] == key[2] && key[1] == key[3])
            return nullptr;
        const auto [place, added] = deltas_.try_emplace(key);
        if (added) {
            const auto [old_allow, old_may, new_allow, new_may] = key;
            const auto more = [&](Id allow, Id may, Id other_allow, Id other_may, Id certain) {
                const Id all = store_.unite(store_.subtract(allow, other_allow),
                                            store_.subtract(may, other_may));
                return store_.subtract(all, certain);
            };
            const Id opened = store_.subtract(new_allow, old_may);
            const Id closed = store_.subtract(old_allow, new_may);
            place->second = {opened, more(new_allow, new_may, old_allow, old_may, opened), closed,
                             more(old_allow, old_may, new_allow, new_may, closed)};
        }
        return &place->second;
    }

    /// Destinations of a source by what changed towards them.
    using Row = std::vector<std::pair<const Delta*, std::vector<std::uint32_t>>>;

    void compare_all() {
        for (std::uint32_t source = 0; source < groups_.size(); ++source) {
            const auto before = base_map_.row(groups_[source].base);
            const auto now = head_map_.row(groups_[source].head);
            std::map<const Delta*, std::vector<std::uint32_t>> by_delta;
            for (std::uint32_t to = 0; to < groups_.size(); ++to) {
                const bool self = source == to && out_.ends[source].head.size() == 1;
                if (self || (out_.ends[source].is_outside() && out_.ends[to].is_outside()))
                    continue;
                if (const Delta* found = delta(before[groups_[to].base], now[groups_[to].head]))
                    by_delta[found].push_back(to);
            }
            if (!by_delta.empty())
                sources_by_row_[Row(by_delta.begin(), by_delta.end())].push_back(source);
        }
    }

    void add_changes() {
        for (const auto& [row, sources] : sources_by_row_)
            for (const auto& [found, destinations] : row)
                for (std::size_t kind = 0; kind < kChangeKinds; ++kind) {
                    if ((*found)[kind] == 0)
                        continue;
                    FlowChange change;
                    change.kind = static_cast<ChangeKind>(kind);
                    change.sources = sources;
                    change.destinations = destinations;
                    change.connections = store_[(*found)[kind]];
                    explain_change(base_, head_, out_.ends[sources.front()],
                                   out_.ends[destinations.front()], head_map_.http(), out_.family,
                                   change);
                    out_.changes.push_back(std::move(change));
                }
        std::sort(out_.changes.begin(), out_.changes.end(), [](const auto& a, const auto& b) {
            return std::tie(a.kind, a.sources, a.destinations) <
                   std::tie(b.kind, b.sources, b.destinations);
        });
    }

    const LoweredCluster& base_;
    const LoweredCluster& head_;
    const ConnectivityMap& base_map_;
    const ConnectivityMap& head_map_;
    SetStore store_;
    Joint base_sets_, head_sets_;
    std::vector<Groups> groups_;
    std::map<std::array<Id, 4>, Delta> deltas_;
    std::map<Row, std::vector<std::uint32_t>> sources_by_row_;
    FamilyDiff out_;
    bool depends_ = false;
};

void add_missing(const Names& mine, const Names& theirs, const std::string& prefix,
                 std::vector<std::string>& out) {
    std::set<ObjectId> seen;
    for (const auto& [name, id] : mine)
        if (!theirs.contains(name) && seen.insert(id).second)
            out.push_back(prefix + name);
}

/// The text of a host endpoint's program; empty: it has none.
std::string program_text(const LoweredCluster& cluster, ObjectId object,
                         const decision::Group::Key& key) {
    const auto* found = cluster.find(object, key.direction, key.hook, key.family);
    return found == nullptr
               ? ""
               : decision::to_text(cluster.program(found->program), cluster.predicates);
}

void compare_other_hooks(const LoweredCluster& base, const LoweredCluster& head,
                         std::vector<std::string>& out) {
    using decision::Direction;
    using decision::Hook;
    for (const auto& [name, id] : base.host_endpoints_by_name) {
        const auto twin = head.host_endpoints_by_name.find(name);
        if (twin == head.host_endpoints_by_name.end())
            continue;
        bool same = true;
        for (const Hook hook : {Hook::Untracked, Hook::PreDnat, Hook::Forward})
            for (const Direction direction : {Direction::Ingress, Direction::Egress})
                for (const net::Family family : {net::Family::V4, net::Family::V6}) {
                    const decision::Group::Key key{direction, hook, family};
                    same = same &&
                           program_text(base, id, key) == program_text(head, twin->second, key);
                }
        if (!same)
            out.push_back(name);
    }
}

} // namespace

bool Diff::has(ChangeKind kind) const {
    for (const FamilyDiff& family : families)
        for (const FlowChange& change : family.changes)
            if (change.kind == kind)
                return true;
    return false;
}

Diff diff(const LoweredCluster& base, const LoweredCluster& head) {
    Diff out;
    out.atoms = HttpAtoms({&base, &head});
    const decision::Identities base_identities(base), head_identities(head);
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        const ConnectivityMap base_map(base, base_identities, family, out.atoms);
        const ConnectivityMap head_map(head, head_identities, family, out.atoms);
        out.families.push_back(
            FamilyDiffer(base, head, base_map, head_map, family).run(out.depends));
    }
    add_missing(base.workloads_by_name, head.workloads_by_name, "", out.gone);
    add_missing(base.host_endpoints_by_name, head.host_endpoints_by_name, "hep:", out.gone);
    add_missing(head.workloads_by_name, base.workloads_by_name, "", out.added);
    add_missing(head.host_endpoints_by_name, base.host_endpoints_by_name, "hep:", out.added);
    compare_other_hooks(base, head, out.other_hooks);
    return out;
}

} // namespace polecat::analyzer
