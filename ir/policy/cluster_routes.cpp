#include "ir/policy/cluster_routes.h"

#include "ir/policy/felix.h"
#include "support/letters.h"

namespace polecat::policy {

namespace {

constexpr const char* kField = "programClusterRoutes";

/// The operator's one field sets those of both.
struct Mode {
    const char *name, *felix, *bird;
};
constexpr Mode kModes[] = {{"BIRD", "Disabled", "Enabled"},
                           {"Felix", "Enabled", "Disabled"},
                           {"FelixIPIPOnly", "EnabledIPIPOnly", "EnabledNoEncapOnly"}};

std::optional<RouteOwner> by_operator(const Cluster& cluster, const char* Mode::*half) {
    constexpr const char* kMode = "clusterRoutingMode";
    for (const OtherObject& each : cluster.others)
        for (const Mode& mode : kModes)
            if (each.kind == "Installation" && each.spec.is(kMode, mode.name))
                return RouteOwner{mode.*half, "Installation " + each.meta.name,
                                  each.spec.span(kMode)};
    return std::nullopt;
}

/// What Felix's environment says comes before any FelixConfiguration.
std::optional<std::string> of_environment(const Cluster& cluster, const std::string& field) {
    for (const Workload& each : cluster.workloads)
        for (const auto& [name, value] : each.felix_environment)
            if (lower_case(name) == "felix_" + lower_case(field))
                return value;
    return std::nullopt;
}

/// The FelixConfiguration that decides of a field on a node. nullptr: none has it.
const OtherObject* felix_with(const Cluster& cluster, std::string_view node,
                              std::string_view field) {
    const std::string own = "node." + std::string(node);
    for (const OtherObject& each : cluster.others)
        if (each.kind == "FelixConfiguration" && each.meta.name == own && each.spec.has(field))
            return &each;
    const OtherObject* all = default_felix(cluster);
    return all != nullptr && all->spec.has(field) ? all : nullptr;
}

} // namespace

RouteClasses RouteOwner::classes() const {
    const std::string text = lower_case(value);
    return {text == "enabled" || text == "enabledipiponly",
            text == "enabled" || text == "enablednoencaponly"};
}

std::optional<RouteOwner> routes_of_bird(const Cluster& cluster) {
    if (const OtherObject* bgp = default_object(cluster, "BGPConfiguration"))
        if (const auto written = bgp->spec.text(kField))
            return RouteOwner{written->value, "BGPConfiguration default", written->span};
    return by_operator(cluster, &Mode::bird);
}

std::optional<RouteClasses> routes_of_felix(const Cluster& cluster, std::string_view node) {
    std::optional<RouteClasses> out;
    const auto add = [&](const RouteClasses& more) {
        out = out ? RouteClasses{out->ipip || more.ipip, out->plain || more.plain} : more;
    };
    if (const auto set = of_environment(cluster, kField))
        add(RouteOwner{*set, {}, {}}.classes());
    else if (const OtherObject* felix = felix_with(cluster, node, kField))
        if (const auto written = felix->spec.text(kField))
            add(RouteOwner{written->value, {}, {}}.classes());
    if (const auto given = by_operator(cluster, &Mode::felix))
        add(given->classes());
    return out;
}

bool has_wireguard_on(const Cluster& cluster, std::string_view node, net::Family family) {
    const char* field = family == net::Family::V4 ? "wireguardEnabled" : "wireguardEnabledV6";
    if (const auto set = of_environment(cluster, field)) {
        const std::string text = lower_case(*set);
        return text != "false" && text != "0" && text != "no" && text != "n" && text != "f";
    }
    const OtherObject* felix = felix_with(cluster, node, field);
    return felix != nullptr && felix->spec.is_true(field);
}

} // namespace polecat::policy
