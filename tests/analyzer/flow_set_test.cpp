// Laws of the algebra of flows, over every set of a small universe, and against the map and eval on
// random clusters.
#include <doctest/doctest.h>

#include "analyzer/flow_set.h"

using namespace polecat;
using analyzer::AtomSet;
using analyzer::ConnectionSet;
using analyzer::FlowSet;

namespace {

constexpr std::size_t kAtoms = 2;

/// Three kinds of flow that are apart: two ports and one request.
ConnectionSet connections(unsigned bits) {
    const auto port = [](std::uint16_t number) {
        return analyzer::PortPairs::of(net::PortSet::of(net::PortRange{number, number}),
                                       net::PortSet::of(net::PortRange{}));
    };
    ConnectionSet out;
    if ((bits & 1) != 0)
        out = out | ConnectionSet::of(net::kUdp, port(53));
    if ((bits & 2) != 0)
        out = out | ConnectionSet::of_requests({0}, port(80));
    return out;
}

/// The set whose flows between each of the four pairs are given by two bits.
FlowSet make(unsigned bits) {
    FlowSet out(kAtoms);
    for (std::uint32_t from = 0; from < kAtoms; ++from)
        for (std::uint32_t to = 0; to < kAtoms; ++to)
            out = out | FlowSet::of(kAtoms, AtomSet::of(kAtoms, {from}), AtomSet::of(kAtoms, {to}),
                                    connections(bits >> (2 * (from * kAtoms + to)) & 3));
    return out;
}

} // namespace

TEST_CASE("union, intersection and difference are those of the flows, for all pairs of sets") {
    std::vector<FlowSet> sets;
    for (unsigned bits = 0; bits < 256; ++bits)
        sets.push_back(make(bits));
    std::size_t wrong = 0;
    for (unsigned a = 0; a < 256; ++a)
        for (unsigned b = 0; b < 256; ++b) {
            wrong += (sets[a] | sets[b]) != sets[a | b];
            wrong += (sets[a] & sets[b]) != sets[a & b];
            wrong += (sets[a] - sets[b]) != sets[a & ~b];
            wrong += sets[a].contains(sets[b]) != ((b & ~a) == 0);
            wrong += (sets[a] == sets[b]) != (a == b);
        }
    CHECK(wrong == 0);
    for (unsigned a = 0; a < 256; ++a) {
        CHECK(sets[a].empty() == (a == 0));
        CHECK(sets[a].transposed().transposed() == sets[a]);
        FlowSet again(kAtoms);
        for (const auto& each : sets[a].rectangles())
            again = again | FlowSet::of(kAtoms, each.sources, each.destinations, each.connections);
        CHECK(again == sets[a]);
    }
}

TEST_CASE("the printable form takes the shorter of two ways") {
    // One destination that many sources reach by different ways, and all of them by one.
    constexpr std::size_t kMany = 70;
    FlowSet set(kMany);
    for (std::uint32_t i = 1; i < kMany; ++i)
        set = set |
              FlowSet::of(kMany, AtomSet::of(kMany, {i}), AtomSet::of(kMany, {0}), connections(1));
    set = set |
          FlowSet::of(kMany, AtomSet::of(kMany, {3}), AtomSet::of(kMany, {4, 5}), connections(1));
    CHECK(set.rows().size() == 2);
    CHECK(set.rectangles().size() == 2);
    CHECK(set.between(3, 4) == connections(1));
    CHECK(set.between(4, 3).empty());
    CHECK(AtomSet(kMany, true).count() == kMany);
}
