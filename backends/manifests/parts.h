/// Trees of the parts of manifests, by family of kinds. For backends/manifests only.
#pragma once

#include "backends/manifests/tree.h"
#include "ir/policy/cluster.h"

namespace polecat::backends::manifests {

inline constexpr const char* kCalico = "projectcalico.org/v3";

/// {apiVersion, kind, metadata, spec}.
Tree object(std::string_view api_version, std::string_view kind, const policy::Metadata& meta,
            Tree spec);
Tree metadata(const policy::Metadata& meta);
Tree labels(const selector::Labels& labels);
Tree cidrs(const std::vector<At<net::Cidr>>& nets);
Tree texts(const std::vector<At<std::string>>& list);
/// A name where Calico has one, otherwise the number.
Tree protocol(net::Protocol protocol);

// calico_policy.cpp
Tree rule(const policy::Rule& rule);
Tree object_of(const policy::Policy& policy);
Tree object_of(const policy::Tier& tier);
Tree object_of(const policy::Profile& profile);
Tree object_of(const policy::NetworkSet& set);

// kubernetes_policy.cpp
Tree object_of(const policy::KubernetesNetworkPolicy& policy);
Tree object_of(const policy::ClusterNetworkPolicy& policy);

// objects.cpp
Tree object_of(const policy::Namespace& space);
Tree object_of(const policy::ServiceAccount& account);
Tree object_of(const policy::Node& node);
Tree object_of(const policy::Workload& workload);
Tree object_of(const policy::HostEndpoint& endpoint);
Tree object_of(const policy::Service& service);
Tree object_of(const policy::ServiceEndpoints& endpoints);
Tree object_of(const policy::FabricInventory& inventory);
Tree object_of(const policy::OtherObject& object);
Tree tree_of(const policy::Settings& settings);

} // namespace polecat::backends::manifests
