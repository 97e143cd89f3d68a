/// Nodes of a bundle as a compile of manifests has them.
#pragma once

#include <set>
#include <string>

#include "backends/bundle/node_view.h"
#include "driver/compile/compilation.h"

namespace polecat::driver {

class BundleNodes {
  public:
    /// `base`: numbers of programs that they have. Throws Refused.
    BundleNodes(const bundle::Bundle& bundle, std::set<std::string> nodes,
                backends::Numbers base = {}, const backends::NodeOptions& options = {})
        : view_(bundle::view_of(bundle, std::move(nodes))),
          compiled_(view_.cluster, view_.sources, std::move(view_.numbers), std::move(view_.own),
                    std::move(base), options) {}
    BundleNodes(const BundleNodes&) = delete; // its parts refer to each other
    BundleNodes& operator=(const BundleNodes&) = delete;

    Compilation& compiled() { return compiled_; }
    const Sources& sources() const { return view_.sources; }
    const decision::LoweredCluster& cluster() const { return view_.cluster; }

  private:
    bundle::NodeView view_;
    Compilation compiled_;
};

} // namespace polecat::driver
