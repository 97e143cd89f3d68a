#include "backends/node/build.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include "ir/policy/felix.h"

namespace polecat::backends {

using decision::Direction;
using decision::LoweredCluster;

namespace {

class NodeBuilder {
  public:
    NodeBuilder(const LoweredCluster& cluster, const IdentityNumbers& numbers, Programs& programs,
                const std::string& node, diag::Diagnostics& diagnostics)
        : cluster_(cluster), numbers_(numbers), programs_(programs), node_(node),
          diagnostics_(diagnostics) {}

    std::optional<NodeImage> run() {
        take_settings();
        image_.addresses = numbers_.addresses();
        image_.outside = numbers_.outside();
        for (const decision::Endpoint& endpoint : cluster_.endpoints)
            if (endpoint.node == node_)
                add_endpoint(endpoint);
        for (const auto& [group, number] : groups_)
            image_.groups[number] = group;
        image_.number_groups();
        settle_dispatch();
        return good_ ? std::optional(std::move(image_)) : std::nullopt;
    }

  private:
    void refuse(diag::Code code, Span span, std::initializer_list<std::string_view> args) {
        diagnostics_.report(code, span, args);
        good_ = false;
    }

    void take_settings() {
        const policy::FelixSettings& felix = cluster_.felix_of(node_);
        image_.to_host = felix.to_host.value_or(policy::HostAction::Drop);
        image_.interface_prefixes = policy::interface_prefixes(felix);
        image_.dropped_vxlan_port.reset();
        if (!felix.allow_vxlan_from_workloads.value_or(false))
            image_.dropped_vxlan_port = policy::vxlan_port(felix);
        image_.drops_ipip = !felix.allow_ipip_from_workloads.value_or(false);
    }

    void add_endpoint(const decision::Endpoint& endpoint) {
        const decision::Object& object = cluster_.world.object(endpoint.object);
        if (endpoint.is_host_endpoint)
            return refuse(diag::Code::HostEndpointsUnsupported, object.span, {node_, object.name});
        if (endpoint.host_network)
            return; // it has the node's address and no policy of its own
        if (object.addresses.empty() || endpoint.interface_name.empty()) {
            diagnostics_.report(diag::Code::EndpointNotPlaced, object.span,
                                {object.name, object.addresses.empty() ? "address" : "interface"});
            return;
        }
        const auto& prefixes = image_.interface_prefixes;
        if (std::none_of(prefixes.begin(), prefixes.end(), [&](const std::string& prefix) {
                return endpoint.interface_name.starts_with(prefix);
            }))
            return refuse(diag::Code::InterfaceOutsidePrefix, object.span,
                          {object.name, endpoint.interface_name});
        for (const net::Address& address : object.addresses) {
            const auto* egress = find(endpoint, Direction::Egress, address.family);
            const auto* ingress = find(endpoint, Direction::Ingress, address.family);
            if (egress == nullptr || ingress == nullptr)
                continue;
            const auto next = static_cast<std::uint32_t>(groups_.size());
            const auto group = groups_.try_emplace({name(*egress), name(*ingress)}, next).first;
            image_.dispatch.push_back({endpoint.interface_name, address, group->second});
            spans_[{endpoint.interface_name, address}] = object.span;
        }
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
            refuse(diag::Code::EndpointTwice, spans_[{twice->interface, twice->address}],
                   {node_, twice->interface, net::to_string(twice->address)});
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
    diag::Diagnostics& diagnostics_;
    NodeImage image_;
    std::map<EndpointGroup, std::uint32_t> groups_;
    std::map<std::pair<std::string, net::Address>, Span> spans_; ///< of endpoints
    std::set<std::uint32_t> told_;
    bool good_ = true;
};

} // namespace

NodeImages::NodeImages(const LoweredCluster& cluster, const decision::Identities& identities,
                       Numbers base)
    : cluster_(cluster), base_(std::move(base)), numbers_(cluster, identities, base_),
      programs_(cluster, identities, numbers_, base_) {}

std::optional<NodeImage> NodeImages::of(const std::string& node, diag::Diagnostics& diagnostics) {
    return NodeBuilder(cluster_, numbers_, programs_, node, diagnostics).run();
}

} // namespace polecat::backends
