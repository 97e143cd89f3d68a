/// The files in which Calico's dataplane agent says, one a workload, with which BGPPeer the
/// workload peers with its node (/var/run/calico/endpoint-status).
#pragma once

#include <string>
#include <vector>

#include "ir/routing/cluster.h"
#include "support/diag/diagnostic.h"
#include "support/source.h"

namespace polecat::frontend {

/// Every file of the folder, by name. Files without a BGPPeer or an address say nothing.
std::vector<routing::EndpointStatus>
read_endpoint_status(const std::string& folder, Sources& sources, diag::Diagnostics& diagnostics);

} // namespace polecat::frontend
