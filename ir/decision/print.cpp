#include "ir/decision/print.h"

#include <fmt/format.h>

#include "ir/decision/eval.h"

namespace polecat::decision {

namespace {

std::string_view action_text(Action action) {
    switch (action) {
    case Action::Allow:
        return "allow";
    case Action::Deny:
        return "deny";
    case Action::Pass:
        return "pass";
    case Action::Log:
        return "log";
    }
    return "";
}

std::string quoted(std::string_view text) {
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\')
            out += '\\';
        out += c;
    }
    return out + "\"";
}

std::string range_text(const net::PortRange& range) {
    return range.first == range.last ? fmt::format("{}", range.first)
                                     : fmt::format("{}-{}", range.first, range.last);
}

std::string ports_text(const PortMatch& ports, const PredicateStore& predicates) {
    std::string out = "[ ";
    for (const net::PortRange& range : ports.numbers.ranges())
        out += range_text(range) + " ";
    for (const PredicateId id : ports.named)
        out += to_string(predicates[id]) + " ";
    return out + "]";
}

std::string icmp_text(const IcmpTypeCode& icmp) {
    return (icmp.type ? fmt::format("{}", *icmp.type) : "*") +
           (icmp.code ? fmt::format("/{}", *icmp.code) : "");
}

void add_end(std::string& out, const char* side, const EndMatch& end,
             const PredicateStore& predicates) {
    const auto& [all, none, ports, not_ports] = end;
    for (const PredicateId id : all)
        out += fmt::format(" {} {}", side, to_string(predicates[id]));
    for (const PredicateId id : none)
        out += fmt::format(" {} not {}", side, to_string(predicates[id]));
    if (ports)
        out += fmt::format(" {} port {}", side, ports_text(*ports, predicates));
    if (not_ports)
        out += fmt::format(" {} port not {}", side, ports_text(*not_ports, predicates));
}

std::string match_text(const Match& match, const PredicateStore& predicates) {
    const auto& [protocol, not_protocol, icmp, not_icmp, source, destination, http] = match;
    std::string out;
    if (protocol)
        out += " protocol " + net::to_string_protocol(*protocol);
    if (not_protocol)
        out += " protocol not " + net::to_string_protocol(*not_protocol);
    if (icmp)
        out += " icmp " + icmp_text(*icmp);
    if (not_icmp)
        out += " icmp not " + icmp_text(*not_icmp);
    add_end(out, "source", source, predicates);
    add_end(out, "destination", destination, predicates);
    if (http) {
        out += " http";
        for (const std::string& method : http->methods)
            out += " method " + quoted(method);
        for (const auto& [prefix, path] : http->paths)
            out += fmt::format(" {} {}", prefix ? "prefix" : "exact", quoted(path));
    }
    return out.empty() ? " any" : out;
}

std::string side_text(const char* name, const Side& side) {
    std::string out = fmt::format("  {} predicates", name);
    for (const PredicateId id : side.predicates)
        out += fmt::format(" {}", id.value);
    out += '\n';
    for (std::size_t i = 0; i < side.ends.size(); ++i) {
        out += fmt::format("  {} class {}:", name, side.classes[i]);
        if (!side.predicates.empty())
            out += ' ';
        for (const PredicateId id : side.predicates) {
            const Tri truth = side.ends[i].holds(id);
            out += truth == Tri::Yes ? '1' : truth == Tri::No ? '0' : '?';
        }
        for (const PortMember& member : side.ends[i].members)
            out += fmt::format(" {}={}/{}", member.predicate.value, member.port,
                               net::to_string_protocol(member.protocol));
        out += '\n';
    }
    return out;
}

std::string head_text(const char* what, Direction direction, Hook hook, net::Family family) {
    return fmt::format("{} {} {} IPv{}\n", what, to_string(direction), to_string(hook),
                       family == net::Family::V4 ? 4 : 6);
}

} // namespace

std::string to_text(const Program& program, const PredicateStore& predicates) {
    std::string out = head_text("program", program.direction, program.hook, program.family);
    for (const Stage& stage : program.stages) {
        out += fmt::format("  {}\n", stage.kind == Stage::Kind::Tier ? "tier" : "profile");
        for (const Entry& entry : stage.entries)
            out += fmt::format("    #{}{} {}{}\n", entry.slot.value, entry.staged ? " staged" : "",
                               action_text(entry.action), match_text(entry.match, predicates));
        const auto end = [](StageEnd each) { return each == StageEnd::Deny ? "deny" : "next"; };
        out += fmt::format("    #{} end {}", stage.end_slot.value, end(stage.end));
        out += stage.end == stage.staged_end ? "\n"
                                             : fmt::format(" staged {}\n", end(stage.staged_end));
    }
    return out + fmt::format("  #{} otherwise {}\n", program.otherwise_slot.value,
                             action_text(program.otherwise));
}

std::string to_text(const PredicateStore& predicates) {
    std::string out;
    for (std::uint32_t i = 0; i < predicates.size(); ++i)
        out += fmt::format("predicate {}: {}\n", i, to_string(predicates[PredicateId{i}]));
    return out;
}

std::string to_text(const Table& table) {
    std::string out = head_text("table", table.direction, table.hook, table.family);
    out += side_text("source", table.source);
    out += side_text("destination", table.destination);
    for (const Piece& piece : table.source_ports)
        out += fmt::format("  source port {}: {}\n", range_text(piece.range), piece.id);
    for (const auto& [protocol, pieces] : table.l4.by_protocol)
        for (const Piece& piece : pieces)
            out += fmt::format("  protocol {} {}: {}\n", net::to_string_protocol(protocol),
                               range_text(piece.range), piece.id);
    out += fmt::format("  other protocols: {}\n", table.l4.other);
    for (std::size_t i = 0; i < table.cells.size(); ++i) {
        const Cell& cell = table.cells[i];
        out += fmt::format("  cell {}: {} #{} staged {}", i, to_string(cell.verdict),
                           cell.slot.value, to_string(cell.staged));
        for (const SlotId log : cell.logs)
            out += fmt::format(" log #{}", log.value);
        out += '\n';
    }
    for (std::size_t i = 0; i < table.rows.size(); ++i) {
        out += fmt::format("  row {}: {}", i, table.rows[i].cell);
        for (const Row::Exception& each : table.rows[i].exceptions)
            out += fmt::format(" {} {} {}", each.source_port, each.l4, each.cell);
        out += '\n';
    }
    for (const auto& [classes, row] : table.pairs)
        out += fmt::format("  pair {} {}: {}\n", classes.first, classes.second, row);
    return out;
}

} // namespace polecat::decision
