// Rules that name the addresses of services by their range: policy sees pods' addresses.
#include <algorithm>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"

namespace polecat::lint {

using policy::OtherObject;

namespace {

struct Range {
    net::Cidr cidr;
    std::string object; ///< that says so
};

std::vector<Range> ranges_of(const policy::Cluster& cluster) {
    std::vector<Range> out;
    for (const OtherObject& each : cluster.others) {
        const bool bgp = each.kind == "BGPConfiguration" && each.meta.name == "default";
        if (!bgp && each.kind != "Installation")
            continue;
        const auto& spec = bgp ? each.spec : each.around;
        const std::string list = bgp ? "serviceClusterIPs" : "serviceCIDRs";
        for (std::size_t i = 0; i < spec.size(list); ++i)
            if (const auto cidr = spec.cidr(fmt::format("{}[{}]{}", list, i, bgp ? ".cidr" : "")))
                out.push_back({cidr->value, each.kind + " " + each.meta.name});
    }
    return out;
}

bool is_service(const policy::Cluster& cluster, const net::Cidr& net) {
    return net.prefix == net::width(net.family()) &&
           std::any_of(cluster.services.begin(), cluster.services.end(), [&](const auto& each) {
               return std::find(each.cluster_ips.begin(), each.cluster_ips.end(), net.base) !=
                      each.cluster_ips.end();
           });
}

} // namespace

void check_service_ranges(Context& context, Diagnostics& out) {
    const std::vector<Range> ranges = ranges_of(context.cluster);
    if (ranges.empty())
        return;
    each_rule(context, [&](const RuleView& view) {
        // A Deny there is for addresses of the range without a service, which nobody translates.
        if (*view.policy.pre_dnat || *view.policy.do_not_track ||
            view.rule.action == policy::Action::Deny)
            return;
        for (const policy::EntityRule* end : {&view.rule.source, &view.rule.destination})
            for (const At<net::Cidr>& net : end->nets)
                for (const Range& range : ranges) {
                    const bool inside = net->family() == range.cidr.family() &&
                                        net->prefix >= range.cidr.prefix &&
                                        range.cidr.contains(net->base);
                    if (!inside || is_service(context.cluster, net.value)) // told by its name
                        continue;
                    out.report(
                           Code::ServiceRangeInNets, net.span,
                           {net::to_string(net.value), net::to_string(range.cidr), range.object})
                        .about(name_of(view.policy))
                        .with_hint(is_kubernetes(view.policy)
                                       ? "select the pods behind the services"
                                       : "select the pods, or name a service by `services`");
                    break;
                }
    });
}

} // namespace polecat::lint
