#include "driver/diff/unseen.h"

#include <algorithm>
#include <set>

#include "ir/policy/extent.h"
#include "ir/policy/scope.h"

namespace polecat::driver {

namespace {

using decision::Direction;
using policy::Extent;
using policy::Policy;

bool is_known(const Extent& extent, const Policy& policy, const policy::EntityRule& end) {
    const auto peers = policy::peers_of(end, policy.meta.space);
    return !peers || extent.known(*peers, policy::Ends::Peers).has_value();
}

/// Everything that the policy could match is in the input.
bool is_known(const Extent& extent, const Policy& policy) {
    const auto rules_known = [&](const std::vector<policy::Rule>& rules) {
        return std::all_of(rules.begin(), rules.end(), [&](const policy::Rule& rule) {
            return is_known(extent, policy, rule.source) &&
                   is_known(extent, policy, rule.destination);
        });
    };
    return extent.known_endpoints_of(policy) && rules_known(policy.ingress) &&
           rules_known(policy.egress);
}

/// Adds those of `names` that are enforced and may match more than the input shows.
void add_open(const DiffSide& side, const std::set<std::string>& names,
              std::set<std::string>& out) {
    const Extent extent(side.cluster);
    for (const policy::OrderedTier& tier : side.policies.tiers)
        for (const Policy* each : tier.policies) {
            const std::string name = policy::to_string(policy_name(*each));
            if (names.contains(name) && !policy::is_staged(each->kind) && !is_known(extent, *each))
                out.insert(name);
        }
}

bool is_named(const DiffReport& report, const std::string& policy) {
    const auto by = [&](const analyzer::Decider& decider) {
        return decider.text == policy || decider.text.starts_with(policy + " ");
    };
    return std::any_of(report.rows.begin(), report.rows.end(), [&](const DiffRow& row) {
        return std::any_of(row.causes.begin(), row.causes.end(), [&](const analyzer::Cause& cause) {
            return by(cause.before) || by(cause.now);
        });
    });
}

/// Policies without which an endpoint with changed flows would have none in that direction.
class Isolating {
  public:
    Isolating(const DiffReport& report, const DiffSide& base, const DiffSide& head) {
        for (const analyzer::FamilyDiff& family : report.diff.families) {
            std::set<std::uint32_t> sources, destinations;
            for (const analyzer::FlowChange& change : family.changes) {
                sources.insert(change.sources.begin(), change.sources.end());
                destinations.insert(change.destinations.begin(), change.destinations.end());
            }
            const auto add_all = [&](const std::set<std::uint32_t>& ends, Direction direction) {
                for (const std::uint32_t end : ends) {
                    add(base.lowered, family.ends[end].base, direction, family.family);
                    add(head.lowered, family.ends[end].head, direction, family.family);
                }
            };
            add_all(sources, Direction::Egress);
            add_all(destinations, Direction::Ingress);
        }
    }
    bool has(const std::string& policy) const { return names_.contains(policy); }

  private:
    void add(const decision::LoweredCluster& cluster, const std::vector<decision::ObjectId>& of,
             Direction direction, net::Family family) {
        for (const decision::ObjectId id : of) {
            const auto* program = cluster.find_at_end(id, direction, family);
            if (program == nullptr || !seen_.insert(program->slots.identity()).second)
                continue;
            std::vector<std::string> found;
            for (const decision::PolicyBlock& block : program->slots.policies())
                if (!block.staged)
                    found.push_back(policy::to_string(block.policy));
            if (found.size() == 1)
                names_.insert(found.front());
        }
    }

    std::set<const void*> seen_;
    std::set<std::string> names_;
};

} // namespace

std::vector<std::string> unseen_changes(const DiffReport& report, const DiffSide& base,
                                        const DiffSide& head) {
    const Isolating isolating(report, base, head);
    std::set<std::string> names, open;
    for (const auto* list :
         {&report.policies.added, &report.policies.gone, &report.policies.changed})
        for (const std::string& each : *list)
            // One that changed may open more elsewhere than what it closes here.
            if (!is_named(report, each) &&
                (list == &report.policies.changed || !isolating.has(each)))
                names.insert(each);
    if (names.empty())
        return {};
    add_open(base, names, open);
    add_open(head, names, open);
    return {open.begin(), open.end()};
}

} // namespace polecat::driver
