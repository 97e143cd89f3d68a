/// What a compile of manifests gives for each node's BIRD.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "driver/routing/routed_input.h"

namespace polecat::driver {

inline constexpr const char* kBirdFile = "bird.conf"; ///< in the folder of a node

struct BirdFile {
    std::string node, text;
    std::string summary; ///< "3 sessions, 2 blocks, reads back equal"
};

class BirdCompilation {
  public:
    /// `node`: empty: every node with an address for BGP. What Calico, BIRD or this refuses goes to
    /// `diagnostics`. `input` must outlive this.
    BirdCompilation(Input& input, const RoutingFlags& flags, const std::string& node,
                    diag::Diagnostics& diagnostics);

    const std::vector<routing::NodeIndex>& nodes() const { return nodes_; }
    /// Made anew for each node: the sessions of a large mesh fit into no memory together.
    /// `origins`: with comments that say what a line was made from. Throws std::runtime_error where
    /// it does not read back as what it was made from: a fault of ours.
    BirdFile file(routing::NodeIndex node, bool origins) const;

  private:
    void check(routing::NodeIndex index, diag::Diagnostics& diagnostics) const;

    const Sources& sources_;
    routing::ClusterRouting cluster_;
    std::vector<routing::NodeIndex> nodes_;
};

} // namespace polecat::driver
