/// From a lowered cluster to what a node must enforce.
#pragma once

#include <optional>
#include <string>

#include "backends/node/programs.h"
#include "support/diag/diagnostic.h"

namespace polecat::backends {

/// What whoever runs the rules chooses; no policy says it.
struct NodeOptions {
    std::optional<std::uint16_t> report_group; ///< NodeImage's
    unsigned flow_mark_bit = kFlowMarkBit;     ///< NodeImage's; at most kLastFlowMarkBit
};

/// All nodes of a cluster, which share identities and programs.
class NodeImages {
  public:
    /// `base`: what survives is numbered as there.
    NodeImages(const decision::LoweredCluster& cluster, const decision::Identities& identities,
               Numbers base = {}, const NodeOptions& options = {});
    NodeImages(const NodeImages&) = delete; // its parts refer to each other
    NodeImages& operator=(const NodeImages&) = delete;

    /// Reports what can't be expressed; nullopt then, never a wider image. A program that is too
    /// large is reported, and closes the endpoints that run it.
    std::optional<NodeImage> of(const std::string& node, diag::Diagnostics& diagnostics);
    /// The name that an image has for a program; empty: of those that can't be said.
    const std::string& name_of(decision::ProgramId id) { return programs_[id].name; }
    /// Of the programs of the nodes that were asked for.
    Numbers record() const { return programs_.record(); }

  private:
    const decision::LoweredCluster& cluster_;
    Numbers base_;
    NodeOptions options_;
    IdentityNumbers numbers_;
    Programs programs_;
};

} // namespace polecat::backends
