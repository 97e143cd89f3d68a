// Host endpoints: the hooks of their programs, and what comes before them. docs/iptables.md says
// what a packet meets in which order.
#include "backends/iptables/frame_host.h"

#include <algorithm>
#include <map>

#include "backends/iptables/layout.h"

namespace polecat::iptables {

using backends::AttachPoint;
using decision::Hook;
using Kind = Target::Kind;

namespace {

using FailsafePorts = std::vector<backends::NodeImage::FailsafePort>;

bool attaches(const Frame& settings, const HostStage& stage) {
    return std::any_of(settings.attached.begin(), settings.attached.end(),
                       [&](const AttachPoint& each) { return stage.is_of(each); });
}

/// States of conntrack.
Match invalid() {
    return FlowState{true, false, false, false};
}
Match related() {
    return FlowState{false, true, false, false};
}
Match untracked() {
    return FlowState{false, false, false, true};
}

Rule returning(std::vector<Match> matches, const char* why = "") {
    return {std::move(matches), why, {Kind::Return, {}, {}, {}}};
}

Rule with(InterfaceIs interface, Rule rule) {
    rule.matches.insert(rule.matches.begin(), std::move(interface));
    return rule;
}

} // namespace

std::vector<AskedAgain> asked_again(const Frame& settings, const HostStage& stage) {
    std::vector<AskedAgain> out;
    if (stage.hook != Hook::Untracked)
        return out;
    if (stage.incoming() && attaches(settings, kEarlyIn))
        out.push_back({In::Mangle, false});
    if (stage.incoming() && attaches(settings, kHostIn))
        out.push_back({In::Filter, false});
    if (stage.incoming() && attaches(settings, kThroughIn))
        out.push_back({In::Filter, true});
    if (!stage.incoming() && attaches(settings, kHostOut))
        out.push_back({In::Mangle, false});
    return out;
}

std::vector<HostProgram> host_programs(const Frame& settings, net::Family family) {
    std::vector<HostProgram> out;
    for (const HostStage& stage : kHostStages)
        for (const AttachPoint& each : settings.attached) {
            if (!stage.is_of(each) || each.family != family)
                continue;
            out.push_back({each, stage.table, false});
            for (const AskedAgain& again : asked_again(settings, stage))
                out.push_back({each, again.table, again.through});
        }
    return out;
}

std::string allowing_chain(const HostProgram& program) {
    return !tells(program.point.hook) ? "" : program.through ? kOnward : "polecat-taken";
}

Frame as_written(Frame settings) {
    const auto uses = [&](const HostStage& stage) { return attaches(settings, stage); };
    const bool raw = uses(kRawIn) || uses(kRawOut);
    if (!raw && !uses(kHostIn) && !uses(kEarlyIn))
        settings.failsafe_in.clear();
    if (!raw && !uses(kHostOut))
        settings.failsafe_out.clear();
    for (FailsafePorts* ports : {&settings.failsafe_in, &settings.failsafe_out}) {
        FailsafePorts placed;
        for (const auto& each : *ports)
            for (const net::Family family : {net::Family::V4, net::Family::V6})
                if (!each.net || each.net->family() == family)
                    placed.push_back(
                        {each.protocol, each.port,
                         each.net ? *each.net : net::block_of(net::last_address(family), 0)});
        std::sort(placed.begin(), placed.end());
        placed.erase(std::unique(placed.begin(), placed.end()), placed.end());
        *ports = std::move(placed);
    }
    if (!uses(kHostIn) && !uses(kHostOut))
        settings.tunnels = {};
    if (!settings.tunnels.vxlan && !settings.tunnels.ipip)
        settings.tunnels.peers.clear();
    return settings;
}

Frame frame_of(const backends::NodeImage& image) {
    return as_written({image.to_host, image.interface_prefixes, image.dropped_vxlan_port,
                       image.drops_ipip, image.attached, image.failsafe_in, image.failsafe_out,
                       image.tunnels});
}

bool HostFrame::uses(const HostStage& stage) const {
    return attaches(settings_, stage);
}

std::set<std::string> HostFrame::interfaces_at(std::initializer_list<Hook> hooks) const {
    std::set<std::string> out;
    for (const AttachPoint& each : settings_.attached)
        if (std::find(hooks.begin(), hooks.end(), each.hook) != hooks.end())
            out.insert(each.interface);
    return out;
}

void HostFrame::for_interfaces(std::vector<Rule>& rules, const HostStage& stage,
                               const Rule& rule) const {
    std::set<std::string> governed, named;
    for (const AttachPoint& each : settings_.attached) {
        named.insert(each.interface);
        if (stage.is_of(each))
            governed.insert(each.interface);
    }
    if (governed.contains("*")) {
        if (!named.contains("lo"))
            rules.push_back(returning({InterfaceIs{stage.incoming(), "lo"}}));
        rules.push_back(rule);
        return;
    }
    for (const std::string& each : governed)
        rules.push_back(with({stage.incoming(), each}, rule));
}

std::vector<Chain> HostFrame::run() {
    for (const HostStage& stage : kHostStages) {
        if (!uses(stage))
            continue;
        add_stage(stage, stage.table, false);
        for (const AskedAgain& again : asked_again(settings_, stage))
            add_stage(stage, again.table, again.through);
    }
    if (uses(kEarlyIn))
        add_early();
    if (uses(kHostIn))
        add_input();
    if (uses(kHostOut))
        add_output();
    add_ends();
    return std::move(out_);
}

// --- the programs of a stage ---------------------------------------------------------------------

void HostFrame::add_stage(const HostStage& stage, In table, bool through) {
    std::vector<Rule> rules;
    if (stage.hook == Hook::Normal)
        add_tunnels(rules, stage.incoming());
    add_failsafes(rules, stage);
    add_taken(rules, stage);
    add_programs(rules, stage, table, through);
    chain(through ? kRawThrough : stage.chain, table, std::move(rules));
}

void HostFrame::add_programs(std::vector<Rule>& rules, const HostStage& stage, In table,
                             bool through) const {
    std::set<std::string> named;
    std::string others;
    for (const AttachPoint& each : settings_.attached) {
        if (each.interface != "*")
            named.insert(each.interface);
        if (!stage.is_of(each) || each.family != family_)
            continue;
        const std::string program = chain_of_({each, table, through});
        if (each.interface == "*")
            others = program;
        else
            rules.push_back(go_to({InterfaceIs{stage.incoming(), each.interface}}, program));
    }
    if (others.empty())
        return;
    named.insert("lo");
    for (const std::string& each : named)
        rules.push_back(returning({InterfaceIs{stage.incoming(), each}}));
    if (stage.hook == Hook::Normal)
        for (const std::string& prefix : settings_.interface_prefixes)
            rules.push_back(returning({InterfaceIs{stage.incoming(), prefix + "+"}}));
    rules.push_back(go_to({}, others));
}

/// Before connections are known, answers of failsafe ports come as well.
void HostFrame::add_failsafes(std::vector<Rule>& rules, const HostStage& stage) const {
    if (stage.hook == Hook::Forward)
        return;
    const auto add = [&](const FailsafePorts& ports, bool answers) {
        std::map<std::pair<std::optional<net::Cidr>, net::Protocol>, std::vector<net::PortRange>>
            by_kind;
        for (const auto& each : ports)
            if (each.net->family() == family_)
                by_kind[{each.net, each.protocol}].push_back({each.port, each.port});
        for (const auto& [kind, list] : by_kind)
            for (std::size_t at = 0; at < list.size(); at += kMostPorts) {
                std::vector<Match> matches;
                if (kind.first->prefix > 0) // no listing has the others
                    matches.emplace_back(AddressIs{stage.incoming(), *kind.first});
                matches.emplace_back(ProtocolIs{false, kind.second});
                const auto end = std::min(list.size(), at + kMostPorts);
                matches.emplace_back(PortIn{false,
                                            answers,
                                            {list.begin() + static_cast<std::ptrdiff_t>(at),
                                             list.begin() + static_cast<std::ptrdiff_t>(end)}});
                rules.push_back(returning(std::move(matches), kFailsafeText));
            }
    };
    add(stage.incoming() ? settings_.failsafe_in : settings_.failsafe_out, false);
    if (stage.hook == Hook::Untracked)
        add(stage.incoming() ? settings_.failsafe_out : settings_.failsafe_in, true);
}

/// What an earlier hook of the interface took. Untracked policy is asked once more: that a packet
/// belongs to no connection may be others' doing.
void HostFrame::add_taken(std::vector<Rule>& rules, const HostStage& stage) const {
    if (stage.hook != Hook::Normal && stage.hook != Hook::Forward)
        return;
    if (stage.incoming() && uses(kEarlyIn)) // of other interfaces the bit may be an older policy's
        for_interfaces(rules, kEarlyIn, returning({FlowBitIs{FlowBit::Early}}));
    const bool through = stage.hook == Hook::Forward;
    const HostStage& raw = stage.incoming() ? kRawIn : kRawOut;
    if (uses(raw) && (stage.incoming() || !through))
        rules.push_back(jump({untracked()}, through ? kRawThrough : raw.chain));
}

// --- what nodes send each other ------------------------------------------------------------------

void HostFrame::add_tunnels(std::vector<Rule>& rules, bool incoming) const {
    const backends::Tunnels& tunnels = settings_.tunnels;
    const InSet peers{false, filter_layout::peers_set(family_), incoming, false};
    const auto to_port = [](std::uint16_t port) { return PortIn{false, false, {{port, port}}}; };
    if (tunnels.vxlan)
        rules.push_back(
            returning({ProtocolIs{false, net::kUdp}, to_port(*tunnels.vxlan), peers}, kTunnelText));
    if (tunnels.ipip && family_ == net::Family::V4)
        rules.push_back(returning({ProtocolIs{false, net::kIpIp}, peers}, kTunnelText));
    if (const auto port = tunnels.wireguard.find(family_); port != tunnels.wireguard.end())
        rules.push_back(
            returning({ProtocolIs{false, net::kUdp}, to_port(port->second)}, kTunnelText));
}

std::vector<Set> frame_sets(const Frame& settings, net::Family family) {
    if (!settings.tunnels.vxlan && !settings.tunnels.ipip)
        return {};
    Set peers;
    peers.name = filter_layout::peers_set(family);
    peers.what = "addresses of other nodes";
    peers.family = family;
    for (const net::Address& each : settings.tunnels.peers)
        if (each.family == family)
            peers.members.push_back(
                {net::block_of(each, static_cast<std::uint8_t>(net::width(family))), 0, 0, {}});
    return {std::move(peers)};
}

// --- hooks ---------------------------------------------------------------------------------------

/// Before services' addresses are translated. Answers have their ends the other way round, so that
/// they can't be asked of here.
void HostFrame::add_early() {
    std::vector<Rule> hook;
    for_interfaces(hook, kEarlyIn, go_to({}, "polecat-early-known"));
    chain("polecat-early", In::Mangle, std::move(hook));
    std::vector<Rule> rules{returning({FlowMarkIs{{false, {}}}}),
                            drop({FlowMarkIs{{true, {}}}}, "flow was denied"),
                            returning({IsReply{}}), returning({related()})};
    if (uses(kRawIn))
        rules.push_back(jump({untracked()}, kRawIn.chain));
    rules.push_back({{}, {}, {Kind::ClearFlowBit, {}, {}, FlowBit::Early}});
    rules.push_back(go_to({}, kEarlyIn.chain));
    chain("polecat-early-known", In::Mangle, std::move(rules));
}

/// From the network to the host itself. Answers follow their flow.
void HostFrame::add_input() {
    chain(kInputHost, In::Filter,
          {plain({FlowMarkIs{{false, {}}}}, Kind::Accept), drop({invalid()}, "invalid"),
           drop({FlowMarkIs{{true, {}}}}, "flow was denied"), plain({IsReply{}}, Kind::Accept),
           drop({related()}, "related to a flow that is not allowed"), jump({}, kHostIn.chain),
           go_to({}, "polecat-allow")});
}

/// From the host itself to the network. By which interface a packet leaves is known after the
/// translation of services' addresses only, so it is judged as it leaves; what belongs to no
/// connection is never translated, and can't be marked.
void HostFrame::add_output() {
    std::vector<Rule> rules;
    for (const std::string& prefix : settings_.interface_prefixes)
        rules.push_back(returning({InterfaceIs{false, prefix + "+"}}));
    for (const Match& loose : {untracked(), invalid()})
        rules.push_back(go_to({loose}, "polecat-loose"));
    rules.push_back(returning({FlowMarkIs{{false, {}}}}));
    rules.push_back(drop({FlowMarkIs{{true, {}}}}, "flow was denied"));
    rules.push_back(returning({IsReply{}}));
    const net::Protocol icmp = family_ == net::Family::V4 ? net::kIcmp : net::kIcmpV6;
    rules.push_back(returning({ProtocolIs{false, icmp}, related()}));
    rules.push_back({{}, {}, {Kind::SetFlowBit, {}, {}, FlowBit::Leaving}});
    chain("polecat-output", In::Mangle, std::move(rules));
    std::vector<Rule> loose;
    for_interfaces(loose, kHostOut, drop({invalid()}, "invalid"));
    loose.push_back(go_to({}, kHostOut.chain));
    chain("polecat-loose", In::Mangle, std::move(loose));
    const Match leaving = FlowBitIs{FlowBit::Leaving};
    chain("polecat-leaving", In::Mangle,
          {jump({leaving}, kHostOut.chain), go_to({leaving}, "polecat-allow")});
}

void HostFrame::add_ends() {
    if (uses(kRawIn) || uses(kRawOut)) {
        chain("polecat-deny", In::Raw, {plain({}, Kind::Drop)});
        chain("polecat-taken", In::Raw, {plain({}, Kind::NoTrack)});
        chain("polecat-taken", In::Filter, {go_to({}, "polecat-allow")});
    }
    if (!uses(kEarlyIn) && !uses(kHostOut))
        return;
    chain("polecat-deny", In::Mangle, {remember(true), plain({}, Kind::Drop)});
    chain("polecat-allow", In::Mangle, {remember(false)});
    chain(
        "polecat-taken", In::Mangle,
        {{{}, {}, {Kind::SetFlowBit, {}, {}, FlowBit::Early}}, plain({untracked()}, Kind::Accept)});
}

} // namespace polecat::iptables
