/// What Kubernetes objects become in Calico's terms
/// (libcalico-go/lib/backend/k8s/conversion/{conversion,clusternetworkpolicy}.go).
#pragma once

#include "ir/policy/kubernetes.h"
#include "ir/policy/objects.h"

namespace polecat::passes {

/// Tier default, order 1000, kind KubernetesNetworkPolicy (or its staged twin), one Calico rule for
/// each protocol and peer.
policy::Policy convert(const policy::KubernetesNetworkPolicy& source);

/// Who carries out a ClusterNetworkPolicy. Calico can't convert a rule with peers by `nodes` or
/// `domainNames`: it leaves an Accept out, and makes a Deny of everything of the others.
enum class Enforcer : bool { AsTheApiSays, Calico };

/// Tier kube-admin or kube-baseline, order = priority, kind KubernetesClusterNetworkPolicy.
policy::Policy convert(const policy::ClusterNetworkPolicy& source, Enforcer by);

/// A label selector as Calico's conversion writes it; `pods`: with the orchestrator == 'k8s' term.
selector::Selector convert_selector(const policy::LabelSelector& source, bool pods);

/// kns.<namespace> and ksa.<namespace>.<name>.
policy::Profile profile_of(const policy::Namespace& source);
policy::Profile profile_of(const policy::ServiceAccount& source);

/// The rule of a namespace's profile, both ways.
policy::Rule allow_all(const Span& span);

} // namespace polecat::passes
