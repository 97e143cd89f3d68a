#include <algorithm>
#include <set>

#include "backends/bpf/bpf.h"
#include "backends/bpf/stretches.h"

namespace polecat::bpf {

using backends::NodeImage;
using backends::ProgramImage;

namespace {

/// Ranges of other addresses without the endpoints' own; neighbours are one.
std::map<net::Range, std::uint32_t> cut_out(const NodeImage& image) {
    std::map<net::Range, std::uint32_t> out;
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        for (const Stretch& each : identities_of(image, family))
            if (!each.exact)
                out[each.range] = each.leaf;
    return out;
}

/// Every row of an identity spelt out, but for the most usual one (the lowest of several).
void spell_out(ProgramImage::Others& others, const std::set<std::uint32_t>& identities) {
    std::map<std::uint32_t, std::uint32_t> rows;
    std::map<std::uint32_t, std::size_t> counts;
    for (const std::uint32_t identity : identities)
        ++counts[rows[identity] = others.row_of(identity)];
    const auto usual = std::max_element(counts.begin(), counts.end(),
                                        [](const auto& a, auto& b) { return a.second < b.second; });
    others.usual = usual == counts.end() ? 0 : usual->first;
    others.blocks.clear();
    std::erase_if(rows, [&](const auto& each) { return each.second == others.usual; });
    others.rows = std::move(rows);
}

void join(decision::Pieces& pieces) {
    decision::Pieces out;
    for (const decision::Piece& each : pieces)
        if (!out.empty() && out.back().id == each.id &&
            out.back().range.last + 1 == each.range.first)
            out.back().range.last = each.range.last;
        else
            out.push_back(each);
    pieces = std::move(out);
}

ProgramImage normal(ProgramImage program, const std::set<std::uint32_t>& identities) {
    for (ProgramImage::Others& each : program.others)
        spell_out(each, identities);
    std::erase_if(program.own, [&](const auto& each) { return !identities.contains(each.first); });
    join(program.source_ports);
    for (auto& [protocol, pieces] : program.l4.by_protocol)
        join(pieces);
    for (auto& [number, row] : program.rows) {
        std::erase_if(row.exceptions, [&](const auto& each) { return each.cell == row.cell; });
        std::sort(row.exceptions.begin(), row.exceptions.end());
    }
    return program;
}

} // namespace

NodeImage normal(const NodeImage& image) {
    NodeImage out = image;
    out.outside = cut_out(image);
    std::map<net::Family, std::set<std::uint32_t>> identities;
    for (const auto& [address, identity] : image.addresses)
        identities[address.family].insert(identity);
    for (const auto& [range, identity] : out.outside)
        identities[range.first.family].insert(identity);
    for (auto& [name, program] : out.programs)
        program = normal(*program, identities[program->family]);
    return out;
}

} // namespace polecat::bpf
