/// Names of fields that Kubernetes knows and polecat has no use for, by the mapping they stand in.
/// With them a slip of the pen ("hostNetwrok") is told from a field that is merely not read.
/// Source: the core, apps, batch and discovery APIs of Kubernetes 1.34.
#pragma once

#include <span>
#include <string_view>

namespace polecat::frontend::kubernetes_fields {

using List = std::span<const std::string_view>;

extern const List kMetadata, kOwnerReference, kPodSpec, kContainer, kContainerPort, kPodStatus,
    kWorkloadSpec, kJobTemplate, kServiceSpec, kServicePort, kNodeSpec, kNodeStatus, kNodeInfo,
    kEndpoint, kEndpointPort, kEndpointAddress, kNone;

} // namespace polecat::frontend::kubernetes_fields
