// Rules that name the addresses of services: kube-proxy translates these before policy, which sees
// the addresses of the pods behind them.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/pools.h"
#include "analyzer/lint/services/front_ports.h"
#include "ir/net/special.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using policy::EntityRule;
using policy::OtherObject;

namespace {

/// `external`: of load balancers and externalIPs. These are translated on the way from a pod, and
/// no packet comes from one.
struct ServiceRange {
    net::Cidr cidr;
    std::string shown; ///< "range 10.96.0.0/12 of Installation default"
    bool external = false;
};

struct ServiceAddress {
    std::string name;
    bool external = false;
};

/// Where rules name addresses, and in which part.
struct NamedPlace {
    const RuleView& view;
    bool to_others; ///< the destination of an egress rule
};

class ServiceAddressesChecker {
  public:
    ServiceAddressesChecker(Context& context, Diagnostics& out)
        : context_(context), out_(out), fronts_(context) {
        for (const policy::Service& each : context.cluster.services) {
            const std::string name = each.meta.space + "/" + each.meta.name;
            for (const net::Address& address : each.cluster_ips)
                services_.insert_or_assign(address, ServiceAddress{name, false});
            for (const net::Address& address : each.outside_ips())
                services_.try_emplace(address, ServiceAddress{name, true});
        }
        find_ranges();
        find_others();
    }

    void run() {
        if (services_.empty() && ranges_.empty())
            return;
        const bool sets = any_set_names_services();
        each_rule(context_, [&](const RuleView& view) {
            if (*view.policy.pre_dnat || *view.policy.do_not_track)
                return;
            check(view, view.rule.source, false, sets);
            check(view, view.rule.destination, view.direction == decision::Direction::Egress, sets);
        });
    }

  private:
    void find_ranges() {
        for (const OtherObject& each : context_.cluster.others) {
            if (each.kind == "Installation")
                add_ranges(each, each.around, "serviceCIDRs", "", false);
            if (each.kind != "BGPConfiguration" || each.meta.name != "default")
                continue;
            add_ranges(each, each.spec, "serviceClusterIPs", ".cidr", false);
            add_ranges(each, each.spec, "serviceLoadBalancerIPs", ".cidr", true);
            add_ranges(each, each.spec, "serviceExternalIPs", ".cidr", true);
        }
        for (const Pool& pool : pools_of(context_.cluster))
            if (pool.for_load_balancers)
                ranges_.push_back({pool.cidr, "pool " + pool.shown() + " of load balancers", true});
    }

    void add_ranges(const OtherObject& object, const policy::Settings& settings, const char* list,
                    const char* field, bool external) {
        for (std::size_t i = 0; i < settings.size(list); ++i)
            if (const auto cidr = settings.cidr(fmt::format("{}[{}]{}", list, i, field)))
                ranges_.push_back({cidr->value,
                                   fmt::format("range {} of {} {}", net::to_string(cidr->value),
                                               object.kind, object.meta.name),
                                   external});
    }

    /// Addresses that policy does see.
    void find_others() {
        std::vector<net::Cidr> list;
        const auto add = [&](const net::Address& each) {
            list.push_back({each, static_cast<std::uint8_t>(net::width(each.family))});
        };
        for (const decision::Object& object : context_.lowered.world.objects)
            std::for_each(object.addresses.begin(), object.addresses.end(), add);
        for (const decision::NodeInfo& node : context_.lowered.nodes) {
            std::for_each(node.addresses.begin(), node.addresses.end(), add);
            for (const auto& [kind, address] : node.tunnel_addresses)
                add(address);
        }
        for (const FrontPort& front : fronts_.list())
            if (front.address)
                add(*front.address);
        others_ = net::AddressSet::of(list) | context_.lowered.world.pools;
    }

    /// The range of services, as far as what is known of it shows: kube-apiserver takes none with
    /// more than 2^20 addresses. A service in it; nullptr: it is something else.
    const std::pair<const net::Address, ServiceAddress>* only_services(const net::Cidr& net) const {
        constexpr unsigned kMostBits = 20;
        const auto blocks = net::private_addresses().cidrs();
        if (net::width(net.family()) - net.prefix > kMostBits ||
            std::find(blocks.begin(), blocks.end(), net) != blocks.end() ||
            others_.intersects(net::AddressSet::of(net)))
            return nullptr;
        const std::pair<const net::Address, ServiceAddress>* found = nullptr;
        for (auto at = services_.lower_bound(net.first());
             at != services_.end() && net.contains(at->first); ++at) {
            if (at->second.external)
                return nullptr;
            found = &*at;
        }
        return found;
    }

    /// What of services a net names: its message has arguments besides the net.
    struct Finding {
        Code code;
        std::string what;
        bool external;
        std::string service; ///< empty: a range
    };

    std::optional<Finding> finding_of(const net::Cidr& net) const {
        if (net.prefix == net::width(net.family())) {
            const auto found = services_.find(net.base);
            if (found != services_.end())
                return Finding{found->second.external ? Code::ExternalAddressInNets
                                                      : Code::ServiceAddressInNets,
                               found->second.name, found->second.external, found->second.name};
        }
        for (const ServiceRange& range : ranges_)
            if (net.family() == range.cidr.family() && net.prefix >= range.cidr.prefix &&
                range.cidr.contains(net.base))
                return Finding{Code::ServiceRangeInNets, range.shown, range.external, ""};
        if (net.prefix == net::width(net.family()))
            return std::nullopt;
        if (const auto* service = only_services(net))
            return Finding{
                Code::ServiceRangeInNets,
                fmt::format("{} of {}", net::to_string(service->first), service->second.name),
                false, ""};
        return std::nullopt;
    }

    bool any_set_names_services() const {
        const auto& sets = context_.cluster.network_sets;
        return std::any_of(sets.begin(), sets.end(), [&](const policy::NetworkSet& set) {
            return std::any_of(set.nets.begin(), set.nets.end(),
                               [&](const auto& net) { return finding_of(*net).has_value(); });
        });
    }

    void check(const RuleView& view, const EntityRule& end, bool to_others, bool sets) {
        const NamedPlace place{view, to_others};
        for (const At<net::Cidr>& net : end.nets)
            if (diag::Diagnostic* found = check(place, net))
                found->about(name_of(view.policy));
        if (view.rule.action == policy::Action::Allow)
            for (const At<net::Cidr>& net : end.not_nets)
                exception(place, net);
        const std::string space = policy::is_global(view.policy.kind) ? "" : view.policy.meta.space;
        const auto peers = sets ? policy::peers_of(end, space) : std::nullopt;
        if (!peers)
            return;
        const auto& world = context_.lowered.world;
        for (std::size_t i = 0; i < context_.cluster.network_sets.size(); ++i) {
            const policy::NetworkSet& set = context_.cluster.network_sets[i];
            if (!peers->matches(world.object(world.network_sets[i]).labels))
                continue;
            for (const At<net::Cidr>& net : set.nets)
                if (!told_.contains(net.span))
                    if (diag::Diagnostic* found = check(place, net)) {
                        told_.insert(net.span);
                        found
                            ->about(world.object(world.network_sets[i]).manifest_kind + " " +
                                    world.object(world.network_sets[i]).name)
                            .with_label(view.rule.span, "selected here");
                    }
        }
    }

    /// Of a single service: a range is often left out beside that of the pods.
    void exception(const NamedPlace& place, const At<net::Cidr>& net) {
        const auto found = finding_of(*net);
        if (found && found->code == Code::ServiceAddressInNets)
            out_.report(found->code, net.span, {net::to_string(net->base), found->what})
                .about(name_of(place.view.policy))
                .with_note("as an exception it leaves nothing out")
                .with_hint("leave out the pods behind the service");
    }

    /// What it reports; nullptr: nothing.
    diag::Diagnostic* check(const NamedPlace& place, const At<net::Cidr>& net) {
        const auto found = finding_of(*net);
        // A Deny is for addresses of a range that no service has, which nobody translates.
        if (!found || (found->external && !place.to_others) ||
            (found->service.empty() && place.view.rule.action == policy::Action::Deny) ||
            (!found->service.empty() && place.to_others &&
             are_named_too(place.view, found->service)))
            return nullptr;
        const bool exact = found->code != Code::ServiceRangeInNets;
        const std::string services = exact ? "service" : "services";
        return &out_.report(found->code, net.span,
                            {exact ? net::to_string(net->base) : net::to_string(*net), found->what})
                    .with_hint("select the pods behind the " + services +
                               (is_kubernetes(place.view.policy)
                                    ? ""
                                    : ", or name " + std::string(exact ? "the" : "a") +
                                          " service by `services`"));
    }

    /// The policy lets the same peers to what is behind the service, which is what counts.
    bool are_named_too(const RuleView& view, const std::string& service) const {
        bool any = false;
        for (const FrontPort& front : fronts_.list()) {
            if (front.kind != FrontPort::Kind::Service || front.owner != service)
                continue;
            any = true;
            if (!is_named_too(context_, view, front))
                return false;
        }
        return any;
    }

    Context& context_;
    Diagnostics& out_;
    const FrontPorts fronts_;
    std::map<net::Address, ServiceAddress> services_;
    std::vector<ServiceRange> ranges_;
    net::AddressSet others_;
    std::set<Span> told_;
};

} // namespace

void check_service_addresses(Context& context, Diagnostics& out) {
    ServiceAddressesChecker(context, out).run();
}

} // namespace polecat::lint
