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
    explicit Reader(const nft::Ruleset& ruleset) : ruleset_(ruleset) {}

    NodeImage run() {
        read_addresses();
        read_settings();
        read_dispatch();
        for (const nft::Chain& chain : ruleset_.chains)
            if (chain.name.size() > 1 && chain.name[0] == 'p' &&
                chain.name.find_first_not_of("0123456789", 1) == std::string::npos)
                read_program(number_after(chain.name, "p"));
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

    void read_addresses() {
        for (const char* digit : {"4", "6"}) {
            for (const nft::Element& each : map(std::string("addr") + digit).elements)
                image_.addresses[each.key.first] = identity_of(mark_of(each));
            for (const nft::Element& each : map(std::string("net") + digit).elements)
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
        for (const char* digit : {"4", "6"}) {
            const auto& from = map(std::string("from") + digit).elements;
            const auto& to = map(std::string("to") + digit).elements;
            if (from.size() != to.size())
                fail("the two directions are dispatched differently");
            for (std::size_t i = 0; i < from.size(); ++i) {
                if (from[i].key != to[i].key)
                    fail("the two directions are dispatched differently");
                DispatchEntry entry{from[i].key.interface, from[i].key.first,
                                    number_after(target_of(from[i]), "p"),
                                    number_after(target_of(to[i]), "p")};
                use(entry.egress, decision::Direction::Egress, entry.address);
                use(entry.ingress, decision::Direction::Ingress, entry.address);
                image_.dispatch.push_back(std::move(entry));
            }
        }
        std::sort(image_.dispatch.begin(), image_.dispatch.end());
    }

    /// Who runs a program says its direction, its family and its own identities.
    void use(std::uint32_t number, decision::Direction direction, const net::Address& address) {
        const auto identity = image_.addresses.find(address);
        if (identity == image_.addresses.end())
            fail("a dispatched address has no identity");
        ProgramImage& program = image_.programs[number];
        program.direction = direction;
        program.family = address.family;
        program.own[identity->second] = 0;
    }

    void read_program(std::uint32_t number) {
        const auto found = image_.programs.find(number);
        if (found == image_.programs.end())
            fail("nothing runs program " + std::to_string(number));
        ProgramImage& program = found->second;
        const std::string base = "p" + std::to_string(number);
        if (const nft::Map* own = ruleset_.find_map(base + "_own"))
            for (const nft::Element& each : own->elements)
                program.own[identity_of(each.key.low)] =
                    static_cast<std::uint16_t>(number_after(target_of(each), base + "_o"));
        for (const nft::Element& each : map(base + "_coarse").elements)
            program.other[identity_of(each.key.low)] = static_cast<std::uint16_t>(mark_of(each));
        read_packets(number, base, program);
        read_cells(number, program);
        read_rows(number, program);
    }

    static decision::Pieces pieces_of(const nft::Map& map, std::string_view prefix) {
        decision::Pieces out;
        for (const nft::Element& each : map.elements)
            out.push_back({{static_cast<std::uint16_t>(each.key.low),
                            static_cast<std::uint16_t>(each.key.high)},
                           static_cast<std::uint16_t>(number_after(target_of(each), prefix))});
        return out;
    }

    void read_packets(std::uint32_t number, const std::string& base, ProgramImage& program) {
        for (const nft::Element& each : map(base + "_proto").elements) {
            const auto protocol = static_cast<net::Protocol>(each.key.low);
            const std::string& target = target_of(each);
            program.l4.by_protocol[protocol] =
                target.starts_with("l4_")
                    ? decision::Pieces{{net::PortRange{},
                                        static_cast<std::uint16_t>(number_after(target, "l4_"))}}
                    : pieces_of(map(ports_map(number, protocol)), "l4_");
        }
        const auto& rules = chain(base + "_l4").rules;
        const nft::Verdict* other = rules.size() == 2 && rules[1].statements.size() == 1
                                        ? std::get_if<nft::Verdict>(&rules[1].statements.front())
                                        : nullptr;
        if (other == nullptr)
            fail("chain " + base + "_l4 has no end");
        program.l4.other = static_cast<std::uint16_t>(number_after(other->chain, "l4_"));
        program.l4.count = static_cast<std::uint16_t>(program.l4.other + 1);
        for (const auto& [protocol, pieces] : program.l4.by_protocol)
            for (const decision::Piece& piece : pieces)
                program.l4.count =
                    std::max(program.l4.count, static_cast<std::uint16_t>(piece.id + 1));
        const nft::Map* ports = ruleset_.find_map(base + "_sport");
        program.source_ports =
            ports != nullptr ? pieces_of(*ports, "sp_") : decision::Pieces{{net::PortRange{}, 0}};
    }

    void read_cells(std::uint32_t number, ProgramImage& program) {
        for (std::size_t i = 0;; ++i) {
            const nft::Chain* found = ruleset_.find_chain(cell_chain(number, i));
            if (found == nullptr)
                return;
            ProgramImage::Cell cell;
            for (const nft::Rule& rule : found->rules)
                for (const nft::Statement& statement : rule.statements)
                    read_cell(number, rule, statement, cell);
            program.cells.push_back(std::move(cell));
        }
    }

    void read_cell(std::uint32_t number, const nft::Rule& rule, const nft::Statement& statement,
                   ProgramImage::Cell& cell) {
        if (const auto* log = std::get_if<nft::Log>(&statement)) {
            const std::string prefix = "polecat p" + std::to_string(number) + "/";
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

    void read_rows(std::uint32_t number, ProgramImage& program) {
        const auto count = [](const auto& classes) {
            std::uint32_t out = 0;
            for (const auto& [identity, each] : classes)
                out = std::max(out, std::uint32_t{each} + 1);
            return out;
        };
        std::uint32_t ports = 0;
        for (const decision::Piece& piece : program.source_ports)
            ports = std::max(ports, std::uint32_t{piece.id} + 1);
        const std::uint32_t own = count(program.own), other = count(program.other);
        for (std::uint16_t i = 0; i < own; ++i) {
            std::map<std::uint32_t, std::uint32_t> cells;
            for (const nft::Element& each : map(rows_map(number, i)).elements)
                cells[each.key.low] =
                    number_after(target_of(each), "p" + std::to_string(number) + "_c");
            for (std::uint32_t j = 0; j < other; ++j)
                for (std::uint32_t port = 0; port < ports; ++port)
                    for (std::uint32_t l4 = 0; l4 < program.l4.count; ++l4) {
                        const auto cell =
                            cells.find(j | (l4 << kL4Shift) | (port << kSourcePortShift));
                        if (cell == cells.end())
                            fail("program " + std::to_string(number) + " lacks a row");
                        program.rows.push_back(cell->second);
                    }
        }
    }

    const nft::Ruleset& ruleset_;
    NodeImage image_;
    std::string staged_; ///< of the cell that is being read
};

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
        NodeImage image = Reader(ruleset).run();
        nft::Ruleset expected = emit(image);
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
