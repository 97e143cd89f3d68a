#include "driver/bundle/changes.h"

#include <algorithm>
#include <map>
#include <set>

#include "artefact/bundle/bundle.h"
#include "support/listed.h"

namespace polecat::driver {

namespace {

/// Things by name, each with what it says as text.
using Said = std::map<std::string, std::string>;

ComeAndGone compared(const Said& before, const Said& after) {
    ComeAndGone out;
    for (const auto& [name, text] : after) {
        const auto was = before.find(name);
        if (was == before.end())
            out.come.push_back(name);
        else if (was->second != text)
            out.changed.push_back(name);
    }
    for (const auto& [name, text] : before)
        if (!after.contains(name))
            out.gone.push_back(name);
    return out;
}

Said nodes_of(const bundle::Contents& contents) {
    Said out;
    for (const auto& [name, node] : contents.nodes)
        out[name] = bundle::to_bytes(node);
    return out;
}

Said endpoints_of(const bundle::Contents& contents) {
    Said out;
    for (const auto& [name, node] : contents.nodes)
        for (bundle::EndpointRecord endpoint : node.endpoints) {
            bundle::NodeRecord only;
            only.groups.push_back(node.groups[endpoint.group]);
            endpoint.group = 0;
            std::string key = name;
            key += " " + endpoint.name;
            only.endpoints.push_back(std::move(endpoint));
            out[key] += bundle::to_bytes(only);
        }
    return out;
}

/// "ingress IPv4 of NetworkPolicy shop/web, ...": whom policies govern alike runs one program.
std::string program_name(const decision::Group::Key& key, const bundle::SlotsRecord& slots) {
    constexpr std::size_t kShown = 3;
    std::vector<std::string> policies, profiles;
    for (const decision::PolicyBlock& each : slots.policies)
        policies.push_back(policy::to_string(each.policy));
    for (const decision::Slot& each : slots.slots)
        if (policies.empty() && each.kind == decision::Slot::Kind::Rule && each.tier.empty())
            profiles.push_back(policy::to_string(each.policy));
    profiles.erase(std::unique(profiles.begin(), profiles.end()), profiles.end());
    std::string out{decision::to_string(key.direction)};
    if (key.hook != decision::Hook::Normal)
        out = std::string(decision::to_string(key.hook)) + " " + out;
    out += key.family == net::Family::V4 ? " IPv4 of " : " IPv6 of ";
    const auto& named = policies.empty() ? profiles : policies;
    return out + (named.empty() ? "no policy" : listed(named, kShown));
}

/// Numbers of predicates and identities are part of what they say: that of a base they keep.
/// Programs of one name are told together.
Said programs_of(const bundle::Contents& contents) {
    std::map<std::string, std::set<bundle::ContentId>> named;
    const auto add = [&](const bundle::GroupRecord& group) {
        for (const auto& [key, part] : group.programs)
            if (const auto slots = contents.slots.find(part.slots); slots != contents.slots.end())
                named[program_name(key, slots->second)].insert(part.program);
    };
    for (const auto& [name, node] : contents.nodes)
        for (const bundle::GroupRecord& group : node.groups)
            add(group);
    for (const bundle::TemplateRecord& each : contents.templates)
        add(each.group);
    Said out;
    for (const auto& [name, ids] : named)
        for (const bundle::ContentId& id : ids)
            if (const auto record = contents.programs.find(id); record != contents.programs.end())
                out[name] += bundle::hex(id) + bundle::to_bytes(record->second);
    return out;
}

Said predicates_of(const bundle::Contents& contents) {
    Said out;
    for (const auto& [number, record] : contents.predicates)
        out[to_string(record.predicate)] = bundle::to_bytes(record);
    return out;
}

Said addresses_of(const bundle::Contents& contents) {
    Said out;
    for (const auto& [address, number] : contents.addresses)
        out[net::to_string(address)] = std::to_string(number);
    return out;
}

} // namespace

bool BundleChanges::empty() const {
    return nodes.empty() && endpoints.empty() && programs.empty() && predicates.empty() &&
           addresses.empty() && !settings && !ranges && !places;
}

BundleChanges changes(const bundle::Contents& before, const bundle::Contents& after) {
    BundleChanges out;
    out.nodes = compared(nodes_of(before), nodes_of(after));
    out.endpoints = compared(endpoints_of(before), endpoints_of(after));
    out.programs = compared(programs_of(before), programs_of(after));
    out.predicates = compared(predicates_of(before), predicates_of(after));
    out.addresses = compared(addresses_of(before), addresses_of(after));
    out.settings = bundle::to_bytes(before.settings) != bundle::to_bytes(after.settings);
    out.ranges = bundle::to_bytes(before.ranges) != bundle::to_bytes(after.ranges);
    out.places = bundle::to_bytes(before.origins) != bundle::to_bytes(after.origins);
    return out;
}

} // namespace polecat::driver
