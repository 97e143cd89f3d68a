// A program from its chains and maps.
#include <algorithm>

#include "backends/nftables/read_parts.h"

namespace polecat::backends::reading {

using namespace layout;

namespace {

class ProgramReader {
  public:
    ProgramReader(const nft::Ruleset& ruleset, NodeImage& node) : ruleset_(ruleset), image_(node) {}

    void run(const std::string& name, ProgramImage& program) {
        program.family = family_of(name, program);
        program.closed =
            chain(name).rules.front().comment == closed_comment(program.direction, program.family);
        if (program.closed)
            return;
        if (const nft::Map* own = ruleset_.find_map(name + "_own"))
            for (const nft::Element& each : own->elements)
                program.own[identity_of(each.key.low)] =
                    static_cast<std::uint16_t>(number_after(target_of(each), name + "_o"));
        read_others(name, program);
        read_packets(name, program);
        read_cells(name, program);
        read_rows(name, program);
    }

  private:
    /// Which family's identities it looks for.
    net::Family family_of(const std::string& name, const ProgramImage& program) const {
        const auto& rules = chain(name).rules;
        if (rules.empty())
            fail("chain " + name + " is empty");
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            if (rules.front().comment == closed_comment(program.direction, family))
                return family;
            for (const bool source : {true, false})
                if (rules.front() == plain_jump(identify_chain(family, source)))
                    return family;
        }
        fail("chain " + name + " is of no family");
    }
    static nft::Rule plain_jump(std::string to) {
        return {{}, {nft::Verdict{nft::Verdict::Kind::Jump, std::move(to)}}, {}};
    }

    static std::uint32_t block_of_mark(std::uint32_t mark) {
        const std::uint32_t block = (mark & ~kIdentityFlag) >> kBlockBits;
        if (mark != block_mark(block))
            fail("a mark is no block of identities");
        return block;
    }

    void read_others(const std::string& name, ProgramImage& program) {
        for (std::size_t own = 0;; ++own) {
            const nft::Map* others = ruleset_.find_map(others_map(name, own));
            if (others == nullptr)
                break;
            ProgramImage::Others& made = program.others.emplace_back();
            for (const nft::Element& each : others->elements)
                made.rows[identity_of(each.key.low)] = mark_of(each);
            if (const nft::Map* blocks = ruleset_.find_map(blocks_map(name, own)))
                for (const nft::Element& each : blocks->elements)
                    made.blocks[block_of_mark(each.key.low)] = mark_of(each);
            const nft::Chain* body = ruleset_.find_chain(own_chain(name, false, own));
            made.usual = usual_of(body != nullptr ? *body : chain(name));
        }
        if (program.others.empty())
            fail("program " + name + " says nothing of the other side");
    }

    static std::uint32_t usual_of(const nft::Chain& body) {
        for (const nft::Rule& rule : body.rules)
            for (const nft::Statement& statement : rule.statements)
                if (const auto* usual = std::get_if<nft::SetWord>(&statement))
                    return usual->value;
        fail("chain " + body.name + " has no usual row");
    }

    static decision::Pieces pieces_of(const nft::Map& map, const std::string& prefix) {
        decision::Pieces out;
        for (const nft::Element& each : map.elements)
            out.push_back({{static_cast<std::uint16_t>(each.key.low),
                            static_cast<std::uint16_t>(each.key.high)},
                           static_cast<std::uint16_t>(number_after(target_of(each), prefix))});
        return out;
    }

    void read_packets(const std::string& name, ProgramImage& program) {
        for (const nft::Element& each : map(name + "_proto").elements) {
            const auto protocol = static_cast<net::Protocol>(each.key.low);
            const std::string& target = target_of(each);
            program.l4.by_protocol[protocol] =
                target.starts_with("l4_")
                    ? decision::Pieces{{net::PortRange{},
                                        static_cast<std::uint16_t>(number_after(target, "l4_"))}}
                    : pieces_of(map(ports_map(name, protocol)), "l4_");
        }
        const auto& rules = chain(name + "_l4").rules;
        const nft::Verdict* other = rules.size() == 2 && rules[1].statements.size() == 1
                                        ? std::get_if<nft::Verdict>(&rules[1].statements.front())
                                        : nullptr;
        if (other == nullptr)
            fail("chain " + name + "_l4 has no end");
        program.l4.other = static_cast<std::uint16_t>(number_after(other->chain, "l4_"));
        program.l4.count = static_cast<std::uint16_t>(program.l4.other + 1);
        for (const auto& [protocol, pieces] : program.l4.by_protocol)
            for (const decision::Piece& piece : pieces)
                program.l4.count =
                    std::max(program.l4.count, static_cast<std::uint16_t>(piece.id + 1));
        const nft::Map* ports = ruleset_.find_map(name + "_sport");
        const std::string prefix = "sp" + std::to_string(source_port_shift(program)) + "_";
        program.source_ports =
            ports != nullptr ? pieces_of(*ports, prefix) : decision::Pieces{{net::PortRange{}, 0}};
    }

    void read_cells(const std::string& name, ProgramImage& program) {
        for (const nft::Element& each : map(name + "_cells").elements) {
            if ((each.key.low & kCellFlag) == 0)
                continue;
            if ((each.key.low & ~kCellOrRow) != 0)
                fail("a cell of program " + name + " has a number that is never looked up");
            CellImage& cell = program.cells[each.key.low & ~kCellFlag];
            for (const nft::Rule& rule : chain(target_of(each)).rules)
                for (const nft::Statement& statement : rule.statements)
                    read_cell(name, rule, statement, cell);
        }
    }

    void read_cell(const std::string& name, const nft::Rule& rule, const nft::Statement& statement,
                   CellImage& cell) {
        if (const auto* log = std::get_if<nft::Log>(&statement)) {
            read_log(name, *log, cell);
        } else if (std::holds_alternative<nft::Counter>(statement)) {
            std::string_view text = rule.comment;
            const std::size_t staged = text.find(" staged ");
            staged_ = staged == std::string_view::npos ? "" : text.substr(staged + 8);
            text = text.substr(0, staged);
            cell.outcome = text.ends_with(kGoesOn) ? Outcome::NoMatch : Outcome::Allow;
            if (cell.outcome == Outcome::NoMatch)
                text.remove_suffix(std::string_view(kGoesOn).size());
            cell.slot = number_after(text, "slot ");
        } else if (const auto* verdict = std::get_if<nft::Verdict>(&statement)) {
            if (verdict->kind != nft::Verdict::Kind::Return)
                cell.outcome = Outcome::Deny;
            cell.staged_allow = staged_.empty() ? cell.passes() : staged_ == "allow";
        }
    }

    void read_log(const std::string& name, const nft::Log& log, CellImage& cell) {
        const std::string prefix = "polecat " + name + "/";
        if (log.prefix.empty() || log.prefix.back() != ' ')
            fail("a log prefix has another form");
        const std::uint32_t slot =
            number_after(std::string_view(log.prefix).substr(0, log.prefix.size() - 1), prefix);
        if (log.group) {
            image_.report_group = log.group;
            return;
        }
        cell.logs.push_back(slot);
        if (log.at_most)
            image_.log_rate = {log.at_most->packets, log.at_most->unit, log.at_most->burst};
    }

    /// Every row that something leads to; what is not said of it is the fallback.
    void read_rows(const std::string& name, ProgramImage& program) {
        const auto& body = ruleset_.find_chain(own_chain(name, false, 0)) != nullptr
                               ? chain(own_chain(name, false, 0)).rules
                               : chain(name).rules;
        const nft::Verdict* last = body.back().statements.empty()
                                       ? nullptr
                                       : std::get_if<nft::Verdict>(&body.back().statements.back());
        if (last == nullptr)
            fail("program " + name + " has no end");
        const std::uint32_t fallback = number_after(last->chain, cell_chain_prefix(name));
        const auto row = [&](std::uint32_t number) -> decision::Row& {
            return program.rows.try_emplace(number, decision::Row{fallback, {}}).first->second;
        };
        for (const ProgramImage::Others& others : program.others) {
            row(others.usual);
            for (const auto* list : {&others.rows, &others.blocks})
                for (const auto& [key, number] : *list)
                    row(number);
        }
        for (const nft::Element& each : map(name + "_cells").elements)
            if ((each.key.low & kCellFlag) == 0)
                row(each.key.low).cell = number_after(target_of(each), cell_chain_prefix(name));
        const unsigned shift = source_port_shift(program);
        for (const nft::Element& each : map(name + "_rows").elements)
            row(each.key.low & 0xffff)
                .exceptions.push_back(
                    {static_cast<std::uint16_t>(each.key.low >> shift),
                     static_cast<std::uint16_t>((each.key.low & ((1U << shift) - 1)) >> kL4Shift),
                     mark_of(each) & ~kCellFlag});
        for (auto& [number, each] : program.rows)
            std::sort(each.exceptions.begin(), each.exceptions.end());
        for (const auto& [number, each] : program.rows)
            demand_cells(name, program, each);
    }

    static void demand_cells(const std::string& name, const ProgramImage& program,
                             const decision::Row& row) {
        bool good = program.cells.contains(row.cell);
        for (const decision::Row::Exception& each : row.exceptions)
            good = good && program.cells.contains(each.cell);
        if (!good)
            fail("program " + name + " lacks a cell");
    }

    const nft::Map& map(const std::string& name) const { return map_of(ruleset_, name); }
    const nft::Chain& chain(const std::string& name) const { return chain_of(ruleset_, name); }

    const nft::Ruleset& ruleset_;
    NodeImage& image_;
    std::string staged_; ///< of the cell that is being read
};

} // namespace

void read_program(const nft::Ruleset& ruleset, const std::string& name, ProgramImage& program,
                  NodeImage& node) {
    ProgramReader(ruleset, node).run(name, program);
}

} // namespace polecat::backends::reading
