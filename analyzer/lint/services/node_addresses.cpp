// Rules of pods that name the addresses of nodes: what a node sends to the pods of others has the
// address of its tunnel, and no policy keeps a node from its own pods. Sources:
// felix/dataplane/linux/{vxlan,ipip}_mgr.go, felix/rules/endpoints.go.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/pools.h"
#include "ir/policy/felix.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using decision::Direction;
using decision::NodeInfo;
using decision::Object;
using decision::ObjectId;
using policy::Action;

namespace {

class NodeAddressesChecker {
  public:
    NodeAddressesChecker(Context& context, Diagnostics& out)
        : context_(context), out_(out), pools_(pools_of(context.cluster)) {
        const policy::OtherObject* felix = policy::default_felix(context.cluster);
        keeps_node_address_ = felix != nullptr && context.dataplane() == Dataplane::Bpf &&
                              felix->spec.is("bpfOverlayHostSourceIP", "HostAddress");
    }

    void run() {
        if (context_.lowered.nodes.empty())
            return;
        each_rule(context_, [&](const RuleView& view) {
            if (view.direction != Direction::Ingress || *view.policy.pre_dnat ||
                *view.policy.do_not_track)
                return;
            if (view.rule.action == Action::Allow && !keeps_node_address_)
                behind_tunnel(view);
            else if (view.rule.action == Action::Deny)
                own_node(view);
        });
    }

  private:
    struct Named {
        const NodeInfo* node;
        net::Address address;
        Span span;
    };

    /// Nodes whose address the source is, or that a host endpoint of the source stands for.
    std::vector<Named> nodes_of_source(const RuleView& view) {
        std::vector<Named> out;
        const policy::EntityRule& from = view.rule.source;
        const std::string space = policy::is_global(view.policy.kind) ? "" : view.policy.meta.space;
        const auto add = [&](const net::Address& address, const Span& span) {
            for (const NodeInfo& node : context_.lowered.nodes)
                if (std::find(node.addresses.begin(), node.addresses.end(), address) !=
                    node.addresses.end())
                    out.push_back({&node, address, span});
        };
        for (const At<net::Cidr>& net : from.nets)
            if (net->prefix == net::width(net->family()))
                add(net->base, net.span);
        if (const auto peers = from.nets.empty() ? policy::peers_of(from, space) : std::nullopt)
            for (const ObjectId id : context_.select(*peers))
                if (const Object& host = context_.object(id);
                    host.kind == Object::Kind::HostEndpoint)
                    for (const net::Address& address : host.addresses)
                        add(address, from.selector ? from.selector->span : view.rule.span);
        return out;
    }

    std::vector<const decision::Endpoint*> pods_of(const policy::Policy& policy) {
        std::vector<const decision::Endpoint*> out;
        for (const ObjectId id : context_.select(policy::subject_of(policy)))
            if (context_.object(id).kind == Object::Kind::Workload)
                if (const auto* endpoint = context_.lowered.endpoint_of(id))
                    out.push_back(endpoint);
        return out;
    }

    // --- tunnels ---------------------------------------------------------------------------------

    void behind_tunnel(const RuleView& view) {
        const auto named = nodes_of_source(view);
        if (named.empty() || !uses_tunnel(named.front().address.family))
            return;
        const auto pods = pods_of(view.policy);
        for (const Named& each : named) {
            std::set<decision::GroupId> asked; // their programs are the same
            for (const decision::Endpoint* pod : pods)
                if (is_elsewhere(*pod, each) && asked.insert(pod->group).second &&
                    !lets_tunnel_in(view, each, pod->object))
                    return report_tunnel(view, each);
        }
    }

    /// Packets between any two nodes go through a tunnel. Where only those between subnets do, it
    /// depends on the nodes.
    bool uses_tunnel(net::Family family) const {
        return std::any_of(pools_.begin(), pools_.end(), [&](const Pool& pool) {
            return pool.cidr.family() == family && pool.for_pods && !pool.disabled &&
                   (pool.encapsulation == Encapsulation::Vxlan ||
                    pool.encapsulation == Encapsulation::Ipip);
        });
    }

    bool is_elsewhere(const decision::Endpoint& pod, const Named& named) const {
        const Object& object = context_.object(pod.object);
        const bool has_family =
            object.addresses.empty() ||
            std::any_of(object.addresses.begin(), object.addresses.end(),
                        [&](const auto& each) { return each.family == named.address.family; });
        return has_family && pod.node != named.node->name &&
               (!pod.node.empty() || context_.lowered.nodes.size() > 1);
    }

    /// By this policy or another one; where the tunnel's address is not known, by one of the pool.
    bool lets_tunnel_in(const RuleView& view, const Named& named, ObjectId pod) {
        const net::Family family = named.address.family;
        // What is staged decides nothing yet: its rules are all there is to be asked.
        const auto lets_in = [&](const net::Address& from) {
            return policy::is_staged(view.policy.kind) ? has_rule_for(view.policy, from)
                                                       : may_come_in(from, pod);
        };
        for (const auto& [kind, tunnel] : named.node->tunnel_addresses)
            if (tunnel.family == family && lets_in(tunnel))
                return true;
        if (!named.node->tunnel_addresses.empty())
            return false;
        return std::any_of(context_.cluster.pools.begin(), context_.cluster.pools.end(),
                           [&](const auto& pool) {
                               return pool.cidr.family() == family && lets_in(pool.cidr.base);
                           }) ||
               std::any_of(
                   view.policy.ingress.begin(), view.policy.ingress.end(), [&](const auto& rule) {
                       return std::any_of(rule.source.nets.begin(), rule.source.nets.end(),
                                          [&](const auto& net) {
                                              return context_.lowered.world.pools.intersects(
                                                  net::AddressSet::of(*net));
                                          });
                   });
    }

    static bool has_rule_for(const policy::Policy& policy, const net::Address& from) {
        return std::any_of(policy.ingress.begin(), policy.ingress.end(), [&](const auto& rule) {
            const auto& nets = rule.source.nets;
            const bool open = nets.empty() && !policy::peers_of(rule.source, "");
            return rule.action == Action::Allow &&
                   (open || std::any_of(nets.begin(), nets.end(),
                                        [&](const auto& net) { return net->contains(from); }));
        });
    }

    bool may_come_in(const net::Address& from, ObjectId pod) {
        const auto* program =
            context_.lowered.find(pod, Direction::Ingress, decision::Hook::Normal, from.family);
        const auto group = context_.ends(from.family).group_of(pod);
        if (program == nullptr || !group)
            return false;
        const auto& identities = context_.identities();
        return context_.view(program->program)
                   .between(context_.ends(from.family).identity(*group),
                            identities[identities.of_address(from)])
                   .may != 0;
    }

    void report_tunnel(const RuleView& view, const Named& named) {
        std::vector<std::string> tunnels;
        for (const auto& [kind, each] : named.node->tunnel_addresses)
            if (each.family == named.address.family)
                tunnels.push_back(net::to_string(each));
        const std::string shown = tunnels.empty() ? "" : " " + listed(tunnels);
        out_.report(Code::NodeBehindTunnel, named.span.known() ? named.span : view.rule.span,
                    {rule_name(view), net::to_string(named.address), named.node->name, shown})
            .about(name_of(view.policy))
            .with_hint(tunnels.empty() ? "let in the nodes' tunnel addresses as well, which are of "
                                         "the pool"
                                       : "let in the tunnel address as well");
    }

    // --- own node --------------------------------------------------------------------------------

    void own_node(const RuleView& view) {
        for (const Named& named : nodes_of_source(view))
            for (const decision::Endpoint* pod : pods_of(view.policy))
                if (pod->node.empty() || pod->node == named.node->name) {
                    out_.report(Code::OwnNodeGetsIn,
                                named.span.known() ? named.span : view.rule.span,
                                {rule_name(view), net::to_string(named.address), named.node->name})
                        .about(name_of(view.policy))
                        .with_hint("the kubelet's probes come from there; no policy of pods keeps "
                                   "it out");
                    return;
                }
    }

    Context& context_;
    Diagnostics& out_;
    const std::vector<Pool> pools_;
    bool keeps_node_address_ = false; ///< of what goes through a tunnel
};

} // namespace

void check_node_addresses(Context& context, Diagnostics& out) {
    NodeAddressesChecker(context, out).run();
}

} // namespace polecat::lint
