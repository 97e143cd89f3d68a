// Ports of rules that the endpoints do not have: those of services and nodes, which are translated
// before policy, names that nobody declares, source ports in place of destination ports.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/services/front_ports.h"
#include "ir/net/special.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using decision::Direction;
using decision::Object;
using decision::ObjectId;
using policy::EntityRule;
using policy::Policy;
using policy::Port;

namespace {

bool has_port(const net::PortRange& range, std::uint16_t port) {
    return range.first <= port && port <= range.last;
}

bool sees_service_addresses(const Policy& policy) {
    return *policy.pre_dnat || *policy.do_not_track;
}

class PortsChecker {
  public:
    PortsChecker(Context& context, Diagnostics& out)
        : context_(context), out_(out), fronts_(context) {
        for (const policy::Workload& workload : context.cluster.workloads)
            workloads_.emplace(workload.meta.span, &workload);
    }

    void run() {
        each_rule(context_, [&](const RuleView& view) {
            if (view.rule.action == policy::Action::Log)
                return;
            source_ports(view);
            const auto& ports = view.rule.destination.ports;
            const auto& not_ports = view.rule.destination.not_ports;
            if (ports.empty() && not_ports.empty())
                return;
            const auto to = destinations(view);
            for (const Port& port : not_ports)
                if (const auto* name = std::get_if<std::string>(&port.value))
                    named_port(view, port, *name, to && to->selector ? *to : everybody(view));
            for (const Port& port : ports)
                if (const auto* name = std::get_if<std::string>(&port.value))
                    named_port(view, port, *name, to && to->selector ? *to : everybody(view));
                else if (to)
                    translated_port(view, port, std::get<net::PortRange>(port.value), *to);
        });
    }

  private:
    /// What a rule's destination can be, and the ports that lead there.
    struct Destinations {
        std::optional<selector::Selector> selector; ///< of the objects; nullopt: by address
        std::vector<ObjectId> objects;
        std::vector<const FrontPort*> fronts; ///< to addresses; the objects have theirs
        bool outside = false;                 ///< addresses of no endpoint, which declare no names
    };

    /// nullopt: it does not say.
    std::optional<Destinations> destinations(const RuleView& view) {
        const std::string space = policy::is_global(view.policy.kind) ? "" : view.policy.meta.space;
        const EntityRule& end = view.rule.destination;
        Destinations out;
        out.selector = policy::peers_of(end, space);
        if (!out.selector && view.direction == Direction::Ingress)
            out.selector = policy::subject_of(view.policy);
        if (!out.selector)
            return end.nets.empty() ? std::nullopt : at_addresses(end.nets);
        out.objects = context_.select(*out.selector);
        return out;
    }

    /// Whom a name may mean where the rule does not say. In nets of Kubernetes' policies none: that
    /// is told when loading.
    Destinations everybody(const RuleView& view) {
        const EntityRule& end = view.rule.destination;
        Destinations out;
        if (end.services || end.nodes || !end.domains.empty() ||
            (!end.nets.empty() && is_kubernetes(view.policy)))
            return out;
        const auto all = selector::Selector::all();
        if (end.nets.empty()) {
            out.selector = all;
            out.objects = context_.select(all);
        } else if (are_outside(end.nets)) {
            out.outside = true;
        }
        return out;
    }

    /// No endpoint has or may get an address of them.
    bool are_outside(const std::vector<At<net::Cidr>>& nets) const {
        std::vector<net::Cidr> list;
        for (const At<net::Cidr>& net : nets)
            list.push_back(*net);
        const auto set = net::AddressSet::of(list);
        const decision::World& world = context_.lowered.world;
        if (world.pools.intersects(set) ||
            (world.pools.empty() && net::local_addresses().intersects(set)))
            return false;
        return std::none_of(world.objects.begin(), world.objects.end(), [&](const Object& object) {
            return std::any_of(object.addresses.begin(), object.addresses.end(),
                               [&](const net::Address& each) { return set.contains(each); });
        });
    }

    /// The first port that leads there of which `is` says so.
    template <class Is> const FrontPort* find_front(const Destinations& to, const Is& is) const {
        for (const FrontPort* front : to.fronts)
            if (is(*front))
                return front;
        for (const ObjectId id : to.objects)
            for (const FrontPort* front : fronts_.of(id))
                if (is(*front))
                    return front;
        return nullptr;
    }

    /// Single addresses: those of a wider net are not all in the input.
    std::optional<Destinations> at_addresses(const std::vector<At<net::Cidr>>& nets) const {
        Destinations out;
        for (const At<net::Cidr>& net : nets) {
            if (net->prefix != net::width(net->family()))
                return std::nullopt;
            for (const ObjectId id : holders_of(context_, net->base))
                out.objects.push_back(id);
            for (const FrontPort* front : fronts_.of(net->base))
                out.fronts.push_back(front);
        }
        return out;
    }

    // --- names -----------------------------------------------------------------------------------

    /// Network sets alone, which declare no ports.
    bool are_sets(const std::vector<ObjectId>& objects) const {
        return std::all_of(objects.begin(), objects.end(), [&](ObjectId id) {
            return context_.object(id).kind == decision::Object::Kind::NetworkSet;
        });
    }

    /// "shop/web declares http".
    std::string declared_at(ObjectId id) const {
        std::vector<std::string> names;
        for (const policy::EndpointPort& each : context_.object(id).ports)
            if (!each.name.empty())
                names.push_back(each.name);
        return names.empty()
                   ? ""
                   : fmt::format("{} declares {}", context_.object(id).name, listed(names, 4));
    }

    void named_port(const RuleView& view, const Port& port, const std::string& name,
                    const Destinations& to) {
        std::map<std::string, std::string> meanings; // "8080/TCP" -> an endpoint
        std::string other_protocol;                  // "TCP at shop/web"
        for (const ObjectId id : to.objects)
            for (const policy::EndpointPort& each : context_.object(id).ports) {
                if (each.name != name)
                    continue;
                const std::string protocol = net::to_string_protocol(each.protocol);
                if (!view.rule.protocol || **view.rule.protocol == each.protocol)
                    meanings.emplace(fmt::format("{}/{}", each.port, protocol),
                                     context_.object(id).name);
                else
                    other_protocol = protocol + " at " + context_.object(id).name;
            }
        const Span span = port.span.known() ? port.span : view.rule.span;
        if (to.outside) {
            out_.report(Code::NamedPortUnmatched, span, {rule_name(view), name})
                .about(name_of(view.policy))
                .with_note("addresses outside of the cluster declare no ports")
                .with_hint("write the port's number");
        } else if (meanings.empty() && !to.objects.empty()) {
            if (view.direction == Direction::Ingress && is_kubernetes(view.policy) &&
                !declared_in_space(view.policy.meta.space, name))
                return; // told when loading
            const auto known = to.selector
                                   ? context_.extent.known(*to.selector, policy::Ends::Peers)
                                   : std::nullopt;
            if (!known && !are_sets(to.objects))
                return name_of_service(view, name, to, span);
            auto& diagnostic = out_.report(Code::NamedPortUnmatched, span, {rule_name(view), name})
                                   .about(name_of(view.policy));
            if (known)
                diagnostic.with_note("assumes that " + *known);
            if (!other_protocol.empty())
                diagnostic.with_note(fmt::format("`{}` is {}", name, other_protocol));
            else if (const FrontPort* front = service_port_named(name, to))
                diagnostic.with_note(fmt::format(
                    "`{}` is a port of service {}, which leads to {}: policy knows the names of "
                    "container ports only",
                    name, front->owner, front->target));
            else if (const std::string names = declared_at(to.objects.front()); !names.empty())
                diagnostic.with_note(names);
        } else if (meanings.size() > 1 &&
                   !context_.cluster.spaces_in_part.contains(view.policy.meta.space)) {
            std::vector<std::string> texts;
            for (const auto& [meaning, endpoint] : meanings)
                texts.push_back(meaning + " of " + endpoint);
            out_.report(Code::NamedPortConflict, span, {rule_name(view), name, listed(texts)})
                .about(name_of(view.policy));
        }
    }

    const FrontPort* service_port_named(const std::string& name, const Destinations& to) const {
        return find_front(to, [&](const FrontPort& front) {
            return front.kind == FrontPort::Kind::Service && front.name == name;
        });
    }

    /// Others than those in the input may declare the name; those that a service calls so do not.
    void name_of_service(const RuleView& view, const std::string& name, const Destinations& to,
                         const Span& span) {
        const FrontPort* front = service_port_named(name, to);
        if (front == nullptr || !view.rule.destination.not_ports.empty() ||
            (view.rule.protocol && **view.rule.protocol != front->protocol) ||
            is_named_too(context_, view, *front))
            return;
        out_.report(Code::ServicePortNotPodPort, span,
                    {rule_name(view), fmt::format("port `{}` of service {}", name, front->owner),
                     std::to_string(front->target)})
            .about(name_of(view.policy))
            .with_fact("service_port", fmt::format("{} of {}", name, front->owner))
            .with_fact("target", std::to_string(front->target))
            .with_note("policy knows the names of container ports only")
            .with_hint(fmt::format("write {}", front->target));
    }

    bool declared_in_space(const std::string& space, const std::string& name) const {
        for (const policy::Workload& workload : context_.cluster.workloads)
            for (const policy::EndpointPort& port : workload.ports)
                if (workload.meta.space == space && port.name == name)
                    return true;
        return false;
    }

    // --- numbers ---------------------------------------------------------------------------------

    /// It has a test of a label that pods have of their own.
    static bool asks_for_pods(const selector::Selector& selector) {
        const selector::Term& term = selector.term();
        return (!term.label.empty() && !term.label.starts_with(policy::kNamespacePrefix) &&
                !term.label.starts_with("projectcalico.org/")) ||
               std::any_of(term.children.begin(), term.children.end(), asks_for_pods);
    }

    /// A port that leads to another one, at which policy sees the packet.
    void translated_port(const RuleView& view, const Port& port, const net::PortRange& range,
                         const Destinations& to) {
        if (sees_service_addresses(view.policy))
            return;
        if (to.selector && !asks_for_pods(*to.selector) &&
            !context_.extent.known(*to.selector, policy::Ends::Peers))
            return; // other pods of these namespaces may be meant
        if (find_front(to, [&](const FrontPort& front) { return has_port(range, front.target); }))
            return; // somebody listens there
        for (const ObjectId id : to.objects)
            if (listens_in(id, range) || is_host(id))
                return; // node ports of hosts: NodePortNotPreDnat
        const FrontPort* front = find_front(to, [&](const FrontPort& each) {
            return has_port(range, each.port) &&
                   (!view.rule.protocol || **view.rule.protocol == each.protocol) &&
                   !is_named_too(context_, view, each);
        });
        if (front == nullptr)
            return;
        // No fix: which port was meant is a guess, and the edit would open flows.
        out_.report(Code::ServicePortNotPodPort, port.span.known() ? port.span : view.rule.span,
                    {rule_name(view), front->shown(), std::to_string(front->target)})
            .about(name_of(view.policy))
            .with_fact("service_port", front->shown())
            .with_fact("target", std::to_string(front->target))
            .with_hint(fmt::format("write {}", front->target));
    }

    bool listens_in(ObjectId id, const net::PortRange& range) const {
        const auto found = workloads_.find(context_.object(id).span);
        return found != workloads_.end() &&
               std::any_of(
                   found->second->listens.begin(), found->second->listens.end(),
                   [&](const policy::EndpointPort& each) { return has_port(range, each.port); });
    }

    bool is_host(ObjectId id) const {
        return context_.object(id).kind == Object::Kind::HostEndpoint;
    }

    // --- source ports ----------------------------------------------------------------------------

    /// Clients send from a port of their own choice. Answers need no rule, unless nothing is
    /// tracked.
    void source_ports(const RuleView& view) {
        const policy::Rule& rule = view.rule;
        const EntityRule& to = rule.destination;
        if (rule.source.ports.empty() || !to.ports.empty() || !to.not_ports.empty() ||
            *view.policy.do_not_track || !rule.protocol ||
            !std::all_of(rule.source.ports.begin(), rule.source.ports.end(),
                         [&](const Port& port) { return is_servers(port, **rule.protocol); }))
            return;
        if (**rule.protocol == net::kUdp && !is_listened_to(view))
            return;
        const Port& port = rule.source.ports.front();
        out_.report(Code::SourcePorts, port.span.known() ? port.span : rule.span,
                    {rule_name(view), shown(port)})
            .about(name_of(view.policy))
            .with_hint("write the port under destination.ports; answers are let through without a "
                       "rule");
    }

    static std::string shown(const Port& port) {
        const auto* range = std::get_if<net::PortRange>(&port.value);
        if (range == nullptr)
            return "`" + std::get<std::string>(port.value) + "`";
        return range->first == range->last ? std::to_string(range->first)
                                           : fmt::format("{}-{}", range->first, range->last);
    }

    /// A port at which servers listen, and from which clients of the protocol do not send.
    static bool is_servers(const Port& port, net::Protocol protocol) {
        constexpr std::uint16_t kFirstOfClients = 32768; // Linux: ip_local_port_range
        constexpr std::uint16_t kLastOfRoot = 1023;      // rsh, NFS: clients that prove to be root
        static const std::set<std::uint16_t> kBothSides = {53,  67,  68,  123, 137,  138,
                                                           500, 520, 546, 547, 4500, 5353};
        const auto* range = std::get_if<net::PortRange>(&port.value);
        if (range == nullptr)
            return true;
        if (protocol == net::kUdp && range->first == range->last &&
            kBothSides.contains(range->first))
            return false;
        return range->last < kFirstOfClients &&
               (range->first == range->last || range->last != kLastOfRoot);
    }

    /// Some endpoint of the rule's destination listens to one of its source ports.
    bool is_listened_to(const RuleView& view) {
        const auto to = destinations(view);
        if (!to)
            return false;
        return std::any_of(to->objects.begin(), to->objects.end(), [&](ObjectId id) {
            const auto found = workloads_.find(context_.object(id).span);
            if (found == workloads_.end())
                return false;
            const auto& listens = found->second->listens;
            return std::any_of(listens.begin(), listens.end(), [&](const auto& each) {
                return each.protocol == **view.rule.protocol && names(view.rule.source, each);
            });
        });
    }

    static bool names(const EntityRule& end, const policy::EndpointPort& listens) {
        return std::any_of(end.ports.begin(), end.ports.end(), [&](const Port& port) {
            const auto* range = std::get_if<net::PortRange>(&port.value);
            return range != nullptr ? has_port(*range, listens.port)
                                    : std::get<std::string>(port.value) == listens.name;
        });
    }

    Context& context_;
    Diagnostics& out_;
    const FrontPorts fronts_;
    std::map<Span, const policy::Workload*> workloads_; ///< by the place of their name
};

} // namespace

void check_ports(Context& context, Diagnostics& out) {
    PortsChecker(context, out).run();
}

} // namespace polecat::lint
