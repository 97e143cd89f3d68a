#include "backends/nftables/emit_program.h"

#include <algorithm>

#include "backends/nftables/layout.h"

namespace polecat::backends {

using namespace layout;
using nft::Map;

nft::Rule plain(std::vector<nft::Match> matches, std::vector<nft::Statement> statements) {
    return {std::move(matches), std::move(statements), {}};
}

nft::Rule counted_drop(std::vector<nft::Match> matches, std::string comment) {
    return {std::move(matches),
            {nft::Counter{}, nft::Verdict{nft::Verdict::Kind::Drop, {}}},
            std::move(comment)};
}

nft::Statement jump(std::string chain) {
    return nft::Verdict{nft::Verdict::Kind::Jump, std::move(chain)};
}

nft::Statement go_to(std::string chain) {
    return nft::Verdict{nft::Verdict::Kind::Goto, std::move(chain)};
}

nft::Statement verdict(nft::Verdict::Kind kind) {
    return nft::Verdict{kind, {}};
}

namespace {

nft::Key number_key(std::uint32_t first, std::uint32_t last) {
    nft::Key key;
    key.low = first;
    key.high = last;
    return key;
}

std::uint16_t class_count(const std::map<std::uint32_t, std::uint16_t>& classes) {
    std::uint16_t out = 0;
    for (const auto& [identity, number] : classes)
        out = std::max(out, static_cast<std::uint16_t>(number + 1));
    return out;
}

/// Requests that have replies, in their numbers (RFC 792, RFC 4443). Conntrack wants the reply's
/// code to be the request's.
struct IcmpReply {
    net::Protocol protocol;
    std::uint8_t request, reply;
};
constexpr IcmpReply kIcmpReplies[] = {
    {net::kIcmp, 8, 0}, {net::kIcmp, 13, 14}, {net::kIcmpV6, 128, 129}};

/// The classes of replies: those of the requests they answer.
decision::Pieces mirrored(net::Protocol protocol, const decision::Pieces& requests) {
    decision::Pieces out;
    for (const IcmpReply& pair : kIcmpReplies)
        for (const decision::Piece& piece : requests) {
            const unsigned lowest = pair.request * 256U, highest = lowest + 255;
            const unsigned first = std::max<unsigned>(piece.range.first, lowest);
            const unsigned last = std::min<unsigned>(piece.range.last, highest);
            if (pair.protocol != protocol || first > last)
                continue;
            const unsigned base = pair.reply * 256U;
            out.push_back({{static_cast<std::uint16_t>(base + first - lowest),
                            static_cast<std::uint16_t>(base + last - lowest)},
                           piece.id});
        }
    return out;
}

class ProgramEmitter {
  public:
    ProgramEmitter(std::uint32_t number, const ProgramImage& image, nft::Ruleset& out)
        : number_(number), image_(image), out_(out), base_("p" + std::to_string(number)),
          own_count_(class_count(image.own)), other_count_(class_count(image.other)),
          port_count_(0) {
        for (const decision::Piece& piece : image.source_ports)
            port_count_ = std::max(port_count_, static_cast<std::uint16_t>(piece.id + 1));
    }

    void run() {
        add_coarse();
        add_port_maps();
        add_rows();
        add_cells();
        for (const bool reply : {false, true}) {
            add_entry(reply);
            add_l4(reply);
            if (port_count_ > 1)
                add_source_ports(reply);
        }
    }

  private:
    Map& map(std::string name, nft::KeyType key, Map::Kind kind, bool interval = false) {
        Map made;
        made.name = std::move(name);
        made.key = key;
        made.kind = kind;
        made.interval = interval;
        out_.maps.push_back(std::move(made));
        return out_.maps.back();
    }

    nft::Chain& chain(std::string name) {
        nft::Chain made;
        made.name = std::move(name);
        out_.chains.push_back(std::move(made));
        return out_.chains.back();
    }

    void add_coarse() {
        Map& coarse = map(base_ + "_coarse", nft::KeyType::Mark, Map::Kind::Marks);
        for (const auto& [identity, number] : image_.other) {
            const std::uint32_t mark = identity_mark(identity);
            coarse.elements.push_back({number_key(mark, mark), std::uint32_t{number}});
        }
    }

    static void add_pieces(Map& to, const decision::Pieces& pieces,
                           std::string (*name)(std::uint16_t)) {
        for (const decision::Piece& piece : pieces)
            to.elements.push_back(
                {number_key(piece.range.first, piece.range.last), nft::Goto{name(piece.id)}});
    }

    void add_port_maps() {
        for (const auto& [protocol, pieces] : image_.l4.by_protocol) {
            if (pieces.size() <= 1)
                continue;
            add_pieces(
                map(ports_map(number_, protocol), nft::KeyType::Port, Map::Kind::Verdicts, true),
                pieces, l4_chain);
            if (!net::has_ports(protocol))
                add_pieces(map(replies_map(number_, protocol), nft::KeyType::Port,
                               Map::Kind::Verdicts, true),
                           mirrored(protocol, pieces), l4_chain);
        }
        if (port_count_ > 1)
            add_pieces(map(base_ + "_sport", nft::KeyType::Port, Map::Kind::Verdicts, true),
                       image_.source_ports, source_port_chain);
    }

    void add_rows() {
        std::size_t at = 0;
        for (std::uint16_t own = 0; own < own_count_; ++own) {
            Map& rows = map(rows_map(number_, own), nft::KeyType::Mark, Map::Kind::Verdicts);
            for (std::uint32_t other = 0; other < other_count_; ++other)
                for (std::uint32_t port = 0; port < port_count_; ++port)
                    for (std::uint32_t l4 = 0; l4 < image_.l4.count; ++l4) {
                        const std::uint32_t mark =
                            other | (l4 << kL4Shift) | (port << kSourcePortShift);
                        rows.elements.push_back(
                            {number_key(mark, mark),
                             nft::Goto{cell_chain(number_, image_.rows[at++])}});
                    }
        }
    }

    void add_cells() {
        for (std::size_t i = 0; i < image_.cells.size(); ++i) {
            const ProgramImage::Cell& cell = image_.cells[i];
            nft::Chain& made = chain(cell_chain(number_, i));
            for (const std::uint32_t log : cell.logs)
                made.rules.push_back(
                    plain({}, {nft::Log{"polecat " + base_ + "/" + std::to_string(log) + " "}}));
            std::string comment = "slot " + std::to_string(cell.slot);
            if (cell.staged_allow != cell.allow)
                comment += cell.staged_allow ? " staged allow" : " staged deny";
            made.rules.push_back({{}, {nft::Counter{}}, comment});
            made.rules.push_back(
                plain({}, {cell.allow ? verdict(nft::Verdict::Kind::Return) : go_to("deny")}));
        }
    }

    /// Original packets of an egress program have the own end as source; replies are its mirror.
    nft::AddressField field(bool own, bool reply) const {
        const bool egress = image_.direction == decision::Direction::Egress;
        return {image_.family, (own == egress) != reply};
    }

    void add_lookup(nft::Chain& to, const nft::AddressField& address) {
        const std::string digit = family_digit(image_.family);
        const nft::MarkIs none{false, ~0u, 0};
        to.rules.push_back(plain({}, {nft::SetMark{0}}));
        to.rules.push_back(plain({}, {nft::MarkByAddress{address, "addr" + digit}}));
        to.rules.push_back(plain({none}, {nft::MarkByAddress{address, "net" + digit}}));
        to.rules.push_back(counted_drop({none}, "address without identity"));
    }

    void add_body(nft::Chain& to, std::uint16_t own, bool reply) {
        add_lookup(to, field(false, reply));
        to.rules.push_back(plain({}, {nft::MarkByMark{base_ + "_coarse"}}));
        to.rules.push_back(counted_drop({nft::MarkIs{false, kIdentityFlag, kIdentityFlag}},
                                        "identity without class"));
        if (port_count_ > 1)
            to.rules.push_back(plain({}, {jump(program_chain(number_, reply) + "_s")}));
        to.rules.push_back(plain({}, {jump(program_chain(number_, reply) + "_l4")}));
        to.rules.push_back(plain({}, {nft::JumpByMark{rows_map(number_, own)}}));
        to.rules.push_back(counted_drop({}, "classes without row"));
    }

    void add_entry(bool reply) {
        const std::string name = program_chain(number_, reply);
        if (own_count_ == 1) {
            nft::Chain& entry = chain(name);
            add_body(entry, 0, reply);
            return;
        }
        Map& own = map(name + "_own", nft::KeyType::Mark, Map::Kind::Verdicts);
        for (const auto& [identity, number] : image_.own) {
            const std::uint32_t mark = identity_mark(identity);
            own.elements.push_back(
                {number_key(mark, mark), nft::Goto{own_chain(number_, reply, number)}});
        }
        nft::Chain& entry = chain(name);
        add_lookup(entry, field(true, reply));
        entry.rules.push_back(plain({}, {nft::JumpByMark{name + "_own"}}));
        entry.rules.push_back(counted_drop({}, "identity without class"));
        for (std::uint16_t i = 0; i < own_count_; ++i) {
            nft::Chain& body = chain(own_chain(number_, reply, i));
            add_body(body, i, reply);
        }
    }

    void add_l4(bool reply) {
        const std::string name = program_chain(number_, reply);
        Map& protocols = map(name + "_proto", nft::KeyType::Protocol, Map::Kind::Verdicts);
        for (const auto& [protocol, pieces] : image_.l4.by_protocol) {
            const std::string target = pieces.size() == 1 ? l4_chain(pieces.front().id)
                                                          : name + "_t" + std::to_string(protocol);
            protocols.elements.push_back({number_key(protocol, protocol), nft::Goto{target}});
        }
        nft::Chain& entry = chain(name + "_l4");
        entry.rules.push_back(plain({}, {nft::JumpByProtocol{name + "_proto"}}));
        entry.rules.push_back(plain({}, {go_to(l4_chain(image_.l4.other))}));
        for (const auto& [protocol, pieces] : image_.l4.by_protocol)
            if (pieces.size() > 1)
                add_ports(protocol, reply);
    }

    void add_ports(net::Protocol protocol, bool reply) {
        nft::Chain& made = chain(program_chain(number_, reply) + "_t" + std::to_string(protocol));
        const bool icmp = !net::has_ports(protocol);
        // ICMP's type and code lie where a source port would.
        const std::string by =
            icmp && reply ? replies_map(number_, protocol) : ports_map(number_, protocol);
        made.rules.push_back(plain({}, {nft::JumpByPort{icmp || reply, by}}));
        made.rules.push_back(counted_drop({}, "no transport header"));
    }

    void add_source_ports(bool reply) {
        const std::string name = program_chain(number_, reply);
        Map& protocols = map(name + "_sproto", nft::KeyType::Protocol, Map::Kind::Verdicts);
        for (const net::Protocol protocol : {net::kTcp, net::kUdp, net::kSctp})
            protocols.elements.push_back({number_key(protocol, protocol), nft::Goto{name + "_st"}});
        nft::Chain& entry = chain(name + "_s");
        entry.rules.push_back(plain({}, {nft::JumpByProtocol{name + "_sproto"}}));
        entry.rules.push_back(
            plain({}, {go_to(source_port_chain(decision::find(image_.source_ports, 0)))}));
        nft::Chain& ports = chain(name + "_st");
        ports.rules.push_back(plain({}, {nft::JumpByPort{!reply, base_ + "_sport"}}));
        ports.rules.push_back(counted_drop({}, "no transport header"));
    }

    std::uint32_t number_;
    const ProgramImage& image_;
    nft::Ruleset& out_;
    std::string base_;
    std::uint16_t own_count_, other_count_, port_count_;
};

} // namespace

void emit_program(std::uint32_t number, const ProgramImage& image, nft::Ruleset& out) {
    ProgramEmitter(number, image, out).run();
}

void emit_class_chains(const NodeImage& image, nft::Ruleset& out) {
    std::uint16_t l4 = 0, ports = 0;
    for (const auto& [number, program] : image.programs) {
        l4 = std::max(l4, program.l4.count);
        for (const decision::Piece& piece : program.source_ports)
            ports = std::max(ports, static_cast<std::uint16_t>(piece.id + 1));
    }
    const auto add = [&](std::string name, std::uint32_t bits) {
        nft::Chain chain;
        chain.name = std::move(name);
        if (bits != 0)
            chain.rules.push_back(plain({}, {nft::OrMark{bits}}));
        out.chains.push_back(std::move(chain));
    };
    for (std::uint16_t i = 0; i < l4; ++i)
        add(l4_chain(i), std::uint32_t{i} << kL4Shift);
    for (std::uint16_t i = 0; i < ports && ports > 1; ++i)
        add(source_port_chain(i), std::uint32_t{i} << kSourcePortShift);
}

} // namespace polecat::backends
