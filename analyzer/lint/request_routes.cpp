// Ingresses and routes of gateways to pods that nobody may send requests to.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/program_sets.h"

namespace polecat::lint {

using analyzer::ConnectionSet;
using decision::Direction;
using decision::Hook;
using decision::ObjectId;
using policy::RequestRoute;

namespace {

/// Pods of these names (app.kubernetes.io/name) send the requests of Ingresses whose class has the
/// word.
constexpr std::pair<const char*, const char*> kControllers[] = {
    {"ingress-nginx", "nginx"},     {"nginx-ingress", "nginx"},        {"traefik", "traefik"},
    {"haproxy-ingress", "haproxy"}, {"kubernetes-ingress", "haproxy"}, {"kong", "kong"}};

ConnectionSet tcp(std::uint16_t port) {
    return ConnectionSet::of(net::kTcp,
                             analyzer::PortPairs::of(net::PortSet::of(net::PortRange{port, port}),
                                                     net::PortSet::of(net::PortRange{})));
}

class Checker {
  public:
    Checker(Context& context, Diagnostics& out)
        : context_(context), out_(out), atoms_({&context.lowered}) {}

    void run() {
        for (const RequestRoute& route : context_.cluster.request_routes) {
            const std::vector<ObjectId> senders = senders_of(route);
            for (const RequestRoute::Backend& backend : route.backends)
                check(route, backend, senders);
        }
    }

  private:
    /// The controller's pods, where the input has them.
    std::vector<ObjectId> senders_of(const RequestRoute& route) const {
        std::vector<ObjectId> out;
        for (const decision::Endpoint& endpoint : context_.lowered.endpoints) {
            const auto& labels = context_.object(endpoint.object).labels;
            if (endpoint.is_host_endpoint)
                continue;
            if (route.kind != "Ingress"
                    ? labels.find("gateway.networking.k8s.io/gateway-name").has_value()
                    : is_controller(labels, route.class_name))
                out.push_back(endpoint.object);
        }
        return out;
    }

    static bool is_controller(const selector::Labels& labels, const std::string& class_name) {
        const auto name = labels.find("app.kubernetes.io/name");
        const auto part = labels.find("app.kubernetes.io/component");
        if (!name || (part && *part == "admission-webhook"))
            return false;
        return std::any_of(std::begin(kControllers), std::end(kControllers), [&](const auto& each) {
            return *name == each.first &&
                   (class_name.empty() || class_name.find(each.second) != std::string::npos);
        });
    }

    void check(const RequestRoute& route, const RequestRoute::Backend& backend,
               const std::vector<ObjectId>& senders) {
        const std::string service = backend.space + "/" + backend.service;
        const auto front = context_.lowered.service_fronts.find(service);
        if (front == context_.lowered.service_fronts.end())
            return;
        const std::uint16_t port = port_of(backend, service);
        for (const auto& each : front->second.ports) {
            if (each.protocol != net::kTcp || each.port != port)
                continue;
            for (const decision::ServiceBackend& pod : each.backends)
                if (pod.object && is_kept_from(*pod.object, pod.port, senders))
                    return report(route, backend, *pod.object, pod.port, senders);
        }
    }

    std::uint16_t port_of(const RequestRoute::Backend& backend, const std::string& name) const {
        if (backend.port_name.empty())
            return backend.port;
        for (const policy::Service& service : context_.cluster.services)
            if (service.meta.space + "/" + service.meta.name == name)
                for (const policy::ServicePort& each : service.ports)
                    if (each.name == backend.port_name)
                        return each.port;
        return 0;
    }

    void report(const RequestRoute& route, const RequestRoute::Backend& backend, ObjectId pod,
                std::uint16_t port, const std::vector<ObjectId>& senders) {
        const std::string about =
            fmt::format("{} {}/{}", route.kind, route.meta.space, route.meta.name);
        if (!told_.emplace(about, pod.value, port).second)
            return;
        out_.report(Code::IngressBackendBlocked, backend.span,
                    {about, context_.object(pod).name, fmt::format("{}/TCP", port),
                     senders.empty() ? "everybody"
                                     : "the controller " + context_.object(senders.front()).name})
            .about(about)
            .with_hint("allow the controller's pods on that port");
    }

    /// Over no family that the pod has anybody who may send it requests gets through.
    bool is_kept_from(ObjectId pod, std::uint16_t port, const std::vector<ObjectId>& senders) {
        bool any = false;
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const auto* ingress =
                context_.lowered.find(pod, Direction::Ingress, Hook::Normal, family);
            const auto own = context_.ends(family).group_of(pod);
            if (ingress == nullptr || !own)
                continue;
            any = true;
            const analyzer::ProgramFlows flows(context_.lowered.program(ingress->program), atoms_);
            if (senders.empty() ? may_anybody(flows, *own, tcp(port))
                                : may_one(flows, pod, *own, tcp(port), senders))
                return false;
        }
        return any;
    }

    /// Somebody of whom nothing is known: no label, address or namespace that could be let in.
    bool may_anybody(const analyzer::ProgramFlows& flows, std::uint32_t own,
                     const ConnectionSet& wanted) {
        const net::Family family = flows.program().family;
        decision::Identity anybody;
        anybody.family = family;
        anybody.unknown = analyzer::predicates_of(flows.program(), true);
        return !(flows.between(anybody, context_.ends(family).identity(own)).may & wanted).empty();
    }

    bool may_one(const analyzer::ProgramFlows& flows, ObjectId pod, std::uint32_t own,
                 const ConnectionSet& wanted, const std::vector<ObjectId>& senders) {
        const net::Family family = flows.program().family;
        auto& ends = context_.ends(family);
        return std::any_of(senders.begin(), senders.end(), [&](ObjectId sender) {
            const auto from = ends.group_of(sender);
            if (sender == pod || is_own_node(sender, pod))
                return true;
            if (!from)
                return false;
            auto may = flows.between(ends.identity(*from), ends.identity(own)).may & wanted;
            const auto* egress =
                context_.lowered.find(sender, Direction::Egress, Hook::Normal, family);
            if (egress != nullptr) {
                const analyzer::ProgramFlows out(context_.lowered.program(egress->program), atoms_);
                may = may & out.between(ends.identity(*from), ends.identity(own)).may;
            }
            return !may.empty();
        });
    }

    /// A pod's own node always reaches it.
    bool is_own_node(ObjectId sender, ObjectId pod) const {
        const decision::Endpoint* from = context_.lowered.endpoint_of(sender);
        const decision::Endpoint* to = context_.lowered.endpoint_of(pod);
        return from != nullptr && to != nullptr && from->host_network &&
               (from->node.empty() || to->node.empty() || from->node == to->node);
    }

    Context& context_;
    Diagnostics& out_;
    analyzer::HttpAtoms atoms_;
    std::set<std::tuple<std::string, std::uint32_t, std::uint16_t>> told_;
};

} // namespace

void check_request_routes(Context& context, Diagnostics& out) {
    Checker(context, out).run();
}

} // namespace polecat::lint
