/// A cluster's BGP in real daemons: polecat's configurations in BIRD 2 on nodes in network
/// namespaces, and routers of other makes around them. Held against the model of propagation.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "analyzer/routing/propagation/propagation.h"
#include "runtime/lab/fabric.h"
#include "runtime/temporary_folder.h"
#include "tests/routing/routed.h"

namespace polecat::kernel_test {

/// Whether daemons of BGP are installed and may run. Says loudly when not; on CI that is a failure.
bool bgp_may_run(const std::vector<std::string>& programs);

/// What one speaker has of one prefix from one neighbour.
struct HeardRoute {
    std::string prefix, from; ///< from: the neighbour's address
    std::string attributes; ///< "[64512 65001] via 10.0.0.1 pref 100 by 10.0.0.1 cluster 10.9.0.1"
    auto operator<=>(const HeardRoute&) const = default;
};

/// What the command `birdc show route all` prints, its BGP routes alone.
std::vector<HeardRoute> heard_by_bird(const std::string& printed);
/// `gobgp -j global rib`, and `show ip bgp json` of FRR.
std::vector<HeardRoute> heard_by_gobgp(const std::string& printed);
std::vector<HeardRoute> heard_by_frr(const std::string& printed);

class BgpLab {
  public:
    /// IPv4. Each router is what its name begins with: gobgp, frr, else BIRD.
    BgpLab(const std::string& manifests, std::vector<policy::FabricRouter> routers);

    /// Waits until every speaker has what the model says and every node's kernel what `eval` does,
    /// for two looks in a row; otherwise the differences that are left once they have been the same
    /// for so long.
    std::vector<std::string> differences(std::chrono::seconds limit);

    std::size_t compared() const { return compared_; } ///< routes that agreed

  private:
    using Machine = runtime::Fabric::Machine;
    struct Daemon {
        Machine machine = 0;
        std::string kind; ///< "bird", "gobgp", "frr"
        std::string control;
    };

    void start_node(routing::SpeakerIndex speaker);
    void start_router(routing::SpeakerIndex speaker);
    std::vector<HeardRoute> heard(const Daemon& daemon) const;
    std::vector<std::string> kernel(const Daemon& daemon) const;
    std::vector<std::string> look();
    void compare(routing::SpeakerIndex speaker, std::vector<std::string>& into);
    void compare_kernel(routing::SpeakerIndex speaker, std::vector<std::string>& into);
    std::string attributes(routing::SpeakerIndex at, const routing::Path& path) const;

    testing::Routed routed_;
    routing::Network network_;
    std::map<net::Cidr, routing::Spread> spreads_;
    runtime::TemporaryFolder folder_;
    runtime::Fabric fabric_;
    std::vector<Daemon> daemons_; ///< by speaker
    std::size_t compared_ = 0;
};

} // namespace polecat::kernel_test
