/// Kubernetes policies as written (networking.k8s.io/v1 NetworkPolicy, policy.networking.k8s.io
/// ClusterNetworkPolicy v1alpha2; AdminNetworkPolicy and BaselineAdminNetworkPolicy v1alpha1 are
/// read into ClusterNetworkPolicy, whose predecessor they are). passes/convert_kubernetes makes
/// Calico policies of them, as libcalico-go/lib/backend/k8s/conversion does.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "ir/net/address.h"
#include "ir/net/protocol.h"
#include "ir/policy/metadata.h"
#include "ir/policy/policy_name.h"
#include "ir/policy/rule.h"
#include "ir/selector/selector.h"
#include "support/source.h"

namespace polecat::policy {

enum class LabelOperator : std::uint8_t { In, NotIn, Exists, DoesNotExist };

/// metav1.LabelSelector.
struct LabelSelector {
    struct Expression {
        std::string key;
        LabelOperator op = LabelOperator::In;
        std::vector<std::string> values;
    };
    std::vector<std::pair<std::string, std::string>> match_labels; ///< in key order
    std::vector<Expression> expressions;
    Span span;
};

/// NetworkPolicyPort; protocol absent means TCP.
struct KubernetesPort {
    std::optional<net::Protocol> protocol;
    std::optional<std::variant<std::uint16_t, std::string>> port;
    std::optional<std::uint16_t> end_port;
    Span span;
};

struct IpBlock {
    At<net::Cidr> cidr;
    std::vector<At<net::Cidr>> except;
};

struct KubernetesPeer {
    std::optional<LabelSelector> pod_selector;
    std::optional<LabelSelector> namespace_selector;
    std::optional<IpBlock> ip_block;
    Span span;
};

struct KubernetesRule {
    std::vector<KubernetesPeer> peers; ///< empty: any
    std::vector<KubernetesPort> ports; ///< empty: any
    Span span;
    Span unread; ///< as of Rule
};

struct KubernetesNetworkPolicy {
    Metadata meta;
    LabelSelector pod_selector;
    std::vector<KubernetesRule> ingress, egress;
    bool has_ingress_type = true, has_egress_type = false; ///< policyTypes after defaulting
    bool types_given = false;
    bool egress_emptied = false; ///< `egress` is there, without a rule
    /// StagedKubernetesNetworkPolicy: "Set", "Delete", "Learn", "Ignore"; empty for a
    /// NetworkPolicy.
    std::string staged_action;
};
PolicyName policy_name(const KubernetesNetworkPolicy& policy);

/// namespaces, or pods in namespaces (both selectors).
struct ClusterPeer {
    std::optional<LabelSelector> namespaces;
    std::optional<LabelSelector> pods; ///< with `namespaces` as the pods' namespaces
    std::vector<At<net::Cidr>> networks;
    std::optional<LabelSelector> nodes;
    std::vector<At<std::string>> domains;
    Span span;
};

/// One entry of a rule's `protocols` (v1alpha2) or `ports` (v1alpha1). With a named port the
/// protocol is unset.
struct ClusterPort {
    std::optional<net::Protocol> protocol;
    std::optional<net::PortRange> range;
    std::string named;
    Span span;
};

struct ClusterRule {
    std::string name;
    At<std::string> action; ///< Accept, Deny, Pass
    std::vector<ClusterPeer> peers;
    std::vector<ClusterPort> ports; ///< empty: any
    Span span;
    Span unread; ///< as of Rule
    bool any_action = false;
};

enum class ClusterTier : std::uint8_t { Admin, Baseline };

struct ClusterNetworkPolicy {
    std::string kind = "ClusterNetworkPolicy"; ///< as in the manifest
    Metadata meta;
    ClusterTier tier = ClusterTier::Admin;
    At<double> priority;
    bool place_unread = false; ///< as of Policy
    ClusterPeer subject;       ///< namespaces or pods only
    std::vector<ClusterRule> ingress, egress;
};

} // namespace polecat::policy
