#include "backends/node/build.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "ir/path/interfaces.h"
#include "ir/policy/felix.h"

namespace polecat::backends {

using decision::Direction;
using decision::LoweredCluster;

namespace {

class NodeBuilder {
  public:
    NodeBuilder(const LoweredCluster& cluster, const IdentityNumbers& numbers, Programs& programs,
                const std::string& node, const NodeOptions& options, diag::Diagnostics& diagnostics)
        : cluster_(cluster), numbers_(numbers), programs_(programs), node_(node),
          felix_(cluster.felix_of(node)), options_(options), diagnostics_(diagnostics) {}

    std::optional<NodeImage> run() {
        take_settings();
        image_.addresses = numbers_.addresses();
        image_.outside = numbers_.outside();
        for (const decision::Endpoint& endpoint : cluster_.endpoints)
            if (endpoint.node == node_ && !endpoint.is_host_endpoint)
                add_workload(endpoint);
        add_host_endpoints();
        for (const auto& [group, number] : groups_)
            image_.groups[number] = group;
        image_.number_groups();
        settle_dispatch();
        std::sort(image_.attached.begin(), image_.attached.end());
        leave_out_unused();
        return good_ ? std::optional(std::move(image_)) : std::nullopt;
    }

  private:
    void refuse(diag::Code code, Span span, std::initializer_list<std::string_view> args) {
        diagnostics_.report(code, span, args);
        good_ = false;
    }

    void take_settings() {
        image_.to_host = felix_.to_host.value_or(policy::HostAction::Drop);
        image_.interface_prefixes = policy::interface_prefixes(felix_);
        image_.dropped_vxlan_port.reset();
        if (!felix_.allow_vxlan_from_workloads.value_or(false))
            image_.dropped_vxlan_port = policy::vxlan_port(felix_);
        image_.drops_ipip = !felix_.allow_ipip_from_workloads.value_or(false);
        image_.drops_invalid = !felix_.skips_invalid_check.value_or(false);
        image_.rejects = felix_.rejects.value_or(false);
        image_.report_group = options_.report_group;
        image_.flow_mark_bit = options_.flow_mark_bit;
        if (!felix_.log_rate)
            return;
        const std::size_t slash = felix_.log_rate->find('/');
        const auto burst = felix_.log_burst.value_or(0); // the kernel takes 5 for none
        image_.log_rate = {static_cast<std::uint32_t>(std::stoul(*felix_.log_rate)),
                           felix_.log_rate->substr(slash + 1), burst == 0 ? 5 : burst};
    }

    /// So that images that enforce the same are equal.
    void leave_out_unused() {
        const auto any_cell = [&](const auto& holds) {
            return std::any_of(
                image_.programs.begin(), image_.programs.end(), [&](const auto& named) {
                    const auto& cells = named.second->cells;
                    return std::any_of(cells.begin(), cells.end(),
                                       [&](const auto& cell) { return holds(cell.second); });
                });
        };
        if (!any_cell([](const CellImage& cell) { return !cell.logs.empty(); }))
            image_.log_rate.reset();
        if (!any_cell([](const CellImage& cell) { return !cell.passes(); }))
            image_.report_group.reset();
    }

    bool is_workloads(const std::string& interface) const {
        const auto& prefixes = image_.interface_prefixes;
        return std::any_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
            return interface.starts_with(prefix);
        });
    }

    void add_workload(const decision::Endpoint& endpoint) {
        const decision::Object& object = cluster_.world.object(endpoint.object);
        if (endpoint.host_network)
            return; // it has the node's address and no policy of its own
        if (object.addresses.empty() || endpoint.interface_name.empty()) {
            diagnostics_.report(diag::Code::EndpointNotPlaced, object.span,
                                {object.name, object.addresses.empty() ? "address" : "interface"});
            return;
        }
        if (!is_workloads(endpoint.interface_name))
            return refuse(diag::Code::InterfaceOutsidePrefix, object.span,
                          {object.name, endpoint.interface_name});
        for (const net::Address& address : object.addresses)
            if (const auto group = group_of(endpoint, address.family)) {
                image_.dispatch.push_back({endpoint.interface_name, address, *group});
                spans_[{endpoint.interface_name, address}] = object.span;
            }
        const auto sources = net::AddressSet::of(endpoint.other_sources);
        for (const net::Range& range : sources.ranges())
            if (const auto group = group_of(endpoint, range.first.family)) {
                image_.other_sources.push_back({endpoint.interface_name, range, *group});
                spans_[{endpoint.interface_name, range.first}] = object.span;
            }
    }

    std::optional<std::uint32_t> group_of(const decision::Endpoint& endpoint, net::Family family) {
        const auto* egress = find(endpoint, Direction::Egress, family);
        const auto* ingress = find(endpoint, Direction::Ingress, family);
        if (egress == nullptr || ingress == nullptr)
            return std::nullopt;
        const auto next = static_cast<std::uint32_t>(groups_.size());
        return groups_.try_emplace({name(*egress), name(*ingress)}, next).first->second;
    }

    void add_host_endpoints() {
        const ir::NodeInterfaces interfaces = ir::interfaces_of(cluster_, node_);
        for (const auto& each : interfaces.named)
            attach(each.host_endpoint, each.name);
        if (interfaces.wildcard)
            attach(*interfaces.wildcard, "*");
        if (image_.attached.empty())
            return;
        image_.failsafe_in = policy::failsafe_ports(felix_, Direction::Ingress);
        image_.failsafe_out = policy::failsafe_ports(felix_, Direction::Egress);
        add_tunnels();
        if (!image_.rejects)
            return;
        const decision::Object& first = cluster_.world.object(
            interfaces.named.empty() ? *interfaces.wildcard
                                     : interfaces.named.front().host_endpoint);
        diagnostics_.report(diag::Code::RejectIsDrop, first.span, {node_, first.name});
        image_.rejects = false; // no rule answers before routing, or on the way out
    }

    void attach(decision::ObjectId id, const std::string& interface) {
        const decision::Object& object = cluster_.world.object(id);
        if (interface.empty())
            return refuse(diag::Code::HostEndpointNotPlaced, object.span,
                          {node_, object.name, "no interfaceName"});
        if (is_workloads(interface))
            return refuse(diag::Code::HostEndpointNotPlaced, object.span,
                          {node_, object.name, "an interface of a workload, by its name"});
        const decision::Endpoint& endpoint = *cluster_.endpoint_of(id);
        for (const auto& [key, program] : cluster_.groups[endpoint.group.value].programs)
            image_.attached.push_back(
                {interface, key.hook, key.direction, key.family, name(program)});
    }

    /// Felix follows the pools where nothing is said.
    void add_tunnels() {
        const auto any_pool = [&](decision::Tunnel tunnel) {
            return std::any_of(cluster_.pools.begin(), cluster_.pools.end(),
                               [&](const auto& pool) { return pool.tunnel == tunnel; });
        };
        Tunnels& out = image_.tunnels;
        if (felix_.vxlan.value_or(any_pool(decision::Tunnel::Vxlan)))
            out.vxlan = policy::vxlan_port(felix_);
        out.ipip = felix_.ipip.value_or(any_pool(decision::Tunnel::Ipip));
        if (felix_.wireguard.value_or(false))
            out.wireguard[net::Family::V4] = felix_.wireguard_port.value_or(51820);
        if (felix_.wireguard6.value_or(false))
            out.wireguard[net::Family::V6] = felix_.wireguard6_port.value_or(51821);
        for (const decision::NodeInfo& node : cluster_.nodes)
            if (node.name != node_ && (out.vxlan || out.ipip))
                out.peers.insert(node.addresses.begin(), node.addresses.end());
    }

    /// A pod stands once, however often the manifests have it. Where they have it with policies
    /// that differ, nobody knows which holds.
    void settle_dispatch() {
        auto& all = image_.dispatch;
        std::sort(all.begin(), all.end());
        all.erase(std::unique(all.begin(), all.end()), all.end());
        const auto same = [](const DispatchEntry& a, const DispatchEntry& b) {
            return a.interface == b.interface && a.address == b.address;
        };
        const auto twice = std::adjacent_find(all.begin(), all.end(), same);
        if (twice != all.end())
            refuse_twice(twice->interface, twice->address);
        auto& ranges = image_.other_sources;
        std::sort(ranges.begin(), ranges.end());
        ranges.erase(std::unique(ranges.begin(), ranges.end()), ranges.end());
        const auto overlap =
            std::adjacent_find(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) {
                return a.interface == b.interface && b.range.first <= a.range.last;
            });
        if (overlap != ranges.end())
            refuse_twice(overlap->interface, overlap->range.first);
    }
    void refuse_twice(const std::string& interface, const net::Address& address) {
        refuse(diag::Code::EndpointTwice, spans_[{interface, address}],
               {node_, interface, net::to_string(address)});
    }

    const decision::GroupProgram* find(const decision::Endpoint& endpoint, Direction direction,
                                       net::Family family) const {
        return cluster_.find(endpoint.object, direction, decision::Hook::Normal, family);
    }

    const std::string& name(const decision::GroupProgram& program) {
        const NamedProgram& made = programs_[program.program];
        if (told_.insert(program.program.value).second)
            tell(program, made);
        if (!made.unsaid.empty())
            return made.name;
        const auto [known, added] = image_.programs.emplace(made.name, made.image);
        if (!added && !(*known->second == *made.image))
            throw std::logic_error("two programs have one name: " + made.name);
        return made.name;
    }

    void tell(const decision::GroupProgram& program, const NamedProgram& made) {
        const auto span = [&](decision::SlotId slot) { return program.slots[slot.value].span; };
        for (const decision::SlotId slot : made.left_out)
            diagnostics_.report(diag::Code::RuleLeftOut, span(slot), {node_});
        for (const decision::SlotId slot : made.unsaid)
            refuse(diag::Code::RuleNotExpressible, span(slot), {node_});
        if (made.too_large.empty())
            return;
        // The policy that has most part in it.
        const auto& policies = program.slots.policies();
        const auto largest =
            std::max_element(policies.begin(), policies.end(),
                             [](const auto& a, const auto& b) { return a.count < b.count; });
        const bool any = largest != policies.end();
        diagnostics_.report(
            diag::Code::TableTooLarge, any ? largest->span : Span{},
            {node_, any ? to_string(largest->policy) : "a profile", made.too_large});
    }

    const LoweredCluster& cluster_;
    const IdentityNumbers& numbers_;
    Programs& programs_;
    const std::string& node_;
    const policy::FelixSettings& felix_;
    const NodeOptions& options_;
    diag::Diagnostics& diagnostics_;
    NodeImage image_;
    std::map<EndpointGroup, std::uint32_t> groups_;
    std::map<std::pair<std::string, net::Address>, Span> spans_; ///< of endpoints
    std::set<std::uint32_t> told_;
    bool good_ = true;
};

} // namespace

NodeImages::NodeImages(const LoweredCluster& cluster, const decision::Identities& identities,
                       Numbers base, const NodeOptions& options)
    : cluster_(cluster), base_(std::move(base)), options_(options),
      numbers_(cluster, identities, base_), programs_(cluster, identities, numbers_, base_) {}

std::optional<NodeImage> NodeImages::of(const std::string& node, diag::Diagnostics& diagnostics) {
    return NodeBuilder(cluster_, numbers_, programs_, node, options_, diagnostics).run();
}

} // namespace polecat::backends
