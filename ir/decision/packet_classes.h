/// The packets of a program cut into classes that none of its matches tells apart. For
/// ir/decision/flatten.cpp.
#pragma once

#include <map>
#include <unordered_map>
#include <vector>

#include "ir/decision/flatten_cell.h"
#include "ir/decision/table.h"

namespace polecat::decision {

/// Groups of the numbers below a count. Each cut() keeps those that it names apart from the others;
/// the work is that of the numbers named.
class Partition {
  public:
    explicit Partition(std::size_t count) : group_(count), round_of_(count) {}

    void clear();
    void cut(const std::vector<std::uint16_t>& numbers);
    /// 0: no cut named it.
    std::uint32_t group_of(std::size_t number) const {
        return round_of_[number] == round_ ? group_[number] : 0;
    }
    const std::vector<std::uint16_t>& named() const { return named_; }

  private:
    struct Split {
        std::uint32_t cut = 0, into = 0;
    };
    std::vector<std::uint32_t> group_, round_of_;
    std::vector<std::uint16_t> named_;
    std::vector<Split> splits_{{}}; ///< by group
    std::uint32_t round_ = 1, cuts_ = 0;
};

class PacketClasses {
  public:
    using List = std::vector<std::uint16_t>; ///< classes, ascending

    /// Members: of all ends of a side, each once.
    PacketClasses(const Program& program, const PredicateStore& predicates,
                  const std::vector<PortMember>& of_sources,
                  const std::vector<PortMember>& of_destinations, const FlattenLimits& limits);

    /// There are more than the limits allow; nothing of the rest may be used then.
    bool too_many() const { return too_many_; }

    Pieces source_ports;
    std::uint16_t source_port_count = 0;
    L4Classes l4;
    std::vector<Packet> packets;             ///< one of each L4 class
    std::vector<std::uint16_t> source_first; ///< one of each class of source ports

    /// What a match tells apart: all packets of a list are alike to it, and all others.
    struct Asked {
        std::vector<List> l4, source_ports;
        bool by_sets = false; ///< and the members of the ends
    };
    const Asked& asked(const Match& match) const { return asked_.at(&match); }

  private:
    void cut_borders(const Program& program, const std::vector<PortMember>& of_sources,
                     const std::vector<PortMember>& of_destinations);
    void ask(const Match& match, const PredicateStore& predicates, std::size_t most);
    List l4_where(const Match& match, const net::PortSet* ports) const;
    List sources_where(const net::PortSet& ports) const;
    void number_l4(const std::vector<PortMember>& members);
    void number_sources(const std::vector<PortMember>& members);

    net::Family family_;
    bool too_many_ = false;
    std::size_t terms_ = 0;
    std::unordered_map<const Match*, Asked> asked_;
};

} // namespace polecat::decision
