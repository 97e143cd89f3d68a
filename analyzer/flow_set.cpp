#include "analyzer/flow_set.h"

#include <algorithm>
#include <unordered_map>

namespace polecat::analyzer {

namespace {

using Cell = FlowSet::Cell;
using Row = FlowSet::Row;

struct Hash {
    std::size_t operator()(const ConnectionSet& set) const { return set.hash(); }
};

/// Cells with equal connections become one; empty ones go; ordered by the lowest destination.
std::vector<Cell> tidied(std::vector<Cell> cells) {
    std::unordered_map<ConnectionSet, std::size_t, Hash> known;
    std::vector<Cell> out;
    for (Cell& cell : cells) {
        if (cell.connections.empty() || cell.destinations.empty())
            continue;
        const auto [place, added] = known.try_emplace(cell.connections, out.size());
        if (added)
            out.push_back(std::move(cell));
        else
            out[place->second].destinations = out[place->second].destinations | cell.destinations;
    }
    std::sort(out.begin(), out.end(), [](const Cell& a, const Cell& b) {
        return a.destinations.first() < b.destinations.first();
    });
    return out;
}

/// Calls act(part, in_a, in_b) for the parts into which two partial partitions cut each other;
/// null: that side has no piece there. `key`: the atoms of a piece.
template <class Piece, class Key, class Act>
void overlay(const std::vector<Piece>& a, const std::vector<Piece>& b, const Key& key,
             const Act& act) {
    std::vector<AtomSet> rest;
    for (const Piece& piece : b)
        rest.push_back(key(piece));
    for (const Piece& mine : a) {
        AtomSet left = key(mine);
        for (std::size_t i = 0; i < b.size(); ++i) {
            const AtomSet& theirs = key(b[i]);
            if (!left.intersects(theirs))
                continue;
            act(left & theirs, &mine, &b[i]);
            left = left - theirs;
            rest[i] = rest[i] - key(mine);
        }
        if (!left.empty())
            act(left, &mine, static_cast<const Piece*>(nullptr));
    }
    for (std::size_t i = 0; i < b.size(); ++i)
        if (!rest[i].empty())
            act(rest[i], static_cast<const Piece*>(nullptr), &b[i]);
}

const AtomSet& destinations_of(const Cell& cell) {
    return cell.destinations;
}

} // namespace

FlowSet FlowSet::of(std::size_t atoms, const AtomSet& sources, const AtomSet& destinations,
                    const ConnectionSet& connections) {
    FlowSet out(atoms);
    out.add_row({sources, {{destinations, connections}}});
    return out;
}

FlowSet FlowSet::all(std::size_t atoms) {
    return of(atoms, AtomSet(atoms, true), AtomSet(atoms, true), ConnectionSet::all());
}

void FlowSet::add_row(Row row) {
    row.cells = tidied(std::move(row.cells));
    if (row.cells.empty() || row.sources.empty())
        return;
    const auto same = std::find_if(rows_.begin(), rows_.end(),
                                   [&](const Row& each) { return each.cells == row.cells; });
    if (same != rows_.end())
        same->sources = same->sources | row.sources;
    else
        rows_.push_back(std::move(row));
    std::sort(rows_.begin(), rows_.end(),
              [](const Row& a, const Row& b) { return a.sources.first() < b.sources.first(); });
}

template <class Op> FlowSet FlowSet::combine(const FlowSet& other, Op op) const {
    static const std::vector<Cell> nowhere;
    static const ConnectionSet nothing;
    FlowSet out(atoms_);
    overlay(
        rows_, other.rows_, [](const Row& row) -> const AtomSet& { return row.sources; },
        [&](const AtomSet& sources, const Row* a, const Row* b) {
            Row row{sources, {}};
            overlay(a != nullptr ? a->cells : nowhere, b != nullptr ? b->cells : nowhere,
                    destinations_of,
                    [&](const AtomSet& destinations, const Cell* x, const Cell* y) {
                        row.cells.push_back(
                            {destinations, op(x != nullptr ? x->connections : nothing,
                                              y != nullptr ? y->connections : nothing)});
                    });
            out.add_row(std::move(row));
        });
    return out;
}

FlowSet FlowSet::operator|(const FlowSet& other) const {
    return combine(other, [](const auto& a, const auto& b) { return a | b; });
}

FlowSet FlowSet::operator&(const FlowSet& other) const {
    return combine(other, [](const auto& a, const auto& b) { return a & b; });
}

FlowSet FlowSet::operator-(const FlowSet& other) const {
    return combine(other, [](const auto& a, const auto& b) { return a - b; });
}

ConnectionSet FlowSet::between(std::uint32_t source, std::uint32_t destination) const {
    for (const Row& row : rows_)
        if (row.sources.contains(source))
            for (const Cell& cell : row.cells)
                if (cell.destinations.contains(destination))
                    return cell.connections;
    return {};
}

FlowSet FlowSet::transposed() const {
    FlowSet out(atoms_);
    for (const Row& row : rows_)
        for (const Cell& cell : row.cells)
            out = out | of(atoms_, cell.destinations, row.sources, cell.connections);
    return out;
}

std::vector<FlowSet::Rectangle> FlowSet::rectangles() const {
    const auto count = [](const FlowSet& set) {
        std::size_t out = 0;
        for (const Row& row : set.rows_)
            out += row.cells.size();
        return out;
    };
    const FlowSet other = transposed();
    const bool by_sources = count(*this) <= count(other);
    std::vector<Rectangle> out;
    for (const Row& row : (by_sources ? *this : other).rows_)
        for (const Cell& cell : row.cells)
            out.push_back({by_sources ? row.sources : cell.destinations,
                           by_sources ? cell.destinations : row.sources, cell.connections});
    return out;
}

} // namespace polecat::analyzer
