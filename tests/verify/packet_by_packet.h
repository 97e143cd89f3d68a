/// Whether two images make the same of packets, found the long way: every address at a border of
/// either, every port at a border of either, each asked by itself.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backends/node/node_image.h"

namespace polecat::testing {

struct OnePacket {
    net::Protocol protocol = net::kTcp;
    std::uint16_t source_port = 0, value = 0;
};

class PacketByPacket {
  public:
    PacketByPacket(const backends::NodeImage& one, const backends::NodeImage& other)
        : one_(one), other_(other) {}

    bool same() {
        if (one_.to_host != other_.to_host ||
            one_.interface_prefixes != other_.interface_prefixes ||
            one_.dropped_vxlan_port != other_.dropped_vxlan_port ||
            one_.drops_ipip != other_.drops_ipip || one_.drops_invalid != other_.drops_invalid ||
            one_.rejects != other_.rejects || one_.log_rate != other_.log_rate ||
            as_set(one_.failsafe_in) != as_set(other_.failsafe_in) ||
            as_set(one_.failsafe_out) != as_set(other_.failsafe_out) ||
            one_.tunnels != other_.tunnels || !same_attached())
            return false;
        const auto places = places_of(one_), others = places_of(other_);
        if (places.size() != others.size())
            return false;
        for (const auto& [place, group] : places) {
            const auto found = others.find(place);
            if (found == others.end() || !same_group(place.second, group, found->second))
                return false;
        }
        return true;
    }

  private:
    template <class T> static std::set<T> as_set(const std::vector<T>& list) {
        return {list.begin(), list.end()};
    }

    using Places = std::map<std::pair<std::string, net::Address>, backends::EndpointGroup>;
    static Places places_of(const backends::NodeImage& image) {
        Places out;
        for (const auto& each : image.dispatch)
            out[{each.interface, each.address}] = image.groups.at(each.group);
        return out;
    }

    /// Programs of host endpoints; any address may be on their side.
    bool same_attached() {
        if (one_.attached.size() != other_.attached.size())
            return false;
        for (std::size_t i = 0; i < one_.attached.size(); ++i) {
            const auto &a = one_.attached[i], &b = other_.attached[i];
            if (a.interface != b.interface || a.hook != b.hook || a.direction != b.direction ||
                a.family != b.family)
                return false;
            const auto &runs = *one_.programs.at(a.program), &must = *other_.programs.at(b.program);
            if (runs == must && one_.addresses == other_.addresses &&
                one_.outside == other_.outside)
                continue;
            for (const net::Address& own : addresses_of(a.family))
                if (!same_program(own, runs, must))
                    return false;
                else if (runs.others.size() < 2 && must.others.size() < 2)
                    break; // any own address is as good as this one
        }
        return true;
    }

    bool same_group(const net::Address& own, const backends::EndpointGroup& a,
                    const backends::EndpointGroup& b) {
        return same_program(own, *one_.programs.at(a.egress), *other_.programs.at(b.egress)) &&
               same_program(own, *one_.programs.at(a.ingress), *other_.programs.at(b.ingress));
    }

    /// Where neither the program nor the identity has changed there is nothing to ask.
    bool same_program(const net::Address& own, const backends::ProgramImage& a,
                      const backends::ProgramImage& b) {
        const bool equal = a == b && identity(one_, own) == identity(other_, own);
        const auto packets = packets_of(a, b);
        for (const net::Address& address : addresses_of(own.family)) {
            if (equal && identity(one_, address) == identity(other_, address))
                continue;
            for (const OnePacket& packet : packets)
                if (verdict(one_, a, own, address, packet) !=
                    verdict(other_, b, own, address, packet))
                    return false;
        }
        return true;
    }

    static std::optional<std::uint32_t> identity(const backends::NodeImage& image,
                                                 const net::Address& address) {
        if (const auto exact = image.addresses.find(address); exact != image.addresses.end())
            return exact->second;
        for (const auto& [range, number] : image.outside)
            if (range.first.family == address.family && range.first <= address &&
                address <= range.last)
                return number;
        return std::nullopt;
    }

    std::set<net::Address> addresses_of(net::Family family) const {
        std::set<net::Address> out;
        const auto add = [&](const net::Address& address) {
            if (address.family != family)
                return;
            out.insert(address);
            for (const auto& near : {net::next(address), net::previous(address)})
                if (near)
                    out.insert(*near);
        };
        for (const auto* image : {&one_, &other_}) {
            for (const auto& [address, number] : image->addresses)
                add(address);
            for (const auto& [range, number] : image->outside) {
                add(range.first);
                add(range.last);
            }
        }
        return out;
    }

    static std::vector<OnePacket> packets_of(const backends::ProgramImage& a,
                                             const backends::ProgramImage& b) {
        std::set<net::Protocol> protocols{net::kTcp, net::kUdp, net::kSctp, 200};
        std::set<std::uint16_t> values{0, 65535}, source_ports{0};
        const auto add = [](std::set<std::uint16_t>& to, const decision::Pieces& pieces) {
            for (const decision::Piece& piece : pieces)
                for (const int value : {piece.range.first - 1, int{piece.range.first},
                                        int{piece.range.last}, piece.range.last + 1})
                    if (value >= 0 && value <= 65535)
                        to.insert(static_cast<std::uint16_t>(value));
        };
        for (const auto* program : {&a, &b}) {
            add(source_ports, program->source_ports);
            for (const auto& [protocol, pieces] : program->l4.by_protocol) {
                protocols.insert(protocol);
                add(values, pieces);
            }
        }
        std::vector<OnePacket> out;
        for (const net::Protocol protocol : protocols)
            for (const std::uint16_t value : values)
                for (const std::uint16_t port : source_ports)
                    out.push_back({protocol, port, value});
        return out;
    }

    static std::optional<std::uint16_t> piece_at(const decision::Pieces& pieces,
                                                 std::uint16_t value) {
        for (const decision::Piece& piece : pieces)
            if (piece.range.first <= value && value <= piece.range.last)
                return piece.id;
        return std::nullopt;
    }

    /// The verdict, and how often it is logged.
    static std::pair<backends::Outcome, std::size_t>
    verdict(const backends::NodeImage& image, const backends::ProgramImage& program,
            const net::Address& own, const net::Address& other, const OnePacket& packet) {
        const std::pair<backends::Outcome, std::size_t> dropped{backends::Outcome::Deny, 0};
        const auto own_identity = identity(image, own), other_identity = identity(image, other);
        if (program.closed || !other_identity)
            return dropped;
        std::size_t own_class = 0;
        if (program.others.size() > 1) {
            if (!own_identity || !program.own.contains(*own_identity))
                return dropped;
            own_class = program.own.at(*own_identity);
        }
        if (own_class >= program.others.size())
            return dropped;
        auto row_number = program.others.at(own_class).usual;
        const auto& others = program.others.at(own_class);
        if (const auto block = others.blocks.find(backends::block_of(*other_identity));
            block != others.blocks.end())
            row_number = block->second;
        if (const auto listed = others.rows.find(*other_identity); listed != others.rows.end())
            row_number = listed->second;
        std::optional<std::uint16_t> l4 = program.l4.other, port = std::uint16_t{0};
        if (const auto pieces = program.l4.by_protocol.find(packet.protocol);
            pieces != program.l4.by_protocol.end())
            l4 = piece_at(pieces->second, packet.value);
        if (program.source_ports.size() > 1)
            port = piece_at(program.source_ports,
                            net::has_ports(packet.protocol) ? packet.source_port : 0);
        if (!l4 || !port)
            return dropped;
        const auto row = program.rows.find(row_number);
        if (row == program.rows.end())
            return dropped;
        std::uint32_t number = row->second.cell;
        for (const auto& each : row->second.exceptions)
            if (each.source_port == *port && each.l4 == *l4)
                number = each.cell;
        const auto cell = program.cells.find(number);
        if (cell == program.cells.end())
            return dropped;
        return {cell->second.outcome, cell->second.logs.size()};
    }

    const backends::NodeImage& one_;
    const backends::NodeImage& other_;
};

} // namespace polecat::testing
