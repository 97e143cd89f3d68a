#include "analyzer/ends/group_classes.h"

#include <algorithm>
#include <bit>

namespace polecat::analyzer {

using decision::Identity;
using decision::PortMember;
using decision::PredicateId;

Identity restricted(const Identity& identity, const std::vector<PredicateId>& predicates) {
    Identity out;
    out.family = identity.family;
    // A few predicates of many: each is searched for.
    auto yes = identity.yes.begin();
    auto unknown = identity.unknown.begin();
    auto member = identity.port_members.begin();
    const auto keep = [](PredicateId id, auto& from, auto end, std::vector<PredicateId>& into) {
        from = std::lower_bound(from, end, id);
        if (from != end && *from == id)
            into.push_back(id);
    };
    for (const PredicateId id : predicates) {
        keep(id, yes, identity.yes.end(), out.yes);
        keep(id, unknown, identity.unknown.end(), out.unknown);
        member = std::lower_bound(member, identity.port_members.end(), PortMember{id, 0, 0});
        for (; member != identity.port_members.end() && member->predicate == id; ++member)
            out.port_members.push_back(*member);
    }
    return out;
}

GroupClasses::GroupClasses(std::vector<const Identity*> groups, std::size_t predicates)
    : identities_(std::move(groups)), members_(predicates), ports_(predicates),
      class_of_(identities_.size(), 0), wanted_(identities_.size(), false) {
    const auto add = [&](PredicateId id, Member member) {
        Members& members = members_[id.value];
        members.list.push_back(member);
        members.kinds = std::max(members.kinds, member.kind + 1);
    };
    for (std::uint32_t i = 0; i < identities_.size(); ++i) {
        for (const PredicateId id : identities_[i]->yes)
            add(id, {i, 0});
        for (const PredicateId id : identities_[i]->unknown)
            add(id, {i, 1});
        add_ports(i);
    }
}

void GroupClasses::add_ports(std::uint32_t group) {
    const std::vector<PortMember>& all = identities_[group]->port_members;
    for (auto first = all.begin(); first != all.end();) {
        const PredicateId id = first->predicate;
        const auto last = std::find_if(
            first, all.end(), [&](const PortMember& each) { return each.predicate != id; });
        Members& members = ports_[id.value];
        const auto [place, added] =
            kinds_of_ports_.try_emplace({id, std::vector(first, last)}, members.kinds);
        if (added) {
            ++members.kinds;
            members.ports.emplace_back(first, last);
        }
        members.list.push_back({group, place->second});
        first = last;
    }
}

void GroupClasses::move(std::uint32_t group, std::uint32_t to) {
    if (class_of_[group] == 0)
        touched_.push_back(group);
    class_of_[group] = to;
}

template <class Wanted>
void GroupClasses::refine(PredicateId predicate, bool by_ports, const Wanted& wanted) {
    const Members& members = (by_ports ? ports_ : members_)[predicate.value];
    next_.resize(std::max(next_.size(), cuts_.size() * members.kinds), 0);
    std::vector<std::size_t> used;
    for (const Member& member : members.list) {
        if (!wanted(member.group))
            continue;
        const std::uint32_t old = class_of_[member.group];
        const std::size_t from = std::size_t{old} * members.kinds + member.kind;
        if (next_[from] == 0) {
            next_[from] = static_cast<std::uint32_t>(cuts_.size());
            cuts_.push_back({old, predicate, member.kind, by_ports});
            used.push_back(from);
        }
        move(member.group, next_[from]);
    }
    for (const std::size_t each : used)
        next_[each] = 0;
}

/// What its groups have of the predicates is what it was cut by.
Identity GroupClasses::seen_of(std::uint32_t number) const {
    Identity out;
    out.family = identities_.empty() ? net::Family::V4 : identities_.front()->family;
    for (; number != 0; number = cuts_[number].from) {
        const Cut& cut = cuts_[number];
        if (cut.by_ports) {
            const auto& ports = ports_[cut.predicate.value].ports[cut.kind];
            out.port_members.insert(out.port_members.end(), ports.rbegin(), ports.rend());
        } else {
            (cut.kind == 0 ? out.yes : out.unknown).push_back(cut.predicate);
        }
    }
    std::reverse(out.yes.begin(), out.yes.end()); // predicates cut in ascending order
    std::reverse(out.unknown.begin(), out.unknown.end());
    std::reverse(out.port_members.begin(), out.port_members.end());
    return out;
}

/// By a bit for each group: nearly always cheaper than to compare them.
void GroupClasses::sort_touched() {
    constexpr std::size_t kFew = 32;
    if (touched_.size() <= kFew)
        return std::sort(touched_.begin(), touched_.end());
    constexpr std::uint32_t kWidth = 64;
    std::vector<std::uint64_t> bits(class_of_.size() / kWidth + 1, 0);
    for (const std::uint32_t group : touched_)
        bits[group / kWidth] |= std::uint64_t{1} << group % kWidth;
    auto next = touched_.begin();
    for (std::uint32_t i = 0; i < bits.size(); ++i)
        for (std::uint64_t rest = bits[i]; rest != 0; rest &= rest - 1)
            *next++ = i * kWidth + static_cast<std::uint32_t>(std::countr_zero(rest));
}

template <class Wanted>
GroupClasses::Partition GroupClasses::cut(const std::vector<PredicateId>& predicates,
                                          const Wanted& wanted) {
    cuts_.assign(1, {});
    for (const PredicateId id : predicates) {
        refine(id, false, wanted);
        refine(id, true, wanted);
    }
    sort_touched();
    Partition out;
    out.classes.push_back(seen_of(0));
    // Classes on the way there are left empty: number those that are left.
    std::vector<std::uint32_t> number(cuts_.size(), 0);
    out.groups.reserve(touched_.size());
    for (const std::uint32_t group : touched_) {
        std::uint32_t& known = number[class_of_[group]];
        if (known == 0) {
            known = static_cast<std::uint32_t>(out.classes.size());
            out.classes.push_back(seen_of(class_of_[group]));
        }
        out.groups.emplace_back(group, known);
        class_of_[group] = 0;
    }
    touched_.clear();
    return out;
}

GroupClasses::Partition GroupClasses::partition(const std::vector<PredicateId>& predicates) {
    return cut(predicates, [](std::uint32_t) { return true; });
}

/// Groups of one class have all of `predicates` alike: a class is wanted or not as a whole.
GroupClasses::Partition GroupClasses::partition(const std::vector<PredicateId>& predicates,
                                                const std::vector<PredicateId>& wanted) {
    const auto mark = [&](bool value) {
        for (const PredicateId id : wanted)
            for (const auto* members : {&members_[id.value], &ports_[id.value]})
                for (const Member& member : members->list)
                    wanted_[member.group] = value;
    };
    mark(true);
    Partition out = cut(predicates, [this](std::uint32_t group) { return wanted_[group]; });
    mark(false);
    return out;
}

std::vector<GroupClass> with_examples(GroupClasses::Partition partition,
                                      std::optional<std::size_t> all) {
    std::vector<GroupClass> out;
    for (Identity& seen : partition.classes)
        out.push_back({std::move(seen), 0, 0, 0});
    std::uint32_t first = 0, second = 1; // that are not listed
    for (const auto& [group, number] : partition.groups) {
        out[number].add(group);
        first += group == first ? 1 : 0;
        second = std::max(second, first + 1);
        second += group == second ? 1 : 0;
    }
    if (all) {
        out.front().groups = *all - partition.groups.size();
        out.front().group = first;
        out.front().second = second;
    }
    std::erase_if(out, [](const GroupClass& each) { return each.groups == 0; });
    return out;
}

} // namespace polecat::analyzer
