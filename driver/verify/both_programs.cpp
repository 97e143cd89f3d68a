#include "driver/verify/both_programs.h"

#include <algorithm>
#include <set>

namespace polecat::driver {

using backends::Outcome;
using backends::ProgramImage;
using decision::Pieces;
using decision::Row;

namespace {

/// As the kernel looks it up: nothing is found in a gap.
std::optional<std::uint16_t> class_in(const Pieces& pieces, std::uint16_t value) {
    const auto place =
        std::partition_point(pieces.begin(), pieces.end(), [&](const decision::Piece& piece) {
            return piece.range.last < value;
        });
    if (place != pieces.end() && place->range.first <= value)
        return place->id;
    return std::nullopt;
}

bool asks_source_ports(const ProgramImage& program) {
    return std::any_of(program.source_ports.begin(), program.source_ports.end(),
                       [](const decision::Piece& piece) { return piece.id != 0; });
}

/// The first of every stretch in which neither of them cuts; 0, which is no usual port, at last.
std::vector<std::uint16_t> values_of(std::initializer_list<const Pieces*> both) {
    std::set<std::uint16_t> cuts{0, 1};
    for (const Pieces* pieces : both)
        for (const decision::Piece& piece : *pieces) {
            cuts.insert(piece.range.first);
            if (piece.range.last < 65535)
                cuts.insert(static_cast<std::uint16_t>(piece.range.last + 1));
        }
    cuts.erase(0);
    std::vector<std::uint16_t> out(cuts.begin(), cuts.end());
    out.push_back(0);
    return out;
}

const Pieces& pieces_of(const ProgramImage& program, net::Protocol protocol) {
    static const Pieces none;
    const auto found = program.l4.by_protocol.find(protocol);
    return found == program.l4.by_protocol.end() ? none : found->second;
}

/// Those that either names, and one that neither does.
std::vector<net::Protocol> protocols_of(const ProgramImage& one, const ProgramImage& other) {
    std::vector<net::Protocol> out{net::kTcp, net::kUdp, net::kSctp};
    const auto add = [&](net::Protocol each) {
        if (std::find(out.begin(), out.end(), each) == out.end())
            out.push_back(each);
    };
    std::set<net::Protocol> named;
    for (const ProgramImage* program : {&one, &other})
        for (const auto& [protocol, pieces] : program->l4.by_protocol) {
            add(protocol);
            named.insert(protocol);
        }
    for (unsigned each = 0; each < 256; ++each)
        if (const auto protocol = static_cast<net::Protocol>(each);
            !named.contains(protocol) && !net::has_ports(protocol)) {
            add(protocol);
            break;
        }
    return out;
}

} // namespace

BothPrograms::BothPrograms(std::string rules, const ProgramImage& rules_image, std::string policy,
                           const ProgramImage& policy_image)
    : rules_{std::move(rules), rules_image}, policy_{std::move(policy), policy_image} {
    find_packets();
}

void BothPrograms::find_packets() {
    std::set<std::pair<Classes, Classes>> seen;
    for (const net::Protocol protocol : protocols_of(rules_.image, policy_.image)) {
        std::vector<std::uint16_t> source_ports{0};
        if (net::has_ports(protocol) &&
            (asks_source_ports(rules_.image) || asks_source_ports(policy_.image)))
            source_ports = values_of({&rules_.image.source_ports, &policy_.image.source_ports});
        for (const std::uint16_t value :
             values_of({&pieces_of(rules_.image, protocol), &pieces_of(policy_.image, protocol)}))
            for (const std::uint16_t source_port : source_ports) {
                const PacketShape shape{protocol, source_port, value};
                Packet packet{shape, rules_.classes_of(shape), policy_.classes_of(shape)};
                if (seen.insert({packet.rules, packet.policy}).second)
                    packets_.push_back(packet);
            }
    }
}

BothPrograms::Classes BothPrograms::One::classes_of(const PacketShape& packet) const {
    Classes out;
    const auto listed = image.l4.by_protocol.find(packet.protocol);
    if (listed == image.l4.by_protocol.end())
        out.l4 = image.l4.other;
    else
        out.l4 = class_in(listed->second, packet.value);
    if (!asks_source_ports(image))
        out.source_port = std::uint16_t{0};
    else if (net::has_ports(packet.protocol))
        out.source_port = class_in(image.source_ports, packet.source_port);
    else
        out.source_port = decision::find(image.source_ports, 0);
    return out;
}

std::optional<std::size_t> BothPrograms::One::own_class(KnownIdentity identity) const {
    if (image.others.size() < 2)
        return 0;
    const auto found = identity ? image.own.find(*identity) : image.own.end();
    return found == image.own.end() ? std::nullopt : std::optional<std::size_t>(found->second);
}

BothPrograms::OwnClasses BothPrograms::own_classes(const BothIdentities& own) const {
    return {rules_.own_class(own.rules), policy_.own_class(own.policy)};
}

Decided BothPrograms::decided(const std::string& name, const ProgramImage& image, KnownIdentity own,
                              KnownIdentity other, const PacketShape& packet) {
    const One one{name, image};
    return one.decide(one.row_of(one.own_class(own), other), one.classes_of(packet));
}

/// nullptr: the packet is dropped before a row is found.
const Row* BothPrograms::One::row_of(std::optional<std::size_t> own, KnownIdentity other) const {
    if (image.closed || !own || !other || *own >= image.others.size())
        return nullptr;
    const auto found = image.rows.find(image.others[*own].row_of(*other));
    return found == image.rows.end() ? nullptr : &found->second;
}

Decided BothPrograms::One::decide(const Row* row, const Classes& classes) const {
    Decided out;
    out.program = name;
    if (row == nullptr || !classes.l4 || !classes.source_port)
        return out;
    const auto cell = image.cells.find(row->at(*classes.source_port, *classes.l4));
    if (cell == image.cells.end())
        return out;
    out.outcome = cell->second.outcome;
    out.slot = cell->second.slot;
    out.logs = cell->second.logs.size();
    return out;
}

std::optional<BothPrograms::Found> BothPrograms::differ(const OwnClasses& own,
                                                        const BothIdentities& other) {
    const Rows rows{rules_.row_of(own.first, other.rules),
                    policy_.row_of(own.second, other.policy)};
    const auto known = known_.find(rows);
    return known != known_.end() ? known->second : known_.emplace(rows, differ(rows)).first->second;
}

std::optional<BothPrograms::Found> BothPrograms::differ(const Rows& rows) const {
    std::optional<Found> out;
    for (const Packet& packet : packets_) {
        Found found{packet.shape, rules_.decide(rows.first, packet.rules),
                    policy_.decide(rows.second, packet.policy)};
        if (found.rules.outcome == found.policy.outcome && found.rules.logs == found.policy.logs)
            continue;
        if (found.rules.outcome != Outcome::Deny && found.policy.outcome == Outcome::Deny)
            return found;
        if (!out)
            out = std::move(found);
    }
    return out;
}

} // namespace polecat::driver
