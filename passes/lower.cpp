#include "passes/lower.h"

#include "ir/policy/felix.h"
#include "passes/lower_parts.h"

namespace polecat::passes {

decision::LoweredCluster lower(const policy::Cluster& cluster,
                               [[maybe_unused]] diag::Diagnostics& diagnostics,
                               const LowerOptions& options) {
    decision::LoweredCluster lowered;
    lowered.world.unknown_address = options.unknown_address;
    lowered.felix = cluster.felix;
    for (const auto& [node, felix] : cluster.felix_of_nodes)
        lowered.felix_of_nodes.emplace(node, policy::over(cluster.felix, felix));
    for (const policy::Node& node : cluster.nodes)
        lowered.nodes.push_back({node.meta.name, node.addresses});
    const lowering::Profiles profiles = lowering::profiles_of(cluster);
    const std::vector<lowering::EndpointSource> endpoints =
        lowering::build_world(cluster, profiles, lowered);
    lowering::build_services(cluster, lowered);
    const policy::OrderedPolicies policies = order_policies(cluster);
    lowering::build_groups(cluster, profiles, policies.tiers, endpoints, options.only_node,
                           lowered);
    return lowered;
}

} // namespace polecat::passes
