#include "analyzer/routing/sessions/routing_lines.h"

namespace polecat::routing {

RoutingLines::RoutingLines(const policy::Cluster& cluster) {
    for (const policy::OtherObject& each : cluster.others)
        objects_.emplace(each.kind + " " + each.meta.name, &each);
    for (const policy::Node& node : cluster.nodes)
        if (const Span span = node.spec.span("bgp.asNumber"); span.known())
            own_as_[node.meta.name] = span;
}

Origin RoutingLines::field(const Origin& origin, std::string_view field) const {
    const auto found = objects_.find(origin.object);
    if (found == objects_.end())
        return origin;
    const Span span = found->second->spec.span(field);
    return span.known() ? Origin{origin.object, span} : origin;
}

Origin RoutingLines::as_of(const BgpNode& node) const {
    if (const auto found = own_as_.find(node.name); found != own_as_.end())
        return {"Node " + node.name, found->second};
    if (node.own_as)
        return node.origin; // an annotation
    const auto found = objects_.find("BGPConfiguration default");
    if (found == objects_.end())
        return {};
    return field({found->first, found->second->meta.span}, "asNumber");
}

} // namespace polecat::routing
