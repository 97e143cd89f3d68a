#include "analyzer/expectations/names.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "support/diag/diagnostic.h"
#include "support/listed.h"

namespace polecat::analyzer {

using decision::LoweredCluster;
using decision::ObjectId;
using expectation::EndName;

namespace {

constexpr std::array<std::string_view, 9> kKinds{
    "pod",        "workloadendpoint",      "deployment", "statefulset", "daemonset",
    "replicaset", "replicationcontroller", "job",        "cronjob"};

std::string did_you_mean(const std::string& word, const std::vector<std::string_view>& candidates) {
    const auto near = diag::nearest(word, candidates);
    return near ? fmt::format("; did you mean `{}`?", *near) : "";
}

std::string nearest_workload(const LoweredCluster& cluster, const EndName& name) {
    std::vector<std::string_view> names;
    for (const auto& [key, id] : cluster.workloads_by_name)
        names.push_back(std::string_view(key).substr(key.find(':') + 1));
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    return did_you_mean(name.space + "/" + name.name, names);
}

std::string key_of(std::string_view kind, const EndName& name) {
    return fmt::format("{}:{}/{}", kind, name.space, name.name);
}

bool finished(const LoweredCluster& cluster, const EndName& name) {
    return std::any_of(kKinds.begin(), kKinds.end(), [&](std::string_view kind) {
        return (name.manifest_kind.empty() || kind == name.manifest_kind) &&
               cluster.finished.contains(key_of(kind, name));
    });
}

/// Whether some policy governs the one and not the other, or means it as a peer.
bool tells_apart(const LoweredCluster& cluster, ObjectId first, ObjectId second) {
    const auto group = [&](ObjectId id) { return cluster.endpoint_of(id)->group; };
    if (group(first) != group(second))
        return true;
    const decision::Object &a = cluster.world.object(first), &b = cluster.world.object(second);
    for (std::uint32_t i = 0; a.labels != b.labels && i < cluster.predicates.size(); ++i)
        if (const auto* set =
                std::get_if<decision::ObjectSet>(&cluster.predicates[decision::PredicateId{i}]);
            set != nullptr && set->selector.matches(a.labels) != set->selector.matches(b.labels))
            return true;
    return false;
}

/// A workload's name stands for one of its pods as long as they are alike.
std::optional<Error> told_apart(const LoweredCluster& cluster, const std::string& key,
                                const EndName& name) {
    const auto found = cluster.pods_of_workloads.find(key);
    if (found == cluster.pods_of_workloads.end())
        return std::nullopt;
    const auto& pods = found->second;
    if (std::none_of(pods.begin(), pods.end(),
                     [&](ObjectId id) { return tells_apart(cluster, pods.front(), id); }))
        return std::nullopt;
    std::vector<std::string> names;
    for (const ObjectId id : pods)
        names.push_back(cluster.world.object(id).name);
    constexpr std::size_t kMost = 4;
    return Error{fmt::format("policies tell the pods of `{}` apart: write which of {}", name.text,
                             listed(names, kMost))};
}

Result<ObjectId> find_workload(const LoweredCluster& cluster, const EndName& name) {
    std::vector<std::pair<std::string, ObjectId>> found;
    for (const std::string_view kind : kKinds) {
        if (!name.manifest_kind.empty() && kind != name.manifest_kind)
            continue;
        const auto place = cluster.workloads_by_name.find(key_of(kind, name));
        if (place == cluster.workloads_by_name.end())
            continue;
        if (const auto error = told_apart(cluster, place->first, name))
            return *error;
        const auto same = [&](const auto& each) { return each.second == place->second; };
        if (std::none_of(found.begin(), found.end(), same))
            found.emplace_back(fmt::format("`{}`", place->first), place->second);
    }
    if (found.size() == 1)
        return found.front().second;
    if (found.empty() && name.text.find_first_not_of("0123456789.:/") == std::string::npos)
        return Error{fmt::format("`{}` is no IP address and no CIDR", name.text)};
    if (found.empty() && finished(cluster, name))
        return Error{fmt::format("`{}` has finished: it sends and gets no packets, and its address "
                                 "may be another pod's by now",
                                 name.text)};
    if (found.empty())
        return Error{
            fmt::format("there is no workload `{}`{}", name.text, nearest_workload(cluster, name))};
    std::vector<std::string> names;
    for (const auto& [text, id] : found)
        names.push_back(text);
    return Error{fmt::format("`{}` is {}: write which", name.text, fmt::join(names, " and "))};
}

Result<ir::PathEnd> find_node(const LoweredCluster& cluster, const EndName& name) {
    std::vector<std::string_view> names;
    for (const decision::NodeInfo& node : cluster.nodes)
        names.push_back(node.name);
    for (const decision::Endpoint& endpoint : cluster.endpoints)
        names.push_back(endpoint.node);
    if (std::find(names.begin(), names.end(), name.name) == names.end())
        return Error{
            fmt::format("there is no node `{}`{}", name.name, did_you_mean(name.name, names))};
    ir::PathEnd end;
    end.node = name.name;
    return end;
}

Result<ir::PathEnd> find_service(const LoweredCluster& cluster, const EndName& name) {
    const std::string key = name.space + "/" + name.name;
    if (!cluster.service_fronts.contains(key)) {
        std::vector<std::string_view> names;
        for (const auto& [known, front] : cluster.service_fronts)
            names.push_back(known);
        return Error{fmt::format("there is no service `{}`{}", key, did_you_mean(key, names))};
    }
    ir::PathEnd end;
    end.service = key;
    return end;
}

} // namespace

Result<ObjectId> find_object(const LoweredCluster& cluster, const EndName& name) {
    if (name.kind == EndName::Kind::Workload)
        return find_workload(cluster, name);
    if (name.kind != EndName::Kind::HostEndpoint)
        return Error{fmt::format("`{}` is no endpoint with policy of its own: write "
                                 "NAMESPACE/NAME or hep:NAME",
                                 name.text)};
    const auto found = cluster.host_endpoints_by_name.find(name.name);
    if (found != cluster.host_endpoints_by_name.end())
        return found->second;
    std::vector<std::string_view> names;
    for (const auto& [known, id] : cluster.host_endpoints_by_name)
        names.push_back(known);
    return Error{
        fmt::format("there is no host endpoint `{}`{}", name.name, did_you_mean(name.name, names))};
}

Result<ir::PathEnd> find_end(const LoweredCluster& cluster, const EndName& name) {
    ir::PathEnd end;
    switch (name.kind) {
    case EndName::Kind::Workload:
    case EndName::Kind::HostEndpoint: {
        const auto object = find_object(cluster, name);
        if (!object)
            return Error{object.error()};
        end.endpoint = *object;
        return end;
    }
    case EndName::Kind::Node:
        return find_node(cluster, name);
    case EndName::Kind::Service:
        return find_service(cluster, name);
    case EndName::Kind::Addresses:
        if (name.range.first != name.range.last)
            return Error{fmt::format("`{}` is many addresses: write one", name.text)};
        end.address = name.range.first;
        return end;
    }
    return Error{"no such end"};
}

} // namespace polecat::analyzer
