#include "analyzer/lint/lint.h"

#include "analyzer/lint/checks.h"

namespace polecat::lint {

namespace {

using Check = void (*)(Context&, Diagnostics&);

constexpr Check kChecks[] = {
    check_enforcement,
    check_rules,
    check_kubernetes,
    check_calico_bugs,
    check_dead_rules,
    check_namespace_labels, // before check_selections, which leaves alone what is said here
    check_selections,
    check_own_side,
    check_coverage,
    check_dns,
    check_host_endpoints,
    check_services,
    check_ports,
    check_tiers,
    check_ipam,
    check_ipam_requests,
    check_installation,
    check_felix,
    check_cost,
    check_intent,
    check_metadata,
    check_bgp,
    check_selector_surprises,
    check_selector_variants,
    check_route_priorities,
    check_request_routes,
    check_host_network_peers,
    check_host_peers,
    check_node_addresses,
    check_service_addresses,
    check_deny_only,
    check_host_policies,
    check_pool_addresses,
};

} // namespace

void run(Context& context, diag::Diagnostics& diagnostics) {
    for (const Check check : kChecks)
        check(context, diagnostics);
}

} // namespace polecat::lint
