/// From a lowered cluster to the filter images of nodes.
#pragma once

#include <optional>
#include <string>

#include "backends/iptables/filter_sets.h"
#include "backends/iptables/image.h"
#include "backends/node/build.h"

namespace polecat::iptables {

class FilterImages {
  public:
    /// `images` of the same cluster: what they can't say, or say of settings and of who is
    /// governed, holds here as well.
    FilterImages(const decision::LoweredCluster& cluster, backends::NodeImages& images);
    FilterImages(const FilterImages&) = delete;
    FilterImages& operator=(const FilterImages&) = delete;

    /// Reports what can't be expressed; nullopt then, never wider rules.
    std::optional<FilterImage> of(const std::string& node, diag::Diagnostics& diagnostics);
    /// Of its host endpoints alone; no pods, and nothing is said of settings. `image`: of the node.
    /// `unsaid`: the code for what rules can't say.
    std::optional<FilterImage> of_host(const std::string& node, const backends::NodeImage& image,
                                       diag::Code unsaid, diag::Diagnostics& diagnostics);

  private:
    std::optional<FilterImage> make(const std::string& node, const backends::NodeImage& image,
                                    bool with_pods, diag::Code unsaid,
                                    diag::Diagnostics& diagnostics);

    const decision::LoweredCluster& cluster_;
    std::optional<FilterSets> sets_; ///< once a node needs some
    backends::NodeImages& images_;
};

} // namespace polecat::iptables
