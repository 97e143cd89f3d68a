/// Days of a cluster, one change at a time, and traffic at a high rate meanwhile: of flows that
/// both policies allow none is lost, of flows that both deny none is let through.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "runtime/lab/traffic.h"
#include "tests/backends/changes.h"
#include "tests/kernel/node.h"

namespace polecat::kernel_test {

using Clock = std::chrono::steady_clock;
void pause(int milliseconds);

/// What days bring to a node, one thing at a time.
class Days {
  public:
    explicit Days(std::uint64_t seed)
        : documents_(testing::documents_of(testing::ClusterWriter(seed, {}).write())),
          random_(seed), fresh_(1000 * seed) {}
    std::string text() const { return testing::text_of(documents_); }

    std::string next() {
        switch (random_.below(8)) {
        case 0: // of an identity that another pod has, mostly
            put_spare(pod_label(), pod_label());
            break;
        case 1: // of one that is new
            put_spare("new" + std::to_string(++fresh_), pod_label());
            break;
        case 2:
            drop(" spare");
            break;
        case 3:
            replace_policies();
            break;
        case 4:
            replace_nets();
            break;
        default: // a policy or a pod that goes, comes, or has other labels
            testing::change(documents_, random_, fresh_);
        }
        return text();
    }

  private:
    std::string pod_label() { return random_.pick<std::string>({"a", "b", "c"}); }

    /// One of four pods that come and go, always at the same interfaces.
    void put_spare(const std::string& app, const std::string& role) {
        const std::string number = std::to_string(random_.below(4) + 1);
        drop(" spare" + number);
        documents_.push_back("{apiVersion: v1, kind: Pod, metadata: {name: spare" + number +
                             ", namespace: n0, labels: {app: " + app + ", role: " + role +
                             "}}, spec: {nodeName: node0, containers: [{name: c, image: i}]}, "
                             "status: {podIPs: [{ip: 10.9.0.10" +
                             number + "}, {ip: 'fd00:9::10" + number + "'}]}}");
    }
    void drop(const std::string& name) {
        std::erase_if(documents_, [&](const std::string& each) {
            return each.find("kind: Pod, metadata: {name:" + name) != std::string::npos;
        });
    }

    void replace_policies() {
        const auto is_policy = [](const std::string& each) {
            return each.find("NetworkPolicy") != std::string::npos;
        };
        std::erase_if(documents_, is_policy);
        for (std::string& each :
             testing::documents_of(testing::ClusterWriter(++fresh_, {}).write()))
            if (is_policy(each))
                documents_.push_back(each);
    }
    void replace_nets() {
        for (std::string& each : documents_)
            if (const std::size_t at = each.find("203.0.113.0/2");
                at != std::string::npos && each.find("NetworkSet") != std::string::npos)
                each[at + 13] = "4567"[random_.below(4)];
    }

    std::vector<std::string> documents_;
    testing::Random random_;
    std::uint64_t fresh_;
};

/// Flows among endpoints and the outside, a port each.
std::vector<PacketSpec> candidates(const Node& node, testing::Random& random);

/// Of `flows`, with what was said of them before: those that both policies say the same of. Half of
/// them go on all the time, the others are new.
std::vector<runtime::Stream> streams_of(const Node& node, const std::vector<PacketSpec>& flows,
                                        const std::vector<decision::Verdict>& before,
                                        std::size_t plan, testing::Random& random);

struct TrafficTally {
    std::size_t plans = 0, steps = 0;
    std::uint64_t passed = 0, lost = 0, dropped = 0, leaked = 0, dropped_by_machine = 0;
};

/// What arrived of what was sent.
void count(const runtime::Traffic& traffic, TrafficTally& tally);
/// Says the figures, and that they are as they must be.
void conclude(const TrafficTally& tally, Clock::time_point start);
std::size_t rate_of_traffic();

} // namespace polecat::kernel_test
