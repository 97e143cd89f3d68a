#include "frontend/replicas.h"

#include <algorithm>
#include <array>
#include <set>
#include <string>

#include "support/listed.h"

namespace polecat::frontend {

namespace {

constexpr std::array<const char*, 2> kLabels{"statefulset.kubernetes.io/pod-name",
                                             "apps.kubernetes.io/pod-index"};
/// More are hardly told apart by name, and a slip of the pen is no cluster.
constexpr std::int64_t kMostReplicas = 1000;

bool mentions_labels(const File& file) {
    return std::any_of(kLabels.begin(), kLabels.end(), [&](const char* label) {
        return file.text.find(label) != std::string::npos;
    });
}

policy::Workload replica(const policy::Workload& set, std::int64_t ordinal) {
    policy::Workload out = set;
    const std::string index = std::to_string(ordinal);
    out.kind = "Pod";
    out.owner_kind = set.kind;
    out.owner_name = set.meta.name;
    out.meta.name += "-" + index;
    out.replicas.reset();
    out.pod_labels.set(kLabels[0], out.meta.name);
    out.pod_labels.set(kLabels[1], index);
    return out;
}

} // namespace

void tell_replicas_apart(const std::vector<File>& files, policy::Cluster& cluster) {
    if (std::none_of(files.begin(), files.end(), mentions_labels))
        return;
    std::set<std::pair<std::string, std::string>> with_pods; // of the input, which are all of them
    for (const policy::Workload& each : cluster.workloads)
        if (each.owner_kind == "StatefulSet")
            with_pods.emplace(each.meta.space, each.owner_name);
    std::vector<policy::Workload> out;
    for (policy::Workload& each : cluster.workloads) {
        const std::int64_t count = each.replicas ? each.replicas->value : 1;
        const bool several = each.kind == "StatefulSet" && count > 1 &&
                             !with_pods.contains({each.meta.space, each.meta.name});
        if (several && count > kMostReplicas && !each.meta.unread.known()) {
            each.meta.unread = each.replicas->span;
            each.meta.unread_part = "which of its " + grouped_digits(count) + " pods is meant";
        }
        if (!several || count > kMostReplicas) {
            out.push_back(std::move(each));
            continue;
        }
        for (std::int64_t i = 0; i < count; ++i)
            out.push_back(replica(each, each.first_ordinal + i));
    }
    cluster.workloads = std::move(out);
}

} // namespace polecat::frontend
