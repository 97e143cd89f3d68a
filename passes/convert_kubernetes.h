/// What Kubernetes objects become in Calico's terms
/// (libcalico-go/lib/backend/k8s/conversion/{conversion,clusternetworkpolicy}.go).
#pragma once

#include "ir/policy/kubernetes.h"
#include "ir/policy/objects.h"

namespace polecat::passes {

/// Tier default, order 1000, kind KubernetesNetworkPolicy (or its staged twin), one Calico rule for
/// each protocol and peer.
policy::Policy convert(const policy::KubernetesNetworkPolicy& source);

/// Tier kube-admin or kube-baseline, order = priority, kind KubernetesClusterNetworkPolicy.
policy::Policy convert(const policy::ClusterNetworkPolicy& source);

/// A label selector as Calico's conversion writes it; `pods`: with the orchestrator == 'k8s' term.
selector::Selector convert_selector(const policy::LabelSelector& source, bool pods);

/// kns.<namespace> and ksa.<namespace>.<name>.
policy::Profile profile_of(const policy::Namespace& source);
policy::Profile profile_of(const policy::ServiceAccount& source);

/// The labels of these profiles, as profile_of gives them.
policy::Labels labels_given_by(const policy::Namespace& source);
policy::Labels labels_given_by(const policy::ServiceAccount& source);
/// The rule of a namespace's profile, both ways.
policy::Rule allow_all(const Span& span);

} // namespace polecat::passes
