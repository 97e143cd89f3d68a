#include "driver/try/probes.h"

#include <algorithm>

#include <fmt/format.h>

namespace polecat::driver {

namespace {

/// Sent where no rule names a port.
constexpr std::uint16_t kAnyPort = 80;

/// Each side of each border.
void add_borders(net::Protocol protocol, const decision::Pieces& pieces, Probes& out) {
    for (const decision::Piece& each : pieces) {
        if (each.range.first != 0)
            out.insert({protocol, each.range.first});
        if (each.range.last != UINT16_MAX && each.range.last != 0)
            out.insert({protocol, each.range.last});
    }
}

} // namespace

NodeProbes::NodeProbes(const backends::NodeImage& image) : image_(image) {
    for (const backends::DispatchEntry& each : image.dispatch)
        groups_[each.address] = &image.groups.at(each.group);
}

Probes NodeProbes::between(const net::Address& from, const net::Address& to) const {
    Probes out;
    const auto sender = groups_.find(from), receiver = groups_.find(to);
    if (sender != groups_.end())
        add_program(sender->second->egress, out);
    if (receiver != groups_.end())
        add_program(receiver->second->ingress, out);
    if (sender == groups_.end() || receiver == groups_.end()) {
        for (const backends::AttachPoint& each : image_.attached)
            if (each.family == from.family)
                add_program(each.program, out);
        for (const auto* ports : {&image_.failsafe_in, &image_.failsafe_out})
            for (const auto& each : *ports)
                if (!image_.attached.empty())
                    out.insert({each.protocol, each.port});
    }
    for (const net::Protocol protocol : {net::kTcp, net::kUdp})
        if (std::none_of(out.begin(), out.end(),
                         [&](const Probe& each) { return each.protocol == protocol; }))
            out.insert({protocol, kAnyPort});
    return out;
}

void NodeProbes::add_program(const std::string& name, Probes& out) const {
    const auto found = image_.programs.find(name);
    if (found == image_.programs.end())
        return;
    for (const auto& [protocol, pieces] : found->second->l4.by_protocol)
        if (protocol == net::kTcp || protocol == net::kUdp || protocol == net::kSctp)
            add_borders(protocol, pieces, out);
}

std::string to_string(const Probe& probe) {
    return fmt::format("{}/{}", probe.value, net::to_string_protocol(probe.protocol));
}

} // namespace polecat::driver
