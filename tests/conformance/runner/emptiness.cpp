#include "tests/conformance/runner/emptiness.h"

#include <algorithm>

#include "ir/policy/scope.h"
#include "passes/lower.h"

namespace polecat::conformance {

using decision::Object;
using decision::ObjectId;
using policy::Direction;
using policy::EntityRule;
using policy::Policy;
using policy::Rule;

namespace {

net::AddressSet addresses_of(const EntityRule& entity) {
    net::AddressSet out;
    for (const auto& net : entity.nets)
        out = out | net::AddressSet::of(*net);
    if (entity.nets.empty())
        out = net::AddressSet::all(net::Family::V4) | net::AddressSet::all(net::Family::V6);
    for (const auto& net : entity.not_nets)
        out = out - net::AddressSet::of(*net);
    return out;
}

bool has_nets(const EntityRule& entity) {
    return !entity.nets.empty() || !entity.not_nets.empty();
}

std::string space_of(const Policy& policy) {
    return policy::is_global(policy.kind) ? "" : policy.meta.space;
}

const std::vector<Rule>& rules(const Policy& policy, Direction direction) {
    return direction == Direction::Ingress ? policy.ingress : policy.egress;
}

const EntityRule& own_side(const Rule& rule, Direction direction) {
    return direction == Direction::Ingress ? rule.destination : rule.source;
}
const EntityRule& other_side(const Rule& rule, Direction direction) {
    return direction == Direction::Ingress ? rule.source : rule.destination;
}

} // namespace

Selections::Selections(const Configuration& of) : of_(of) {
    for (const policy::OrderedTier& tier : of.policies.tiers)
        for (const Policy* policy : tier.policies) {
            Found& found = found_.emplace_back();
            found.policy = policy;
            const auto subject = policy::subject_of(*policy);
            const auto& objects = of.lowered.world.objects;
            for (std::uint32_t i = 0; i < objects.size(); ++i)
                if (objects[i].kind != Object::Kind::NetworkSet && objects[i].selectable &&
                    subject.matches(objects[i].labels))
                    found.subject.insert(ObjectId{i});
        }
}

const Selections::Found& Selections::find(const PolicyRef& policy) const {
    return *std::find_if(found_.begin(), found_.end(), [&](const Found& each) {
        return policy_name(*each.policy) == policy.name;
    });
}

const std::set<ObjectId>& Selections::subject(const PolicyRef& policy) const {
    return find(policy).subject;
}

/// By address; labels are somebody else's question.
bool Selections::is_within(const Object& object, const EntityRule& entity) const {
    if (!has_nets(entity))
        return true;
    const net::AddressSet allowed = addresses_of(entity);
    if (object.kind == Object::Kind::NetworkSet)
        return object.nets.intersects(allowed);
    return std::any_of(object.addresses.begin(), object.addresses.end(),
                       [&](const net::Address& each) { return allowed.contains(each); });
}

bool Selections::names_something(const EntityRule& entity, const Policy& policy) const {
    // By its ends alone: ports are not asked for. Nets are read by is_within, selectors below.
    const auto& [nets, not_nets, selector, not_selector, namespace_selector, accounts, services,
                 ports, not_ports, domains, nodes, span] = entity;
    if (services || nodes || !domains.empty())
        return true; // no selection of endpoints
    const auto peers = policy::peers_of(entity, space_of(policy));
    if (!peers)
        return !addresses_of(entity).empty(); // notSelector takes no outside address away
    const auto& objects = of_.lowered.world.objects;
    return std::any_of(objects.begin(), objects.end(), [&](const Object& object) {
        return object.selectable && peers->matches(object.labels) &&
               !(policy::is_present(entity.not_selector) &&
                 entity.not_selector->parsed.matches(object.labels)) &&
               is_within(object, entity);
    });
}

bool Selections::names_subject(const EntityRule& entity, const Found& found) const {
    const auto peers = policy::peers_of(entity, space_of(*found.policy));
    return std::any_of(found.subject.begin(), found.subject.end(), [&](ObjectId id) {
        const Object& object = of_.lowered.world.object(id);
        return (!peers || peers->matches(object.labels)) &&
               !(policy::is_present(entity.not_selector) &&
                 entity.not_selector->parsed.matches(object.labels)) &&
               is_within(object, entity);
    });
}

std::size_t Selections::empty_sides(const PolicyRef& policy, const RuleRef& rule) const {
    const Found& found = find(policy);
    std::size_t own = 0;
    bool others = false, any = false;
    for (const Rule& each : rules(*found.policy, rule.direction)) {
        if (each.manifest_index != rule.index)
            continue;
        any = true;
        others = others || names_something(other_side(each, rule.direction), *found.policy);
        if (!policy.is_kubernetes() && !names_subject(own_side(each, rule.direction), found))
            own = 1;
    }
    return any && !others ? own + 1 : own;
}

bool Selections::has_rule(const PolicyRef& policy, Direction direction,
                          policy::Action action) const {
    const auto& list = rules(*find(policy).policy, direction);
    return std::any_of(list.begin(), list.end(), [&](const Rule& rule) {
        return rule.action == action &&
               empty_sides(policy, RuleRef{direction, rule.manifest_index}) == 0;
    });
}

} // namespace polecat::conformance
