#include "frontend/replicas.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "support/listed.h"

namespace polecat::frontend {

namespace {

constexpr std::array<const char*, 2> kLabels{"statefulset.kubernetes.io/pod-name",
                                             "apps.kubernetes.io/pod-index"};
/// Of more only those count by themselves that something names: a slip of the pen is no cluster.
constexpr std::int64_t kMostReplicas = 1000;
constexpr const char* kDigits = "0123456789";

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

/// Ordinals of pods that texts speak of by name (`db-7`) or, where they speak of indexes at all, by
/// any number; nullopt: of too many, or by parts of a name.
std::optional<std::set<std::int64_t>> named_ordinals(const std::vector<File>& files,
                                                     const policy::Workload& set) {
    constexpr std::size_t kMostNamed = 100, kMostDigits = 9;
    const std::string prefix = set.meta.name + "-";
    std::set<std::int64_t> out;
    for (const File& file : files) {
        if (!mentions_labels(file))
            continue;
        const std::string_view text = file.text;
        for (const std::string_view test : {"starts with", "ends with", "contains"})
            if (text.find(test) != std::string_view::npos)
                return std::nullopt;
        const bool by_index = text.find(kLabels[1]) != std::string_view::npos;
        for (std::size_t at = text.find_first_of(kDigits); at != std::string_view::npos;) {
            const std::size_t end = std::min(text.find_first_not_of(kDigits, at), text.size());
            const bool whole = end == text.size() || !(std::isalnum(text[end]) != 0);
            if (whole && end - at <= kMostDigits &&
                (by_index || text.substr(0, at).ends_with(prefix)))
                out.insert(std::stoll(std::string(text.substr(at, end - at))));
            at = text.find_first_of(kDigits, end);
        }
        if (out.size() > kMostNamed)
            return std::nullopt;
    }
    return out;
}

/// Pods that something speaks of, each by itself, and one that stands for all others, which are
/// alike. False: they can't be told apart so.
bool add_named(const std::vector<File>& files, const policy::Workload& set, std::int64_t count,
               std::vector<policy::Workload>& out) {
    const auto named = named_ordinals(files, set);
    if (!named)
        return false;
    std::int64_t other = set.first_ordinal;
    const std::int64_t end = set.first_ordinal + count;
    while (named->contains(other) && other < end)
        ++other;
    for (const std::int64_t each : *named)
        if (each >= set.first_ordinal && each < end)
            out.push_back(replica(set, each));
    if (other < end)
        out.push_back(replica(set, other));
    return true;
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
        if (several && count > kMostReplicas && add_named(files, each, count, out))
            continue;
        if (several && count > kMostReplicas && !each.meta.unread.known()) {
            each.meta.unread = each.replicas->span;
            each.meta.unread_part = "which of its " +
                                    grouped_digits(static_cast<std::size_t>(count)) +
                                    " pods is meant";
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
