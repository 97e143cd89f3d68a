/// Sessions and their faults in words, for text and for the report.
#pragma once

#include <string>

#include "analyzer/routing/sessions/sessions.h"
#include "driver/routing/routed_input.h"

namespace polecat::driver {

struct SessionText {
    std::string by;           ///< "BGPPeer tor (peers.yaml:3:18), peering back"
    std::string who, with;    ///< "2 nodes (a, ...)", "10.0.0.1"
    std::string what;         ///< "eBGP, AS 64512 with AS 65001; password"
    std::string takes, gives; ///< BGPFilters; empty: none
};
/// `one_node`: the group is one session.
SessionText describe(const RoutedInput& routed, const routing::SessionGroup& group, bool one_node);

/// "rack7-a with 10.0.7.1 and 1 session more".
std::string ends_of(const routing::SessionFault& fault);

/// "assumed: the input has no BlockAffinity; IPPool a (...) makes such blocks".
std::string assumed_block_text(const RoutedInput& routed, const routing::Block& block);

} // namespace polecat::driver
