#include "analyzer/flows/program_view.h"

#include <algorithm>

namespace polecat::analyzer {

using decision::Identity;
using decision::PredicateId;

const std::vector<PredicateId>& ProgramEnds::asks_of_own() {
    if (!own_predicates_)
        own_predicates_ = predicates_of(program_, egress_);
    return *own_predicates_;
}

const std::vector<PredicateId>& ProgramEnds::asks_of_others() {
    if (!other_predicates_)
        other_predicates_ = predicates_of(program_, !egress_);
    return *other_predicates_;
}

std::uint32_t ProgramEnds::own_class_of(std::uint32_t group) {
    const auto [place, added] = own_class_of_.try_emplace(group, 0);
    if (added) {
        const auto next = static_cast<std::uint32_t>(own_numbers_.size());
        place->second = own_numbers_.try_emplace(own(ends_.identity(group)), next).first->second;
    }
    return place->second;
}

std::vector<GroupClass> ProgramEnds::own_classes() {
    auto out = with_examples(ends_.classes().partition(asks_of_own()), ends_.list().size());
    std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.seen < b.seen; });
    return out;
}

std::vector<GroupClass> ProgramEnds::own_classes(const std::set<std::uint32_t>& groups) {
    std::map<Identity, GroupClass> known;
    for (const std::uint32_t group : groups) {
        Identity seen = own(ends_.identity(group));
        known.try_emplace(seen, GroupClass{seen, 0, 0, 0}).first->second.add(group);
    }
    std::vector<GroupClass> out;
    for (auto& [seen, each] : known)
        out.push_back(std::move(each));
    return out;
}

const GroupClasses::Partition& ProgramEnds::others() {
    if (!others_)
        others_ = ends_.classes().partition(asks_of_others());
    return *others_;
}

std::uint32_t ProgramEnds::class_of(std::uint32_t group) {
    const auto& groups = others().groups;
    const auto place = std::lower_bound(
        groups.begin(), groups.end(), group,
        [](const auto& each, std::uint32_t wanted) { return each.first < wanted; });
    return place != groups.end() && place->first == group ? place->second : 0;
}

const std::vector<GroupClass>& ProgramEnds::other_classes() {
    if (!other_classes_)
        other_classes_ = with_examples(
            others_ ? *others_ : ends_.classes().partition(asks_of_others()), ends_.list().size());
    return *other_classes_;
}

std::vector<GroupClass> ProgramEnds::other_classes(const std::vector<PredicateId>& wanted) {
    return with_examples(ends_.classes().partition(asks_of_others(), wanted), std::nullopt);
}

std::optional<decision::Program> accepting_only(const decision::Program& program) {
    if (program.hook == decision::Hook::Normal)
        return std::nullopt;
    decision::Program out = program;
    out.otherwise = decision::Action::Deny;
    return out;
}

} // namespace polecat::analyzer
