#include "backends/bird/bird.h"

#include <fmt/format.h>

#include "backends/bird/lines.h"
#include "backends/bird/names.h"

namespace polecat::bird {

namespace {

using routing::FamilyRouting;
using routing::NodeRouting;

/// What would end a comment, or a line of a terminal.
std::string one_line(std::string text) {
    for (char& c : text)
        if (static_cast<unsigned char>(c) < 0x20)
            c = '?';
    return text;
}

void emit_debug(const NodeRouting& node, Lines& out) {
    if (node.logging == routing::Logging::States)
        out.add("  debug { states };");
    else if (node.logging == routing::Logging::All)
        out.add("  debug all;");
}

void emit_interfaces(const NodeRouting& node, Lines& out) {
    out.add("protocol device {");
    emit_debug(node, out);
    out.add("  scan time 2;");
    out.add("}");
    out.add("protocol direct {");
    emit_debug(node, out);
    out.add("  ipv4;");
    out.add("  ipv6;");
    std::string patterns;
    for (const std::string& pattern : node.ignored_interfaces)
        patterns += fmt::format("-\"{}\", ", pattern);
    out.add(fmt::format("  interface {}\"*\";", patterns));
    out.add("}");
}

/// Routes that this node has by being what it is.
void emit_static(const FamilyRouting& family, Lines& out) {
    const auto open = [&](const char* name) {
        out.add(fmt::format("protocol static {}_{} {{", name, family_suffix(family.family)));
        out.add(fmt::format("  {};", channel(family.family)));
    };
    open("static_blocks");
    for (const routing::Block& block : family.blocks)
        if (block.originates)
            out.add(fmt::format("  route {} blackhole;", net::to_string(block.cidr)), block.origin);
    out.add("}");
    open("static_services");
    for (const routing::PrefixLine& line : family.services)
        out.add(fmt::format("  route {} blackhole;", net::to_string(line.prefix)), line.origin);
    out.add("}");
    open("static_neighbors");
    for (const routing::PeerRoute& route : family.peer_routes)
        out.add(fmt::format("  route {}/{} via {};", net::to_string(route.neighbor),
                            net::width(family.family), net::to_string(route.via)),
                route.origin);
    out.add("}");
}

void emit_kernel(const FamilyRouting& family, Lines& out) {
    const auto suffix = family_suffix(family.family);
    out.add(fmt::format("protocol kernel kernel_{} {{", suffix));
    // BIRD 2 gives every route one metric unless the protocol's is 0.
    for (const char* line : {"  learn;", "  persist;", "  scan time 2;", "  metric 0;",
                             "  graceful restart;", "  merge paths on;"})
        out.add(line);
    out.add(fmt::format("  {} {{ import all; export filter to_kernel_{}; }};",
                        channel(family.family), suffix));
    out.add("}");
}

} // namespace

void Lines::add(std::string_view text) {
    text_ += text;
    text_ += '\n';
}

void Lines::add(std::string_view text, const routing::Origin& origin) {
    text_ += text;
    if (origins_ != nullptr && !origin.object.empty()) {
        text_ += "  # " + one_line(origin.object);
        if (origin.span.known())
            text_ += ", " + one_line(origins_->describe(origin.span));
    }
    text_ += '\n';
}

std::string emit(const NodeRouting& node, const EmitOptions& options) {
    Lines out(options.origins);
    out.reserve(8192 + 320 * (node.v4.sessions.size() + node.v6.sessions.size()));
    out.add("# BIRD 2, written by polecat");
    out.add(fmt::format("hostname \"{}\";", node.node), node.origin);
    out.add(fmt::format("router id {};", node.router_id));
    for (const FamilyRouting* family : {&node.v4, &node.v6})
        if (family->enabled())
            out.add(fmt::format("define address_{} = {};", family_suffix(family->family),
                                net::to_string(*family->address)));
    emit_interfaces(node, out);
    for (const FamilyRouting* family : {&node.v4, &node.v6}) {
        out.add("");
        emit_filters(*family, out);
        emit_rules(*family, out);
        emit_kernel(*family, out);
        emit_static(*family, out);
        emit_sessions(node, *family, out);
    }
    return out.take();
}

std::vector<routing::KernelPool> not_expressible(const NodeRouting& node) {
    std::vector<routing::KernelPool> out;
    for (const FamilyRouting* family : {&node.v4, &node.v6})
        for (const routing::KernelPool& pool : family->kernel.pools)
            if (pool.action == routing::KernelAction::Tunnel)
                out.push_back(pool);
    return out;
}

} // namespace polecat::bird
