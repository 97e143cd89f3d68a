/// What one node takes from a bundle: its endpoints, the programs that they run and the predicates
/// that these ask, as a cluster that backends read. The rest of the bundle stays unread.
#pragma once

#include <optional>
#include <string>

#include "artefact/bundle/bundle.h"
#include "backends/node/build.h"
#include "ir/decision/lowered.h"
#include "support/source.h"

namespace polecat::bundle {

class NodeView {
  public:
    /// `base`: numbers of programs that the node has. Throws Refused.
    NodeView(const Bundle& bundle, const std::string& node, backends::Numbers base = {},
             std::optional<std::uint16_t> report_group = {});
    NodeView(const NodeView&) = delete; // its parts refer to each other
    NodeView& operator=(const NodeView&) = delete;

    const decision::LoweredCluster& cluster() const { return cluster_; }
    /// Paths and places as the compile had them, without the texts.
    const Sources& sources() const { return sources_; }
    backends::NodeImages& images() { return *images_; }

  private:
    Sources sources_;
    decision::LoweredCluster cluster_;
    std::optional<backends::NodeImages> images_;
};

} // namespace polecat::bundle
