#include "analyzer/routing/diff/version_routes.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analyzer/routing/routes/kernel_route.h"

namespace polecat::routing {

std::string RouteState::text() const {
    std::vector<std::string> hops;
    for (std::size_t i = 0; i < next_hops.size() && i < 3; ++i)
        hops.push_back(net::to_string(next_hops[i]));
    if (next_hops.size() > hops.size())
        hops.push_back(fmt::format("{} more", next_hops.size() - hops.size()));
    std::string via = hops.empty() ? "by BGP" : fmt::format("via {}", fmt::join(hops, ", "));
    switch (kind) {
    case Kind::None:
        return "no route";
    case Kind::Own:
        return "its own";
    case Kind::KeptOut:
        return "kept out of the kernel";
    case Kind::Felix:
        return "written by Felix";
    case Kind::Direct:
        return via;
    case Kind::Tunnel:
        return fmt::format("{} through {}", via, kTunnelDevice);
    }
    return "";
}

VersionRoutes::VersionRoutes(const RoutingVersion& version, net::Family family)
    : routers(fabric_routers(version.cluster, version.nodes)),
      model(version.routing, routers.list, family, version.lower), version_(version),
      family_(family) {
    for (const NodeRouting& node : version.nodes)
        forms_.emplace(node.node, &node);
    for (const policy::FabricRouter& each : routers.list)
        if (each.address.value.family == family)
            of_family_.push_back(each);
    originated_ = model.prefixes();
}

std::optional<net::Address> VersionRoutes::address(NodeIndex node) const {
    const auto& address = routing().nodes[node].of(family_);
    return address ? std::optional(address->address) : std::nullopt;
}

const policy::FabricRouter* VersionRoutes::router(const net::Address& address) const {
    for (const policy::FabricRouter& each : of_family_)
        if (each.address.value == address)
            return &each;
    return nullptr;
}

std::string VersionRoutes::title(const net::Address& address) const {
    const policy::FabricRouter* found = router(address);
    const std::string text = net::to_string(address);
    return found == nullptr || found->name.empty() ? text
                                                   : fmt::format("{} ({})", found->name, text);
}

const FamilyRouting* VersionRoutes::form(const std::string& node) const {
    const auto found = forms_.find(node);
    return found == forms_.end() ? nullptr : &found->second->of(family_);
}

const Session* VersionRoutes::session(const std::string& node, const net::Address& router) const {
    if (const FamilyRouting* of = form(node))
        for (const Session& each : of->sessions)
            if (each.neighbor == router)
                return &each;
    return nullptr;
}

// --- kernels -------------------------------------------------------------------------------------

Origin VersionRoutes::session_origin(const FamilyRouting& form, const Path& path) const {
    if (path.journey.empty())
        return {};
    const auto last = path.journey.back();
    const std::size_t nodes = routing().nodes.size();
    const auto neighbor =
        last < nodes ? address(last) : std::optional(of_family_[last - nodes].address.value);
    for (const Session& each : form.sessions)
        if (each.neighbor == neighbor)
            return each.origin;
    return routing().mesh_origin;
}

RouteState VersionRoutes::state(NodeIndex node, const net::Cidr& prefix) {
    RouteState out;
    const FamilyRouting* of = form(routing().nodes[node].name);
    if (of == nullptr || !std::binary_search(originated_.begin(), originated_.end(), prefix))
        return out;
    const auto learnt = model.learnt(node, prefix);
    const auto own = std::find_if(learnt.paths.begin(), learnt.paths.end(),
                                  [](const Path& each) { return !each.session; });
    if (own != learnt.paths.end()) {
        out.kind = RouteState::Kind::Own;
        return out;
    }
    Route any;
    any.prefix = prefix;
    const auto written = evaluate_kernel(*of, any);
    const Step& step = written.trail.back();
    if (step.kind == StepKind::KernelPool || step.kind == StepKind::ServiceRange)
        out.pool = step.origin;
    if (!written.accepted()) {
        out.kind =
            step.kind == StepKind::KernelPool ? RouteState::Kind::Felix : RouteState::Kind::KeptOut;
        return out;
    }
    const auto route = kernel_route(*of, learnt.paths);
    if (!route || route->rejected)
        return out;
    out.kind = route->tunnel ? RouteState::Kind::Tunnel : RouteState::Kind::Direct;
    if (learnt.known)
        out.next_hops = route->next_hops;
    out.session = session_origin(*of, learnt.paths.front());
    return out;
}

std::map<std::string, Origin> VersionRoutes::originators(const net::Cidr& prefix) const {
    std::map<std::string, Origin> out;
    for (const auto& [node, role] : model.roles(prefix))
        for (const Block& block : routing().nodes[node].blocks)
            if (block.originates && block.cidr == prefix)
                out.emplace(routing().nodes[node].name, block.origin);
    return out;
}

// --- routers -------------------------------------------------------------------------------------

std::optional<std::string> VersionRoutes::announcer(const net::Address& address,
                                                    const net::Cidr& prefix) {
    const policy::FabricRouter* found = router(address);
    if (found == nullptr)
        return std::nullopt;
    const auto& run = model.run(prefix);
    const std::size_t speaker =
        run.groups.size() + static_cast<std::size_t>(found - of_family_.data());
    const auto& paths = run.spread.paths[speaker];
    const auto from =
        std::min_element(paths.begin(), paths.end(), [](const auto& a, const auto& b) {
            return a.journey.size() < b.journey.size();
        });
    if (from == paths.end() || from->journey.back() >= run.groups.size())
        return std::nullopt;
    const auto& group = run.groups[from->journey.back()];
    const auto roles = model.roles(prefix);
    for (const NodeIndex node : model.classes().members[group.of_class]) {
        const auto role = roles.find(node);
        if ((role == roles.end() ? 0 : role->second) == group.role)
            return routing().nodes[node].name;
    }
    return std::nullopt;
}

VersionRoutes::Why VersionRoutes::why_announced(const std::string& node, const net::Address& router,
                                                const net::Cidr& prefix) {
    const Session* to = session(node, router);
    const auto learnt = model.learnt(*routing().find(node), prefix);
    if (to == nullptr || learnt.paths.empty())
        return {};
    const auto verdict = evaluate_export(*form(node), *to, learnt.paths.front().route);
    const Step& step = verdict.trail.back();
    if (!verdict.accepted() || step.kind != StepKind::MissingDecision)
        return {to_string(step), step.origin, false};
    return {"", to->origin, false};
}

VersionRoutes::Why VersionRoutes::why_not_announced(const std::string& node,
                                                    const net::Address& address,
                                                    const net::Cidr& prefix,
                                                    VersionRoutes& before) {
    const auto index = routing().find(node);
    const Session* then = before.session(node, address);
    const Origin old = then != nullptr ? then->origin : Origin{};
    if (!index || form(node) == nullptr)
        return {fmt::format("node {} is gone", node), old, true};
    const Session* to = session(node, address);
    if (to == nullptr)
        return {fmt::format("node {} has no session with it", node), old, true};
    const policy::FabricRouter* with = router(address);
    if (with == nullptr || with->as_number.value != to->neighbor_as ||
        (with->node_as_number && with->node_as_number->value != to->local_as))
        return {fmt::format("the session with node {} does not establish", node), to->origin,
                false};
    const auto learnt = model.learnt(*index, prefix);
    if (learnt.paths.empty()) {
        const Why why = before.why_announced(node, address, prefix);
        return {fmt::format("node {} has no route to it", node), why.origin, true};
    }
    const auto verdict = evaluate_export(*form(node), *to, learnt.paths.front().route);
    if (!verdict.accepted())
        return {fmt::format("node {}: {}", node, to_string(verdict.trail.back())),
                verdict.trail.back().origin, false};
    return {fmt::format("node {}: BGP's own rules keep it back", node), to->origin, false};
}

} // namespace polecat::routing
