// From chains of the frame to its settings. Only what tells settings apart is read: whoever reads
// writes them again and compares.
#include <algorithm>
#include <stdexcept>

#include "backends/iptables/frame_host.h"
#include "backends/iptables/layout.h"

namespace polecat::iptables {

using Kind = Target::Kind;

namespace {

/// "p0123456789ab" of "polecat-p0123456789ab-0".
std::string program_in(const std::string& chain) {
    const std::size_t start = kPrefix.size() + 1;
    if (chain.size() < start + 3 || (!chain.ends_with("-0") && !chain.ends_with("-0t")))
        return {};
    return chain.substr(start, chain.rfind('-') - start);
}

class FrameReader {
  public:
    explicit FrameReader(const Ruleset& rules) : rules_(rules) {}

    Frame run() {
        read_workloads();
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            for (const HostStage& stage : kHostStages)
                if (const Chain* chain = rules_.table(family).find(stage.chain, stage.table))
                    read_stage(stage, *chain, family);
            if (const Set* peers = rules_.find_set(filter_layout::peers_set(family)))
                for (const Member& each : peers->members)
                    out_.tunnels.peers.insert(each.nets.base);
        }
        std::sort(out_.attached.begin(), out_.attached.end());
        return as_written(std::move(out_));
    }

  private:
    const std::vector<Rule>& rules_of(const char* chain) const {
        const Chain* found = rules_.v4.find(chain);
        if (found == nullptr)
            throw std::runtime_error(std::string("there is no chain ") + chain);
        return found->rules;
    }

    void read_workloads() {
        out_.interface_prefixes.clear();
        for (const Rule& rule : rules_of("polecat-input")) {
            const auto* interface = match_of<InterfaceIs>(rule);
            if (rule.target.name != "polecat-host")
                continue;
            if (interface == nullptr || !interface->name.ends_with('+'))
                throw std::runtime_error("chain polecat-host is for workloads' interfaces");
            out_.interface_prefixes.push_back(
                interface->name.substr(0, interface->name.size() - 1));
        }
        out_.dropped_vxlan_port.reset();
        out_.drops_ipip = false;
        for (const Rule& rule : rules_of("polecat-encap"))
            if (const auto* ports = match_of<PortIn>(rule))
                out_.dropped_vxlan_port = ports->ports.front().first;
            else
                out_.drops_ipip = true;
        const auto& host = rules_of("polecat-host");
        const Kind last = host.empty() ? Kind::Log : host.back().target.kind;
        out_.to_host = last == Kind::Drop   ? policy::HostAction::Drop
                       : last == Kind::Goto ? policy::HostAction::Accept
                                            : policy::HostAction::Return;
    }

    void read_stage(const HostStage& stage, const Chain& chain, net::Family family) {
        for (const Rule& rule : chain.rules) {
            const auto* interface = match_of<InterfaceIs>(rule);
            const std::string program =
                rule.target.kind == Kind::Goto ? program_in(rule.target.name) : "";
            if (!program.empty())
                out_.attached.push_back({interface == nullptr ? "*" : interface->name, stage.hook,
                                         stage.direction, family, program});
            else if (rule.comment == kFailsafeText)
                read_failsafes(stage, rule, family);
            else if (rule.comment == kTunnelText)
                read_tunnel(rule, family);
        }
    }

    void read_failsafes(const HostStage& stage, const Rule& rule, net::Family family) {
        const auto* nets = match_of<AddressIs>(rule);
        const auto* protocol = match_of<ProtocolIs>(rule);
        const auto* ports = match_of<PortIn>(rule);
        if (protocol == nullptr || ports == nullptr)
            throw std::runtime_error("a failsafe port has a protocol and a port");
        auto& into = stage.incoming() != ports->source ? out_.failsafe_in : out_.failsafe_out;
        for (const net::PortRange& each : ports->ports)
            into.push_back(
                {protocol->protocol, each.first,
                 nets != nullptr ? nets->nets : net::block_of(net::last_address(family), 0)});
    }

    void read_tunnel(const Rule& rule, net::Family family) {
        const auto* port = match_of<PortIn>(rule);
        if (port == nullptr)
            out_.tunnels.ipip = true;
        else if (match_of<InSet>(rule) != nullptr)
            out_.tunnels.vxlan = port->ports.front().first;
        else
            out_.tunnels.wireguard[family] = port->ports.front().first;
    }

    const Ruleset& rules_;
    Frame out_;
};

} // namespace

Frame read_frame(const Ruleset& rules) {
    return FrameReader(rules).run();
}

} // namespace polecat::iptables
