// From a program to its table: classes of ends, classes of packets, and a cell for each
// combination, judged exactly as eval() judges.
#include <algorithm>
#include <set>

#include "ir/decision/flatten_cell.h"
#include "ir/decision/table.h"

namespace polecat::decision {

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
    Pieces pieces(std::uint16_t& next) const {
        Pieces out;
        for (auto it = at_.begin(); it != at_.end(); ++it) {
            const auto after = std::next(it);
            const unsigned last = after == at_.end() ? 65535 : *after - 1;
            out.push_back(
                {{static_cast<std::uint16_t>(*it), static_cast<std::uint16_t>(last)}, next++});
        }
        return out;
    }
    std::size_t count() const { return at_.size(); }

  private:
    std::set<unsigned> at_{0};
};

template <class Act> void each_match(const Program& program, const Act& act) {
    for (const Stage& stage : program.stages)
        for (const Entry& entry : stage.entries)
            act(entry.match);
}

Side side_of(const Program& program, bool source, std::span<const Identity> identities) {
    Side out;
    out.predicates = predicates_of(program, source);
    std::set<EndClass> distinct;
    for (const Identity& identity : identities)
        distinct.insert(out.class_of(identity));
    out.classes.assign(distinct.begin(), distinct.end());
    return out;
}

class Flattener {
  public:
    Flattener(const Program& program, const PredicateStore& predicates)
        : program_(program), predicates_(predicates) {}

    Result<Table> run(std::span<const Identity> sources, std::span<const Identity> destinations,
                      const FlattenLimits& limits) {
        table_.hook = program_.hook;
        table_.direction = program_.direction;
        table_.family = program_.family;
        table_.source = side_of(program_, true, sources);
        table_.destination = side_of(program_, false, destinations);
        cut_packets();
        const std::size_t ends = table_.source.classes.size() * table_.destination.classes.size();
        const std::size_t packets = std::size_t{table_.source_port_count} * table_.l4.count;
        if (table_.source.classes.size() > 65535 || table_.destination.classes.size() > 65535 ||
            (packets != 0 && ends > limits.max_cells / packets))
            return Error{"the table would have " + std::to_string(ends) + " x " +
                         std::to_string(packets) + " cells"};
        fill();
        merge_columns();
        return std::move(table_);
    }

  private:
    /// The protocols that matches tell apart, and where.
    void cut_packets() {
        const net::Protocol icmp = program_.family == net::Family::V4 ? net::kIcmp : net::kIcmpV6;
        std::map<net::Protocol, Borders> borders;
        for (const net::Protocol protocol : {net::kTcp, net::kUdp, net::kSctp, icmp})
            borders[protocol];
        Borders source;
        const auto each_port = [&](const auto& act) {
            for (const net::Protocol protocol : {net::kTcp, net::kUdp, net::kSctp})
                act(borders[protocol]);
        };
        each_match(program_, [&](const Match& match) {
            // Of `http` nothing: no flow of a table has a request.
            const auto& [protocol, not_protocol, type, not_type, from, to, http] = match;
            for (const auto* each : {&protocol, &not_protocol})
                if (*each)
                    borders[**each];
            for (const auto* wanted : {&type, &not_type})
                if (*wanted)
                    add_icmp(**wanted, borders[icmp]);
            for (const auto* ports : {&to.ports, &to.not_ports})
                if (*ports)
                    each_port([&](Borders& into) { into.add((*ports)->numbers); });
            for (const auto* ports : {&from.ports, &from.not_ports})
                if (*ports)
                    source.add((*ports)->numbers);
        });
        for (const EndClass& each : table_.destination.classes)
            for (const PortMember& member : each.members)
                borders[member.protocol].add(member.port, member.port);
        for (const EndClass& each : table_.source.classes)
            for (const PortMember& member : each.members)
                source.add(member.port, member.port);
        for (const auto& [protocol, each] : borders)
            table_.l4.by_protocol[protocol] = each.pieces(table_.l4.count);
        table_.l4.other = table_.l4.count++;
        table_.source_port_count = 0;
        table_.source_ports = source.pieces(table_.source_port_count);
    }

    static void add_icmp(const IcmpTypeCode& wanted, Borders& into) {
        for (unsigned type = wanted.type.value_or(0); type <= wanted.type.value_or(255); ++type)
            into.add(type * 256 + wanted.code.value_or(0), type * 256 + wanted.code.value_or(255));
    }

    /// A protocol that no match names.
    net::Protocol other_protocol() const {
        for (unsigned number = 255; number > 0; --number)
            if (!table_.l4.by_protocol.contains(static_cast<net::Protocol>(number)))
                return static_cast<net::Protocol>(number);
        return 0;
    }

    std::vector<Packet> representatives() const {
        std::vector<Packet> out(table_.l4.count);
        for (const auto& [protocol, pieces] : table_.l4.by_protocol)
            for (const Piece& piece : pieces)
                out[piece.id] = {protocol, piece.range.first, 0};
        out[table_.l4.other] = {other_protocol(), 0, 0};
        return out;
    }

    void fill() {
        std::map<Cell, std::uint32_t> known;
        const std::vector<Packet> packets = representatives();
        const bool by_source = table_.source.classes.size() >= table_.destination.classes.size();
        const EntryIndex index(program_, predicates_, by_source);
        std::vector<std::pair<std::uint32_t, std::uint32_t>> positions;
        const EndClass* indexed = nullptr;
        for (const EndClass& source : table_.source.classes)
            for (const EndClass& destination : table_.destination.classes) {
                const EndClass& wanted = by_source ? source : destination;
                if (indexed != &wanted)
                    positions = index.candidates(wanted);
                indexed = &wanted;
                const CellJudge judge(program_, predicates_, source, destination, positions);
                for (const Piece& port : table_.source_ports)
                    for (Packet packet : packets) {
                        packet.source_port = port.range.first;
                        Cell cell = judge.at(packet);
                        const auto next = static_cast<std::uint32_t>(table_.cells.size());
                        const auto [place, added] = known.try_emplace(std::move(cell), next);
                        if (added)
                            table_.cells.push_back(place->first);
                        table_.rows.push_back(place->second);
                    }
            }
    }

    /// Packets and source ports that have equal cells everywhere are one class.
    void merge_columns() {
        const std::size_t ends = table_.source.classes.size() * table_.destination.classes.size();
        const std::size_t ports = table_.source_port_count, packets = table_.l4.count;
        const auto column = [&](std::size_t port, std::size_t packet, bool by_port) {
            std::vector<std::uint32_t> out;
            for (std::size_t end = 0; end < ends; ++end)
                for (std::size_t i = 0; i < (by_port ? packets : ports); ++i)
                    out.push_back(table_.rows[(end * ports + (by_port ? port : i)) * packets +
                                              (by_port ? i : packet)]);
            return out;
        };
        const auto merge = [&](std::size_t count, bool by_port) {
            std::map<std::vector<std::uint32_t>, std::uint16_t> known;
            std::vector<std::uint16_t> number;
            for (std::size_t i = 0; i < count; ++i)
                number.push_back(known
                                     .try_emplace(column(i, i, by_port),
                                                  static_cast<std::uint16_t>(known.size()))
                                     .first->second);
            return number;
        };
        const auto port_ids = merge(ports, true), packet_ids = merge(packets, false);
        rebuild(port_ids, packet_ids);
    }

    static void renumber(Pieces& pieces, const std::vector<std::uint16_t>& ids) {
        Pieces out;
        for (const Piece& piece : pieces) {
            const std::uint16_t id = ids[piece.id];
            if (!out.empty() && out.back().id == id)
                out.back().range.last = piece.range.last;
            else
                out.push_back({piece.range, id});
        }
        pieces = std::move(out);
    }

    void rebuild(const std::vector<std::uint16_t>& port_ids,
                 const std::vector<std::uint16_t>& packet_ids) {
        const std::size_t ports = table_.source_port_count, packets = table_.l4.count;
        const auto new_ports =
            static_cast<std::uint16_t>(*std::max_element(port_ids.begin(), port_ids.end()) + 1);
        const auto new_packets =
            static_cast<std::uint16_t>(*std::max_element(packet_ids.begin(), packet_ids.end()) + 1);
        const std::size_t ends = table_.source.classes.size() * table_.destination.classes.size();
        std::vector<std::uint32_t> rows(ends * new_ports * new_packets);
        for (std::size_t end = 0; end < ends; ++end)
            for (std::size_t port = 0; port < ports; ++port)
                for (std::size_t packet = 0; packet < packets; ++packet)
                    rows[(end * new_ports + port_ids[port]) * new_packets + packet_ids[packet]] =
                        table_.rows[(end * ports + port) * packets + packet];
        table_.rows = std::move(rows);
        renumber(table_.source_ports, port_ids);
        for (auto& [protocol, pieces] : table_.l4.by_protocol)
            renumber(pieces, packet_ids);
        table_.l4.other = packet_ids[table_.l4.other];
        table_.source_port_count = new_ports;
        table_.l4.count = new_packets;
    }

    const Program& program_;
    const PredicateStore& predicates_;
    Table table_;
};

} // namespace

Result<Table> flatten(const Program& program, const PredicateStore& predicates,
                      std::span<const Identity> sources, std::span<const Identity> destinations,
                      const FlattenLimits& limits) {
    return Flattener(program, predicates).run(sources, destinations, limits);
}

} // namespace polecat::decision
