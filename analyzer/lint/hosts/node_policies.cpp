#include "analyzer/lint/hosts/node_policies.h"

#include <algorithm>

#include "analyzer/lint/pools.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

std::vector<std::string> nodes_meant(Context& context, const policy::Policy& policy) {
    const policy::Cluster& cluster = context.cluster;
    if (cluster.nodes.empty() || !cluster.host_endpoints.empty() ||
        policy::has_automatic_host_endpoints(cluster) || is_kubernetes(policy) ||
        !policy::is_global(policy.kind) || policy.staged_action == "Delete" ||
        policy.meta.unread.known())
        return {};
    const selector::Selector subject = policy::subject_of(policy);
    const auto selected = context.select(subject);
    const bool for_hosts = *policy.pre_dnat || *policy.do_not_track;
    const bool governs = std::any_of(selected.begin(), selected.end(), [&](auto id) {
        return context.object(id).kind != decision::Object::Kind::NetworkSet;
    });
    // What is true without any label says nothing of nodes.
    if (!for_hosts && (governs || subject.matches({})))
        return {};
    std::vector<std::string> out;
    for (const NodeView& node : nodes_of(cluster))
        if (subject.matches(node.labels))
            out.push_back("node " + node.name);
    if (for_hosts && out.empty())
        out.emplace_back("hosts");
    return out;
}

} // namespace polecat::lint
