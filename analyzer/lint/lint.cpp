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
    check_selections,
    check_coverage,
    check_dns,
    check_host_endpoints,
    check_services,
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
    check_untracked,
    check_service_ranges,
};

} // namespace

void run(Context& context, diag::Diagnostics& diagnostics) {
    for (const Check check : kChecks)
        check(context, diagnostics);
}

} // namespace polecat::lint
