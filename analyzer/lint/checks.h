/// The checks by family of mistakes, a file each. For analyzer/lint only.
#pragma once

#include "analyzer/lint/context.h"
#include "support/diag/diagnostic.h"

namespace polecat::lint {

using diag::Code;
using diag::Diagnostics;

void check_enforcement(Context& context, Diagnostics& out);
void check_rules(Context& context, Diagnostics& out); ///< one rule by itself: a table of rows
void check_world_rules(Context& context, Diagnostics& out);
void check_kubernetes(Context& context, Diagnostics& out);
void check_calico_bugs(Context& context, Diagnostics& out);
void check_dead_rules(Context& context, Diagnostics& out);
void check_namespace_labels(Context& context, Diagnostics& out);
void check_selections(Context& context, Diagnostics& out);
void check_own_side(Context& context, Diagnostics& out);
void check_coverage(Context& context, Diagnostics& out);
void check_dns(Context& context, Diagnostics& out);
void check_services(Context& context, Diagnostics& out);
void check_ports(Context& context, Diagnostics& out);
void check_deaf_ports(Context& context, Diagnostics& out);
void check_tiers(Context& context, Diagnostics& out);
void check_host_endpoints(Context& context, Diagnostics& out);
void check_bgp(Context& context, Diagnostics& out);
void check_cost(Context& context, Diagnostics& out);
void check_intent(Context& context, Diagnostics& out);
void check_metadata(Context& context, Diagnostics& out);
void check_ipam(Context& context, Diagnostics& out);
void check_ipam_requests(Context& context, Diagnostics& out);
void check_installation(Context& context, Diagnostics& out);
void check_felix(Context& context, Diagnostics& out);
void check_selector_surprises(Context& context, Diagnostics& out);
void check_selector_variants(Context& context, Diagnostics& out);
void check_route_priorities(Context& context, Diagnostics& out);
void check_host_network_peers(Context& context, Diagnostics& out);
void check_host_peers(Context& context, Diagnostics& out);
void check_node_addresses(Context& context, Diagnostics& out);
void check_service_addresses(Context& context, Diagnostics& out);
void check_request_routes(Context& context, Diagnostics& out);
void check_deny_only(Context& context, Diagnostics& out);
void check_host_policies(Context& context, Diagnostics& out);
void check_pool_addresses(Context& context, Diagnostics& out);

} // namespace polecat::lint
