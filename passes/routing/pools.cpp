// IP pools: whether they are announced, and who writes their routes into the kernel.
#include <algorithm>

#include "ir/policy/cluster_routes.h"
#include "ir/policy/pools.h"
#include "passes/routing/parts.h"

namespace polecat::passes::routing_parts {

void add_pools(const Input& input, routing::ClusterRouting& into) {
    const auto said = policy::routes_of_bird(input.cluster);
    const policy::RouteClasses by_bird =
        said ? said->classes() : policy::RouteClasses{.ipip = false, .plain = true};
    into.tunnels_by_felix = !by_bird.ipip;
    for (const policy::Pool& pool : policy::pools_of(input.cluster)) {
        routing::Pool out{pool.cidr,
                          pool.exported,
                          routing::KernelAction::Direct,
                          false,
                          {pool.object, pool.span}};
        const bool v4 = pool.cidr.family() == net::Family::V4;
        const bool ipip = policy::uses_ipip(pool);
        if (policy::uses_vxlan(pool) || !(ipip ? by_bird.ipip : by_bird.plain))
            out.kernel = routing::KernelAction::Reject;
        else if (ipip && v4)
            out.kernel = routing::KernelAction::Tunnel;
        out.cross_subnet = pool.encapsulation == policy::Encapsulation::IpipCrossSubnet;
        into.of(pool.cidr.family()).pools.push_back(std::move(out));
    }
    const auto before = [](const routing::Pool& a, const routing::Pool& b) {
        return net::to_string(a.cidr) < net::to_string(b.cidr);
    };
    for (routing::FamilyShared* shared : {&into.v4, &into.v6})
        std::stable_sort(shared->pools.begin(), shared->pools.end(), before);
}

} // namespace polecat::passes::routing_parts
