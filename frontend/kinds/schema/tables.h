/// The tables of fields by kind. Private to frontend/kinds/schema.
#pragma once

#include <span>

#include "frontend/kinds/schema/schema.h"

namespace polecat::frontend::schema {

std::span<const FieldRow> bgp_configuration();
std::span<const FieldRow> bgp_peer();
std::span<const FieldRow> bgp_filter_rules();
std::span<const FieldRow> felix_configuration();
/// `spec.calicoNetwork` of the operator's Installation; the rest of its spec passes unread.
/// Source: operator.tigera.io/v1 (tigera/operator api/v1/installation_types.go).
std::span<const FieldRow> installation_calico_network();
std::span<const FieldRow> ip_pool();
std::span<const FieldRow> ip_reservation();
std::span<const FieldRow> ipam_configuration();
std::span<const FieldRow> kube_controllers_configuration();
std::span<const FieldRow> cluster_information();
std::span<const FieldRow> calico_node_status();
std::span<const FieldRow> calico_node();
std::span<const FieldRow> block_affinity();

} // namespace polecat::frontend::schema
