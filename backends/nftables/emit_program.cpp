#include "backends/nftables/emit_program.h"

#include <algorithm>
#include <set>

#include "backends/nftables/layout.h"

namespace polecat::backends {

using namespace layout;
using nft::Map;

namespace {

nft::Key number_key(std::uint32_t first, std::uint32_t last) {
    nft::Key key;
    key.low = first;
    key.high = last;
    return key;
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
    /// `replies`: its mirror is asked as well.
    ProgramEmitter(const std::string& name, const ProgramImage& image, const NodeImage& node,
                   bool replies, nft::Ruleset& out)
        : name_(name), image_(image), node_(node), out_(out),
          ways_(replies ? std::vector<bool>{false, true} : std::vector<bool>{false}),
          port_count_(source_port_count(image)) {}

    void run() {
        if (image_.closed)
            return add_closed();
        fallback_ = image_.rows.at(image_.others.front().usual).cell;
        add_others();
        add_port_maps();
        add_rows();
        add_cells();
        for (const bool reply : ways_) {
            add_entry(reply);
            add_l4(reply);
            if (port_count_ > 1)
                add_source_ports(reply);
        }
    }

  private:
    Map& map(std::string name, nft::KeyType key, Map::Kind kind, bool interval = false) {
        return add_map(out_, std::move(name), key, kind, interval);
    }

    nft::Chain& chain(std::string name) {
        nft::Chain made;
        made.name = std::move(name);
        out_.chains.push_back(std::move(made));
        return out_.chains.back();
    }

    void add_closed() {
        for (const bool reply : ways_) {
            nft::Chain& entry = chain(program_chain(name_, reply));
            entry.rules.push_back(
                {{}, {nft::Counter{}}, closed_comment(image_.direction, image_.family)});
            entry.rules.push_back(plain({}, {go_to("deny")}));
        }
    }

    /// Rows of identities; those that are not listed have that of their block, or the usual one.
    void add_others() {
        for (std::size_t own = 0; own < image_.others.size(); ++own) {
            Map& others = map(others_map(name_, own), nft::KeyType::Word, Map::Kind::Words);
            for (const auto& [identity, row] : image_.others[own].rows) {
                const std::uint32_t mark = identity_mark(identity);
                others.elements.push_back({number_key(mark, mark), row});
            }
            if (image_.others[own].blocks.empty())
                continue;
            Map& blocks = map(blocks_map(name_, own), nft::KeyType::Word, Map::Kind::Words);
            for (const auto& [block, row] : image_.others[own].blocks)
                blocks.elements.push_back({number_key(block_mark(block), block_mark(block)), row});
        }
    }

    template <class Name>
    static void add_pieces(Map& to, const decision::Pieces& pieces, const Name& name) {
        for (const decision::Piece& piece : pieces)
            to.elements.push_back(
                {number_key(piece.range.first, piece.range.last), nft::Goto{name(piece.id)}});
    }

    void add_port_maps() {
        for (const auto& [protocol, pieces] : image_.l4.by_protocol) {
            if (pieces.size() <= 1)
                continue;
            add_pieces(
                map(ports_map(name_, protocol), nft::KeyType::Port, Map::Kind::Verdicts, true),
                pieces, l4_chain);
            if (!net::has_ports(protocol) && ways_.size() > 1)
                add_pieces(map(replies_map(name_, protocol), nft::KeyType::Port,
                               Map::Kind::Verdicts, true),
                           mirrored(protocol, pieces), l4_chain);
        }
        if (port_count_ > 1)
            add_pieces(map(name_ + "_sport", nft::KeyType::Port, Map::Kind::Verdicts, true),
                       image_.source_ports, [&](std::uint16_t id) { return source_port(id); });
    }

    std::string source_port(std::uint16_t id) const {
        return source_port_chain(source_port_shift(image_), id);
    }

    /// The exceptions of all rows: cells as plain values, so that rows come and go cheaply.
    void add_rows() {
        Map& rows = map(name_ + "_rows", nft::KeyType::Word, Map::Kind::Words);
        const unsigned shift = source_port_shift(image_);
        for (const auto& [number, row] : image_.rows)
            for (const decision::Row::Exception& each : row.exceptions) {
                const std::uint32_t mark = number | (std::uint32_t{each.l4} << kL4Shift) |
                                           (std::uint32_t{each.source_port} << shift);
                rows.elements.push_back({number_key(mark, mark), kCellFlag | each.cell});
            }
    }

    /// Chains of cells, by a cell's number or that of a row whose usual cell is not the program's.
    void add_cells() {
        Map& cells = map(name_ + "_cells", nft::KeyType::Word, Map::Kind::Verdicts);
        const auto add = [&](std::uint32_t key, std::uint32_t cell) {
            cells.elements.push_back({number_key(key, key), nft::Goto{cell_chain(name_, cell)}});
        };
        for (const auto& [number, row] : image_.rows)
            if (row.cell != fallback_)
                add(number, row.cell);
        for (const auto& [number, cell] : image_.cells) {
            add(kCellFlag | number, number);
            add_cell(number, cell);
        }
    }

    void add_cell(std::uint32_t number, const CellImage& cell) {
        nft::Chain& made = chain(cell_chain(name_, number));
        const auto log = [&](std::uint32_t slot) {
            return nft::Log{"polecat " + name_ + "/" + std::to_string(slot) + " "};
        };
        for (const std::uint32_t slot : cell.logs) {
            nft::Log each = log(slot);
            if (node_.log_rate)
                each.at_most =
                    nft::Rate{node_.log_rate->packets, node_.log_rate->unit, node_.log_rate->burst};
            made.rules.push_back(plain({}, {each}));
        }
        if (node_.report_group && !cell.passes()) {
            nft::Log report = log(cell.slot);
            report.at_most = nft::Rate{};
            report.group = node_.report_group;
            made.rules.push_back(plain({}, {report}));
        }
        std::string comment = "slot " + std::to_string(cell.slot);
        if (cell.outcome == Outcome::NoMatch)
            comment += kGoesOn;
        if (cell.staged_allow != cell.passes())
            comment += cell.staged_allow ? " staged allow" : " staged deny";
        made.rules.push_back({{}, {nft::Counter{}}, comment});
        if (!cell.passes())
            made.rules.push_back(plain({}, {go_to("deny")}));
        else if (tells(image_.hook))
            made.rules.push_back(
                plain({}, {nft::SetWord{cell.outcome == Outcome::Allow ? kTaken : 0},
                           verdict(nft::Verdict::Kind::Return)}));
        else
            made.rules.push_back(plain({}, {verdict(nft::Verdict::Kind::Return)}));
    }

    /// Original packets of an egress program have the own end as source; replies are its mirror.
    std::string identify(bool own, bool reply) const {
        const bool egress = image_.direction == decision::Direction::Egress;
        return identify_chain(image_.family, (own == egress) != reply);
    }

    void add_body(nft::Chain& to, std::size_t own, bool reply) {
        to.rules.push_back(plain({}, {jump(identify(false, reply))}));
        to.rules.push_back(plain({}, {nft::WordByWord{others_map(name_, own)}}));
        if (!image_.others[own].blocks.empty())
            to.rules.push_back(plain({}, {nft::WordByWord{blocks_map(name_, own), kBlockMask}}));
        to.rules.push_back(plain({nft::WordIs{kIdentityFlag, kIdentityFlag}},
                                 {nft::SetWord{image_.others[own].usual}}));
        if (port_count_ > 1)
            to.rules.push_back(plain({}, {jump(program_chain(name_, reply) + "_s")}));
        to.rules.push_back(plain({}, {jump(program_chain(name_, reply) + "_l4")}));
        to.rules.push_back(plain({}, {nft::WordByWord{name_ + "_rows"}}));
        to.rules.push_back(plain({}, {nft::JumpByWord{name_ + "_cells", kCellOrRow}}));
        to.rules.push_back(plain({}, {go_to(cell_chain(name_, fallback_))}));
    }

    void add_entry(bool reply) {
        const std::string name = program_chain(name_, reply);
        if (image_.others.size() == 1) {
            nft::Chain& entry = chain(name);
            add_body(entry, 0, reply);
            return;
        }
        Map& own = map(name + "_own", nft::KeyType::Word, Map::Kind::Verdicts);
        for (const auto& [identity, number] : image_.own) {
            const std::uint32_t mark = identity_mark(identity);
            own.elements.push_back(
                {number_key(mark, mark), nft::Goto{own_chain(name_, reply, number)}});
        }
        nft::Chain& entry = chain(name);
        entry.rules.push_back(plain({}, {jump(identify(true, reply))}));
        entry.rules.push_back(plain({}, {nft::JumpByWord{name + "_own", ~0u}}));
        entry.rules.push_back(counted_drop({}, "identity without class"));
        for (std::size_t i = 0; i < image_.others.size(); ++i) {
            nft::Chain& body = chain(own_chain(name_, reply, i));
            add_body(body, i, reply);
        }
    }

    void add_l4(bool reply) {
        const std::string name = program_chain(name_, reply);
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
        nft::Chain& made = chain(program_chain(name_, reply) + "_t" + std::to_string(protocol));
        const bool icmp = !net::has_ports(protocol);
        // ICMP's type and code lie where a source port would.
        const std::string by =
            icmp && reply ? replies_map(name_, protocol) : ports_map(name_, protocol);
        made.rules.push_back(plain({}, {nft::JumpByPort{icmp || reply, by}}));
        made.rules.push_back(counted_drop({}, "no transport header"));
    }

    void add_source_ports(bool reply) {
        const std::string name = program_chain(name_, reply);
        Map& protocols = map(name + "_sproto", nft::KeyType::Protocol, Map::Kind::Verdicts);
        for (const net::Protocol protocol : {net::kTcp, net::kUdp, net::kSctp})
            protocols.elements.push_back({number_key(protocol, protocol), nft::Goto{name + "_st"}});
        nft::Chain& entry = chain(name + "_s");
        entry.rules.push_back(plain({}, {nft::JumpByProtocol{name + "_sproto"}}));
        entry.rules.push_back(
            plain({}, {go_to(source_port(decision::find(image_.source_ports, 0)))}));
        nft::Chain& ports = chain(name + "_st");
        ports.rules.push_back(plain({}, {nft::JumpByPort{!reply, name_ + "_sport"}}));
        ports.rules.push_back(counted_drop({}, "no transport header"));
    }

    const std::string& name_;
    const ProgramImage& image_;
    const NodeImage& node_;
    nft::Ruleset& out_;
    std::vector<bool> ways_; ///< whether of replies
    std::uint16_t port_count_;
    std::uint32_t fallback_ = 0; ///< the cell of whatever nothing else is said of
};

/// The words that chains of classes add, for the numbers in use.
void emit_class_chains(const NodeImage& image, nft::Ruleset& out) {
    std::map<std::string, std::uint32_t> bits; // by chain
    for (const auto& [name, program] : image.programs) {
        for (std::uint16_t i = 0; i < program->l4.count; ++i)
            bits[l4_chain(i)] = std::uint32_t{i} << kL4Shift;
        const std::uint16_t ports = source_port_count(*program);
        const unsigned shift = ports > 1 ? source_port_shift(*program) : 0;
        for (std::uint16_t i = 0; i < ports && ports > 1; ++i)
            bits[source_port_chain(shift, i)] = std::uint32_t{i} << shift;
    }
    for (const auto& [name, each] : bits) {
        std::vector<nft::Rule> rules;
        if (each != 0)
            rules.push_back(plain({}, {nft::OrWord{each}}));
        add_chain(out, name, std::move(rules));
    }
}

} // namespace

void emit_programs(const NodeImage& image, nft::Ruleset& out) {
    emit_class_chains(image, out);
    std::set<std::string> replies; // of workloads
    for (const auto& [number, group] : image.groups)
        replies.insert({group.egress, group.ingress});
    for (const auto& [name, program] : image.programs)
        ProgramEmitter(name, program, image, replies.contains(name), out).run();
}

} // namespace polecat::backends
