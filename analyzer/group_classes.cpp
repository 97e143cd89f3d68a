#include "analyzer/group_classes.h"

#include <algorithm>
#include <iterator>
#include <map>

namespace polecat::analyzer {

using decision::Identity;
using decision::PortMember;
using decision::PredicateId;
using decision::Tri;

namespace {

/// The members of one set with ports.
std::vector<PortMember> members_of(const Identity& identity, PredicateId id) {
    auto member = std::lower_bound(identity.port_members.begin(), identity.port_members.end(),
                                   PortMember{id, 0, 0});
    std::vector<PortMember> out;
    for (; member != identity.port_members.end() && member->predicate == id; ++member)
        out.push_back(*member);
    return out;
}

} // namespace

Identity restricted(const Identity& identity, const std::vector<PredicateId>& predicates) {
    Identity out;
    out.family = identity.family;
    const auto keep = [&](const std::vector<PredicateId>& from, std::vector<PredicateId>& into) {
        std::set_intersection(predicates.begin(), predicates.end(), from.begin(), from.end(),
                              std::back_inserter(into));
    };
    keep(identity.yes, out.yes);
    keep(identity.unknown, out.unknown);
    for (const PortMember& member : identity.port_members)
        if (std::binary_search(predicates.begin(), predicates.end(), member.predicate))
            out.port_members.push_back(member);
    return out;
}

GroupClasses::GroupClasses(std::vector<const Identity*> groups, std::size_t predicates)
    : identities_(std::move(groups)), members_(predicates), with_ports_(predicates),
      class_of_(identities_.size(), 0) {
    for (std::uint32_t i = 0; i < identities_.size(); ++i) {
        const Identity& identity = *identities_[i];
        for (const PredicateId id : identity.yes)
            members_[id.value].push_back({i, Tri::Yes});
        for (const PredicateId id : identity.unknown)
            members_[id.value].push_back({i, Tri::Unknown});
        for (const PortMember& member : identity.port_members) {
            auto& list = with_ports_[member.predicate.value];
            if (list.empty() || list.back() != i)
                list.push_back(i);
        }
    }
}

void GroupClasses::move(std::uint32_t group, std::uint32_t to) {
    if (class_of_[group] == 0)
        touched_.push_back(group);
    class_of_[group] = to;
}

void GroupClasses::refine(PredicateId predicate) {
    const std::vector<Member>& members = members_[predicate.value];
    next_.resize(std::max(next_.size(), std::size_t{count_} * 2), 0);
    std::vector<std::size_t> used;
    for (const Member& member : members) {
        const std::size_t from =
            std::size_t{class_of_[member.group]} * 2 + (member.truth == Tri::Yes ? 0 : 1);
        if (next_[from] == 0) {
            next_[from] = count_++;
            used.push_back(from);
        }
        move(member.group, next_[from]);
    }
    for (const std::size_t each : used)
        next_[each] = 0;
}

void GroupClasses::refine_by_ports(PredicateId predicate) {
    std::map<std::pair<std::uint32_t, std::vector<PortMember>>, std::uint32_t> next;
    for (const std::uint32_t group : with_ports_[predicate.value]) {
        const auto [place, added] = next.try_emplace(
            {class_of_[group], members_of(*identities_[group], predicate)}, count_);
        count_ += added ? 1 : 0;
        move(group, place->second);
    }
}

/// Where many are touched, looking at all is cheaper.
void GroupClasses::sort_touched() {
    if (touched_.size() * 16 < class_of_.size())
        return std::sort(touched_.begin(), touched_.end());
    touched_.clear();
    for (std::uint32_t group = 0; group < class_of_.size(); ++group)
        if (class_of_[group] != 0)
            touched_.push_back(group);
}

GroupClasses::Partition GroupClasses::partition(const std::vector<PredicateId>& predicates) {
    for (const PredicateId id : predicates) {
        refine(id);
        refine_by_ports(id);
    }
    sort_touched();
    Partition out;
    Identity nothing;
    nothing.family = identities_.empty() ? net::Family::V4 : identities_.front()->family;
    out.classes.push_back(std::move(nothing));
    // Classes on the way there are left empty: number those that are left.
    std::vector<std::uint32_t> number(count_, 0);
    for (const std::uint32_t group : touched_) {
        std::uint32_t& known = number[class_of_[group]];
        if (known == 0) {
            known = static_cast<std::uint32_t>(out.classes.size());
            out.classes.push_back(restricted(*identities_[group], predicates));
        }
        out.groups.emplace_back(group, known);
        class_of_[group] = 0;
    }
    touched_.clear();
    count_ = 1;
    return out;
}

std::vector<std::vector<std::uint32_t>> examples_of(const GroupClasses::Partition& partition,
                                                    std::size_t groups) {
    std::vector<std::vector<std::uint32_t>> out(partition.classes.size());
    const auto add = [&](std::uint32_t number, std::uint32_t group) {
        if (out[number].size() < 2)
            out[number].push_back(group);
    };
    auto next = partition.groups.begin();
    for (std::uint32_t group = 0; group < groups; ++group) {
        const bool listed = next != partition.groups.end() && next->first == group;
        add(listed ? next->second : 0, group);
        if (listed)
            ++next;
    }
    return out;
}

} // namespace polecat::analyzer
