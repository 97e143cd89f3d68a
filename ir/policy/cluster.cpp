#include "ir/policy/cluster.h"

#include <algorithm>
#include <string_view>

namespace polecat::policy {

bool Cluster::may_meet(const Span& a, const Span& b) const {
    const auto one = variants.find(a.file), other = variants.find(b.file);
    return one == variants.end() || other == variants.end() || one->second == other->second;
}

bool has_calico_objects(const Cluster& cluster) {
    const auto is_calicos = [](std::string_view api_version) {
        return api_version.find("projectcalico.org/") != std::string_view::npos ||
               api_version.starts_with("operator.tigera.io/");
    };
    return !cluster.policies.empty() || !cluster.tiers.empty() || !cluster.profiles.empty() ||
           !cluster.network_sets.empty() || !cluster.host_endpoints.empty() ||
           !cluster.pools.empty() ||
           std::any_of(cluster.nodes.begin(), cluster.nodes.end(),
                       [](const Node& node) { return node.is_calico; }) ||
           std::any_of(cluster.others.begin(), cluster.others.end(),
                       [&](const OtherObject& each) { return is_calicos(each.api_version); }) ||
           std::any_of(cluster.unread_kinds.begin(), cluster.unread_kinds.end(),
                       [&](const auto& each) { return is_calicos(each.first); });
}

const OtherObject* default_object(const Cluster& cluster, std::string_view kind) {
    const auto& others = cluster.others;
    const auto found = std::find_if(others.rbegin(), others.rend(), [&](const OtherObject& each) {
        return each.kind == kind && each.meta.name == "default";
    });
    return found != others.rend() ? &*found : nullptr;
}

} // namespace polecat::policy
