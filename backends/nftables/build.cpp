// From a lowered cluster to the image of one node.
#include <algorithm>
#include <set>

#include "backends/nftables/node_image.h"
#include "ir/policy/felix.h"

namespace polecat::backends {

using decision::Action;
using decision::Identity;
using decision::LoweredCluster;
using decision::Program;
using decision::Verdict;

namespace {

/// Own side and other side of a table.
struct Sides {
    const decision::Side& own;
    const decision::Side& other;
};

Sides sides_of(const decision::Table& table) {
    if (table.direction == decision::Direction::Egress)
        return {table.source, table.destination};
    return {table.destination, table.source};
}

class NodeBuilder {
  public:
    NodeBuilder(const LoweredCluster& cluster, const decision::Identities& identities,
                const std::string& node, diag::Diagnostics& diagnostics)
        : cluster_(cluster), identities_(identities), node_(node), diagnostics_(diagnostics) {}

    std::optional<NodeImage> run() {
        take_settings();
        add_addresses();
        for (const decision::Endpoint& endpoint : cluster_.endpoints)
            if (endpoint.node == node_)
                add_endpoint(endpoint);
        std::sort(image_.dispatch.begin(), image_.dispatch.end());
        for (const auto& [program, own] : own_identities_)
            add_program(decision::ProgramId{program}, own);
        return good_ ? std::optional(std::move(image_)) : std::nullopt;
    }

  private:
    void refuse(diag::Code code, Span span, std::initializer_list<std::string_view> args) {
        diagnostics_.report(code, span, args);
        good_ = false;
    }

    /// The rule that a slot stands for: that of the first group that runs the program.
    Span span_of(decision::ProgramId program, decision::SlotId slot) const {
        for (const decision::Group& group : cluster_.groups)
            for (const auto& [key, each] : group.programs)
                if (each.program == program)
                    return each.slots[slot.value].span;
        return {};
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

    void add_addresses() {
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            for (const auto& [address, identity] : identities_.endpoint_addresses(family)) {
                image_.addresses[address] = identity.value;
                known_[family].insert(identity.value);
            }
            for (const auto& [address, identity] : identities_.member_addresses(family)) {
                image_.addresses[address] = identity.value;
                known_[family].insert(identity.value);
            }
            for (const auto& [range, identity] : identities_.ranges(family)) {
                image_.outside[range] = identity.value;
                known_[family].insert(identity.value);
            }
        }
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
            const auto* egress = find(endpoint, decision::Direction::Egress, address.family);
            const auto* ingress = find(endpoint, decision::Direction::Ingress, address.family);
            if (egress == nullptr || ingress == nullptr)
                continue;
            const std::uint32_t identity = image_.addresses.at(address);
            own_identities_[egress->program.value].insert(identity);
            own_identities_[ingress->program.value].insert(identity);
            image_.dispatch.push_back(
                {endpoint.interface_name, address, egress->program.value, ingress->program.value});
        }
    }

    const decision::GroupProgram* find(const decision::Endpoint& endpoint,
                                       decision::Direction direction, net::Family family) const {
        return cluster_.find(endpoint.object, direction, decision::Hook::Normal, family);
    }

    /// The program without what packets do not show: Allow rules that need a request or a domain
    /// are left out, which is narrower; anything else of the kind can't be expressed.
    std::optional<Program> expressible(decision::ProgramId id) {
        Program out = cluster_.program(id);
        const auto unseen = [&](const decision::Entry& entry) {
            const auto domain = [&](const decision::EndMatch& end) {
                return std::any_of(end.all.begin(), end.all.end(), [&](decision::PredicateId each) {
                    return decision::is_never_known(cluster_.predicates[each]);
                });
            };
            return entry.match->http.has_value() || domain(entry.match->source) ||
                   domain(entry.match->destination);
        };
        bool good = true;
        for (decision::Stage& stage : out.stages)
            std::erase_if(stage.entries, [&](const decision::Entry& entry) {
                if (!unseen(entry))
                    return false;
                const bool narrower = entry.action == Action::Allow || entry.action == Action::Log;
                if (narrower)
                    diagnostics_.report(diag::Code::RuleLeftOut, span_of(id, entry.slot), {node_});
                else
                    refuse(diag::Code::RuleNotExpressible, span_of(id, entry.slot), {node_});
                good = good && narrower;
                return true;
            });
        return good ? std::optional(std::move(out)) : std::nullopt;
    }

    void add_program(decision::ProgramId id, const std::set<std::uint32_t>& own) {
        const auto program = expressible(id);
        if (!program)
            return;
        std::vector<Identity> own_list, other_list;
        for (const std::uint32_t identity : own)
            own_list.push_back(identities_[decision::IdentityId{identity}]);
        const auto& others = known_[program->family];
        for (const std::uint32_t identity : others)
            other_list.push_back(identities_[decision::IdentityId{identity}]);
        const bool egress = program->direction == decision::Direction::Egress;
        const auto table = flatten(*program, cluster_.predicates, egress ? own_list : other_list,
                                   egress ? other_list : own_list);
        if (!table)
            return refuse(diag::Code::TableTooLarge, Span{}, {node_, table.error()});
        if (table->source_port_count > 1 ? table->source_port_count > 64 || table->l4.count > 128
                                         : table->l4.count > 8191)
            return refuse(diag::Code::TableTooLarge, Span{},
                          {node_, "too many classes of packets"});
        add_table(id.value, *table, own, others);
    }

    void add_table(std::uint32_t id, const decision::Table& table,
                   const std::set<std::uint32_t>& own, const std::set<std::uint32_t>& others) {
        ProgramImage out;
        out.direction = table.direction;
        out.family = table.family;
        out.source_ports = table.source_ports;
        out.l4 = table.l4;
        const Sides sides = sides_of(table);
        for (const std::uint32_t identity : own)
            out.own[identity] = *sides.own.find(identities_[decision::IdentityId{identity}]);
        for (const std::uint32_t identity : others)
            out.other[identity] = *sides.other.find(identities_[decision::IdentityId{identity}]);
        for (const decision::Cell& cell : table.cells) {
            if (cell.verdict == Verdict::Depends)
                return refuse(diag::Code::RuleNotExpressible,
                              span_of(decision::ProgramId{id}, cell.slot), {node_});
            ProgramImage::Cell made{
                cell.verdict == Verdict::Allow, cell.slot.value, {}, cell.staged == Verdict::Allow};
            for (const decision::SlotId log : cell.logs)
                made.logs.push_back(log.value);
            out.cells.push_back(std::move(made));
        }
        fill_rows(table, sides, out);
        image_.programs.emplace(id, std::move(out));
    }

    static void fill_rows(const decision::Table& table, const Sides& sides, ProgramImage& out) {
        const bool egress = table.direction == decision::Direction::Egress;
        for (std::uint16_t own = 0; own < sides.own.classes.size(); ++own)
            for (std::uint16_t other = 0; other < sides.other.classes.size(); ++other)
                for (std::uint16_t port = 0; port < table.source_port_count; ++port)
                    for (std::uint16_t l4 = 0; l4 < table.l4.count; ++l4)
                        out.rows.push_back(table.rows[egress ? table.place(own, other, port, l4)
                                                             : table.place(other, own, port, l4)]);
    }

    const LoweredCluster& cluster_;
    const decision::Identities& identities_;
    const std::string& node_;
    diag::Diagnostics& diagnostics_;
    NodeImage image_;
    std::map<net::Family, std::set<std::uint32_t>> known_; ///< identities that addresses have
    std::map<std::uint32_t, std::set<std::uint32_t>> own_identities_; ///< by program
    bool good_ = true;
};

} // namespace

std::optional<NodeImage> build_node_image(const LoweredCluster& cluster,
                                          const decision::Identities& identities,
                                          const std::string& node, diag::Diagnostics& diagnostics) {
    return NodeBuilder(cluster, identities, node, diagnostics).run();
}

} // namespace polecat::backends
