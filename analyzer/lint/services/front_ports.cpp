#include "analyzer/lint/services/front_ports.h"

#include <algorithm>

#include <fmt/format.h>

#include "ir/policy/scope.h"

namespace polecat::lint {

using decision::Object;
using decision::ObjectId;
using policy::EntityRule;
using policy::Rule;
using policy::SelectorField;

namespace {

bool is_same(const Box<SelectorField>& a, const Box<SelectorField>& b) {
    return policy::is_present(a) == policy::is_present(b) &&
           (!policy::is_present(a) || a->parsed == b->parsed);
}

template <class List> bool have_same_values(const List& a, const List& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](const auto& x, const auto& y) { return x.value == y.value; });
}

/// As far as who is there goes; ports aside.
bool is_same_end(const EntityRule& a, const EntityRule& b, const std::string& space) {
    const auto service = [](const EntityRule& end) {
        return end.services ? end.services->space + "/" + end.services->name : "";
    };
    return policy::peers_of(a, space) == policy::peers_of(b, space) &&
           have_same_values(a.nets, b.nets) && have_same_values(a.not_nets, b.not_nets) &&
           is_same(a.not_selector, b.not_selector) && is_same(a.nodes, b.nodes) &&
           service(a) == service(b) && have_same_values(a.domains, b.domains);
}

bool has_one_of(const std::vector<At<net::Cidr>>& nets,
                const std::vector<net::Address>& addresses) {
    return std::any_of(nets.begin(), nets.end(), [&](const At<net::Cidr>& net) {
        return std::any_of(addresses.begin(), addresses.end(),
                           [&](const net::Address& each) { return net->contains(each); });
    });
}

/// The end may be what listens behind the port.
bool may_be(const Context& context, const EntityRule& end, const std::string& space,
            const FrontPort& front) {
    if (end.services)
        return front.is_of_service(end.services->space + "/" + end.services->name);
    if (end.nodes || !end.domains.empty())
        return false;
    const Object* object = front.object ? &context.object(*front.object) : nullptr;
    const auto peers = policy::peers_of(end, space);
    if (peers && (object == nullptr || !object->selectable || !peers->matches(object->labels)))
        return false;
    const std::vector<net::Address> addresses =
        object != nullptr ? object->addresses : std::vector<net::Address>{*front.address};
    const bool known = object == nullptr || object->addresses_known;
    return !known || ((end.nets.empty() || has_one_of(end.nets, addresses)) &&
                      !has_one_of(end.not_nets, addresses));
}

bool names_target(const Context& context, const Rule& rule, const FrontPort& front) {
    if (rule.protocol && **rule.protocol != front.protocol)
        return false;
    const auto& ports = rule.destination.ports;
    return ports.empty() || std::any_of(ports.begin(), ports.end(), [&](const policy::Port& port) {
               if (const auto* range = std::get_if<net::PortRange>(&port.value))
                   return range->first <= front.target && front.target <= range->last;
               const auto& name = std::get<std::string>(port.value);
               if (!front.object)
                   return false;
               const auto& declared = context.object(*front.object).ports;
               return std::any_of(declared.begin(), declared.end(), [&](const auto& each) {
                   return each.name == name && each.port == front.target &&
                          each.protocol == front.protocol;
               });
           });
}

} // namespace

std::vector<ObjectId> holders_of(const Context& context, const net::Address& address) {
    const auto& held = context.lowered.world.by_address;
    auto at = std::lower_bound(held.begin(), held.end(), address,
                               [](const auto& each, const auto& of) { return each.first < of; });
    std::vector<ObjectId> out;
    for (; at != held.end() && at->first == address; ++at)
        if (context.object(at->second).selectable)
            out.push_back(at->second);
    return out;
}

std::string FrontPort::shown() const {
    return kind == Kind::HostPort
               ? fmt::format("host port {} of pod {}", port, owner)
               : fmt::format("{} {} of service {}", kind == Kind::NodePort ? "node port" : "port",
                             port, owner);
}

FrontPorts::FrontPorts(const Context& context) {
    for (const policy::Service& service : context.cluster.services)
        add(context, service);
    for (const auto& [node, ports] : context.lowered.host_ports)
        for (const decision::ServiceFront::Port& port : ports)
            for (const decision::ServiceBackend& backend : port.backends)
                add(context,
                    {FrontPort::Kind::HostPort,
                     context.object(*backend.object).name,
                     "",
                     port.protocol,
                     port.node_port,
                     backend.port,
                     {},
                     {}},
                    backend);
    by_object_.resize(context.lowered.world.objects.size());
    for (const FrontPort& front : list_)
        if (front.object)
            by_object_[front.object->value].push_back(&front);
}

void FrontPorts::add(const Context& context, const policy::Service& service) {
    const std::string name = service.meta.space + "/" + service.meta.name;
    const auto found = context.lowered.service_fronts.find(name);
    if (found == context.lowered.service_fronts.end())
        return;
    const auto& ports = found->second.ports;
    for (std::size_t i = 0; i < ports.size() && i < service.ports.size(); ++i)
        for (const decision::ServiceBackend& backend : ports[i].backends) {
            FrontPort front{FrontPort::Kind::Service,
                            name,
                            service.ports[i].name,
                            ports[i].protocol,
                            ports[i].port,
                            backend.port,
                            {},
                            {}};
            add(context, front, backend);
            if (ports[i].node_port == 0)
                continue;
            front.kind = FrontPort::Kind::NodePort;
            front.port = ports[i].node_port;
            add(context, front, backend);
        }
}

void FrontPorts::add(const Context& context, FrontPort front,
                     const decision::ServiceBackend& backend) {
    const auto keep = [&](const FrontPort& made) {
        if (!made.object)
            by_address_.emplace(*made.address, list_.size());
        list_.push_back(made);
    };
    front.object = backend.object;
    front.address = backend.address;
    if (front.object)
        return keep(front);
    // A slice names addresses; who holds one is what listens there.
    const auto holders = holders_of(context, *backend.address);
    for (const ObjectId id : holders) {
        front.object = id;
        keep(front);
    }
    if (holders.empty())
        keep(front);
}

std::vector<const FrontPort*> FrontPorts::of(const net::Address& address) const {
    std::vector<const FrontPort*> out;
    for (auto [at, end] = by_address_.equal_range(address); at != end; ++at)
        out.push_back(&list_[at->second]);
    return out;
}

bool is_named_too(const Context& context, const RuleView& view, const FrontPort& front) {
    const std::string space = policy::is_global(view.policy.kind) ? "" : view.policy.meta.space;
    const bool ingress = view.direction == decision::Direction::Ingress;
    const auto& rules = ingress ? view.policy.ingress : view.policy.egress;
    // That one address is that of a pod which has none yet is unlikely.
    const auto names_hosts = [&](const EntityRule& end) {
        return front.object && context.object(*front.object).addresses.empty() &&
               !end.nets.empty() &&
               std::all_of(end.nets.begin(), end.nets.end(), [](const At<net::Cidr>& each) {
                   return each->prefix == net::width(each->family());
               });
    };
    return std::any_of(rules.begin(), rules.end(), [&](const Rule& rule) {
        return rule.action == view.rule.action && rule.source.ports.empty() &&
               !names_hosts(rule.destination) && names_target(context, rule, front) &&
               may_be(context, rule.destination, space, front) &&
               (is_same_end(rule.source, view.rule.source, space) ||
                is_same_end(rule.source, EntityRule{}, space));
    });
}

bool names_no_port(Context& context, const RuleView& view) {
    const EntityRule& to = view.rule.destination;
    const auto declares = [&](const std::vector<policy::EndpointPort>& ports) {
        return std::any_of(ports.begin(), ports.end(), [&](const policy::EndpointPort& each) {
            return (!view.rule.protocol || **view.rule.protocol == each.protocol) &&
                   std::any_of(to.ports.begin(), to.ports.end(), [&](const policy::Port& port) {
                       const auto* name = std::get_if<std::string>(&port.value);
                       return name != nullptr && *name == each.name;
                   });
        });
    };
    if (to.ports.empty() ||
        !std::all_of(to.ports.begin(), to.ports.end(), [](const policy::Port& port) {
            return std::holds_alternative<std::string>(port.value);
        }))
        return false;
    const auto objects = context.select(policy::subject_of(view.policy));
    return std::none_of(objects.begin(), objects.end(),
                        [&](ObjectId id) { return declares(context.object(id).ports); });
}

} // namespace polecat::lint
