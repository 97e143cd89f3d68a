#include "ir/decision/program.h"

#include <algorithm>

namespace polecat::decision {

std::string_view to_string(Hook hook) {
    switch (hook) {
    case Hook::Normal:
        return "normal";
    case Hook::Forward:
        return "forward";
    case Hook::PreDnat:
        return "preDNAT";
    case Hook::Untracked:
        return "untracked";
    }
    return "normal";
}

std::string_view to_string(Direction direction) {
    return direction == Direction::Ingress ? "ingress" : "egress";
}

std::vector<PredicateId> predicates_of(const Program& program, bool source) {
    std::vector<PredicateId> out;
    for (const Stage& stage : program.stages)
        for (const Entry& entry : stage.entries)
            each_predicate(source ? entry.match->source : entry.match->destination,
                           [&](PredicateId id) { out.push_back(id); });
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

bool Attribution::any_enforced() const {
    return std::any_of(policies().begin(), policies().end(),
                       [](const PolicyBlock& each) { return !each.staged; });
}

} // namespace polecat::decision
