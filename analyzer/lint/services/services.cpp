// Services, node ports, pods in the node's network.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/services/front_ports.h"
#include "ir/net/special.h"
#include "ir/path/leaving.h"
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

class ServicesChecker {
  public:
    ServicesChecker(Context& context, Diagnostics& out)
        : context_(context), out_(out), fronts_(context) {}

    void run() {
        each_rule(context_, [&](const RuleView& view) {
            empty_services(view, view.rule.source);
            empty_services(view, view.rule.destination);
        });
        host_network();
        node_ports();
    }

  private:
    static bool sees_service_addresses(const Policy& policy) {
        return *policy.pre_dnat || *policy.do_not_track;
    }

    void empty_services(const RuleView& view, const EntityRule& end) {
        if (!end.services)
            return;
        const std::string key = end.services->space + "/" + end.services->name;
        const auto& world = context_.lowered.world;
        const auto members = world.services.find(key);
        const auto objects = world.service_objects.find(key);
        const bool known =
            context_.lowered.service_fronts.contains(key) && key != policy::kKubernetesService;
        const auto pods = context_.extent.known_pods_of(end.services->space);
        if (known && pods && (members == world.services.end() || members->second.empty()) &&
            (objects == world.service_objects.end() || objects->second.empty()))
            out_.report(Code::ServiceWithoutEndpoints, end.services->span, {key})
                .about(name_of(view.policy))
                .with_note("assumes that " + *pods);
    }

    void host_network() {
        std::vector<const Object*> pods;
        for (const decision::Endpoint& endpoint : context_.lowered.endpoints)
            if (endpoint.host_network)
                pods.push_back(&context_.object(endpoint.object));
        each_policy(context_, [&](const policy::OrderedTier&, const Policy& policy) {
            if (!policy::is_present(policy.selector) || policy.staged_action == "Delete")
                return;
            const selector::Selector subject = policy::subject_of(policy);
            std::vector<std::string> found;
            for (const Object* pod : pods)
                if (subject.matches(pod->labels) && names_pods(policy) &&
                    context_.cluster.may_meet(pod->span, policy.meta.span))
                    found.push_back("pod " + pod->name);
            if (found.empty())
                return;
            auto& diagnostic = out_.report(Code::HostNetworkSelected, policy.selector->span,
                                           {listed(found), policy.meta.name});
            diagnostic.about(name_of(policy)).with_hint("govern the node by a HostEndpoint");
            if (!context_.select(subject).empty()) { // it is there for others
                diagnostic.severity = diag::Severity::Note;
                diagnostic.as_usual();
            }
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
            !policy::has_calico_objects(context_.cluster) || // nobody has such policies
            std::any_of(context_.cluster.policies.begin(), context_.cluster.policies.end(),
                        [](const Policy& policy) { return *policy.pre_dnat; });
        for (const policy::Service& service : context_.cluster.services) {
            std::vector<std::string> open;
            for (const policy::ServicePort& port : service.ports)
                if (port.node_port != 0 && opens_nodes(service) && !limited)
                    open.push_back(std::to_string(port.node_port));
            if (!open.empty())
                out_.report(Code::NodePortOpen, service.meta.span,
                            {full_name(service.meta), listed(open, 10)})
                    .about("Service " + full_name(service.meta))
                    .as_usual(context_.cluster.host_endpoints.empty()); // nothing can limit it
            if (const std::string why = why_hidden(service); !why.empty())
                hidden_clients(service, why);
        }
    }

    /// Why a client from outside comes with a node's address; empty: it keeps its own.
    std::string why_hidden(const policy::Service& service) const {
        // Calico's BPF dataplane hands its own address on to the pod's node.
        if (service.external_traffic_policy == "Local" || context_.dataplane() == Dataplane::Bpf)
            return "";
        if (opens_nodes(service) || !service.outside_ips().empty())
            return "externalTrafficPolicy is Cluster";
        return is_advertised(service) ? "BGP advertises its cluster address, whose clients come "
                                        "with a node's address"
                                      : "";
    }

    bool is_advertised(const policy::Service& service) const {
        const auto* bgp = policy::default_object(context_.cluster, "BGPConfiguration");
        for (std::size_t i = 0; bgp != nullptr && i < bgp->spec.size("serviceClusterIPs"); ++i)
            if (const auto range = bgp->spec.cidr(fmt::format("serviceClusterIPs[{}].cidr", i)))
                for (const net::Address& address : service.cluster_ips)
                    if ((*range)->contains(address))
                        return true;
        return false;
    }

    void hidden_clients(const policy::Service& service, const std::string& why) {
        const std::string name = full_name(service.meta);
        std::set<ObjectId> backends;
        for (const FrontPort& front : fronts_.list())
            if (front.object && front.is_of_service(name))
                backends.insert(*front.object);
        each_rule(context_, [&](const RuleView& view) {
            if (view.direction != Direction::Ingress || view.rule.action == policy::Action::Log ||
                sees_service_addresses(view.policy))
                return;
            if (const auto span = outside_clients(view); span && governs(view.policy, backends))
                out_.report(Code::ClientAddressLost, *span, {rule_name(view), name, why})
                    .about(name_of(view.policy))
                    .with_hint(opens_nodes(service)
                                   ? "set externalTrafficPolicy: Local, or limit the clients by "
                                     "loadBalancerSourceRanges or a preDNAT policy"
                                   : "limit the clients by a preDNAT policy");
        });
        for (const ObjectId id : backends)
            if (!nodes_let_in(service, id, net::Family::V4))
                nodes_let_in(service, id, net::Family::V6);
    }

    /// Where the rule's source names public addresses, by nets or by network sets.
    std::optional<Span> outside_clients(const RuleView& view) {
        const EntityRule& from = view.rule.source;
        for (const At<net::Cidr>& net : from.nets)
            if (is_outside(net.value))
                return net.span;
        const std::string space = policy::is_global(view.policy.kind) ? "" : view.policy.meta.space;
        const auto peers = policy::peers_of(from, space);
        // A selector that every set matches means more than these.
        if (!peers || !policy::is_present(from.selector) ||
            from.selector->parsed.matches(selector::Labels{}))
            return std::nullopt;
        const auto& world = context_.lowered.world;
        for (std::size_t i = 0; i < context_.cluster.network_sets.size(); ++i) {
            const auto& nets = context_.cluster.network_sets[i].nets;
            if (peers->matches(world.object(world.network_sets[i]).labels) &&
                std::any_of(nets.begin(), nets.end(),
                            [&](const auto& net) { return is_outside(net.value); }))
                return from.selector->span.known() ? from.selector->span : view.rule.span;
        }
        return std::nullopt;
    }

    /// Public addresses: not those of pods, nodes or private networks, and not everything.
    bool is_outside(const net::Cidr& net) const {
        const auto set = net::AddressSet::of(net);
        return net.prefix != 0 && !net::local_addresses().intersects(set) &&
               !context_.lowered.world.pools.intersects(set);
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
        auto& view = context_.view(ingress->program);
        const auto& own = context_.ends(family).identity(*group);
        const auto& identities = context_.identities();
        for (const policy::ServicePort& port : service.ports) {
            const auto allowed = [&](const net::Address& from, std::uint16_t number) {
                const auto sure = view.between(own, identities[identities.of_address(from)]).sure;
                return context_.matches()
                    .store()[sure]
                    .ports(port.protocol)
                    .destinations()
                    .contains(number);
            };
            for (const FrontPort* front : fronts_.of(id)) {
                if (front->kind != FrontPort::Kind::NodePort ||
                    !front->is_of_service(full_name(service.meta)) || front->port != port.node_port)
                    continue;
                const std::uint16_t target = front->target;
                const auto stranger = stranger_who(
                    family, [&](const net::Address& from) { return !allowed(from, target); });
                if (!stranger)
                    continue;
                for (const net::Address& address : masquerades(id, family))
                    if (allowed(address, target)) {
                        report_node_port(service, port, id, target, *stranger, address);
                        return true;
                    }
            }
        }
        return false;
    }

    /// With which addresses other nodes hand packets on to a pod, as far as the manifests tell.
    std::vector<net::Address> masquerades(ObjectId pod, net::Family family) const {
        const decision::Endpoint* endpoint = context_.lowered.endpoint_of(pod);
        const std::string at = endpoint == nullptr ? "" : endpoint->node;
        decision::End end{{pod}, std::nullopt};
        for (const net::Address& address : context_.object(pod).addresses)
            if (address.family == family)
                end.address = address;
        const auto& nodes = context_.lowered.nodes;
        const bool only_its_own =
            std::all_of(nodes.begin(), nodes.end(),
                        [&](const decision::NodeInfo& node) { return node.name == at; });
        const ir::Leaving leaving(context_.lowered, family);
        std::vector<net::Address> out;
        for (const decision::NodeInfo& node : nodes)
            if (node.name != at || only_its_own) // others are like it
                for (const ir::LeavingSource& each : leaving.own_sources(node.name, at, end))
                    if (each.source->address)
                        out.push_back(*each.source->address);
        return out;
    }

    /// A public address of which `is` holds.
    template <class Is> std::optional<net::Address> stranger_who(net::Family family, const Is& is) {
        for (const analyzer::EndGroup& group : context_.ends(family).list()) {
            const net::AddressSet rest =
                group.outside - net::local_addresses() - context_.lowered.world.pools;
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

    Context& context_;
    Diagnostics& out_;
    const FrontPorts fronts_;
};

} // namespace

void check_services(Context& context, Diagnostics& out) {
    ServicesChecker(context, out).run();
}

} // namespace polecat::lint
