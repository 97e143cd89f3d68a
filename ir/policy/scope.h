/// What policies and rules select: Calico's composition of a policy's selectors with its namespace,
/// on terms, never on text.
/// Source: libcalico-go/lib/backend/syncersv1/updateprocessors/{rules,selectors}.go.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ir/policy/objects.h"
#include "ir/selector/selector.h"

namespace polecat::policy {

/// The API server's service, which every cluster has and nobody's manifests hold.
inline constexpr std::string_view kKubernetesService = "default/kubernetes";
/// Labels that Calico gives endpoints, and prefixes of those that they inherit.
inline constexpr std::string_view kNamespaceLabel = "projectcalico.org/namespace";
inline constexpr std::string_view kServiceAccountLabel = "projectcalico.org/serviceaccount";
inline constexpr std::string_view kOrchestratorLabel = "projectcalico.org/orchestrator";
inline constexpr std::string_view kNamespacePrefix = "pcns.";
inline constexpr std::string_view kServiceAccountPrefix = "pcsa.";
/// The names of namespaces (both) and accounts (Calico's) as labels.
inline constexpr std::string_view kNameLabel = "kubernetes.io/metadata.name";
inline constexpr std::string_view kCalicoNameLabel = "projectcalico.org/name";

/// What selectors over namespaces see of one: its labels and its names.
Labels labels_of(const Namespace& space);
/// What endpoints inherit from their namespace or account: its labels and its name, each under a
/// prefix. Nothing where Felix takes the profile of these labels for malformed.
Labels inherited_labels(const Namespace& space);
Labels inherited_labels(const ServiceAccount& account);
/// The label, or kCalicoNameLabel, that is too long for a label once the prefix stands before it
/// (felix/calc/validation_filter.go: all labels of that profile are lost).
std::optional<std::string> too_long_to_inherit(const Metadata& of, std::string_view prefix);

/// A label that a platform (OpenShift, Gardener, Rancher, a cloud) writes on namespaces by itself:
/// no manifest has it.
bool is_set_by_platform(std::string_view label);

/// Which endpoints a policy is for.
selector::Selector subject_of(const Policy& policy);
/// Which endpoints and sets one end of a rule names; nullopt: it does not say. `space`: the
/// namespace of the policy, empty for global ones.
std::optional<selector::Selector> peers_of(const EntityRule& entity, const std::string& space);
/// A selector field that says something.
bool is_present(const Box<SelectorField>& field);

} // namespace polecat::policy
