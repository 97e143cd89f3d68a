#include "driver/reach/ask.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "analyzer/expectations/names.h"
#include "frontend/expectation_text.h"

namespace polecat::driver {

using analyzer::AskedEnds;
using analyzer::ConnectionSet;
using analyzer::PortPairs;

namespace {

std::vector<decision::ObjectId> host_endpoints_of(const decision::LoweredCluster& cluster,
                                                  const std::string& node) {
    std::vector<decision::ObjectId> out;
    for (const decision::Endpoint& endpoint : cluster.endpoints)
        if (endpoint.is_host_endpoint && endpoint.node == node)
            out.push_back(endpoint.object);
    return out;
}

/// The host endpoints of a node govern what comes to addresses that no manifest of them gives.
void name_hosts(const decision::LoweredCluster& cluster, AskedEnds& asked) {
    for (const decision::NodeInfo& node : cluster.nodes)
        for (const net::Address& address : node.addresses) {
            if (!asked.addresses.contains(address) ||
                !decision::end_of(cluster.world, address).objects.empty())
                continue;
            const auto hosts = host_endpoints_of(cluster, node.name);
            if (hosts.empty())
                continue;
            asked.objects.insert(asked.objects.end(), hosts.begin(), hosts.end());
            asked.addresses = asked.addresses - net::AddressSet::of(net::Range{address, address});
        }
}

net::AddressSet addresses_of_node(const decision::LoweredCluster& cluster,
                                  const std::string& name) {
    std::vector<net::Range> ranges;
    for (const decision::NodeInfo& node : cluster.nodes)
        if (node.name == name)
            for (const net::Address& address : node.addresses)
                ranges.push_back({address, address});
    return net::AddressSet::of(std::move(ranges));
}

Result<AskedEnds> of_node(const decision::LoweredCluster& cluster, const std::string& name) {
    AskedEnds out;
    out.addresses = addresses_of_node(cluster, name);
    if (out.addresses.empty())
        out.objects = host_endpoints_of(cluster, name);
    if (out.addresses.empty() && out.objects.empty())
        return Error{fmt::format("the addresses of node `{}` are not known: name a host endpoint "
                                 "(hep:NAME) or an address",
                                 name)};
    name_hosts(cluster, out);
    return out;
}

} // namespace

Result<AskedEnds> asked_ends(const decision::LoweredCluster& cluster, const std::string& text) {
    AskedEnds out;
    if (text == "any") {
        out.any = true;
        return out;
    }
    const auto name = frontend::parse_end(text);
    if (!name)
        return Error{name.error()};
    if (name->kind == expectation::EndName::Kind::Addresses) {
        out.addresses = net::AddressSet::of(name->range);
        name_hosts(cluster, out);
        return out;
    }
    const auto end = analyzer::find_end(cluster, *name);
    if (!end)
        return Error{end.error()};
    if (!end->node.empty())
        return of_node(cluster, end->node);
    if (end->endpoint)
        out.objects.push_back(*end->endpoint);
    return out;
}

namespace {

net::PortSet single(std::uint16_t number) {
    return net::PortSet::of(net::PortRange{number, number});
}

ConnectionSet to_port(net::Protocol protocol, std::uint16_t number) {
    return ConnectionSet::of(protocol,
                             PortPairs::of(single(number), net::PortSet::of(net::PortRange{})));
}

/// Outside addresses that a load balancer lets in; nullopt: any.
std::optional<net::AddressSet> let_in(const decision::ServiceFront& service) {
    if (service.source_ranges.empty())
        return std::nullopt;
    net::AddressSet out = net::AddressSet::of(service.source_ranges);
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        if (out.of_family(family).empty())
            out = out | net::AddressSet::all(family);
    return out;
}

/// What is asked of `number` (of the service, or of a node) goes to the backends at their ports.
void add_backends(const decision::LoweredCluster& cluster, const decision::ServiceFront::Port& port,
                  std::uint16_t number, const Question& question, const std::string& words,
                  std::vector<Question>& out) {
    const ConnectionSet asked = question.connections & to_port(port.protocol, number);
    if (asked.empty())
        return;
    std::map<std::uint16_t, AskedEnds> by_port;
    for (const decision::ServiceBackend& backend : port.backends) {
        AskedEnds& ends = by_port[backend.port];
        if (backend.object)
            ends.objects.push_back(*backend.object);
        else if (backend.address)
            ends.addresses = ends.addresses |
                             net::AddressSet::of(net::Range{*backend.address, *backend.address});
    }
    const auto& sources = asked.ports(port.protocol).rows().front().source;
    const auto name = frontend::parse_end(question.to);
    const auto front =
        name ? analyzer::find_end(cluster, *name) : Result<ir::PathEnd>(Error{name.error()});
    for (auto& [behind, ends] : by_port) {
        Question each = question;
        each.destination = std::move(ends);
        if (front)
            each.through = Through{*front, port.protocol, number};
        each.connections = ConnectionSet::of(port.protocol, PortPairs::of(single(behind), sources));
        each.traffic = fmt::format("{}/{}, port {} of a backend{}", number,
                                   net::to_string_protocol(port.protocol), behind, words);
        out.push_back(std::move(each));
    }
}

} // namespace

std::vector<Question> service_questions(const decision::LoweredCluster& cluster,
                                        const decision::ServiceFront& service,
                                        const Question& question) {
    std::vector<Question> out;
    Question asked = question;
    asked.families = service.families;
    asked.source_ranges = net::AddressSet::of(service.source_ranges);
    // Not where externalIPs lead in as well, which kube-proxy opens to all.
    if (service.is_balanced && service.external_ips.size() == service.balancer_ips.size())
        asked.source.outside_in = let_in(service);
    for (const auto& port : service.ports)
        add_backends(cluster, port, port.port, asked,
                     asked.source.outside_in ? ", from outside by loadBalancerSourceRanges" : "",
                     out);
    return out;
}

namespace {

/// Questions behind the addresses that one was asked of: services' and ports of nodes.
class Behind {
  public:
    Behind(const decision::LoweredCluster& cluster, const expectation::EndName& name,
           Question question)
        : cluster_(cluster), question_(std::move(question)) {
        if (name.kind == expectation::EndName::Kind::Node)
            addresses_ = addresses_of_node(cluster, name.name);
        else if (name.kind == expectation::EndName::Kind::Addresses &&
                 name.range.first == name.range.last)
            addresses_ = net::AddressSet::of(name.range);
        for (const decision::NodeInfo& node : cluster.nodes)
            for (const net::Address& address : node.addresses)
                if (addresses_.contains(address))
                    nodes_.push_back(node.name);
    }

    std::vector<Question> run() {
        for (const auto& [key, front] : cluster_.service_fronts)
            of_service(key, front);
        for (const std::string& node : nodes_)
            if (const auto ports = cluster_.host_ports.find(node);
                ports != cluster_.host_ports.end())
                for (const auto& port : ports->second)
                    take(port, port.node_port, question_, ", by its hostPort");
        if (!question_.connections.empty() && !is_cluster_address_)
            out_.insert(out_.begin(), question_);
        return std::move(out_);
    }

  private:
    bool any_of(const std::vector<net::Address>& addresses) const {
        return std::any_of(addresses.begin(), addresses.end(),
                           [&](const auto& each) { return addresses_.contains(each); });
    }

    /// Whether of its outer addresses only those of load balancers are asked.
    bool is_balancer(const decision::ServiceFront& front) const {
        const auto& balancers = front.balancer_ips;
        return std::all_of(
            front.external_ips.begin(), front.external_ips.end(), [&](const auto& each) {
                return !addresses_.contains(each) ||
                       std::find(balancers.begin(), balancers.end(), each) != balancers.end();
            });
    }

    void of_service(const std::string& key, const decision::ServiceFront& front) {
        const bool inside = any_of(front.cluster_ips), outside = any_of(front.external_ips);
        is_cluster_address_ = is_cluster_address_ || inside;
        Question at_node = question_; // where nobody asks for loadBalancerSourceRanges
        at_node.families = front.families;
        Question asked = at_node;
        if (outside) {
            asked.source_ranges = net::AddressSet::of(front.source_ranges);
            if (is_balancer(front))
                asked.source.outside_in = let_in(front);
        }
        const bool on_nodes = // kube-proxy opens ports in a service's families only
            !nodes_.empty() &&
            (front.families.empty() ||
             std::any_of(front.families.begin(), front.families.end(), [&](net::Family family) {
                 return !addresses_.of_family(family).empty();
             }));
        const std::string of = " of service " + key;
        for (const auto& port : front.ports) {
            if (inside || outside)
                take(port, port.port, asked, of);
            if (on_nodes && port.node_port != 0)
                take(port, port.node_port, at_node, of);
        }
    }

    /// What goes to backends is no longer asked of who has the address.
    void take(const decision::ServiceFront::Port& port, std::uint16_t number,
              const Question& question, const std::string& words) {
        add_backends(cluster_, port, number, question, words, out_);
        question_.connections = question_.connections - to_port(port.protocol, number);
    }

    const decision::LoweredCluster& cluster_;
    Question question_; ///< what is left of it
    net::AddressSet addresses_;
    std::vector<std::string> nodes_;
    bool is_cluster_address_ = false;
    std::vector<Question> out_;
};

} // namespace

std::vector<Question> questions_behind(const decision::LoweredCluster& cluster,
                                       const Question& question) {
    const auto name = frontend::parse_end(question.to);
    return question.to == "any" || !name ? std::vector{question}
                                         : Behind(cluster, *name, question).run();
}

} // namespace polecat::driver
