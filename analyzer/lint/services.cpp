// Services, node ports, named ports, pods in the node's network.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/program_sets.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using decision::Direction;
using decision::Object;
using decision::ObjectId;
using policy::EntityRule;
using policy::Policy;

namespace {

bool opens_nodes(const policy::Service& service) {
    return service.type == "NodePort" || service.type == "LoadBalancer";
}

std::string full_name(const policy::Metadata& meta) {
    return meta.space + "/" + meta.name;
}

class ServicesChecker {
  public:
    ServicesChecker(Context& context, Diagnostics& out) : context_(context), out_(out) {
        for (const policy::Service& service : context.cluster.services)
            for (const net::Address& address : service.cluster_ips)
                by_address_[address] = full_name(service.meta);
        for (const policy::Workload& workload : context.cluster.workloads)
            workloads_[lower(workload.kind) + ":" + full_name(workload.meta)] = &workload;
        for (const auto& [name, front] : context.lowered.service_fronts)
            for (const auto& port : front.ports)
                for (const decision::ServiceBackend& backend : port.backends)
                    if (backend.object)
                        fronts_[*backend.object].push_back({name, port.port, backend.port});
    }

    void run() {
        each_rule(context_, [&](const RuleView& view) {
            service_addresses(view, view.rule.source);
            service_addresses(view, view.rule.destination);
            empty_services(view, view.rule.source);
            empty_services(view, view.rule.destination);
            ports(view);
        });
        host_network();
        node_ports();
    }

  private:
    static std::string lower(std::string text) {
        for (char& c : text)
            c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        return text;
    }

    static bool sees_service_addresses(const Policy& policy) {
        return *policy.pre_dnat || *policy.do_not_track;
    }

    void service_addresses(const RuleView& view, const EntityRule& end) {
        if (sees_service_addresses(view.policy))
            return;
        for (const At<net::Cidr>& net : end.nets) {
            const auto found = by_address_.find(net->base);
            if (found != by_address_.end() && net->prefix == net::width(net->family()))
                out_.report(Code::ServiceAddressInNets, net.span,
                            {net::to_string(net->base), found->second})
                    .about(name_of(view.policy))
                    .with_hint(is_kubernetes(view.policy)
                                   ? "select the pods behind the service"
                                   : "select the pods, or name the service by `services`");
        }
    }

    void empty_services(const RuleView& view, const EntityRule& end) {
        if (!end.services)
            return;
        const std::string key = end.services->space + "/" + end.services->name;
        const auto& world = context_.lowered.world;
        const auto members = world.services.find(key);
        const auto objects = world.service_objects.find(key);
        const bool known = context_.lowered.service_fronts.contains(key);
        if (known && (members == world.services.end() || members->second.empty()) &&
            (objects == world.service_objects.end() || objects->second.empty()))
            out_.report(Code::ServiceWithoutEndpoints, end.services->span, {key})
                .about(name_of(view.policy));
    }

    /// Endpoints that a rule's destination can be; nullopt: anybody.
    std::optional<std::vector<ObjectId>> destinations(const RuleView& view) {
        const std::string space = policy::is_global(view.policy.kind) ? "" : view.policy.meta.space;
        const auto peers = policy::peers_of(view.rule.destination, space);
        if (peers)
            return context_.select(*peers);
        if (view.direction == Direction::Ingress)
            return context_.select(policy::subject_of(view.policy));
        return std::nullopt;
    }

    void ports(const RuleView& view) {
        const auto& list = view.rule.destination.ports;
        if (list.empty() || view.rule.action == policy::Action::Log)
            return;
        const auto to = destinations(view);
        if (!to || to->empty())
            return;
        for (const policy::Port& port : list) {
            if (const auto* name = std::get_if<std::string>(&port.value))
                named_port(view, port, *name, *to);
            else if (const auto& range = std::get<net::PortRange>(port.value);
                     range.first == range.last)
                service_port(view, port, range.first, *to);
        }
    }

    void named_port(const RuleView& view, const policy::Port& port, const std::string& name,
                    const std::vector<ObjectId>& to) {
        std::map<std::string, std::string> meanings; // "8080/TCP" -> an endpoint
        bool in_space = false, only_sets = true;     // sets declare no ports
        for (const ObjectId id : to) {
            const Object& object = context_.object(id);
            in_space = in_space || object.kind == Object::Kind::Workload;
            only_sets = only_sets && object.kind == Object::Kind::NetworkSet;
            for (const policy::EndpointPort& each : object.ports)
                if (each.name == name &&
                    (!view.rule.protocol || **view.rule.protocol == each.protocol))
                    meanings.emplace(
                        fmt::format("{}/{}", each.port, net::to_string_protocol(each.protocol)),
                        object.name);
        }
        const Span span = port.span.known() ? port.span : view.rule.span;
        if (meanings.empty() && (in_space || only_sets)) {
            if (is_kubernetes(view.policy) && !declared_in_space(view.policy.meta.space, name))
                return; // told when loading
            out_.report(Code::NamedPortUnmatched, span, {rule_name(view), name})
                .about(name_of(view.policy));
        } else if (meanings.size() > 1) {
            std::vector<std::string> texts;
            for (const auto& [meaning, endpoint] : meanings)
                texts.push_back(meaning + " of " + endpoint);
            out_.report(Code::NamedPortConflict, span, {rule_name(view), name, listed(texts)})
                .about(name_of(view.policy));
        }
    }

    bool declared_in_space(const std::string& space, const std::string& name) const {
        for (const policy::Workload& workload : context_.cluster.workloads)
            for (const policy::EndpointPort& port : workload.ports)
                if (workload.meta.space == space && port.name == name)
                    return true;
        return false;
    }

    bool listens_on(const Object& object, std::uint16_t port) const {
        const auto found = workloads_.find(lower(object.manifest_kind) + ":" + object.name);
        if (found == workloads_.end())
            return true; // not known
        const auto& listens = found->second->listens;
        return listens.empty() ||
               std::any_of(listens.begin(), listens.end(),
                           [&](const policy::EndpointPort& each) { return each.port == port; });
    }

    /// A service's port where the pods behind it listen on another.
    void service_port(const RuleView& view, const policy::Port& port, std::uint16_t number,
                      const std::vector<ObjectId>& to) {
        if (sees_service_addresses(view.policy))
            return;
        std::string service;
        std::uint16_t real = 0;
        for (const ObjectId id : to) {
            const auto found = fronts_.find(id);
            if (found == fronts_.end())
                continue;
            for (const Front& front : found->second) {
                if (front.target == number)
                    return; // some pod does listen there
                if (front.port == number && !listens_elsewhere(id, number) && service.empty()) {
                    service = front.service;
                    real = front.target;
                }
            }
            if (listens_elsewhere(id, number))
                return;
        }
        if (service.empty())
            return;
        const Span span = port.span.known() ? port.span : view.rule.span;
        // No fix: which port was meant is a guess, and the edit would open flows.
        out_.report(Code::ServicePortNotPodPort, span,
                    {rule_name(view), std::to_string(number), service, std::to_string(real)})
            .about(name_of(view.policy))
            .with_hint(fmt::format("write {}", real));
    }

    /// The pod itself declares that port, or says nothing of its ports.
    bool listens_elsewhere(ObjectId id, std::uint16_t number) const {
        const Object& object = context_.object(id);
        const auto found = workloads_.find(lower(object.manifest_kind) + ":" + object.name);
        return found != workloads_.end() && !found->second->listens.empty() &&
               listens_on(object, number);
    }

    void host_network() {
        std::vector<const Object*> pods;
        for (const decision::Endpoint& endpoint : context_.lowered.endpoints)
            if (endpoint.host_network)
                pods.push_back(&context_.object(endpoint.object));
        each_policy(context_, [&](const policy::OrderedTier&, const Policy& policy) {
            if (!policy::is_present(policy.selector) || policy::is_staged(policy.kind))
                return;
            const selector::Selector subject = policy::subject_of(policy);
            std::vector<std::string> found;
            for (const Object* pod : pods)
                if (subject.matches(pod->labels) && names_pods(policy))
                    found.push_back("pod " + pod->name);
            if (!found.empty())
                out_.report(Code::HostNetworkSelected, policy.selector->span,
                            {listed(found), policy.meta.name})
                    .about(name_of(policy))
                    .with_hint("govern the node by a HostEndpoint");
        });
    }

    /// The selector asks for a label of pods: a policy for everybody does not mean these.
    static bool names_pods(const Policy& policy) {
        const auto asks = [](const auto& self, const selector::Selector& selector) -> bool {
            const selector::Term& term = selector.term();
            if (!term.label.empty() && !term.label.starts_with("projectcalico.org/"))
                return true;
            return std::any_of(term.children.begin(), term.children.end(),
                               [&](const auto& child) { return self(self, child); });
        };
        return asks(asks, policy.selector->parsed);
    }

    // --- node ports ------------------------------------------------------------------------------

    void node_ports() {
        const bool limited =
            std::any_of(context_.cluster.policies.begin(), context_.cluster.policies.end(),
                        [](const Policy& policy) { return *policy.pre_dnat; });
        for (const policy::Service& service : context_.cluster.services) {
            if (!opens_nodes(service))
                continue;
            for (const policy::ServicePort& port : service.ports)
                if (port.node_port != 0 && !limited)
                    out_.report(Code::NodePortOpen, service.meta.span,
                                {full_name(service.meta), std::to_string(port.node_port)})
                        .about("Service " + full_name(service.meta));
            if (service.external_traffic_policy != "Local")
                hidden_clients(service);
        }
    }

    /// With externalTrafficPolicy Cluster a client comes with a node's address.
    void hidden_clients(const policy::Service& service) {
        const std::string name = full_name(service.meta);
        std::set<ObjectId> backends;
        for (const auto& [id, fronts] : fronts_)
            for (const Front& front : fronts)
                if (front.service == name)
                    backends.insert(id);
        each_rule(context_, [&](const RuleView& view) {
            if (view.direction != Direction::Ingress || view.rule.action == policy::Action::Log ||
                sees_service_addresses(view.policy))
                return;
            for (const At<net::Cidr>& net : view.rule.source.nets)
                if (is_outside(net.value) && governs(view.policy, backends)) {
                    out_.report(Code::ClientAddressLost, net.span, {rule_name(view), name})
                        .about(name_of(view.policy))
                        .with_hint("set externalTrafficPolicy: Local, or limit the clients by "
                                   "loadBalancerSourceRanges or a preDNAT policy");
                    return;
                }
        });
        for (const ObjectId id : backends)
            if (!nodes_let_in(service, id, net::Family::V4))
                nodes_let_in(service, id, net::Family::V6);
    }

    /// Public addresses: not those of pods, nodes or private networks, and not everything.
    bool is_outside(const net::Cidr& net) const {
        const auto set = net::AddressSet::of(net);
        return net.prefix != 0 && !private_addresses().intersects(set) &&
               !context_.lowered.world.pools.intersects(set);
    }

    static const net::AddressSet& private_addresses() {
        static const net::AddressSet kPrivate = [] {
            std::vector<net::Cidr> list;
            for (const char* text :
                 {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16",
                  "100.64.0.0/10", "127.0.0.0/8", "fc00::/7", "fe80::/10", "::1/128"})
                list.push_back(*net::parse_cidr(text, net::CidrForm::Strict));
            return net::AddressSet::of(list);
        }();
        return kPrivate;
    }

    bool governs(const Policy& policy, const std::set<ObjectId>& backends) {
        for (const ObjectId id : context_.select(policy::subject_of(policy)))
            if (backends.contains(id))
                return true;
        return false;
    }

    /// Policy that keeps outside addresses out and lets nodes in lets in who comes by a node port.
    bool nodes_let_in(const policy::Service& service, ObjectId id, net::Family family) {
        const auto* ingress =
            context_.lowered.find(id, Direction::Ingress, decision::Hook::Normal, family);
        const auto group = context_.ends(family).group_of(id);
        if (ingress == nullptr || ingress->slots.policies().empty() || !group)
            return false;
        const analyzer::HttpAtoms atoms({&context_.lowered});
        const analyzer::ProgramFlows flows(context_.lowered.program(ingress->program), atoms);
        const auto& ends = context_.ends(family);
        const auto& identities = context_.identities();
        for (const policy::ServicePort& port : service.ports) {
            const auto allowed = [&](const net::Address& from, std::uint16_t number) {
                return flows.between(identities[identities.of_address(from)], ends.identity(*group))
                    .allow.ports(port.protocol)
                    .destinations()
                    .contains(number);
            };
            for (const Front& front : fronts_[id]) {
                if (front.service != full_name(service.meta) || front.port != port.port ||
                    port.node_port == 0)
                    continue;
                const auto stranger = stranger_who(
                    family, [&](const net::Address& from) { return !allowed(from, front.target); });
                if (!stranger)
                    continue;
                for (const decision::NodeInfo& node : context_.lowered.nodes)
                    for (const net::Address& address : node.addresses)
                        if (address.family == family && allowed(address, front.target)) {
                            report_node_port(service, port, id, front.target, *stranger, address);
                            return true;
                        }
            }
        }
        return false;
    }

    /// A public address of which `is` holds.
    template <class Is> std::optional<net::Address> stranger_who(net::Family family, const Is& is) {
        for (const analyzer::EndGroup& group : context_.ends(family).list()) {
            const net::AddressSet rest =
                group.outside - private_addresses() - context_.lowered.world.pools;
            if (group.is_outside() && !rest.empty() && is(rest.ranges().front().first))
                return rest.ranges().front().first;
        }
        return std::nullopt;
    }

    void report_node_port(const policy::Service& service, const policy::ServicePort& port,
                          ObjectId id, std::uint16_t target, const net::Address& stranger,
                          const net::Address& node) {
        const std::string name = full_name(service.meta), pod = context_.object(id).name;
        out_.report(Code::NodePortDespitePolicy, service.meta.span,
                    {name, std::to_string(port.node_port), pod})
            .about("Service " + name)
            .with_witness({net::to_string(stranger) + " as " + net::to_string(node), pod,
                           fmt::format("{} {}", net::to_string_protocol(port.protocol), target)});
    }

    struct Front {
        std::string service;
        std::uint16_t port, target;
    };

    Context& context_;
    Diagnostics& out_;
    std::map<net::Address, std::string> by_address_;
    std::map<std::string, const policy::Workload*> workloads_;
    std::map<ObjectId, std::vector<Front>> fronts_; ///< services before an endpoint
};

} // namespace

void check_services(Context& context, Diagnostics& out) {
    ServicesChecker(context, out).run();
}

} // namespace polecat::lint
