/// FlowSet: an exact set of flows as a value. The ends are atoms, numbers of classes that the
/// question does not tell apart (groups of a map: endpoints, ranges of outside addresses of one IP
/// family); what flows between two of them is a ConnectionSet. Canonical: equal sets compare equal.
#pragma once

#include <compare>
#include <vector>

#include "analyzer/atom_set.h"
#include "analyzer/connections.h"

namespace polecat::analyzer {

class FlowSet {
  public:
    /// The empty set over so many atoms.
    explicit FlowSet(std::size_t atoms) : atoms_(atoms) {}
    static FlowSet all(std::size_t atoms);
    static FlowSet of(std::size_t atoms, const AtomSet& sources, const AtomSet& destinations,
                      const ConnectionSet& connections);

    /// Where some atoms' flows go, all of one kind.
    struct Cell {
        AtomSet destinations;
        ConnectionSet connections;
        bool operator==(const Cell&) const = default;
    };
    /// Sources that reach the same.
    struct Row {
        AtomSet sources;
        std::vector<Cell> cells; ///< disjoint destinations, by the lowest; connections differ
        bool operator==(const Row&) const = default;
    };
    /// Adds a row whose sources are in none yet. Rows may come in any order.
    void add_row(Row row);

    FlowSet operator|(const FlowSet& other) const;
    FlowSet operator&(const FlowSet& other) const;
    FlowSet operator-(const FlowSet& other) const;
    bool empty() const { return rows_.empty(); }
    /// Every flow of `other` is in this set.
    bool contains(const FlowSet& other) const { return (other - *this).empty(); }
    bool operator==(const FlowSet&) const = default;

    ConnectionSet between(std::uint32_t source, std::uint32_t destination) const;
    std::size_t atoms() const { return atoms_; }
    const std::vector<Row>& rows() const { return rows_; } ///< disjoint sources, by the lowest

    /// All sources with all destinations by these connections.
    struct Rectangle {
        AtomSet sources, destinations;
        ConnectionSet connections;
    };
    /// Disjoint rectangles that make up the set: by sources or by destinations, whichever needs
    /// fewer.
    std::vector<Rectangle> rectangles() const;
    /// Every flow the other way round: destinations for sources.
    FlowSet transposed() const;

  private:
    template <class Op> FlowSet combine(const FlowSet& other, Op op) const;

    std::size_t atoms_;
    std::vector<Row> rows_;
};

} // namespace polecat::analyzer
