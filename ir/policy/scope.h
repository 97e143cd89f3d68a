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

/// Labels that Calico gives endpoints, and prefixes of those that they inherit.
/// The API server's service, which every cluster has and nobody's manifests hold.
inline constexpr std::string_view kKubernetesService = "default/kubernetes";
inline constexpr std::string_view kNamespaceLabel = "projectcalico.org/namespace";
inline constexpr std::string_view kServiceAccountLabel = "projectcalico.org/serviceaccount";
inline constexpr std::string_view kOrchestratorLabel = "projectcalico.org/orchestrator";
inline constexpr std::string_view kNamespacePrefix = "pcns.";
inline constexpr std::string_view kServiceAccountPrefix = "pcsa.";

/// Which endpoints a policy is for.
selector::Selector subject_of(const Policy& policy);
bool is_global(PolicyKind kind);
/// Which endpoints and sets one end of a rule names; nullopt: it does not say. `space`: the
/// namespace of the policy, empty for global ones.
std::optional<selector::Selector> peers_of(const EntityRule& entity, const std::string& space);
/// A selector field that says something.
bool is_present(const Box<SelectorField>& field);

} // namespace polecat::policy
