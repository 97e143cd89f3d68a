#include "driver/verify/image_formula.h"

#include <algorithm>

namespace polecat::driver {

using backends::Outcome;
using backends::ProgramImage;
using decision::Pieces;
using smt::Term;

namespace {

std::map<std::uint16_t, net::PortSet> values_of_classes(const Pieces& pieces) {
    std::map<std::uint16_t, std::vector<net::PortRange>> ranges;
    for (const decision::Piece& piece : pieces)
        ranges[piece.id].push_back(piece.range);
    std::map<std::uint16_t, net::PortSet> out;
    for (const auto& [id, list] : ranges)
        out[id] = net::PortSet::of(list);
    return out;
}

} // namespace

ImageFormula::ImageFormula(const ProgramImage& program, smt::Terms& terms, smt::Packet& packet)
    : program_(program), terms_(terms), packet_(packet) {
    find_source_ports();
    find_l4();
    const auto any = [&](const Classes& classes) {
        std::vector<Term> all;
        for (const auto& [id, term] : classes)
            all.push_back(term);
        return terms_.any_of(std::move(all));
    };
    known_ = terms_.both(any(source_ports_), any(l4_));
}

/// Packets without ports are where port 0 is; where no rule asks, all are in class 0.
void ImageFormula::find_source_ports() {
    const auto classes = values_of_classes(program_.source_ports);
    const bool asks = std::any_of(classes.begin(), classes.end(),
                                  [](const auto& each) { return each.first != 0; });
    if (!asks) {
        source_ports_[0] = terms_.truth(true);
        return;
    }
    for (const auto& [id, ports] : classes) {
        std::vector<Term> parts{packet_.port_in(ports, true)};
        if (ports.contains(0))
            parts.push_back(terms_.negate(packet_.has_ports()));
        source_ports_[id] = terms_.any_of(std::move(parts));
    }
}

void ImageFormula::find_l4() {
    std::vector<Term> listed;
    for (const auto& [protocol, pieces] : program_.l4.by_protocol) {
        listed.push_back(packet_.is_protocol(protocol));
        add_protocol(protocol, pieces);
    }
    Term& other = l4_.try_emplace(program_.l4.other, terms_.truth(false)).first->second;
    other = terms_.either(other, terms_.negate(terms_.any_of(std::move(listed))));
}

void ImageFormula::add_protocol(net::Protocol protocol, const Pieces& pieces) {
    const bool is_icmp =
        protocol == (program_.family == net::Family::V4 ? net::kIcmp : net::kIcmpV6);
    for (const auto& [id, values] : values_of_classes(pieces)) {
        const Term here = net::has_ports(protocol) ? packet_.port_in(values, false)
                          : is_icmp                ? packet_.icmp_in(values)
                                                   : terms_.truth(values.contains(0));
        Term& term = l4_.try_emplace(id, terms_.truth(false)).first->second;
        term = terms_.either(term, terms_.both(packet_.is_protocol(protocol), here));
    }
}

Term ImageFormula::of(Classes& classes, std::uint16_t id) {
    return classes.try_emplace(id, terms_.truth(false)).first->second;
}

bool ImageFormula::cell_passes(std::uint32_t cell, bool by_rule) const {
    const auto found = program_.cells.find(cell);
    if (found == program_.cells.end())
        return false;
    return found->second.outcome == Outcome::Allow ||
           (!by_rule && found->second.outcome == Outcome::NoMatch);
}

Term ImageFormula::passes(std::uint32_t number, bool by_rule) {
    const auto row = program_.rows.find(number);
    if (row == program_.rows.end())
        return terms_.truth(false);
    const bool usual = cell_passes(row->second.cell, by_rule);
    std::vector<Term> others; // packets that get what is not usual
    for (const auto& each : row->second.exceptions)
        if (cell_passes(each.cell, by_rule) != usual)
            others.push_back(terms_.both(of(source_ports_, each.source_port), of(l4_, each.l4)));
    const Term unusual = terms_.any_of(std::move(others));
    return terms_.both(known_, usual ? terms_.negate(unusual) : unusual);
}

} // namespace polecat::driver
