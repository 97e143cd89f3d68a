#include "analyzer/lint/rules/far_side.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::lint {

using decision::Direction;
using decision::Object;
using decision::ObjectId;
using policy::Policy;

namespace {

const std::vector<policy::Rule>& rules_of(const Policy& policy, Direction direction) {
    return direction == Direction::Ingress ? policy.ingress : policy.egress;
}

/// Workloads that the Allow rules of one direction name; nullopt: they name others, too.
std::optional<std::set<ObjectId>> peers_named(Context& context, const Policy& policy,
                                              Direction direction) {
    std::set<ObjectId> out;
    for (const policy::Rule& rule : rules_of(policy, direction)) {
        if (rule.action != policy::Action::Allow)
            continue;
        const auto& far = direction == Direction::Ingress ? rule.source : rule.destination;
        const auto peers =
            policy::peers_of(far, policy::is_global(policy.kind) ? "" : policy.meta.space);
        if (!peers || !far.nets.empty())
            return std::nullopt;
        for (const ObjectId id : context.select(*peers))
            if (context.object(id).kind == Object::Kind::Workload)
                out.insert(id);
    }
    return out.empty() ? std::nullopt : std::optional(std::move(out));
}

/// It lets something through between its endpoints and these.
bool may_let_through(Context& context, const Policy& policy, Direction direction,
                     const std::set<ObjectId>& others) {
    for (const policy::Rule& rule : rules_of(policy, direction)) {
        const auto& far = direction == Direction::Ingress ? rule.source : rule.destination;
        const auto peers =
            policy::peers_of(far, policy::is_global(policy.kind) ? "" : policy.meta.space);
        if (rule.action == policy::Action::Deny || rule.action == policy::Action::Log)
            continue;
        if (!peers || !far.nets.empty())
            return true;
        for (const ObjectId id : context.select(*peers))
            if (others.contains(id))
                return true;
    }
    return false;
}

} // namespace

void PeerIsolation::index() {
    indexed_ = true;
    each_policy(context_, [&](const policy::OrderedTier&, const Policy& each) {
        const std::size_t place = policies_.size();
        policies_.push_back(&each);
        for (const ObjectId id : context_.select(policy::subject_of(each))) {
            if (each.ingress_type)
                governing_[{Direction::Ingress, id}].push_back(place);
            if (each.egress_type)
                governing_[{Direction::Egress, id}].push_back(place);
        }
    });
}

/// Policies that isolate workloads in a direction and let nothing through to or from the others;
/// empty: one of them is open.
std::vector<std::string> PeerIsolation::isolating(const std::set<ObjectId>& workloads,
                                                  Direction direction,
                                                  const std::set<ObjectId>& others) {
    if (!indexed_)
        index();
    std::set<std::size_t> places;
    for (const ObjectId id : workloads) {
        const auto governing = governing_.find({direction, id});
        if (governing == governing_.end())
            return {};
        places.insert(governing->second.begin(), governing->second.end());
    }
    std::vector<std::string> out;
    for (const std::size_t place : places) {
        if (may_let_through(context_, *policies_[place], direction, others))
            return {};
        out.push_back(name_of(*policies_[place]));
    }
    return out;
}

std::string PeerIsolation::of(const Policy& policy) {
    for (const Direction direction : {Direction::Ingress, Direction::Egress}) {
        const bool in = direction == Direction::Ingress;
        const auto peers = peers_named(context_, policy, direction);
        if (!peers)
            continue;
        const auto selected = context_.select(policy::subject_of(policy));
        const auto by = isolating(*peers, in ? Direction::Egress : Direction::Ingress,
                                  {selected.begin(), selected.end()});
        if (!by.empty())
            return fmt::format("whom it lets {} is isolated in {} by {}: look there first",
                               in ? "in" : "reach others", in ? "egress" : "ingress", listed(by));
    }
    return {};
}

} // namespace polecat::lint
