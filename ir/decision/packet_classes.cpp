#include "ir/decision/packet_classes.h"

#include <algorithm>
#include <set>

namespace polecat::decision {

void Partition::clear() {
    ++round_;
    named_.clear();
    splits_.assign(1, {});
}

void Partition::cut(const std::vector<std::uint16_t>& numbers) {
    ++cuts_;
    for (const std::uint16_t number : numbers) {
        const std::uint32_t before = group_of(number);
        if (round_of_[number] != round_)
            named_.push_back(number);
        round_of_[number] = round_;
        if (splits_[before].cut != cuts_) {
            splits_[before] = {cuts_, static_cast<std::uint32_t>(splits_.size())};
            splits_.emplace_back();
        }
        group_[number] = splits_[before].into;
    }
}

namespace {

/// Borders at which some match of the program changes its mind.
class Borders {
  public:
    void add(unsigned first, unsigned last) {
        at_.insert(first);
        if (last < 65535)
            at_.insert(last + 1);
    }
    void add(const net::PortSet& ports) {
        for (const net::PortRange& range : ports.ranges())
            add(range.first, range.last);
    }
    Pieces pieces(std::size_t& next) const {
        Pieces out;
        for (auto it = at_.begin(); it != at_.end(); ++it) {
            const auto after = std::next(it);
            const unsigned last = after == at_.end() ? 65535 : *after - 1;
            out.push_back({{static_cast<std::uint16_t>(*it), static_cast<std::uint16_t>(last)},
                           static_cast<std::uint16_t>(next++)});
        }
        return out;
    }

  private:
    std::set<unsigned> at_{0};
};

template <class Act> void each_match(const Program& program, const Act& act) {
    for (const Stage& stage : program.stages)
        for (const Entry& entry : stage.entries)
            act(*entry.match);
}

net::Protocol icmp_of(net::Family family) {
    return family == net::Family::V4 ? net::kIcmp : net::kIcmpV6;
}

void add_icmp(const IcmpTypeCode& wanted, Borders& into) {
    for (unsigned type = wanted.type.value_or(0); type <= wanted.type.value_or(255); ++type)
        into.add(type * 256 + wanted.code.value_or(0), type * 256 + wanted.code.value_or(255));
}

bool is_icmp(const IcmpTypeCode& wanted, const Piece& piece) {
    return (!wanted.type || *wanted.type == piece.range.first / 256) &&
           (!wanted.code || *wanted.code == piece.range.first % 256);
}

/// act(piece) for the pieces that lie in some of the ports.
template <class Act>
void each_piece_in(const Pieces& pieces, const net::PortSet& ports, const Act& act) {
    for (const net::PortRange& range : ports.ranges()) {
        auto piece = std::partition_point(pieces.begin(), pieces.end(), [&](const Piece& each) {
            return each.range.last < range.first;
        });
        for (; piece != pieces.end() && piece->range.first <= range.last; ++piece)
            act(*piece);
    }
}

void keep_each_once(std::vector<std::uint16_t>& list) {
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
}

bool asks_port_sets(const EndMatch& end, const PredicateStore& predicates) {
    bool out = false;
    each_predicate(end, [&](PredicateId id) { out = out || is_port_set(predicates[id]); });
    return out;
}

/// Numbers of groups in the order in which the pieces have them.
class Numbering {
  public:
    explicit Numbering(const Partition& groups) : groups_(groups) {}
    std::uint16_t operator()(std::uint16_t piece) {
        const auto next = static_cast<std::uint16_t>(known_.size());
        return known_.try_emplace(groups_.group_of(piece), next).first->second;
    }

  private:
    const Partition& groups_;
    std::map<std::uint32_t, std::uint16_t> known_;
};

void renumber(Pieces& pieces, Numbering& numbers) {
    Pieces out;
    for (const Piece& piece : pieces) {
        const std::uint16_t id = numbers(piece.id);
        if (!out.empty() && out.back().id == id)
            out.back().range.last = piece.range.last;
        else
            out.push_back({piece.range, id});
    }
    pieces = std::move(out);
}

} // namespace

PacketClasses::PacketClasses(const Program& program, const PredicateStore& predicates,
                             const std::vector<PortMember>& of_sources,
                             const std::vector<PortMember>& of_destinations,
                             const FlattenLimits& limits)
    : family_(program.family) {
    cut_borders(program, of_sources, of_destinations);
    each_match(program, [&](const Match& match) {
        if (!too_many_)
            ask(match, predicates, limits.terms);
    });
    if (too_many_)
        return;
    number_l4(of_destinations);
    number_sources(of_sources);
}

/// Pieces, each a class of its own so far. Ports are cut for the protocols that a match is of.
void PacketClasses::cut_borders(const Program& program, const std::vector<PortMember>& of_sources,
                                const std::vector<PortMember>& of_destinations) {
    const net::Protocol icmp = icmp_of(family_);
    std::map<net::Protocol, Borders> borders;
    for (const net::Protocol protocol : {net::kTcp, net::kUdp, net::kSctp, icmp})
        borders[protocol];
    Borders source;
    each_match(program, [&](const Match& match) {
        // Of `http` nothing: no flow of a table has a request.
        const auto& [protocol, not_protocol, type, not_type, from, to, http] = match;
        for (const auto* each : {&protocol, &not_protocol})
            if (*each)
                borders[**each];
        for (const auto* wanted : {&type, &not_type})
            if (*wanted)
                add_icmp(**wanted, borders[icmp]);
        for (const auto* ports : {&to.ports, &to.not_ports})
            for (const net::Protocol each : {net::kTcp, net::kUdp, net::kSctp})
                if (*ports && (!protocol || *protocol == each))
                    borders[each].add((*ports)->numbers);
        for (const auto* ports : {&from.ports, &from.not_ports})
            if (*ports)
                source.add((*ports)->numbers);
    });
    for (const PortMember& member : of_destinations)
        borders[member.protocol].add(member.port, member.port);
    for (const PortMember& member : of_sources)
        source.add(member.port, member.port);
    std::size_t pieces = 0, source_pieces = 0;
    for (const auto& [protocol, each] : borders)
        l4.by_protocol[protocol] = each.pieces(pieces);
    l4.other = static_cast<std::uint16_t>(pieces++);
    source_ports = source.pieces(source_pieces);
    too_many_ = pieces > 65535 || source_pieces > 65535;
    l4.count = static_cast<std::uint16_t>(pieces);
    source_port_count = static_cast<std::uint16_t>(source_pieces);
}

/// The pieces of which everything holds that the match asks of a packet but for sets; of
/// destination ports that they are among `ports`.
PacketClasses::List PacketClasses::l4_where(const Match& match, const net::PortSet* ports) const {
    List out;
    const auto add = [&](const Piece& piece) { out.push_back(piece.id); };
    for (const auto& [protocol, pieces] : l4.by_protocol) {
        if ((match.protocol && *match.protocol != protocol) ||
            (match.not_protocol && *match.not_protocol == protocol))
            continue;
        const bool icmp = protocol == icmp_of(family_);
        if ((match.icmp && !icmp) || (ports != nullptr && !net::has_ports(protocol)))
            continue;
        if (ports != nullptr) {
            each_piece_in(pieces, *ports, add);
            continue;
        }
        for (const Piece& piece : pieces)
            if ((!match.icmp || is_icmp(*match.icmp, piece)) &&
                !(match.not_icmp && icmp && is_icmp(*match.not_icmp, piece)))
                add(piece);
    }
    if (!match.protocol && !match.icmp && ports == nullptr)
        out.push_back(l4.other);
    keep_each_once(out);
    return out;
}

PacketClasses::List PacketClasses::sources_where(const net::PortSet& ports) const {
    List out;
    each_piece_in(source_ports, ports, [&](const Piece& piece) { out.push_back(piece.id); });
    keep_each_once(out);
    return out;
}

void PacketClasses::ask(const Match& match, const PredicateStore& predicates, std::size_t most) {
    const auto [place, added] = asked_.try_emplace(&match);
    if (!added)
        return;
    Asked& out = place->second;
    const auto& [protocol, not_protocol, type, not_type, from, to, http] = match;
    out.by_sets = asks_port_sets(from, predicates) || asks_port_sets(to, predicates);
    const auto numbers = [](const std::optional<PortMatch>& ports) {
        return ports ? &ports->numbers : nullptr;
    };
    out.l4.push_back(l4_where(match, numbers(to.ports)));
    if (to.not_ports)
        out.l4.push_back(l4_where(match, numbers(to.not_ports)));
    if (out.by_sets) { // may be in doubt wherever there are ports
        const net::PortSet all = net::PortSet::of(net::PortRange{});
        out.l4.push_back(l4_where(match, &all));
    }
    for (const auto* ports : {&from.ports, &from.not_ports})
        if (*ports) {
            const net::PortSet all = net::PortSet::of(net::PortRange{});
            out.l4.push_back(l4_where(match, &all)); // only what has ports
            out.source_ports.push_back(sources_where((*ports)->numbers));
        }
    std::erase_if(out.l4, [&](const List& list) { return list.size() == l4.count; });
    for (const auto* lists : {&out.l4, &out.source_ports})
        for (const List& list : *lists)
            terms_ += list.size();
    too_many_ = too_many_ || terms_ > most;
}

/// Pieces that no match tells apart become one class.
void PacketClasses::number_l4(const std::vector<PortMember>& members) {
    Partition groups(l4.count);
    for (const auto& [match, asked] : asked_)
        for (const List& list : asked.l4)
            groups.cut(list);
    for (const PortMember& member : members)
        groups.cut({l4.of({member.protocol, member.port})});
    Numbering numbers(groups);
    packets.clear();
    const auto note = [&](std::uint16_t id, const Packet& packet) {
        if (id == packets.size())
            packets.push_back(packet);
    };
    std::vector<std::uint16_t> of_piece(l4.count);
    for (auto& [protocol, pieces] : l4.by_protocol) {
        for (const Piece& piece : pieces) {
            of_piece[piece.id] = numbers(piece.id);
            note(of_piece[piece.id], {protocol, piece.range.first, 0});
        }
        renumber(pieces, numbers);
    }
    unsigned other = 255; // a protocol that no match names
    while (other > 0 && l4.by_protocol.contains(static_cast<net::Protocol>(other)))
        --other;
    of_piece[l4.other] = numbers(l4.other);
    l4.other = of_piece[l4.other];
    note(l4.other, {static_cast<net::Protocol>(other), 0, 0});
    l4.count = static_cast<std::uint16_t>(packets.size());
    for (auto& [match, asked] : asked_)
        for (List& list : asked.l4) {
            for (std::uint16_t& each : list)
                each = of_piece[each];
            keep_each_once(list);
        }
}

void PacketClasses::number_sources(const std::vector<PortMember>& members) {
    Partition groups(source_port_count);
    for (const auto& [match, asked] : asked_)
        for (const List& list : asked.source_ports)
            groups.cut(list);
    for (const PortMember& member : members)
        groups.cut({find(source_ports, member.port)});
    Numbering numbers(groups);
    std::vector<std::uint16_t> of_piece(source_port_count);
    for (const Piece& piece : source_ports) {
        of_piece[piece.id] = numbers(piece.id);
        if (of_piece[piece.id] == source_first.size())
            source_first.push_back(piece.range.first);
    }
    renumber(source_ports, numbers);
    source_port_count = static_cast<std::uint16_t>(source_first.size());
    for (auto& [match, asked] : asked_)
        for (List& list : asked.source_ports) {
            for (std::uint16_t& each : list)
                each = of_piece[each];
            keep_each_once(list);
        }
}

} // namespace polecat::decision
