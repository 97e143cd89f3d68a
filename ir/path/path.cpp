// From the ends that people name to flows: families, addresses, services, backends.
#include "ir/path/path.h"

#include <algorithm>

#include "ir/path/route.h"
#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::ir {

using decision::End;
using decision::LoweredCluster;
using decision::ObjectId;
using decision::ServiceBackend;
using decision::ServiceFront;
using decision::Tri;

namespace {

Path ended(const decision::Flow& flow, decision::Verdict verdict, Reason reason) {
    Path path;
    path.flow = flow;
    path.end = verdict;
    path.end_reason = std::move(reason);
    return path;
}

Path refused(const decision::Flow& flow, Reason reason) {
    return ended(flow, decision::Verdict::Deny, std::move(reason));
}

std::vector<net::Address> addresses_of(const LoweredCluster& cluster, const PathEnd& end) {
    if (end.address)
        return {*end.address};
    if (end.endpoint) {
        const decision::Object& object = cluster.world.object(*end.endpoint);
        if (!object.addresses.empty())
            return object.addresses;
    }
    for (const decision::NodeInfo& node : cluster.nodes)
        if (!end.node.empty() && node.name == end.node)
            return node.addresses;
    return {};
}

bool speaks(const std::vector<net::Address>& addresses, net::Family family) {
    return addresses.empty() || std::any_of(addresses.begin(), addresses.end(),
                                            [&](const auto& a) { return a.family == family; });
}

/// The families in which the ends can talk. Where no address is known, IPv4 stands for both.
std::vector<net::Family> families_of(const LoweredCluster& cluster, const PathQuery& query) {
    const auto from = addresses_of(cluster, query.source);
    const auto to = addresses_of(cluster, query.destination);
    std::vector<net::Family> out;
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        if ((!query.family || *query.family == family) && speaks(from, family) &&
            speaks(to, family))
            out.push_back(family);
    if (!query.family && from.empty() && to.empty())
        out = {query.packet.protocol == net::kIcmpV6 ? net::Family::V6 : net::Family::V4};
    return out;
}

class Builder {
    using Via = Translation::Via;
    using Kind = Reason::Kind;

  public:
    Builder(const LoweredCluster& cluster, const PathQuery& query)
        : cluster_(cluster), query_(query) {}

    std::vector<Path> run() {
        if (!query_.destination.service.empty())
            to_named_service();
        else
            to_end(query_.destination);
        return std::move(out_);
    }

  private:
    void to_named_service() {
        const auto found = cluster_.service_fronts.find(query_.destination.service);
        if (found == cluster_.service_fronts.end()) {
            out_.push_back(refused(query_.packet, Kind::NoSuchService));
            return;
        }
        const ServiceFront& front = found->second;
        const auto* port = port_of(front, query_.packet.destination_port);
        if (front.is_external) {
            out_.push_back(ended(query_.packet, decision::Verdict::Depends, Kind::ExternalName));
        } else if (front.headless) { // DNS names the pods, nothing is rewritten
            to_pods(front);
        } else if (port == nullptr) {
            no_port(found->first, {Kind::NoSuchPort, found->first, ports_of(front)});
        } else if (front.is_exposed && is_outside(query_.source)) {
            to_exposed(found->first, front, *port);
        } else {
            to_backends(*port, front.cluster_ips, cluster_address(found->first, front));
        }
    }

    /// Who is outside asks a service by an address that leads in, of a load balancer where nothing
    /// else is said.
    void to_exposed(const std::string& key, const ServiceFront& front,
                    const ServiceFront::Port& port) {
        for (const net::Address& address : front.external_ips)
            if (!query_.source.address || address.family == query_.source.address->family)
                to_external_address(key, front, port, address);
        if (front.external_ips.empty())
            to_balancer(key, front, port, {});
    }

    /// A load balancer, or who does its work on the node, lets in whom the service names.
    void to_balancer(const std::string& key, const ServiceFront& front,
                     const ServiceFront::Port& port, const std::vector<net::Address>& address) {
        const auto family = address.empty() ? std::nullopt : std::optional(address.front().family);
        const Tri lets_in = is_in_ranges(front, family);
        if (lets_in != Tri::No)
            to_backends(port, address, front_of(key, front, Via::LoadBalancer));
        if (lets_in == Tri::No)
            out_.push_back(refused(query_.packet, {Kind::LeftOutByRanges, key}));
        else if (lets_in == Tri::Unknown)
            out_.push_back(
                ended(query_.packet, decision::Verdict::Depends, {Kind::MayBeLeftOut, key}));
    }

    bool is_outside(PathEnd end) const {
        settle(end);
        return !end.endpoint && end.node.empty();
    }

    const ServiceFront::Port* port_of(const ServiceFront& front,
                                      std::optional<std::uint16_t> port) const {
        for (const ServiceFront::Port& each : front.ports)
            if (port && each.protocol == query_.packet.protocol && each.port == *port)
                return &each;
        return nullptr;
    }

    /// " (it has 80/TCP)"
    static std::string ports_of(const ServiceFront& front) {
        std::vector<std::string> all;
        for (const ServiceFront::Port& each : front.ports)
            all.push_back(std::to_string(each.port) + "/" + net::to_string_protocol(each.protocol));
        constexpr std::size_t kMost = 4;
        return all.empty() ? "" : " (it has " + listed(all, kMost) + ")";
    }

    void to_pods(const ServiceFront& front) {
        std::vector<ServiceBackend> seen;
        for (const ServiceFront::Port& port : front.ports)
            for (ServiceBackend backend : port.backends) {
                backend.port = query_.packet.destination_port.value_or(0);
                if (std::find(seen.begin(), seen.end(), backend) == seen.end())
                    seen.push_back(backend);
            }
        for (const ServiceBackend& backend : seen)
            to_end(PathEnd{backend.object, "", "", backend.address}, {}, front.families);
        if (seen.empty())
            out_.push_back(refused(query_.packet, Kind::NoEndpoints));
    }

    void no_port(const std::string& key, const Reason& reason) {
        const bool unread = // of the API server's own only the members are not known
            key != policy::kKubernetesService && cluster_.world.unread_services.contains(key);
        out_.push_back(unread ? ended(query_.packet, decision::Verdict::Depends,
                                      Reason{Kind::UnreadService, key})
                              : refused(query_.packet, reason));
    }

    /// An address may be that of a service.
    bool to_service_address(const net::Address& address) {
        std::string without_port, ports; // of a service that has the address
        for (const auto& [key, front] : cluster_.service_fronts) {
            const bool external = holds(front.external_ips, address);
            if (!external && !holds(front.cluster_ips, address))
                continue;
            const auto* port = port_of(front, query_.packet.destination_port);
            if (port == nullptr) {
                if (!external) {
                    without_port = key;
                    ports = ports_of(front);
                }
                continue;
            }
            if (external)
                to_external_address(key, front, *port, address);
            else
                to_backends(*port, {address}, cluster_address(key, front));
            return true;
        }
        if (without_port.empty() || !query_.packet.destination_port)
            return false;
        no_port(without_port, {Kind::NoSuchPortThere, without_port, ports});
        return true;
    }

    void to_external_address(const std::string& key, const ServiceFront& front,
                             const ServiceFront::Port& port, const net::Address& address) {
        if (holds(front.balancer_ips, address))
            return to_balancer(key, front, port, {address});
        to_backends(port, {address}, front_of(key, front, Via::ExternalAddress));
        // Calico's BPF dataplane asks them of externalIPs as well, kube-proxy does not.
        if (is_in_ranges(front, address.family) != Tri::Yes)
            out_.push_back(ended(query_.packet, decision::Verdict::Depends,
                                 Reason{Kind::LeftOutByBalancer, key}));
    }

    static bool holds(const std::vector<net::Address>& list, const net::Address& address) {
        return std::find(list.begin(), list.end(), address) != list.end();
    }

    static bool is_of(const std::vector<net::Family>& families, net::Family family) {
        return families.empty() ||
               std::find(families.begin(), families.end(), family) != families.end();
    }

    static Translation front_of(const std::string& key, const ServiceFront& front, Via via) {
        Translation out;
        out.via = via;
        out.service = key;
        out.only_local = front.local_outside;
        out.families = front.families;
        return out;
    }

    Translation cluster_address(const std::string& key, const ServiceFront& front) const {
        Translation out = front_of(key, front, Via::ClusterAddress);
        out.only_local = front.local_inside;
        if (is_in_ranges(front, std::nullopt) != Tri::Yes)
            out.note = Kind::RangesDoNotCount;
        return out;
    }

    /// Whether a service's loadBalancerSourceRanges let the source in. Ranges of another family
    /// only say nothing of it.
    Tri is_in_ranges(const ServiceFront& front, std::optional<net::Family> family) const {
        PathEnd source = query_.source;
        settle(source);
        auto addresses = addresses_of(cluster_, source);
        std::erase_if(addresses,
                      [&](const auto& each) { return family && each.family != *family; });
        if (front.source_ranges.empty())
            return Tri::Yes;
        if (addresses.size() != 1)
            return Tri::Unknown;
        bool any = false;
        for (const net::Cidr& range : front.source_ranges) {
            if (range.contains(addresses.front()))
                return Tri::Yes;
            any = any || range.family() == addresses.front().family;
        }
        return any ? Tri::No : Tri::Unknown;
    }

    /// A port of a node may be a service's, or a pod's hostPort.
    bool to_node_port(const PathEnd& end) {
        if (query_.route != Route::Wire || !query_.packet.destination_port || end.node.empty())
            return false;
        for (const auto& [key, front] : cluster_.service_fronts)
            for (const ServiceFront::Port& port : front.ports)
                if (port.node_port != 0 && port.protocol == query_.packet.protocol &&
                    port.node_port == *query_.packet.destination_port) {
                    auto addresses = addresses_of(cluster_, end);
                    const bool known = !addresses.empty();
                    std::erase_if(addresses,
                                  [&families = front.families](const net::Address& each) {
                                      return !is_of(families, each.family);
                                  });
                    if (known && addresses.empty())
                        continue; // kube-proxy opens it in the service's families only
                    Translation through = front_of(key, front, Via::NodePort);
                    through.node = end.node;
                    to_backends(port, addresses, std::move(through));
                    return true;
                }
        return to_host_port(end);
    }

    /// The CNI's portmap plugin translates it. A pod that is not placed may be on this node.
    bool to_host_port(const PathEnd& end) {
        bool found = false;
        for (const std::string& node : {end.node, std::string()}) {
            const auto ports = cluster_.host_ports.find(node);
            if (ports == cluster_.host_ports.end())
                continue;
            for (const ServiceFront::Port& port : ports->second) {
                if (port.protocol != query_.packet.protocol ||
                    port.node_port != *query_.packet.destination_port)
                    continue;
                if (node.empty())
                    out_.push_back(
                        ended(query_.packet, decision::Verdict::Depends,
                              Reason{Kind::MayHaveHostPort,
                                     cluster_.world.object(*port.backends.front().object).name}));
                else
                    to_backends(port, addresses_of(cluster_, end), host_port(end.node));
                found = found || !node.empty();
            }
        }
        return found;
    }

    static Translation host_port(const std::string& node) {
        Translation out;
        out.via = Via::HostPort;
        out.node = node;
        return out;
    }

    void to_backends(const ServiceFront::Port& port, const std::vector<net::Address>& front,
                     Translation translation) {
        if (port.backends.empty())
            out_.push_back(refused(query_.packet, Kind::NoEndpoints));
        for (const ServiceBackend& backend : port.backends)
            translation.backend_nodes.push_back(node_of(backend));
        for (const ServiceBackend& backend : port.backends) {
            PathEnd end{backend.object, "", "", backend.address};
            translation.port = backend.port;
            translation.front.reset();
            for (const net::Family family : {net::Family::V4, net::Family::V6})
                for (const net::Address& address : front)
                    if (address.family == family) {
                        translation.front = address;
                        to_end(end, translation);
                    }
            if (front.empty())
                to_end(end, translation);
        }
    }

    /// "": not known.
    std::string node_of(const ServiceBackend& backend) const {
        PathEnd end{backend.object, "", "", backend.address};
        settle(end);
        if (!end.node.empty() || !end.endpoint)
            return end.node;
        const decision::Endpoint* endpoint = cluster_.endpoint_of(*end.endpoint);
        return endpoint == nullptr ? "" : endpoint->node;
    }

    /// `only`: families in which it is asked; empty: any.
    void to_end(PathEnd destination, const std::optional<Translation>& translation = {},
                const std::vector<net::Family>& only = {}) {
        settle(destination);
        if (!translation && ((destination.address && to_service_address(*destination.address)) ||
                             to_node_port(destination)))
            return;
        PathQuery query = query_;
        query.destination = destination;
        settle(query.source);
        if (translation && translation->front)
            query.family = translation->front->family;
        auto families = families_of(cluster_, query);
        std::erase_if(families, [&](net::Family each) {
            return !is_of(only, each) || (translation && !is_of(translation->families, each));
        });
        if (families.empty() && !translation)
            out_.push_back(refused(query.packet, Kind::NoCommonFamily));
        for (const net::Family family : families) {
            query.family = family;
            add_routes(cluster_, query, translation, out_);
        }
    }

    /// An address that an endpoint or a node holds is that endpoint or node.
    void settle(PathEnd& end) const {
        if (!end.endpoint && end.address) {
            for (const ObjectId id : decision::end_of(cluster_.world, *end.address).objects)
                if (!end.endpoint ||
                    cluster_.world.object(id).kind == decision::Object::Kind::Workload)
                    end.endpoint = id;
            for (const decision::NodeInfo& node : cluster_.nodes)
                if (std::find(node.addresses.begin(), node.addresses.end(), *end.address) !=
                    node.addresses.end())
                    end.node = node.name;
        }
        if (!end.endpoint)
            return;
        const decision::Endpoint* endpoint = cluster_.endpoint_of(*end.endpoint);
        if (endpoint != nullptr && (endpoint->is_host_endpoint || endpoint->host_network))
            end.node = endpoint->node;
    }

    const LoweredCluster& cluster_;
    const PathQuery& query_;
    std::vector<Path> out_;
};

} // namespace

std::vector<Path> paths(const LoweredCluster& cluster, const PathQuery& query) {
    std::vector<Path> out = Builder(cluster, query).run();
    if (out.empty())
        out.push_back(refused(query.packet, Reason::Kind::NoCommonFamily));
    return out;
}

decision::End packet_end(const LoweredCluster& cluster, const PathEnd& end) {
    if (end.address)
        return decision::end_of(cluster.world, *end.address);
    decision::End out;
    if (end.endpoint)
        out.objects.push_back(*end.endpoint);
    return out;
}

} // namespace polecat::ir
