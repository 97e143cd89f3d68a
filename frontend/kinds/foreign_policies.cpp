#include "frontend/kinds/foreign_policies.h"

#include <algorithm>

#include "frontend/kinds/kinds.h"
#include "support/listed.h"

namespace polecat::frontend {

namespace {

struct Foreign {
    std::string_view group; ///< or the end of it, after a dot
    std::string_view kind;  ///< how it ends
};

constexpr Foreign kForeign[] = {
    {"cilium.io", "NetworkPolicy"},
    {"cilium.io", "EgressGatewayPolicy"},
    {"antrea.io", "NetworkPolicy"},
    {"istio.io", "AuthorizationPolicy"},
    {"istio.io", "PeerAuthentication"},
    {"linkerd.io", "AuthorizationPolicy"},
    {"linkerd.io", "ServerAuthorization"},
    {"ovn.org", "EgressFirewall"},
    {"openshift.io", "EgressNetworkPolicy"},
    {"kyverno.io", "Policy"},
    {"hashicorp.com", "ServiceIntentions"},
    {"kuma.io", "TrafficPermission"},
    {"cncf.io", "MultiNetworkPolicy"},
    {"gke.io", "NetworkPolicy"},
    {"k8s.aws", "NetworkPolicy"},
    {"k8s.aws", "SecurityGroupPolicy"},
    {"vmware.com", "SecurityPolicy"},
    {"kubeovn.io", "SecurityGroup"},
};

bool is_of(std::string_view group, std::string_view end) {
    return group.ends_with(end) &&
           (group.size() == end.size() || group[group.size() - end.size() - 1] == '.');
}

/// Its state of IPAM, what only its enterprise edition has, and the configuration of its tools hold
/// no policy.
bool is_policy_of_calico(std::string_view kind) {
    constexpr std::string_view kWords[] = {"Policy", "Policies", "Rule", "Firewall"};
    return kind != "EgressGatewayPolicy" &&
           std::any_of(std::begin(kWords), std::end(kWords), [&](std::string_view word) {
               return kind.find(word) != std::string_view::npos;
           });
}

} // namespace

bool is_foreign_policy(std::string_view group, std::string_view kind) {
    if (group == "projectcalico.org" || group == "crd.projectcalico.org")
        return is_policy_of_calico(kind) && !diag::nearest(kind, kinds_of_group(group));
    return std::any_of(std::begin(kForeign), std::end(kForeign), [&](const Foreign& each) {
        return is_of(group, each.group) && kind.ends_with(each.kind);
    });
}

void note_foreign_policy(const yaml::Node& root, const std::string& api_version,
                         const std::string& kind, policy::Cluster& cluster) {
    policy::UnreadKind& noted = cluster.foreign_policies[api_version + " " + kind];
    if (noted.count++ != 0)
        return;
    const yaml::Node* where = root.find("kind");
    noted.first = where != nullptr ? where->span : root.span;
}

void report_foreign_policies(const policy::Cluster& cluster, diag::Diagnostics& diagnostics) {
    for (const auto& [kind, noted] : cluster.foreign_policies)
        diagnostics
            .report(diag::Code::ForeignPolicy, noted.first, {kind, counted(noted.count, "object")})
            .with_note("answers and findings are those of the policies that are read; these may "
                       "deny, or open, more")
            .with_hint("what they say has to be judged beside");
}

} // namespace polecat::frontend
