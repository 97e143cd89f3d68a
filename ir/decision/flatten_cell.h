/// One cell of a table: eval() on classes instead of ends. For ir/decision/flatten.cpp.
#pragma once

#include <utility>
#include <vector>

#include "ir/decision/table.h"

namespace polecat::decision {

/// A packet that stands for its class.
struct Packet {
    net::Protocol protocol = net::kTcp;
    std::uint16_t value = 0; ///< destination port, or ICMP type * 256 + code
    std::uint16_t source_port = 0;
};

/// A class with the side it is of.
struct ClassView {
    const Side& side;
    const EndClass& end;

    Tri holds(PredicateId predicate) const; ///< of a set with ports: Unknown or No
    Tri holds(PredicateId predicate, net::Protocol protocol, std::uint16_t port) const;
};

/// Judges packets between two classes. Entries that the classes rule out are left out once.
class CellJudge {
  public:
    CellJudge(const Program& program, const PredicateStore& predicates, ClassView source,
              ClassView destination);
    Cell at(const Packet& packet) const;

  private:
    struct Candidate {
        const Entry* entry;
        Tri ends; ///< what the predicates without ports say
    };
    Tri matches(const Candidate& candidate, const Packet& packet) const;
    void judge(const Packet& packet, bool staged, Cell& cell) const;

    const Program& program_;
    const PredicateStore& predicates_;
    ClassView source_, destination_;
    std::vector<std::vector<Candidate>> stages_;
};

} // namespace polecat::decision
