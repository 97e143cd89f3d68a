// Services whose addresses BGP tells the routers outside, and who gets to the pods behind them.
// Source: confd/pkg/backends/calico/routes.go.
#include <algorithm>

#include <fmt/format.h>

#include "analyzer/lint/bgp/bgp.h"

namespace polecat::lint {

using decision::ObjectId;

namespace {

class Advertised {
  public:
    Advertised(Context& context, const Bgp& bgp, Diagnostics& out)
        : context_(context), bgp_(bgp), out_(out) {}

    void run() {
        if (bgp_.configuration == nullptr || bgp_.disabled_by() != nullptr || limited())
            return;
        const auto cluster = ranges({"serviceClusterIPs"});
        const auto external = ranges({"serviceExternalIPs", "serviceLoadBalancerIPs"});
        for (const policy::Service& service : context_.cluster.services) {
            const auto address = told(service, cluster, external);
            const auto front =
                context_.lowered.service_fronts.find(service.meta.space + "/" + service.meta.name);
            if (address && front != context_.lowered.service_fronts.end())
                check(service, front->first, front->second, *address);
        }
    }

  private:
    /// Policy before translation stops who comes to a service's address.
    bool limited() const {
        const auto& policies = context_.cluster.policies;
        return std::any_of(policies.begin(), policies.end(), [](const policy::Policy& policy) {
            return *policy.pre_dnat && !policy::is_staged(policy.kind);
        });
    }

    std::vector<net::Cidr> ranges(const std::vector<std::string>& lists) const {
        const policy::Settings& spec = bgp_.configuration->spec;
        std::vector<net::Cidr> out;
        for (const std::string& list : lists)
            for (std::size_t i = 0; i < spec.size(list); ++i)
                if (const auto cidr = spec.cidr(fmt::format("{}[{}].cidr", list, i)))
                    out.push_back(cidr->value);
        return out;
    }

    std::optional<net::Address> told(const policy::Service& service,
                                     const std::vector<net::Cidr>& cluster,
                                     const std::vector<net::Cidr>& external) const {
        for (const net::Address& each : service.outside_ips())
            if (is_told(each, external))
                return each;
        for (const net::Address& each : service.cluster_ips)
            if (is_told(each, cluster))
                return each;
        return std::nullopt;
    }

    /// As the range or as a host route.
    bool is_told(const net::Address& address, const std::vector<net::Cidr>& ranges) const {
        const auto width = static_cast<std::uint8_t>(net::width(address.family));
        return std::any_of(ranges.begin(), ranges.end(), [&](const net::Cidr& range) {
            return range.contains(address) &&
                   (leaves(range) || leaves(net::block_of(address, width)));
        });
    }

    /// To some router outside. Without any in the input, to those that it leaves out.
    bool leaves(const net::Cidr& prefix) const {
        bool any = false;
        for (const BgpPeer& peer : bgp_.peers) {
            if (!peer.to_router() || peer.to_workloads)
                continue;
            any = true;
            if (!export_rejection(bgp_, peer, prefix, prefix.prefix))
                return true;
        }
        return !any;
    }

    /// EndpointSlices have addresses for pods.
    std::optional<ObjectId> pod_of(const decision::ServiceBackend& backend) const {
        if (backend.object || !backend.address)
            return backend.object;
        for (const decision::Endpoint& each : context_.lowered.endpoints) {
            const auto& addresses = context_.object(each.object).addresses;
            if (!each.host_network && !each.is_host_endpoint &&
                std::find(addresses.begin(), addresses.end(), *backend.address) != addresses.end())
                return each.object;
        }
        return std::nullopt;
    }

    void check(const policy::Service& service, const std::string& name,
               const decision::ServiceFront& front, const net::Address& address) {
        for (const decision::ServiceFront::Port& port : front.ports)
            for (const decision::ServiceBackend& backend : port.backends) {
                const auto id = pod_of(backend);
                if (!id)
                    continue;
                const std::string& pod = context_.object(*id).name;
                std::string why;
                if (!isolated(*id, address.family))
                    why = fmt::format("no policy limits who comes to {}", pod);
                else if (service.external_traffic_policy != "Local" &&
                         context_.dataplane() != Dataplane::Bpf &&
                         lets_nodes_in(*id, port.protocol, backend.port, address.family))
                    why = fmt::format("the policy of {} lets in node addresses, with which clients "
                                      "from outside come",
                                      pod);
                else
                    continue;
                out_.report(Code::ServiceAdvertised, service.meta.span,
                            {name, net::to_string(address), why})
                    .about("Service " + name)
                    .with_label(bgp_.configuration->meta.span, "tells of it")
                    .with_hint("isolate the pods and allow the clients' networks, with "
                               "externalTrafficPolicy: Local, or limit them by a preDNAT policy");
                return;
            }
    }

    const decision::GroupProgram* ingress(ObjectId id, net::Family family) const {
        return context_.lowered.find(id, decision::Direction::Ingress, decision::Hook::Normal,
                                     family);
    }

    bool isolated(ObjectId id, net::Family family) const {
        const auto* program = ingress(id, family);
        // Host network, or not known: nothing is said.
        return program == nullptr || program->slots.any_enforced();
    }

    /// Nodes but not every address: who is allowed by intent is no finding.
    bool lets_nodes_in(ObjectId id, net::Protocol protocol, std::uint16_t port,
                       net::Family family) {
        auto& ends = context_.ends(family);
        const auto group = ends.group_of(id);
        if (!group)
            return false;
        const auto& identities = context_.identities();
        auto& view = context_.view(ingress(id, family)->program);
        const auto allowed = [&](const decision::Identity& from) {
            return context_.matches()
                .store()[view.between(ends.identity(*group), from).sure]
                .ports(protocol)
                .destinations()
                .contains(port);
        };
        std::vector<std::uint32_t> outside;
        for (std::uint32_t i = 0; i < ends.list().size(); ++i)
            if (ends.list()[i].is_outside())
                outside.push_back(i);
        const bool everybody = std::all_of(outside.begin(), outside.end(), [&](std::uint32_t i) {
            return allowed(ends.identity(i));
        });
        const auto& nodes = context_.lowered.nodes;
        return !everybody &&
               std::any_of(nodes.begin(), nodes.end(), [&](const decision::NodeInfo& node) {
                   return std::any_of(node.addresses.begin(), node.addresses.end(),
                                      [&](const net::Address& address) {
                                          return address.family == family &&
                                                 allowed(
                                                     identities[identities.of_address(address)]);
                                      });
               });
    }

    Context& context_;
    const Bgp& bgp_;
    Diagnostics& out_;
};

} // namespace

void check_bgp_services(Context& context, const Bgp& bgp, Diagnostics& out) {
    Advertised(context, bgp, out).run();
}

} // namespace polecat::lint
