// Only pairs that can have changed are computed: a flow is judged by the egress policy of its
// source and the ingress policy of its destination, each of which sees no more of the two ends
// than their identities. Where both versions have these in common, so have they the verdict.
#include "analyzer/diff/family.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "analyzer/diff/split.h"
#include "analyzer/flows/side_flows.h"

namespace polecat::analyzer {

using decision::Direction;
using decision::ObjectId;

namespace {

using Id = SetStore::Id;
using Names = std::map<std::string, ObjectId>;
using Numbers = std::vector<std::uint32_t>;

/// What changed between two ends, by kind; ids of sets.
using Delta = std::array<Id, kChangeKinds>;

/// Outside addresses of groups, in address order.
std::vector<std::pair<net::Range, std::uint32_t>> outside_ranges(const EndGroups& ends) {
    std::vector<std::pair<net::Range, std::uint32_t>> out;
    for (std::uint32_t i = 0; i < ends.list().size(); ++i)
        for (const net::Range& range : ends.list()[i].outside.ranges())
            out.emplace_back(range, i);
    std::sort(out.begin(), out.end(),
              [](const auto& a, const auto& b) { return a.first.first < b.first.first; });
    return out;
}

class FamilyDiffer {
  public:
    FamilyDiffer(const DiffSide& base, const DiffSide& head, Sameness& same, net::Family family,
                 const HttpAtoms& atoms)
        : base_(base.cluster), head_(head.cluster), atoms_(atoms), same_(same),
          before_(base_, base.identities, family, atoms, store_),
          now_(head_, head.identities, family, atoms, store_) {
        out_.family = family;
    }

    FamilyDiff run(bool& depends, bool with_programs) {
        collect();
        compare_all();
        add_changes();
        if (with_programs)
            add_programs();
        depends = depends || depends_ || some_pair_depends();
        return std::move(out_);
    }

  private:
    /// An end's groups in the two versions, and what of it is not the same in both.
    struct End {
        std::uint32_t base = 0, head = 0;
        bool identity = false, egress = false, ingress = false;
    };

    // --- the ends --------------------------------------------------------------------------------

    void collect() {
        std::map<std::pair<std::uint32_t, std::uint32_t>, std::size_t> known;
        const auto add = [&](const Names& mine, const Names& theirs) {
            std::set<ObjectId> seen; // several names may stand for one object
            for (const auto& [name, id] : mine) {
                const auto twin = theirs.find(name);
                if (twin == theirs.end() || !seen.insert(id).second)
                    continue;
                const auto a = before_.ends().group_of(id), b = now_.ends().group_of(twin->second);
                if (!a || !b)
                    continue;
                const auto [place, added] = known.try_emplace({*a, *b}, ends_.size());
                if (added)
                    add_end(*a, *b);
                out_.ends[place->second].base.push_back(id);
                out_.ends[place->second].head.push_back(twin->second);
            }
        };
        add(base_.workloads_by_name, head_.workloads_by_name);
        add(base_.host_endpoints_by_name, head_.host_endpoints_by_name);
        collect_outside();
    }

    void collect_outside() {
        const auto before = outside_ranges(before_.ends()), now = outside_ranges(now_.ends());
        std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<net::Range>> common;
        for (auto a = before.begin(), b = now.begin(); a != before.end() && b != now.end();) {
            const net::Range both{std::max(a->first.first, b->first.first),
                                  std::min(a->first.last, b->first.last)};
            if (both.first <= both.last)
                common[{a->second, b->second}].push_back(both);
            ++(a->first.last < b->first.last ? a : b);
        }
        for (auto& [groups, ranges] : common) {
            add_end(groups.first, groups.second);
            out_.ends.back().outside = net::AddressSet::of(std::move(ranges));
        }
    }

    void add_end(std::uint32_t base, std::uint32_t head) {
        const EndGroup& a = before_.ends().list()[base];
        const EndGroup& b = now_.ends().list()[head];
        ends_.push_back(
            {base, head,
             !same_.identities(before_.ends().identity(base), now_.ends().identity(head)),
             a.unsure != b.unsure || !same_.programs(a.egress, b.egress),
             a.unsure != b.unsure || !same_.programs(a.ingress, b.ingress)});
        out_.ends.emplace_back();
    }

    // --- the pairs -------------------------------------------------------------------------------

    /// Its number, in the order in which they are found; nullopt: nothing changes.
    std::optional<std::uint32_t> delta(const SetBounds& before, const SetBounds& now) {
        depends_ = depends_ || !before.is_certain() || !now.is_certain();
        if (before == now)
            return std::nullopt;
        const auto [place, added] =
            numbers_.try_emplace({before.sure, before.may, now.sure, now.may},
                                 static_cast<std::uint32_t>(deltas_.size()));
        if (added) {
            const auto more = [&](const SetBounds& from, const SetBounds& to, Id certain) {
                const Id all = store_.unite(store_.subtract(to.sure, from.sure),
                                            store_.subtract(to.may, from.may));
                return store_.subtract(all, certain);
            };
            const Id opened = store_.subtract(now.sure, before.may);
            const Id closed = store_.subtract(before.sure, now.may);
            deltas_.push_back(
                {opened, more(before, now, opened), closed, more(now, before, closed)});
        }
        return place->second;
    }

    /// Ends of which the policy of `end` says another thing than before.
    void add_otherwise(Direction direction, const End& end,
                       const std::function<void(std::uint32_t)>& add) {
        const auto before = before_.row(direction, end.base);
        const auto now = now_.row(direction, end.head);
        for (std::uint32_t i = 0; i < ends_.size(); ++i)
            if (before[ends_[i].base] != now[ends_[i].head])
                add(i);
    }

    /// Destinations by source: pairs that may have changed.
    std::vector<Numbers> candidates() {
        std::vector<Numbers> out(ends_.size());
        Numbers moved;
        for (std::uint32_t i = 0; i < ends_.size(); ++i) {
            if (ends_[i].identity)
                moved.push_back(i);
            else if (ends_[i].ingress)
                add_otherwise(Direction::Ingress, ends_[i],
                              [&](std::uint32_t source) { out[source].push_back(i); });
        }
        for (std::uint32_t i = 0; i < ends_.size(); ++i) {
            Numbers& mine = out[i];
            if (ends_[i].identity) {
                mine.resize(ends_.size());
                std::iota(mine.begin(), mine.end(), 0u);
                continue;
            }
            mine.insert(mine.end(), moved.begin(), moved.end());
            if (ends_[i].egress)
                add_otherwise(Direction::Egress, ends_[i],
                              [&](std::uint32_t to) { mine.push_back(to); });
            std::sort(mine.begin(), mine.end());
            mine.erase(std::unique(mine.begin(), mine.end()), mine.end());
        }
        return out;
    }

    /// An endpoint and itself are no pair; what outside addresses send each other is nobody's.
    bool is_pair(std::uint32_t source, std::uint32_t to) const {
        const bool self = source == to && out_.ends[source].head.size() == 1;
        return !self && !(out_.ends[source].is_outside() && out_.ends[to].is_outside());
    }

    SetBounds before(std::uint32_t source, std::uint32_t to) {
        return before_.between(ends_[source].base, ends_[to].base);
    }
    SetBounds now(std::uint32_t source, std::uint32_t to) {
        return now_.between(ends_[source].head, ends_[to].head);
    }

    /// Destinations of a source by what changed towards them: the number of the delta.
    using Row = std::vector<std::pair<std::uint32_t, Numbers>>;

    void compare_all() {
        const auto all = candidates();
        for (std::uint32_t source = 0; source < ends_.size(); ++source) {
            std::map<std::uint32_t, Numbers> by_delta;
            for (const std::uint32_t to : all[source])
                if (is_pair(source, to))
                    if (const auto found = delta(before(source, to), now(source, to)))
                        by_delta[*found].push_back(to);
            if (!by_delta.empty())
                sources_by_row_[Row(by_delta.begin(), by_delta.end())].push_back(source);
        }
    }

    /// Only ends of which something is not known can make a flow depend.
    bool some_pair_depends() {
        for (std::uint32_t i = 0; i < ends_.size(); ++i) {
            if (before_.ends().identity(ends_[i].base).unknown.empty() &&
                now_.ends().identity(ends_[i].head).unknown.empty())
                continue;
            for (std::uint32_t other = 0; other < ends_.size(); ++other)
                if (is_pair(i, other) && (depends(i, other) || depends(other, i)))
                    return true;
        }
        return false;
    }

    bool depends(std::uint32_t source, std::uint32_t to) {
        const SetBounds old = before(source, to), recent = now(source, to);
        return !old.is_certain() || !recent.is_certain();
    }

    /// Outside addresses that differ in other flows only are told as one.
    void add(FlowChange change) {
        const bool outside =
            std::all_of(change.sources.begin(), change.sources.end(),
                        [&](std::uint32_t end) { return out_.ends[end].is_outside(); });
        if (!outside)
            return out_.changes.push_back(std::move(change));
        std::string causes;
        for (const Cause& cause : change.causes)
            causes += cause.before.text + "\n" + cause.now.text + "\n";
        const auto [place, added] = from_outside_.try_emplace(
            {change.kind, store_.intern(change.connections), change.destinations, causes},
            out_.changes.size());
        if (added)
            return out_.changes.push_back(std::move(change));
        Numbers& sources = out_.changes[place->second].sources; // the example is of the first
        sources.insert(sources.end(), change.sources.begin(), change.sources.end());
    }

    void add_changes() {
        CauseSplitter splitter({base_,
                                [&](std::uint32_t end) -> const decision::Identity& {
                                    return before_.ends().identity(ends_[end].base);
                                }},
                               {head_,
                                [&](std::uint32_t end) -> const decision::Identity& {
                                    return now_.ends().identity(ends_[end].head);
                                }},
                               out_.ends, atoms_, out_.family);
        for (const auto& [row, sources] : sources_by_row_)
            for (const auto& [found, destinations] : row)
                for (std::size_t kind = 0; kind < kChangeKinds; ++kind) {
                    if (deltas_[found][kind] == 0)
                        continue;
                    FlowChange change;
                    change.kind = static_cast<ChangeKind>(kind);
                    change.sources = sources;
                    change.destinations = destinations;
                    change.connections = store_[deltas_[found][kind]];
                    for (FlowChange& part : splitter.split(std::move(change)))
                        add(std::move(part));
                }
        std::stable_sort(out_.changes.begin(), out_.changes.end(),
                         [](const auto& a, const auto& b) {
                             return std::tie(a.kind, a.sources, a.destinations) <
                                    std::tie(b.kind, b.sources, b.destinations);
                         });
    }

    // --- programs --------------------------------------------------------------------------------

    /// What two programs say differently of an endpoint, by the other end.
    using Differences = std::map<Id, Numbers>;

    Differences differences(Direction direction, std::uint32_t end) {
        const auto before = before_.row(direction, ends_[end].base);
        const auto now = now_.row(direction, ends_[end].head);
        const auto apart = [&](Id a, Id b) {
            return store_.unite(store_.subtract(a, b), store_.subtract(b, a));
        };
        Differences out;
        for (std::uint32_t i = 0; i < ends_.size(); ++i) {
            const SetBounds& a = before[ends_[i].base];
            const SetBounds& b = now[ends_[i].head];
            if (!(a == b))
                out[store_.unite(apart(a.sure, b.sure), apart(a.may, b.may))].push_back(i);
        }
        return out;
    }

    void add_programs() {
        // Endpoints by what their programs are and say.
        std::map<std::tuple<Direction, std::optional<decision::ProgramId>,
                            std::optional<decision::ProgramId>, bool, Differences>,
                 std::vector<ObjectId>>
            own;
        for (std::uint32_t i = 0; i < ends_.size(); ++i)
            for (const Direction direction : {Direction::Ingress, Direction::Egress}) {
                // Where it is not known what governs a pod there is no program to ask about.
                if (out_.ends[i].is_outside() || before_.ends().list()[ends_[i].base].unsure ||
                    now_.ends().list()[ends_[i].head].unsure)
                    continue;
                Differences found = differences(direction, i);
                bool same = true;
                for (const auto& [set, peers] : found)
                    for (const std::uint32_t peer : peers)
                        same = same && !is_pair(i, peer);
                auto& list = own[{
                    direction, before_.ends().list()[ends_[i].base].program(direction),
                    now_.ends().list()[ends_[i].head].program(direction), same, std::move(found)}];
                list.insert(list.end(), out_.ends[i].base.begin(), out_.ends[i].base.end());
            }
        for (auto& [key, list] : own) {
            const auto& [direction, base, head, same, found] = key;
            if (!base && !head)
                continue;
            out_.programs.push_back({direction, base, head, std::move(list), same, {}});
            for (const auto& [set, peers] : found)
                out_.programs.back().differences.push_back({peers, store_[set]});
        }
    }

    const decision::LoweredCluster& base_;
    const decision::LoweredCluster& head_;
    const HttpAtoms& atoms_;
    SetStore store_;
    Sameness& same_;
    SideFlows before_, now_;
    std::vector<End> ends_;                              ///< as FamilyDiff::ends
    std::map<std::array<Id, 4>, std::uint32_t> numbers_; ///< of deltas, by before and now
    std::vector<Delta> deltas_;
    std::map<Row, Numbers> sources_by_row_;
    /// Changes by what they and their causes are, until they are sorted.
    std::map<std::tuple<ChangeKind, Id, Numbers, std::string>, std::size_t> from_outside_;
    FamilyDiff out_;
    bool depends_ = false;
};

} // namespace

FamilyDiff diff_family(const DiffSide& base, const DiffSide& head, Sameness& same,
                       net::Family family, const HttpAtoms& atoms, bool& depends,
                       bool with_programs) {
    return FamilyDiffer(base, head, same, family, atoms).run(depends, with_programs);
}

} // namespace polecat::analyzer
