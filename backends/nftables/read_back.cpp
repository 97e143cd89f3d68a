// From a ruleset to the image it enforces. Decodes what varies, then demands that the rest is what
// emit() writes for that image.
#include <algorithm>
#include <charconv>

#include "backends/nftables/layout.h"
#include "backends/nftables/nftables.h"

namespace polecat::backends {

using namespace layout;

namespace {

struct Failure {
    std::string message;
};

[[noreturn]] void fail(const std::string& message) {
    throw Failure{message};
}

std::uint32_t number_of(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (failure != std::errc{} || end != text.data() + text.size())
        fail("`" + std::string(text) + "` is no number");
    return value;
}

std::uint32_t number_after(std::string_view text, std::string_view prefix) {
    if (!text.starts_with(prefix))
        fail("`" + std::string(text) + "` is no " + std::string(prefix) + "N");
    return number_of(text.substr(prefix.size()));
}

class Reader {
  public:
    explicit Reader(const nft::Ruleset& ruleset) : ruleset_(ruleset), slots_(slots_of(ruleset)) {}

    NodeImage run() {
        read_addresses();
        read_settings();
        read_dispatch();
        for (auto& [name, program] : programs_) {
            read_program(name, program);
            image_.programs.emplace(name, std::move(program));
        }
        return std::move(image_);
    }

  private:
    const nft::Map& map(const std::string& name) const {
        const nft::Map* found = ruleset_.find_map(name);
        if (found == nullptr)
            fail("map " + name + " is missing");
        return *found;
    }
    const nft::Chain& chain(const std::string& name) const {
        const nft::Chain* found = ruleset_.find_chain(name);
        if (found == nullptr)
            fail("chain " + name + " is missing");
        return *found;
    }

    static std::uint32_t mark_of(const nft::Element& element) {
        const auto* mark = std::get_if<std::uint32_t>(&element.value);
        if (mark == nullptr)
            fail("an element has no mark");
        return *mark;
    }
    static const std::string& target_of(const nft::Element& element) {
        const auto* to = std::get_if<nft::Goto>(&element.value);
        if (to == nullptr)
            fail("an element has no chain");
        return to->chain;
    }
    static std::uint32_t identity_of(std::uint32_t mark) {
        if ((mark & kIdentityFlag) == 0 || (mark & ~kIdentityFlag) == 0)
            fail("a mark is no identity");
        return (mark & ~kIdentityFlag) - 1;
    }

    static std::uint32_t block_of_mark(std::uint32_t mark) {
        const std::uint32_t block = (mark & ~kIdentityFlag) >> kBlockBits;
        if (mark != block_mark(block))
            fail("a mark is no block of identities");
        return block;
    }

    void read_addresses() {
        for (const char* digit : {"4", "6"}) {
            for (const nft::Element& each : map(slots_.name(std::string("addr") + digit)).elements)
                image_.addresses[each.key.first] = identity_of(mark_of(each));
            for (const nft::Element& each : map(slots_.name(std::string("net") + digit)).elements)
                image_.outside[{each.key.first, each.key.last}] = identity_of(mark_of(each));
        }
    }

    void read_settings() {
        read_workloads();
        const auto& host = chain("judge_host").rules;
        image_.to_host = policy::HostAction::Return;
        if (host.size() == 3)
            image_.to_host =
                host[2].comment.empty() ? policy::HostAction::Accept : policy::HostAction::Drop;
    }

    /// Whose interfaces are workloads', and what they must not send.
    void read_workloads() {
        image_.interface_prefixes.clear();
        if (chain("input").rules.empty())
            fail("chain input is empty");
        for (const nft::Match& match : chain("input").rules.front().matches)
            if (const auto* is = std::get_if<nft::InterfaceIs>(&match);
                is != nullptr && is->name.size() > 1)
                image_.interface_prefixes.push_back(is->name.substr(0, is->name.size() - 1));
        image_.dropped_vxlan_port.reset();
        image_.drops_ipip = false;
        for (const nft::Rule& rule : chain("encapsulation").rules)
            for (const nft::Match& match : rule.matches)
                if (const auto* is = std::get_if<nft::PacketIs>(&match)) {
                    if (is->port)
                        image_.dropped_vxlan_port = is->port;
                    else
                        image_.drops_ipip = true;
                }
    }

    void read_dispatch() {
        for (const char* digit : {"4", "6"})
            for (const nft::Element& each : map(slots_.name(std::string("pod") + digit)).elements)
                image_.dispatch.push_back({each.key.interface, each.key.first, mark_of(each)});
        std::sort(image_.dispatch.begin(), image_.dispatch.end());
        for (const nft::Element& each : map("from").elements)
            image_.groups[each.key.low].egress = target_of(each);
        for (const nft::Element& each : map("to").elements)
            image_.groups[each.key.low].ingress = target_of(each);
        for (const auto& [number, group] : image_.groups) {
            programs_[group.egress].direction = decision::Direction::Egress;
            programs_[group.ingress].direction = decision::Direction::Ingress;
        }
        for (const DispatchEntry& entry : image_.dispatch)
            if (!image_.groups.contains(entry.group))
                fail("an address has a group that is not there");
    }

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

    void read_program(const std::string& name, ProgramImage& program) {
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
                if (const auto* usual = std::get_if<nft::SetMark>(&statement))
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
            const std::string prefix = "polecat " + name + "/";
            if (log->prefix.empty() || log->prefix.back() != ' ')
                fail("a log prefix has another form");
            cell.logs.push_back(
                number_after(log->prefix.substr(0, log->prefix.size() - 1), prefix));
        } else if (std::holds_alternative<nft::Counter>(statement)) {
            const std::size_t staged = rule.comment.find(" staged ");
            cell.slot = number_after(rule.comment.substr(0, staged), "slot ");
            staged_ = staged == std::string::npos ? "" : rule.comment.substr(staged + 8);
        } else if (const auto* verdict = std::get_if<nft::Verdict>(&statement)) {
            cell.allow = verdict->kind == nft::Verdict::Kind::Return;
            cell.staged_allow = staged_.empty() ? cell.allow : staged_ == "allow";
        }
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

    const nft::Ruleset& ruleset_;
    Slots slots_;
    NodeImage image_;
    std::map<std::string, ProgramImage> programs_;
    std::string staged_; ///< of the cell that is being read
};

/// The kernel takes no key twice, and what it would then mean nobody knows.
void demand_single_keys(const nft::Ruleset& ruleset) {
    const auto overlap = [](const nft::Element& a, const nft::Element& b) {
        return a.key.interface == b.key.interface && b.key.first <= a.key.last &&
               b.key.low <= a.key.high;
    };
    for (const nft::Map& map : ruleset.maps)
        if (std::adjacent_find(map.elements.begin(), map.elements.end(), overlap) !=
            map.elements.end())
            fail("map " + map.name + " has a key twice");
}

std::string difference(const nft::Ruleset& expected, const nft::Ruleset& found) {
    for (const nft::Map& map : expected.maps)
        if (const nft::Map* other = found.find_map(map.name); other == nullptr || *other != map)
            return "map " + map.name;
    for (const nft::Chain& chain : expected.chains)
        if (const nft::Chain* other = found.find_chain(chain.name);
            other == nullptr || !(*other == chain))
            return "chain " + chain.name;
    return "something that is not ours";
}

} // namespace

Slots slots_of(const nft::Ruleset& ruleset) {
    Slots out;
    for (const char* map : kSlots)
        if (ruleset.find_map(std::string(map) + "_b") != nullptr)
            out.flip(map);
    return out;
}

std::optional<Generation> generation_of(const nft::Ruleset& ruleset) {
    const nft::Chain* chain = ruleset.find_chain("judge_reply");
    if (chain == nullptr)
        return std::nullopt;
    for (const nft::Rule& rule : chain->rules)
        for (const nft::Statement& statement : rule.statements)
            if (const auto* mark = std::get_if<nft::SetFlowMark>(&statement);
                mark != nullptr && !mark->generation)
                return Generation{static_cast<std::uint16_t>(mark->bits >> Generation::kShift)};
    return std::nullopt;
}

Result<NodeImage> read_back(const nft::Ruleset& ruleset) {
    try {
        demand_single_keys(ruleset);
        NodeImage image = Reader(ruleset).run();
        nft::Ruleset expected = emit(image, slots_of(ruleset));
        if (const auto generation = generation_of(ruleset))
            expected = nft::with_generation(std::move(expected), generation->bits());
        if (expected == ruleset)
            return image;
        return Error{difference(expected, ruleset) + " is not as written"};
    } catch (const Failure& failure) {
        return Error{failure.message};
    }
}

} // namespace polecat::backends
