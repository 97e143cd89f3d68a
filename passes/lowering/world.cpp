// The world: endpoints and network sets with their effective labels and addresses.
// Label sources: Calico felix/labelindex, libcalico-go k8s/conversion.
#include <algorithm>

#include "ir/policy/felix.h"
#include "passes/lowering/parts.h"
#include "support/letters.h"
#include "support/sha1.h"

namespace polecat::passes::lowering {

using decision::Object;
using decision::ObjectId;
using selector::Labels;

namespace {

/// Labels of profiles, first profile strongest, below `own`.
Labels with_inherited(const std::vector<Labels::Pair>& own, const std::vector<std::string>& names,
                      const Profiles& profiles) {
    std::vector<Labels::Pair> pairs;
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
        const auto found = profiles.find(*name);
        if (found != profiles.end())
            pairs.insert(pairs.end(), found->second.labels.begin(), found->second.labels.end());
    }
    pairs.insert(pairs.end(), own.begin(), own.end());
    return Labels(std::move(pairs)); // later pairs win
}

/// Where an object could not be read, or a profile of which it has labels.
Span unread_of(const policy::Metadata& meta, const std::vector<std::string>& names,
               const Profiles& profiles) {
    Span out = meta.unread;
    for (const std::string& name : names)
        if (const auto found = profiles.find(name); !out.known() && found != profiles.end())
            out = found->second.labels_unread;
    return out;
}

std::vector<Labels::Pair> own_labels(const policy::Workload& workload) {
    const bool kubernetes = workload.kind != "WorkloadEndpoint";
    std::vector<Labels::Pair> own;
    if (!kubernetes)
        own.assign(workload.meta.labels.begin(), workload.meta.labels.end());
    for (const Labels::Pair pair : workload.pod_labels) {
        // A pod must not claim what only its namespace or account can give.
        if (kubernetes && (pair.first.starts_with(policy::kNamespacePrefix) ||
                           pair.first.starts_with(policy::kServiceAccountPrefix)))
            continue;
        own.push_back(pair);
    }
    own.emplace_back(policy::kNamespaceLabel, workload.meta.space);
    if (kubernetes)
        own.emplace_back(policy::kOrchestratorLabel, "k8s");
    if (!workload.service_account.empty())
        own.emplace_back(policy::kServiceAccountLabel, workload.service_account);
    else if (kubernetes)
        own.emplace_back(policy::kServiceAccountLabel, "default");
    return own;
}

/// As Calico's CNI plugin names the host's end of a pod's link
/// (libcalico-go/lib/backend/k8s/conversion, VethNameForWorkload).
std::string interface_of(const policy::Metadata& pod, const policy::FelixSettings& felix) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string hex;
    for (const std::uint8_t byte : sha1(pod.space + "." + pod.name)) {
        hex += kDigits[byte / 16];
        hex += kDigits[byte % 16];
    }
    return policy::interface_prefixes(felix).front() + hex.substr(0, 11);
}

/// Calico's annotation is a list of JSON: `["10.0.0.0/8"]`. What is no CIDR allows nothing.
std::vector<net::Cidr> other_sources(const policy::Workload& workload) {
    std::vector<net::Cidr> out = workload.other_sources;
    const auto found = workload.pod_annotations.find("cni.projectcalico.org/allowedSourcePrefixes");
    if (found == workload.pod_annotations.end())
        return out;
    const std::string& text = found->second;
    for (std::size_t at = text.find('"'); at != std::string::npos; at = text.find('"', at + 1)) {
        const std::size_t end = text.find('"', at + 1);
        if (end == std::string::npos)
            break;
        if (const auto cidr =
                net::parse_cidr(text.substr(at + 1, end - at - 1), net::CidrForm::OrAddress))
            out.push_back(*cidr);
        at = end;
    }
    return out;
}

std::string workload_key(const std::string& kind, const policy::Metadata& meta) {
    return lower_case(kind) + ":" + meta.space + "/" + meta.name;
}

class WorldBuilder {
  public:
    WorldBuilder(const policy::Cluster& cluster, const Profiles& profiles,
                 decision::LoweredCluster& lowered)
        : cluster_(cluster), profiles_(profiles), lowered_(lowered) {}

    std::vector<EndpointSource> run() {
        const std::size_t endpoints = cluster_.workloads.size() + cluster_.host_endpoints.size();
        lowered_.world.objects.reserve(endpoints + cluster_.network_sets.size());
        lowered_.endpoints.reserve(endpoints);
        sources_.reserve(endpoints);
        find_pods_of_workloads();
        for (const policy::Workload& workload : cluster_.workloads)
            add_workload(workload);
        name_workloads_of_pods();
        for (const policy::HostEndpoint& endpoint : cluster_.host_endpoints)
            add_host_endpoint(endpoint);
        lowered_.world.index_addresses();
        for (const policy::NetworkSet& set : cluster_.network_sets)
            add_network_set(set);
        add_pools();
        return std::move(sources_);
    }

  private:
    /// Workloads that some living pod or some other workload of the input already stands for.
    void find_pods_of_workloads() {
        for (const policy::Workload& workload : cluster_.workloads) {
            if (workload.finished || workload.owner_name.empty())
                continue;
            const std::string space = ":" + workload.meta.space + "/";
            // A Deployment's pods name its ReplicaSet, a CronJob's pods their Job.
            const std::size_t dash = workload.owner_name.rfind('-');
            const std::string parent = workload.owner_name.substr(0, dash);
            const std::string kind = lower_case(workload.owner_kind);
            std::vector<std::string> keys{kind + space + workload.owner_name};
            if (kind == "replicaset" && dash != std::string::npos)
                keys.push_back("deployment" + space + parent);
            if (kind == "job" && dash != std::string::npos)
                keys.push_back("cronjob" + space + parent);
            for (const std::string& key : keys) {
                const std::string own = workload_key(workload.kind, workload.meta);
                stand_in_.emplace(key, own);
                made_by_[key].push_back(own);
            }
        }
    }

    void add_workload(const policy::Workload& workload) {
        const std::string key = workload_key(workload.kind, workload.meta);
        const bool has_own_pods = workload.kind != "Pod" && workload.kind != "WorkloadEndpoint" &&
                                  stand_in_.contains(key);
        if (workload.finished)
            lowered_.finished.insert(key);
        if (workload.finished || has_own_pods)
            return;
        EndpointSource source;
        source.workload = &workload;
        source.governed = !workload.host_network;
        Object object;
        object.name = full_name(workload.meta);
        object.manifest_kind = workload.kind;
        object.labels = with_inherited(own_labels(workload), profile_names(source), profiles_);
        for (const At<net::Cidr>& address : workload.addresses)
            object.addresses.push_back(address->base);
        object.selectable = !workload.host_network;
        object.unread = unread_of(workload.meta, profile_names(source), profiles_);
        object.unread_part = workload.meta.unread_part;
        if (workload.host_network && object.addresses.empty())
            object.addresses = node_addresses(workload.node);
        object.addresses_known = !object.addresses.empty();
        object.ports = workload.ports;
        object.span = workload.meta.span;

        decision::Endpoint endpoint;
        endpoint.node = workload.node;
        endpoint.interface_name = workload.interface_name;
        if (endpoint.interface_name.empty() && workload.kind == "Pod" && !workload.host_network)
            endpoint.interface_name = interface_of(workload.meta, lowered_.felix_of(workload.node));
        endpoint.host_network = workload.host_network;
        if (lowered_.felix_of(workload.node).allows_other_sources.value_or(false))
            endpoint.other_sources = other_sources(workload);
        const ObjectId id = add(std::move(object), std::move(endpoint), source);
        lowered_.workloads_by_name.emplace(key, id);
        if (!workload.host_network)
            add_host_ports(workload, id);
    }

    void add_host_ports(const policy::Workload& workload, ObjectId id) {
        for (const policy::EndpointPort& port : workload.listens)
            if (port.host_port != 0)
                lowered_.host_ports[workload.node].push_back(
                    {port.protocol, 0, port.host_port, {{id, std::nullopt, port.port}}});
    }

    /// Names of workloads lead to one of their pods: all are made from one template.
    void name_workloads_of_pods() {
        for (const auto& [key, pod] : stand_in_) {
            std::string target = pod;
            for (std::size_t steps = 0; steps < 8; ++steps) { // CronJob -> Job -> Pod
                const auto found = lowered_.workloads_by_name.find(target);
                if (found != lowered_.workloads_by_name.end()) {
                    lowered_.workloads_by_name.emplace(key, found->second);
                    break;
                }
                const auto next = stand_in_.find(target);
                if (next == stand_in_.end())
                    break;
                target = next->second;
            }
            std::vector<ObjectId> pods;
            add_pods(key, 0, pods);
            if (pods.size() > 1)
                lowered_.pods_of_workloads.emplace(key, std::move(pods));
        }
    }

    /// Of a workload, and of those that it makes (CronJob -> Job -> Pod).
    void add_pods(const std::string& key, std::size_t depth, std::vector<ObjectId>& into) const {
        constexpr std::size_t kDeepest = 8;
        const auto made = made_by_.find(key);
        if (made == made_by_.end() || depth > kDeepest)
            return;
        for (const std::string& each : made->second) {
            const auto found = lowered_.workloads_by_name.find(each);
            if (found != lowered_.workloads_by_name.end() && each.starts_with("pod:"))
                into.push_back(found->second);
            else
                add_pods(each, depth + 1, into);
        }
    }

    void add_host_endpoint(const policy::HostEndpoint& source_object) {
        EndpointSource source;
        source.host_endpoint = &source_object;
        source.all_interfaces = source_object.interface_name == "*";
        Object object;
        object.kind = Object::Kind::HostEndpoint;
        object.name = source_object.meta.name;
        object.manifest_kind = "HostEndpoint";
        const Labels& own = source_object.meta.labels;
        object.labels = with_inherited({own.begin(), own.end()}, profile_names(source), profiles_);
        for (const At<net::Address>& address : source_object.expected_ips)
            object.addresses.push_back(*address);
        object.ports = source_object.ports;
        object.unread = unread_of(source_object.meta, profile_names(source), profiles_);
        object.span = source_object.meta.span;

        decision::Endpoint endpoint;
        endpoint.node = source_object.node;
        endpoint.interface_name = source_object.interface_name;
        endpoint.is_host_endpoint = true;
        lowered_.host_endpoints_by_name.emplace(
            source_object.meta.name, add(std::move(object), std::move(endpoint), source));
    }

    ObjectId add(Object object, decision::Endpoint endpoint, const EndpointSource& source) {
        auto& objects = lowered_.world.objects;
        const ObjectId id{static_cast<std::uint32_t>(objects.size())};
        objects.push_back(std::move(object));
        endpoint.object = id;
        lowered_.endpoints.push_back(std::move(endpoint));
        sources_.push_back(source);
        return id;
    }

    void add_network_set(const policy::NetworkSet& set) {
        Object object;
        object.kind = Object::Kind::NetworkSet;
        object.name = full_name(set.meta);
        object.manifest_kind = set.meta.space.empty() ? "GlobalNetworkSet" : "NetworkSet";
        std::vector<Labels::Pair> own(set.meta.labels.begin(), set.meta.labels.end());
        std::vector<std::string> inherits;
        if (!set.meta.space.empty()) {
            own.emplace_back(policy::kNamespaceLabel, set.meta.space);
            inherits.push_back("kns." + set.meta.space);
        }
        object.labels = with_inherited(own, inherits, profiles_);
        std::vector<net::Cidr> nets;
        for (const At<net::Cidr>& cidr : set.nets)
            nets.push_back(*cidr);
        object.nets = net::AddressSet::of(nets);
        object.unread = unread_of(set.meta, inherits, profiles_);
        object.labels_unread = set.meta.labels_unread || object.unread != set.meta.unread;
        object.span = set.meta.span;
        auto& world = lowered_.world;
        world.network_sets.push_back(ObjectId{static_cast<std::uint32_t>(world.objects.size())});
        world.objects.push_back(std::move(object));
    }

    void add_pools() {
        std::vector<net::Cidr> pools;
        for (const policy::IpPool& pool : cluster_.pools) {
            const auto& uses = pool.allowed_uses;
            const bool for_pods =
                uses.empty() || std::find(uses.begin(), uses.end(), "Workload") != uses.end();
            if (!pool.disabled && for_pods)
                pools.push_back(pool.cidr);
        }
        const bool unread =
            has_unknown_pool(cluster_) ||
            std::any_of(cluster_.pools.begin(), cluster_.pools.end(),
                        [](const policy::IpPool& pool) { return pool.meta.unread.known(); });
        if (!unread) // none: where pods' addresses come from is not known
            lowered_.world.pools = net::AddressSet::of(pools);
    }

    std::vector<net::Address> node_addresses(const std::string& name) const {
        std::vector<net::Address> addresses;
        for (const policy::Node& node : cluster_.nodes)
            if (!name.empty() && node.meta.name == name)
                addresses.insert(addresses.end(), node.addresses.begin(), node.addresses.end());
        return addresses;
    }

    const policy::Cluster& cluster_;
    const Profiles& profiles_;
    decision::LoweredCluster& lowered_;
    std::vector<EndpointSource> sources_;
    std::map<std::string, std::string> stand_in_; ///< workload key -> key of what stands for it
    std::map<std::string, std::vector<std::string>> made_by_; ///< all of those
};

} // namespace

bool has_unknown_pool(const policy::Cluster& cluster) {
    return std::any_of(cluster.others.begin(), cluster.others.end(),
                       [](const policy::OtherObject& each) {
                           return each.meta.unread.known() &&
                                  (each.kind == "IPPool" || each.kind == "Installation");
                       });
}

std::vector<EndpointSource> build_world(const policy::Cluster& cluster, const Profiles& profiles,
                                        decision::LoweredCluster& lowered) {
    return WorldBuilder(cluster, profiles, lowered).run();
}

} // namespace polecat::passes::lowering
