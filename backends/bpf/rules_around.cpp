// Rules of iptables around the classifier: conntrack, interfaces and the host are theirs to ask.
#include <algorithm>

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

} // namespace

iptables::Ruleset rules_around(const NodeImage& image, const std::string& pins) {
    iptables::Ruleset out;
    const bool logs = any_logs(image);
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        auto& chains = out.table(family).chains;
        chains = iptables::frame(iptables::frame_of(image), family, {});
        for (const AskingChain& each : kAsking)
            chains.push_back(asking(each, pins, family, logs));
        iptables::Set pods = iptables::set_of_endpoints(iptables::filter_layout::pods_set(family),
                                                        iptables::kPodsText, family);
        const auto add = [&](const std::string& interface, const net::Range& range) {
            if (range.first.family == family)
                for (const net::Cidr& each : net::AddressSet::of(range).cidrs())
                    pods.members.push_back({each, 0, 0, interface});
        };
        for (const auto& each : image.dispatch)
            add(each.interface, {each.address, each.address});
        for (const auto& each : image.other_sources)
            add(each.interface, each.range);
        out.sets.push_back(std::move(pods));
    }
    out.sort();
    return out;
}

} // namespace polecat::bpf
