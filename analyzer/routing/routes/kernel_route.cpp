#include "analyzer/routing/routes/kernel_route.h"

#include <algorithm>

#include "analyzer/routing/propagation/exchange.h"

namespace polecat::routing {

std::optional<KernelRoute> kernel_route(const FamilyRouting& node, const std::vector<Path>& paths) {
    if (paths.empty())
        return std::nullopt;
    const Path* best = &paths.front();
    for (const Path& each : paths)
        if (clearly_better(each, *best) || (!each.session && !clearly_better(*best, each)))
            best = &each;
    KernelRoute out;
    out.prefix = best->route.prefix;
    out.blackhole = !best->session;
    const RouteVerdict verdict = evaluate_kernel(node, best->route);
    out.metric = verdict.route.metric;
    out.tunnel = verdict.tunnel;
    if (!verdict.accepted())
        out.rejected = verdict.trail.back();
    for (const Path& each : paths)
        if (each.route.next_hop && (&each == best || equally_good(each, *best)) &&
            (&each == best || evaluate_kernel(node, each.route).accepted()))
            out.next_hops.push_back(*each.route.next_hop);
    std::sort(out.next_hops.begin(), out.next_hops.end());
    out.next_hops.erase(std::unique(out.next_hops.begin(), out.next_hops.end()),
                        out.next_hops.end());
    return out;
}

} // namespace polecat::routing
