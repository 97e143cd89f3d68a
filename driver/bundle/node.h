/// A node of a bundle as a compile of manifests has it.
#pragma once

#include <string>

#include "backends/bundle/node_view.h"
#include "driver/compile/compilation.h"

namespace polecat::driver {

class BundleNode {
  public:
    /// `base`: numbers of programs that the node has. Throws Refused.
    BundleNode(const bundle::Bundle& bundle, const std::string& node, backends::Numbers base = {},
               const backends::NodeOptions& options = {})
        : view_(bundle::view_of(bundle, node)),
          compiled_(view_.cluster, view_.sources, std::move(view_.numbers), std::move(view_.own),
                    std::move(base), options) {}
    BundleNode(const BundleNode&) = delete; // its parts refer to each other
    BundleNode& operator=(const BundleNode&) = delete;

    Compilation& compiled() { return compiled_; }
    const Sources& sources() const { return view_.sources; }
    const decision::LoweredCluster& cluster() const { return view_.cluster; }

  private:
    bundle::NodeView view_;
    Compilation compiled_;
};

} // namespace polecat::driver
