// Members of services: felix/serviceindex. Readiness does not count.
#include <algorithm>
#include <set>

#include "ir/policy/scope.h"
#include "passes/lowering/parts.h"
#include "support/letters.h"

namespace polecat::passes::lowering {

using decision::Object;
using decision::ObjectId;
using decision::ServiceMember;

namespace {

void add_slice(const policy::ServiceEndpoints& slice, std::vector<ServiceMember>& members) {
    for (const net::Address& address : slice.addresses) {
        if (slice.ports.empty())
            members.push_back({address, net::kTcp, std::nullopt});
        for (const policy::ServiceEndpoints::EndpointsPort& port : slice.ports)
            members.push_back({address, port.protocol, port.port});
    }
}

/// The port of a pod behind a service's port; nullopt: the pod declares none of that name.
std::optional<std::uint16_t> target_of(const policy::ServicePort& port,
                                       const policy::Workload& workload) {
    if (const auto* number = std::get_if<std::uint16_t>(&port.target_port))
        return *number == 0 ? port.port : *number;
    for (const policy::EndpointPort& declared : workload.ports)
        if (declared.name == std::get<std::string>(port.target_port) &&
            declared.protocol == port.protocol)
            return declared.port;
    return std::nullopt;
}

/// Where the manifest leaves it open, a service is of the cluster's first family, which is that of
/// a pod's first address. A service of one family has the addresses of that one for members.
std::vector<net::Family> families_of(const policy::Service& service, const Object& pod) {
    if (!service.families.empty() || pod.addresses.empty())
        return service.families;
    return {pod.addresses.front().family};
}

class Builder {
  public:
    Builder(const policy::Cluster& cluster, decision::LoweredCluster& lowered)
        : cluster_(cluster), lowered_(lowered) {}

    void run() {
        note_unread();
        for (const policy::ServiceEndpoints& slice : cluster_.service_endpoints)
            add_slice(slice, lowered_.world.services[slice.meta.space + "/" + slice.service]);
        for (const policy::Service& service : cluster_.services)
            add_selected(service);
        add_fronts();
        for (auto& [key, members] : lowered_.world.services) {
            std::sort(members.begin(), members.end());
            members.erase(std::unique(members.begin(), members.end()), members.end());
        }
    }

  private:
    /// What clients of the services meet.
    void add_fronts() {
        for (const policy::Service& service : cluster_.services) {
            const std::string key = service.meta.space + "/" + service.meta.name;
            decision::ServiceFront front;
            front.cluster_ips = service.cluster_ips;
            front.external_ips = service.outside_ips();
            front.families = service.families;
            front.headless = service.headless;
            front.balancer_ips.assign(front.external_ips.begin() +
                                          static_cast<std::ptrdiff_t>(service.external_ips.size()),
                                      front.external_ips.end());
            front.is_external = service.type == "ExternalName";
            front.is_balanced = service.type == "LoadBalancer";
            front.is_exposed = front.is_balanced || service.type == "NodePort";
            front.source_ranges = service.source_ranges;
            front.local_outside = service.external_traffic_policy == "Local";
            front.local_inside = service.internal_traffic_policy == "Local";
            for (std::size_t i = 0; i < service.ports.size(); ++i) {
                const policy::ServicePort& port = service.ports[i];
                decision::ServiceFront::Port seen{port.protocol, port.port, port.node_port, {}};
                const auto selected = selected_.find({key, i});
                if (selected != selected_.end())
                    seen.backends = selected->second;
                if (front.families.empty() && !seen.backends.empty())
                    front.families =
                        families_of(service, lowered_.world.object(*seen.backends.front().object));
                front.ports.push_back(std::move(seen));
            }
            services_.emplace(key, &service);
            lowered_.service_fronts.emplace(key, std::move(front));
        }
        for (const policy::ServiceEndpoints& slice : cluster_.service_endpoints)
            add_backends(slice);
    }

    /// A slice's ports are those of the service by name.
    void add_backends(const policy::ServiceEndpoints& slice) {
        const std::string key = slice.meta.space + "/" + slice.service;
        const auto front = lowered_.service_fronts.find(key);
        const auto found = services_.find(key);
        if (front == lowered_.service_fronts.end() || found == services_.end())
            return;
        const policy::Service* service = found->second;
        for (std::size_t i = 0; i < service->ports.size(); ++i)
            for (const policy::ServiceEndpoints::EndpointsPort& port : slice.ports)
                if (port.port && port.name == service->ports[i].name &&
                    port.protocol == service->ports[i].protocol)
                    for (const net::Address& address : slice.addresses)
                        front->second.ports[i].backends.push_back(
                            {std::nullopt, address, *port.port});
    }

    /// Without slices: what the controller would write, from the selector.
    void add_selected(const policy::Service& service) {
        const std::string key = service.meta.space + "/" + service.meta.name;
        const bool has_slices = lowered_.world.services.contains(key) && !made_.contains(key);
        if (has_slices || service.selector.empty() || service.type == "ExternalName")
            return;
        made_.insert(key);
        lowered_.world.services[key];
        if (by_space_.empty())
            index_workloads();
        for (const policy::Workload* workload : by_space_[service.meta.space])
            if (selects(service, *workload))
                add_member(service, key, *workload);
    }

    /// Services of which not all members are known.
    void note_unread() {
        auto& unread = lowered_.world.unread_services;
        const auto& slices = cluster_.service_endpoints;
        const bool has_api_server =
            std::any_of(slices.begin(), slices.end(), [](const policy::ServiceEndpoints& each) {
                return each.meta.space + "/" + each.service == policy::kKubernetesService;
            });
        if (!has_api_server)
            unread.emplace(policy::kKubernetesService);
        const auto doubt = [&](const policy::Metadata& meta, const std::string& service) {
            if (meta.unread.known())
                unread.insert(meta.space.empty() ? "" : meta.space + "/" + service);
        };
        for (const policy::Service& service : cluster_.services)
            doubt(service.meta, service.meta.name);
        for (const policy::ServiceEndpoints& slice : cluster_.service_endpoints)
            doubt(slice.meta, slice.service);
    }

    void index_workloads() {
        for (const policy::Workload& workload : cluster_.workloads)
            if (workload.kind != "WorkloadEndpoint" && !workload.finished)
                by_space_[workload.meta.space].push_back(&workload);
    }

    void add_member(const policy::Service& service, const std::string& key,
                    const policy::Workload& workload) {
        const std::string name =
            lower_case(workload.kind) + ":" + key.substr(0, key.find('/')) + "/";
        const auto found = lowered_.workloads_by_name.find(name + workload.meta.name);
        if (found == lowered_.workloads_by_name.end())
            return;
        const Object& object = lowered_.world.object(found->second);
        std::vector<std::pair<net::Protocol, std::optional<std::uint16_t>>> ports;
        for (std::size_t i = 0; i < service.ports.size(); ++i) {
            const policy::ServicePort& port = service.ports[i];
            ports.emplace_back(port.protocol, target_of(port, workload));
            if (ports.back().second)
                selected_[{key, i}].push_back({found->second, std::nullopt, *ports.back().second});
        }
        if (ports.empty())
            ports.emplace_back(net::kTcp, std::nullopt);
        const auto families = families_of(service, object);
        for (const auto& [protocol, port] : ports) {
            for (const net::Address& address : object.addresses)
                if (std::find(families.begin(), families.end(), address.family) != families.end())
                    lowered_.world.services[key].push_back({address, protocol, port});
            if (!object.addresses_known)
                lowered_.world.service_objects[key].push_back({found->second, protocol, port});
        }
    }

    const policy::Cluster& cluster_;
    decision::LoweredCluster& lowered_;
    std::map<std::string, const policy::Service*> services_;
    std::set<std::string> made_; ///< services whose members come from the selector
    std::map<std::pair<std::string, std::size_t>, std::vector<decision::ServiceBackend>> selected_;
    std::map<std::string, std::vector<const policy::Workload*>> by_space_;
};

} // namespace

bool selects(const policy::Service& service, const policy::Workload& workload) {
    return std::all_of(service.selector.begin(), service.selector.end(), [&](const auto& wanted) {
        return workload.pod_labels.find(wanted.first) == wanted.second;
    });
}

void build_services(const policy::Cluster& cluster, decision::LoweredCluster& lowered) {
    Builder(cluster, lowered).run();
}

} // namespace polecat::passes::lowering
