/// What days bring to a node, and packets that come at a high rate meanwhile.
#pragma once

#include <chrono>

#include "runtime/lab/traffic.h"
#include "tests/kernel/node.h"

namespace polecat::kernel_test {

/// Whether a host endpoint with policy comes and goes as well, at all hooks that track.
enum class Hosts : std::uint8_t { None, Tracking };

/// One change at a time.
class Days {
  public:
    explicit Days(std::uint64_t seed, Hosts with = Hosts::None);
    std::string text() const;
    std::string next();

  private:
    std::string pod_label() { return random_.pick<std::string>({"a", "b", "c"}); }
    void put_spare(const std::string& app, const std::string& role);
    void drop(const std::string& name);
    void replace_policies();
    void replace_nets();
    void replace_hosts();

    std::vector<std::string> documents_;
    testing::Random random_;
    std::uint64_t fresh_;
    Hosts with_;
    std::string hosts_;
};

/// Flows among endpoints and the outside, a port each.
std::vector<PacketSpec> candidates(const Node& node, testing::Random& random);
/// Flows that both policies say the same of: half of them go on all the time, the others are new.
std::vector<runtime::Stream> streams_of(const Node& node, const std::vector<PacketSpec>& flows,
                                        const std::vector<decision::Verdict>& before,
                                        std::size_t plan, testing::Random& random);

struct TrafficTally {
    std::size_t plans = 0, steps = 0;
    std::uint64_t passed = 0, lost = 0, dropped = 0, leaked = 0, dropped_by_machine = 0;
};

void count(const runtime::Traffic& traffic, TrafficTally& tally);
void conclude(const TrafficTally& tally, std::chrono::steady_clock::time_point start);
std::size_t rate_of_traffic();

/// Brings a node to other manifests, and says in how many steps: calls `ready` once the node
/// expects their verdicts, before the first of them.
using Change = std::function<std::size_t(Node& node, const std::string& manifests,
                                         const std::function<void()>& ready)>;
/// Of nftables' plans.
std::size_t change_by_plan(Node& node, const std::string& manifests,
                           const std::function<void()>& ready);
/// So many changes under traffic, one after the other.
void run_days(std::uint64_t seed, std::size_t plans, const Node::Loader& loader,
              const Change& change, TrafficTally& tally, Hosts with = Hosts::None);
/// As many as POLECAT_KERNEL_PLANS says, 25 of each seed.
void check_days(std::size_t usual_plans, const Node::Loader& loader, const Change& change,
                Hosts with = Hosts::None);

} // namespace polecat::kernel_test
