// Ingresses and routes of gateways to pods that nobody may send requests to.
#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using analyzer::ConnectionSet;
using analyzer::SetStore;
using decision::Direction;
using decision::Hook;
using decision::ObjectId;
using policy::RequestRoute;

namespace {

struct Controller {
    const char* pods;       ///< app.kubernetes.io/name of its pods
    const char* class_name; ///< that it serves where no IngressClass says more
    const char* name;       ///< spec.controller of its IngressClasses, which some follow by more
};
constexpr Controller kControllers[] = {
    {"ingress-nginx", "nginx", "k8s.io/ingress-nginx"},
    {"nginx-ingress", "nginx", "nginx.org/ingress-controller"},
    {"traefik", "traefik", "traefik.io/ingress-controller"},
    {"haproxy-ingress", "haproxy", "haproxy-ingress.github.io/controller"},
    {"kubernetes-ingress", "haproxy", "haproxy.org/ingress-controller"},
    {"kong", "kong", "ingress-controllers.konghq.com/kong"}};

constexpr std::string_view kGatewayLabel = "gateway.networking.k8s.io/gateway-name";

/// Who sends a route's requests.
struct Senders {
    std::vector<ObjectId> pods;
    /// False: it is not known which; `pods` may be among them, and others that the input lacks.
    bool certain = false;
};

ConnectionSet tcp_to(std::uint16_t port) {
    return ConnectionSet::of(net::kTcp,
                             analyzer::PortPairs::of(net::PortSet::of(net::PortRange{port, port}),
                                                     net::PortSet::of(net::PortRange{})));
}

class RequestRoutesChecker {
  public:
    RequestRoutesChecker(Context& context, Diagnostics& out) : context_(context), out_(out) {}

    void run() {
        for (const RequestRoute& route : context_.cluster.request_routes) {
            if (route.has_parents && route.gateways.empty())
                continue; // requests come from any client of a service mesh
            const Senders senders = senders_of(route);
            for (const RequestRoute::Backend& backend : route.backends)
                check(route, backend, senders);
        }
    }

  private:
    /// The controller's pods, where the input has them.
    Senders senders_of(const RequestRoute& route) const {
        Senders sure{{}, true}, possible;
        for (const decision::Endpoint& endpoint : context_.lowered.endpoints) {
            if (endpoint.is_host_endpoint)
                continue;
            const bool ingress = route.kind == "Ingress";
            const decision::Object& pod = context_.object(endpoint.object);
            if (ingress ? controller_of(pod) != nullptr
                        : pod.labels.find(kGatewayLabel).has_value())
                possible.pods.push_back(endpoint.object);
            if (ingress ? serves_class(pod, route.class_name) : is_gateway_of(pod, route))
                sure.pods.push_back(endpoint.object);
        }
        return sure.pods.empty() ? possible : sure;
    }

    static const Controller* controller_of(const decision::Object& pod) {
        const auto name = pod.labels.find("app.kubernetes.io/name");
        const auto part = pod.labels.find("app.kubernetes.io/component");
        if (!name || (part && *part == "admission-webhook"))
            return nullptr;
        const auto found = std::find_if(std::begin(kControllers), std::end(kControllers),
                                        [&](const auto& each) { return *name == each.pods; });
        return found == std::end(kControllers) ? nullptr : found;
    }

    /// An IngressClass says which controller serves it; without one its usual name does.
    bool serves_class(const decision::Object& pod, const std::string& class_name) const {
        const Controller* of = controller_of(pod);
        if (of == nullptr || class_name.empty())
            return false;
        for (const policy::IngressClass& each : context_.cluster.ingress_classes)
            if (each.meta.name == class_name)
                return each.controller == of->name ||
                       each.controller.starts_with(std::string(of->name) + "/");
        return class_name == of->class_name;
    }

    /// A gateway's pods are in its namespace.
    static bool is_gateway_of(const decision::Object& pod, const RequestRoute& route) {
        const auto name = pod.labels.find(kGatewayLabel);
        const auto space = pod.labels.find(policy::kNamespaceLabel);
        return name && space &&
               std::any_of(route.gateways.begin(), route.gateways.end(), [&](const auto& each) {
                   return each.name == *name && each.space == *space;
               });
    }

    void check(const RequestRoute& route, const RequestRoute::Backend& backend,
               const Senders& senders) {
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
                std::uint16_t port, const Senders& senders) {
        const std::string about =
            fmt::format("{} {}/{}", route.kind, route.meta.space, route.meta.name);
        if (!told_.emplace(about, pod.value, port).second)
            return;
        const ObjectId* sender = senders.certain ? &senders.pods.front() : nullptr;
        const decision::Endpoint* end =
            sender == nullptr ? nullptr : context_.lowered.endpoint_of(*sender);
        const std::string at = fmt::format("{}/TCP", port),
                          kept_out = sender == nullptr
                                         ? "everybody"
                                         : "the controller " + context_.object(*sender).name;
        auto& diagnostic =
            out_.report(Code::IngressBackendBlocked, backend.span,
                        {about, context_.object(pod).name, at, kept_out})
                .about(about)
                .with_fact("pod", context_.object(pod).name)
                .with_fact("port", at)
                .with_fact("sender", kept_out)
                .with_hint(end != nullptr && end->host_network
                               ? "allow the addresses of the controller's nodes (ipBlock, nets) on "
                                 "that port: it uses their network, so no selector matches it"
                               : "allow the controller's pods on that port");
        if (const auto policies = policies_of(pod); !policies.empty())
            diagnostic.with_fact("governed_by", fmt::format("{}", fmt::join(policies, ", ")))
                .with_note("it is governed by " + listed(policies));
    }

    std::vector<std::string> policies_of(ObjectId pod) const {
        std::vector<std::string> out;
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            if (const auto* program = context_.lowered.find(pod, decision::Direction::Ingress,
                                                            decision::Hook::Normal, family))
                for (const decision::PolicyBlock& each : program->slots.policies()) {
                    const std::string name = policy::to_string(each.policy);
                    if (!each.staged && std::find(out.begin(), out.end(), name) == out.end())
                        out.push_back(name);
                }
        return out;
    }

    /// Over no family that the pod has anybody who may send it requests gets through.
    bool is_kept_from(ObjectId pod, std::uint16_t port, const Senders& senders) {
        if (std::any_of(senders.pods.begin(), senders.pods.end(),
                        [&](ObjectId sender) { return sender == pod || is_own_node(sender, pod); }))
            return false;
        bool any = false;
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            const auto* ingress =
                context_.lowered.find(pod, Direction::Ingress, Hook::Normal, family);
            const auto own = context_.ends(family).group_of(pod);
            if (ingress == nullptr || !own)
                continue;
            any = true;
            const SetStore::Id wanted = context_.matches().store().intern(tcp_to(port));
            if (senders.certain ? may_one(ingress->program, *own, wanted, senders.pods)
                                : may_anybody(ingress->program, *own, wanted))
                return false;
        }
        return any;
    }

    /// Somebody of whom nothing is known: no label, address or namespace that could be let in.
    bool may_anybody(decision::ProgramId ingress, std::uint32_t own, SetStore::Id wanted) {
        auto& view = context_.view(ingress);
        decision::Identity anybody;
        anybody.family = view.program().family;
        anybody.unknown = view.asks_of_others();
        return let_through(ingress, own, anybody, wanted) != 0;
    }

    bool may_one(decision::ProgramId ingress, std::uint32_t own, SetStore::Id wanted,
                 const std::vector<ObjectId>& senders) {
        const net::Family family = context_.lowered.program(ingress).family;
        auto& ends = context_.ends(family);
        return std::any_of(senders.begin(), senders.end(), [&](ObjectId sender) {
            const auto from = ends.group_of(sender);
            if (!from)
                return false;
            auto may = let_through(ingress, own, ends.identity(*from), wanted);
            if (const auto* egress =
                    context_.lowered.find(sender, Direction::Egress, Hook::Normal, family))
                may = let_through(egress->program, *from, ends.identity(own), may);
            return may != 0;
        });
    }

    /// What of `wanted` the program may let through between its end and another.
    SetStore::Id let_through(decision::ProgramId program, std::uint32_t own,
                             const decision::Identity& other, SetStore::Id wanted) {
        auto& ends = context_.ends(context_.lowered.program(program).family);
        const auto may = context_.view(program).between(ends.identity(own), other).may;
        return context_.matches().store().intersect(may, wanted);
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
    std::set<std::tuple<std::string, std::uint32_t, std::uint16_t>> told_;
};

} // namespace

void check_request_routes(Context& context, Diagnostics& out) {
    RequestRoutesChecker(context, out).run();
}

} // namespace polecat::lint
