// The query `allCaptured`: who is governed by no policy.
#include <algorithm>
#include <map>
#include <set>

#include "tests/conformance/runner/query_parts.h"

namespace polecat::conformance {

using decision::Object;
using policy::Direction;
using policy::Workload;

namespace {

/// The workload that a pod belongs to, told by its owner; of a ReplicaSet's pod the Deployment
/// whose name, with a hash, the ReplicaSet has.
std::string workload_of(const Workload& pod) {
    const std::string space = pod.meta.space + "/";
    if (pod.owner_name.empty())
        return space + pod.meta.name + " " + pod.kind;
    const std::size_t dash = pod.owner_name.rfind('-');
    const std::string end = pod.owner_name.substr(dash == std::string::npos ? 0 : dash + 1);
    const bool hash = end.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    if (pod.owner_kind == "ReplicaSet" && hash && dash != std::string::npos)
        return space + pod.owner_name.substr(0, dash) + " Deployment";
    return space + pod.owner_name + " " + pod.owner_kind;
}

/// Workloads of the manifests by what the world calls them.
class Workloads {
  public:
    explicit Workloads(const policy::Cluster& cluster) {
        for (const Workload& each : cluster.workloads)
            by_name_.emplace(std::pair(each.kind, each.meta.space + "/" + each.meta.name), &each);
    }
    /// nullptr: a host endpoint.
    const Workload* find(const Object& object) const {
        const auto found = by_name_.find({object.manifest_kind, object.name});
        return found == by_name_.end() ? nullptr : found->second;
    }

  private:
    std::map<std::pair<std::string, std::string>, const Workload*> by_name_;
};

/// Endpoints that a question can tell apart: of one workload and the same labels no more than two.
std::size_t count_representatives(const decision::LoweredCluster& lowered,
                                  const Workloads& workloads) {
    std::map<std::pair<std::string, selector::Labels>, std::int64_t> classes;
    for (const decision::Endpoint& endpoint : lowered.endpoints) {
        const Object& object = lowered.world.object(endpoint.object);
        const Workload* workload = workloads.find(object);
        classes[{workload ? workload_of(*workload) : object.name, object.labels}] +=
            workload && workload->replicas ? **workload->replicas : 1;
    }
    std::size_t out = 0;
    for (const auto& [which, count] : classes)
        out += static_cast<std::size_t>(std::min<std::int64_t>(count, 2));
    return out;
}

} // namespace

/// Workloads, once for each direction in which no policy governs one of their pods; all endpoints
/// where there are no policies at all.
void count_captured(const Configuration& configuration, Tally& tally) {
    const decision::LoweredCluster& lowered = configuration.lowered;
    const Workloads workloads(configuration.cluster);
    if (policies_of(configuration.cluster).empty()) {
        tally.add(configuration.name + " has no policies",
                  count_representatives(lowered, workloads));
        return;
    }
    for (const Direction direction : {Direction::Ingress, Direction::Egress}) {
        std::set<std::string> open;
        for (const decision::Endpoint& endpoint : lowered.endpoints) {
            if (analyzer::is_governed(lowered, endpoint.object, direction, net::Family::V4))
                continue;
            const Object& object = lowered.world.object(endpoint.object);
            const Workload* workload = workloads.find(object);
            open.insert(workload ? workload_of(*workload) : object.name);
        }
        for (const std::string& name : open)
            tally.add(name + " " + std::string(decision::to_string(direction)));
    }
}

} // namespace polecat::conformance
