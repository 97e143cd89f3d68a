/// Forms of names, labels and annotations that Kubernetes takes
/// (k8s.io/apimachinery/pkg/util/validation).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace polecat::frontend {

/// DNS-1123 label: lower-case letters, digits, `-`; at most 63.
bool is_dns_label(std::string_view text);
/// DNS-1123 subdomain: labels joined by dots; at most 253.
bool is_dns_subdomain(std::string_view text);
/// Letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; at most 253. Kubernetes
/// asks for a DNS subdomain, Calico for no more than this.
bool is_node_name(std::string_view text);
/// [prefix/]name of labels and annotations. What is wrong with it, if anything.
std::optional<std::string> check_label_key(std::string_view key);
std::optional<std::string> check_label_value(std::string_view value);
/// Names of container and service ports (IANA service name).
bool is_port_name(std::string_view name);

} // namespace polecat::frontend
