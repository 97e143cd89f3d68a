// Rules of iptables around the classifier: conntrack, interfaces and the host are theirs to ask.
#include <algorithm>
#include <set>

#include "backends/bpf/bpf.h"
#include "backends/iptables/frame.h"
#include "backends/iptables/layout.h"

namespace polecat::bpf {

using backends::NodeImage;
using iptables::Rule;

namespace {

/// Chains of the frame, and the program that each asks (backends/bpf/program/classifier.bpf.c).
struct AskingChain {
    const char* name;
    const char* program;
    bool from_workload; ///< its own end sent the packet
};
constexpr AskingChain kAsking[] = {{"polecat-from", "from", true},
                                   {"polecat-to", "to", false},
                                   {"polecat-from-r", "from_r", false},
                                   {"polecat-to-r", "to_r", true}};

bool any_logs(const NodeImage& image) {
    return std::any_of(image.programs.begin(), image.programs.end(), [](const auto& named) {
        const auto& cells = named.second->cells;
        return std::any_of(cells.begin(), cells.end(),
                           [](const auto& cell) { return !cell.second.logs.empty(); });
    });
}

iptables::Chain asking(const AskingChain& chain, const std::string& pins, net::Family family,
                       bool logs) {
    using Kind = iptables::Target::Kind;
    iptables::Chain out{chain.name, {}};
    const std::string program = pins + "/" + chain.program;
    // The source of what a workload sends was checked before; an address is the classifier's only
    // where the route agrees.
    if (!chain.from_workload)
        out.rules.push_back(iptables::drop(
            {iptables::InSet{true, iptables::filter_layout::pods_set(family), false, true}},
            "unknown workload interface or address"));
    if (logs)
        out.rules.push_back(
            iptables::plain({iptables::PinnedSays{program + "_logs"}}, Kind::Log, "polecat "));
    out.rules.push_back(iptables::plain({iptables::PinnedSays{program}}, Kind::Return));
    out.rules.push_back(iptables::go_to({}, "polecat-deny"));
    return out;
}

/// Settings are what tables have of them.
iptables::FilterImage host_rules(const Node& node) {
    iptables::FilterImage out = node.host;
    const iptables::Frame settings = iptables::frame_of(node.image);
    out.frame.to_host = settings.to_host;
    out.frame.interface_prefixes = settings.interface_prefixes;
    out.frame.dropped_vxlan_port = settings.dropped_vxlan_port;
    out.frame.drops_ipip = settings.drops_ipip;
    return out;
}

void fill(iptables::Set& pods, const NodeImage& image) {
    const auto add = [&](const std::string& interface, const net::Range& range) {
        if (range.first.family == pods.family)
            for (const net::Cidr& each : net::AddressSet::of(range).cidrs())
                pods.members.push_back({each, 0, 0, interface});
    };
    for (const auto& each : image.dispatch)
        add(each.interface, {each.address, each.address});
    for (const auto& each : image.other_sources)
        add(each.interface, each.range);
}

} // namespace

Node node_of(NodeImage image) {
    image.attached.clear();
    image.failsafe_in.clear();
    image.failsafe_out.clear();
    image.tunnels = {};
    std::set<std::string> of_workloads;
    for (const auto& [number, group] : image.groups)
        of_workloads.insert({group.egress, group.ingress});
    std::erase_if(image.programs,
                  [&](const auto& each) { return !of_workloads.contains(each.first); });
    Node out{std::move(image), {}};
    out.host.frame = iptables::frame_of(out.image);
    return out;
}

std::optional<Node> node_of(const std::string& node, const NodeImage& image,
                            iptables::FilterImages& filters, diag::Diagnostics& diagnostics) {
    Node out = node_of(image);
    if (image.attached.empty()) // no sets are made for it
        return out;
    auto host = filters.of_host(node, image, diag::Code::HostEndpointNotInBpf, diagnostics);
    if (!host)
        return std::nullopt;
    out.host = std::move(*host);
    return out;
}

iptables::Ruleset rules_around(const Node& node, const std::string& pins) {
    const bool logs = any_logs(node.image);
    iptables::Ruleset out = iptables::emit(host_rules(node), [&](net::Family family) {
        std::vector<iptables::Chain> chains;
        for (const AskingChain& each : kAsking)
            chains.push_back(asking(each, pins, family, logs));
        return chains;
    });
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        for (iptables::Set& each : out.sets)
            if (each.name == iptables::filter_layout::pods_set(family))
                fill(each, node.image);
    out.sort();
    return out;
}

Result<Node> read_around(NodeImage image, const iptables::Ruleset& rules, const std::string& pins) {
    Node out{std::move(image), {}};
    auto host = iptables::read_back(rules, [&](const iptables::FilterImage& read) {
        out.host = read;
        return rules_around(out, pins);
    });
    return host ? Result<Node>(std::move(out)) : Error{host.error()};
}

} // namespace polecat::bpf
