/// Sessions and their faults in words, for text and for the report.
#pragma once

#include <string>
#include <vector>

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

struct FaultText {
    std::string what;        ///< "will not establish"
    std::string ends;        ///< "rack7-a with 10.0.7.1 and 1 session more"
    std::string reason;      ///< of the first
    std::string here, there; ///< "BGPPeer tor (peers.yaml:3:18)"; empty: nothing is written there
};
FaultText describe(const RoutedInput& routed, const routing::SessionFault& fault);
/// Those that are certain first.
std::vector<routing::SessionFault> by_certainty(std::vector<routing::SessionFault> faults);

/// "the mesh joins 120 nodes by 7,140 sessions, ...", and how it is done; empty: nothing to say.
struct MeshAdvice {
    std::string why, how;
};
MeshAdvice advice_on(const routing::MeshSize& mesh);

/// What of the input is not among the answers, a sentence each.
std::vector<std::string> left_out_notes(const routing::ClusterRouting& routing);

/// "assumed: the input has no BlockAffinity; IPPool a (...) makes such blocks".
std::string assumed_block_text(const RoutedInput& routed, const routing::Block& block);

} // namespace polecat::driver
