#include "analyzer/diff/same.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace polecat::analyzer {

using decision::EndMatch;
using decision::Entry;
using decision::Identity;
using decision::LoweredCluster;
using decision::PortMember;
using decision::PredicateId;
using decision::Program;
using decision::ProgramId;
using decision::Stage;

namespace {

using Translation = std::vector<std::optional<PredicateId>>;

/// False: the other version has no such predicate.
bool translate(std::vector<PredicateId>& list, const Translation& names) {
    for (PredicateId& each : list) {
        if (!names[each.value])
            return false;
        each = *names[each.value];
    }
    return true;
}

/// In the words of the other version, in an order that does not depend on numbers.
bool translate(EndMatch& match, const Translation* names) {
    auto& [all, none, numbers, not_numbers] = match;
    for (auto* list : {&all, &none}) {
        if (names != nullptr && !translate(*list, *names))
            return false;
        std::sort(list->begin(), list->end());
    }
    for (auto* ports : {&numbers, &not_numbers}) {
        if (!*ports)
            continue;
        if (names != nullptr && !translate((*ports)->named, *names))
            return false;
        std::sort((*ports)->named.begin(), (*ports)->named.end());
    }
    return true;
}

bool same_entries(const Entry& base, const Entry& head, const Translation& names) {
    if (base.action != head.action || base.staged != head.staged)
        return false;
    decision::Match mine = base.match, theirs = head.match;
    return translate(mine.source, &names) && translate(mine.destination, &names) &&
           translate(theirs.source, nullptr) && translate(theirs.destination, nullptr) &&
           mine == theirs;
}

/// The list in the words of the head, without what only the base has.
std::vector<PredicateId> common(const std::vector<PredicateId>& list, const Translation& names) {
    std::vector<PredicateId> out;
    for (const PredicateId each : list)
        if (names[each.value])
            out.push_back(*names[each.value]);
    std::sort(out.begin(), out.end());
    return out;
}

} // namespace

Sameness::Sameness(const LoweredCluster& base, const LoweredCluster& head)
    : base_(base), head_(head), in_head_(base.predicates.size()),
      in_both_(head.predicates.size(), false) {
    std::unordered_map<std::string, PredicateId> by_text;
    for (std::uint32_t i = 0; i < head.predicates.size(); ++i)
        by_text.emplace(decision::to_string(head.predicates[PredicateId{i}]), PredicateId{i});
    for (std::uint32_t i = 0; i < base.predicates.size(); ++i) {
        const auto found = by_text.find(decision::to_string(base.predicates[PredicateId{i}]));
        if (found == by_text.end())
            continue;
        in_head_[i] = found->second;
        in_both_[found->second.value] = true;
    }
}

bool Sameness::programs(std::optional<ProgramId> base, std::optional<ProgramId> head) {
    if (!base || !head)
        return !base && !head;
    const auto [place, added] = known_.try_emplace({base->value, head->value}, false);
    if (added)
        place->second = compare(base_.program(*base), head_.program(*head));
    return place->second;
}

bool Sameness::compare(const Program& base, const Program& head) const {
    const auto same_stages = [&](const Stage& a, const Stage& b) {
        return a.end == b.end &&
               std::equal(a.entries.begin(), a.entries.end(), b.entries.begin(), b.entries.end(),
                          [&](const Entry& mine, const Entry& theirs) {
                              return same_entries(mine, theirs, in_head_);
                          });
    };
    return base.hook == head.hook && base.direction == head.direction &&
           base.family == head.family && base.otherwise == head.otherwise &&
           std::equal(base.stages.begin(), base.stages.end(), head.stages.begin(),
                      head.stages.end(), same_stages);
}

bool Sameness::identities(const Identity& base, const Identity& head) const {
    const auto of_head = [&](const std::vector<PredicateId>& list) {
        std::vector<PredicateId> out;
        for (const PredicateId each : list)
            if (in_both_[each.value])
                out.push_back(each);
        std::sort(out.begin(), out.end());
        return out;
    };
    std::vector<PortMember> mine, theirs;
    for (PortMember each : base.port_members)
        if (in_head_[each.predicate.value]) {
            each.predicate = *in_head_[each.predicate.value];
            mine.push_back(each);
        }
    for (const PortMember& each : head.port_members)
        if (in_both_[each.predicate.value])
            theirs.push_back(each);
    std::sort(mine.begin(), mine.end());
    std::sort(theirs.begin(), theirs.end());
    return base.family == head.family && mine == theirs &&
           common(base.yes, in_head_) == of_head(head.yes) &&
           common(base.unknown, in_head_) == of_head(head.unknown);
}

} // namespace polecat::analyzer
