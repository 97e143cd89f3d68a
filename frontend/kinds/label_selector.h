/// Kubernetes label selectors (metav1.LabelSelector), protocols and ports as policies write them.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>

#include "frontend/kinds/fields.h"
#include "ir/policy/kubernetes.h"

namespace polecat::frontend {

/// Reads a label selector; an absent or null node gives an empty one.
policy::LabelSelector read_label_selector(Fields fields);

/// TCP, UDP or SCTP, as Kubernetes spells them; anything else is reported.
std::optional<net::Protocol> kubernetes_protocol(const At<std::string>& text,
                                                 const std::string& path, Fields& fields);

/// A port number, 1 to 65535; anything else is reported.
std::optional<std::uint16_t> port_number(const At<std::int64_t>& number, const std::string& path,
                                         Fields& fields);

/// A CIDR as ipBlock, networks and pools write it.
std::optional<At<net::Cidr>> read_cidr(const At<std::string>& text, const std::string& path,
                                       Fields& fields);

/// spec of a NetworkPolicy (also of a StagedKubernetesNetworkPolicy).
/// Whether the directions are said and could be read. Rules see to their own errors, of which
/// `watch` learns nothing.
bool read_kubernetes_policy_spec(Fields& spec, policy::KubernetesNetworkPolicy& into,
                                 diag::Watch& watch);

/// Reports that a field has a value that its kind does not take.
diag::Diagnostic& refuse_value(Fields& fields, Span span, const std::string& path,
                               const std::string& rule);
/// The name of a node, of which files and rules are named; empty where there is none.
std::string read_node_name(Fields& fields, const char* key);
/// Reports a text that is neither a port's number nor a name that Kubernetes takes for one.
void refuse_port_name(Fields& fields, const At<std::string>& text, const std::string& path);
/// A word that is none of those; with a fix where only upper and lower case differ.
void refuse_word(Fields& fields, const At<std::string>& text, const std::string& path,
                 std::initializer_list<const char*> allowed);

} // namespace polecat::frontend
