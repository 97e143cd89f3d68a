/// Manifests, and what commands ask of them again and again: each is made when it is first asked
/// for, and once.
#pragma once

#include <memory>
#include <optional>

#include "analyzer/flows/map.h"
#include "driver/input/input.h"
#include "driver/routing/flow_routes.h"
#include "passes/lower.h"

namespace polecat::driver {

/// Not for several threads at once; two sessions may be asked at the same time.
class Session {
  public:
    /// `input` must outlive it.
    explicit Session(Input& input, const passes::LowerOptions& options = {});
    /// With other policies than were read: staged ones enforced.
    Session(Input& input, policy::Cluster policies, const passes::LowerOptions& options);
    Session(const Session&) = delete; // its parts refer to each other
    Session& operator=(const Session&) = delete;

    Input& input() const { return input_; }
    const policy::Cluster& policies() const { return other_ ? *other_ : input_.cluster; }
    const passes::LowerOptions& options() const { return options_; }

    const passes::Lowered& lowered();
    const decision::LoweredCluster& cluster() { return lowered().cluster; }
    const decision::Identities& identities();
    /// The last one stays until another is asked for: those of both families of a large cluster
    /// need not fit into memory together.
    const analyzer::ConnectivityMap& map(net::Family family);
    FlowRoutes& routes();

  private:
    Input& input_;
    const std::optional<policy::Cluster> other_;
    const passes::LowerOptions options_;
    std::optional<passes::Lowered> lowered_;
    std::unique_ptr<decision::Identities> identities_;
    std::unique_ptr<analyzer::ConnectivityMap> map_;
    net::Family family_ = net::Family::V4; ///< of `map_`
    std::unique_ptr<FlowRoutes> routes_;
};

} // namespace polecat::driver
