#include "driver/which/which.h"

#include <algorithm>

#include <fmt/format.h>

#include "analyzer/expectations/names.h"
#include "frontend/expectation_text.h"
#include "frontend/selector/parse.h"
#include "ir/decision/match.h"
#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::driver {

using decision::Direction;
using decision::Hook;

namespace {

std::vector<std::string> selected(const decision::LoweredCluster& cluster,
                                  const selector::Selector& selector) {
    std::vector<std::string> out;
    for (const decision::Endpoint& endpoint : cluster.endpoints) {
        const decision::Object& object = cluster.world.object(endpoint.object);
        if (object.selectable && selector.matches(object.labels))
            out.push_back(name_of(cluster, endpoint.object));
    }
    std::sort(out.begin(), out.end());
    return out;
}

} // namespace

Result<SelectedEndpoints> endpoints_of_selector(const decision::LoweredCluster& cluster,
                                                const std::string& selector,
                                                const std::string& space) {
    frontend::SelectorError error;
    const auto parsed = frontend::parse_selector(selector, &error);
    if (!parsed)
        return Error{error.message};
    if (space.empty())
        return SelectedEndpoints{selector, {}, selected(cluster, *parsed)};
    const auto of_space = selector::Selector::equal(std::string(policy::kNamespaceLabel), space);
    return SelectedEndpoints{selector + " in namespace " + space,
                             {},
                             selected(cluster, selector::Selector::all_of({*parsed, of_space}))};
}

Result<std::vector<SelectedEndpoints>> endpoints_of_policy(const passes::Lowered& lowered,
                                                           const std::string& name) {
    std::vector<SelectedEndpoints> out;
    std::vector<std::string> names;
    for (const policy::OrderedTier& tier : lowered.policies.tiers)
        for (const policy::Policy* each : tier.policies) {
            const auto& meta = each->meta;
            names.push_back(full_name(meta));
            if (names.back() == name)
                out.push_back({fmt::format("{} {} (tier {})", each->manifest_kind, name, tier.name),
                               meta.span, selected(lowered.cluster, policy::subject_of(*each))});
        }
    if (!out.empty())
        return out;
    std::vector<std::string> meant; // its namespace was left out
    for (const std::string& each : names)
        if (each.ends_with("/" + name))
            meant.push_back("`" + each + "`");
    const std::vector<std::string_view> known(names.begin(), names.end());
    if (const auto near = diag::nearest(name, known); meant.empty() && near)
        meant.push_back("`" + *near + "`");
    std::sort(meant.begin(), meant.end());
    return Error{fmt::format("there is no policy `{}`{}", name,
                             meant.empty() ? "" : "; did you mean " + listed(meant) + "?")};
}

Result<Governed> policies_of_endpoint(const decision::LoweredCluster& cluster,
                                      const std::string& name) {
    const auto end = frontend::parse_end(name);
    if (!end)
        return Error{end.error()};
    const auto object = analyzer::find_object(cluster, *end);
    if (!object)
        return Error{object.error() + "; for the endpoints of a policy write policy:NAME"};
    Governed out{*object, {}, false, false, {}, ""};
    for (const Hook hook : {Hook::Normal, Hook::Forward, Hook::PreDnat, Hook::Untracked})
        for (const Direction direction : {Direction::Ingress, Direction::Egress}) {
            const auto* program = cluster.find(*object, direction, hook, net::Family::V4);
            if (program == nullptr)
                program = cluster.find(*object, direction, hook, net::Family::V6);
            if (program != nullptr)
                out.by.push_back({direction, hook, program->slots.policies()});
        }
    const decision::Endpoint* endpoint = cluster.endpoint_of(*object);
    if (endpoint == nullptr)
        return out;
    if (const decision::Object& known = cluster.world.object(*object); known.unread.known())
        out.doubt = reason_of(decision::unread_set_of(known));
    out.is_host_endpoint = endpoint->is_host_endpoint;
    out.on_host_network = endpoint->host_network;
    for (const auto& [host, id] : cluster.host_endpoints_by_name)
        if (endpoint->host_network && cluster.endpoint_of(id)->node == endpoint->node)
            out.hosts.push_back(host);
    return out;
}

} // namespace polecat::driver
