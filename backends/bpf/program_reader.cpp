#include "backends/bpf/program_reader.h"

#include <algorithm>
#include <bit>

namespace polecat::bpf {

using backends::CellImage;
using backends::Outcome;
using backends::ProgramImage;
using decision::Row;

namespace {

constexpr std::size_t kMostExceptions = 1U << 22; ///< of a node; some 50 MB
constexpr std::size_t kMostPackets = 1U << 14;    ///< classes: programs that have more are closed

} // namespace

std::size_t ProgramReader::count(unsigned word, std::size_t words) const {
    const std::uint32_t out = field(word);
    if (out > tables_.size() / words)
        throw NotTables{"more of something than they have room for"};
    return out;
}

ProgramImage ProgramReader::read() {
    read_kind();
    identities_ = out_.family == net::Family::V4 ? &image_.identities4 : &image_.identities6;
    if (out_.closed)
        return std::move(out_);
    read_cells();
    read_packets();
    read_rows();
    read_own();
    read_others();
    return std::move(out_);
}

void ProgramReader::read_kind() {
    const std::uint32_t state = field(kBpfProgramState), kind = field(kBpfProgramKind);
    const std::uint32_t hook = kind & 0xff, direction = kind >> 8 & 0xff, family = kind >> 16;
    if ((state != kBpfStateJudges && state != kBpfStateClosed) ||
        hook != static_cast<std::uint32_t>(decision::Hook::Normal) || direction > 1 ||
        (family != 4 && family != 6))
        throw NotTables{"a program of no kind"};
    out_.closed = state == kBpfStateClosed;
    out_.hook = decision::Hook::Normal;
    out_.direction = static_cast<decision::Direction>(direction);
    out_.family = static_cast<net::Family>(family);
}

void ProgramReader::read_cells() {
    const std::size_t cells = count(kBpfProgramCellCount, kBpfCellWords),
                      logs = count(kBpfProgramLogCount, 1);
    for (std::size_t i = 0; i < cells; ++i) {
        const auto word = [&](unsigned at) {
            return tables_.at(field(kBpfProgramCells), i * kBpfCellWords + at);
        };
        if ((word(kBpfCellState) & kBpfThere) == 0)
            continue;
        CellImage cell;
        const std::uint32_t outcome = word(kBpfCellState) & kBpfOutcome;
        if (outcome > kBpfOutcomeNoMatch)
            throw NotTables{"a cell without an outcome"};
        cell.outcome = static_cast<Outcome>(outcome);
        cell.slot = word(kBpfCellSlot);
        cell.staged_allow = (word(kBpfCellState) & kBpfStagedAllow) != 0;
        const std::uint32_t first = word(kBpfCellLog), size = word(kBpfCellLogCount);
        if (first > logs || size > logs - first)
            throw NotTables{"logs that are not there"};
        for (std::uint32_t log = first; log < first + size; ++log)
            cell.logs.push_back(tables_.at(field(kBpfProgramLogs), log));
        out_.cells[static_cast<std::uint32_t>(i)] = std::move(cell);
    }
}

const decision::Pieces& ProgramReader::pieces_at(std::uint32_t root) {
    const auto [known, added] = before_.pieces.try_emplace(root);
    decision::Pieces& out = known->second;
    for (unsigned port = 0; added && port < 65536; ++port) {
        const std::uint16_t id = tables_.in_root(root, port);
        const auto at = static_cast<std::uint16_t>(port);
        if (!out.empty() && out.back().id == id)
            out.back().range.last = at;
        else
            out.push_back({{at, at}, id});
    }
    return out;
}

void ProgramReader::read_packets() {
    out_.l4.count = static_cast<std::uint16_t>(field(kBpfProgramL4Count));
    out_.l4.other = static_cast<std::uint16_t>(field(kBpfProgramL4Other));
    if (out_.l4.count == 0)
        throw NotTables{"a program without a class of packets"};
    for (unsigned protocol = 0; protocol < 256; ++protocol) {
        const std::uint32_t word = tables_.at(field(kBpfProgramProtocols), protocol);
        if ((word & kBpfIsListed) == 0)
            continue;
        auto& pieces = out_.l4.by_protocol[static_cast<net::Protocol>(protocol)];
        if ((word & kBpfIsRoot) != 0)
            pieces = pieces_at(word & kBpfProtocolValue);
        else
            pieces = {{{0, 65535}, static_cast<std::uint16_t>(word)}};
    }
    out_.source_ports = {{{0, 65535}, 0}};
    if (field(kBpfProgramSourcePorts) != 0)
        out_.source_ports = pieces_at(field(kBpfProgramSourcePorts));
    for (const decision::Piece& each : out_.source_ports)
        source_ports_ = std::max(source_ports_, static_cast<std::uint16_t>(each.id + 1));
    shift_ = static_cast<unsigned>(std::bit_width(out_.l4.count - 1U));
    if (std::size_t{source_ports_} << shift_ > kMostPackets)
        throw NotTables{"too many classes of packets"};
}

void ProgramReader::read_rows() {
    using Kept = std::pair<std::uint32_t, std::uint32_t>; // cell and root
    std::map<Kept, std::vector<Row::Exception>> known;
    const std::size_t rows = count(kBpfProgramRowCount, kBpfRowWords);
    for (std::size_t i = 0; i < rows; ++i) {
        const std::uint32_t first = field(kBpfProgramRows);
        const std::uint32_t cell = tables_.at(first, i * kBpfRowWords + kBpfRowCell),
                            root = tables_.at(first, i * kBpfRowWords + kBpfRowRoot);
        if ((cell & kBpfThere) == 0)
            continue;
        Row& row = out_.rows[static_cast<std::uint32_t>(i)];
        row.cell = cell & ~kBpfThere;
        if (root == 0)
            continue;
        const auto [found, added] = known.try_emplace({row.cell, root});
        for (std::size_t packet = 0; added && packet < std::size_t{source_ports_} << shift_;
             ++packet) {
            const std::uint16_t other =
                (root & kBpfIsPage) == 0
                    ? tables_.in_root(root, packet)
                    : tables_.number(root & ~kBpfIsPage, packet % kBpfPageEntries);
            if (other != row.cell)
                found->second.push_back({static_cast<std::uint16_t>(packet >> shift_),
                                         static_cast<std::uint16_t>(packet & ((1U << shift_) - 1)),
                                         other});
        }
        before_.exceptions += found->second.size();
        if (before_.exceptions > kMostExceptions)
            throw NotTables{"more cells than a node can have"};
        row.exceptions = found->second;
    }
}

void ProgramReader::read_own() {
    if (field(kBpfProgramOwn) == 0)
        return;
    for (std::size_t i = 0; i < identities_->size(); ++i)
        if (const std::uint16_t own = tables_.in_root(field(kBpfProgramOwn), i))
            out_.own[(*identities_)[i]] = static_cast<std::uint16_t>(own - 1);
}

void ProgramReader::read_others() {
    const std::size_t pages = (identities_->size() + kBpfPageEntries - 1) / kBpfPageEntries,
                      lines = (pages + kBpfLineWords - 1) / kBpfLineWords,
                      owns = count(kBpfProgramOwnCount, 1);
    if (lines != field(kBpfProgramRootLines) || lines * owns > tables_.size() / kBpfLineWords)
        throw NotTables{"more of something than they have room for"};
    for (std::size_t own = 0; own < owns; ++own) {
        const auto root = static_cast<std::uint32_t>(field(kBpfProgramOthers) + own * lines);
        ProgramImage::Others& others = out_.others.emplace_back();
        std::map<std::uint32_t, std::size_t> counts;
        for (std::size_t i = 0; i < identities_->size(); ++i)
            ++counts[others.rows[(*identities_)[i]] = tables_.in_root(root, i)];
        for (const auto& [row, number] : counts)
            if (const auto best = counts.find(others.usual);
                best == counts.end() || number > best->second)
                others.usual = row;
        std::erase_if(others.rows, [&](const auto& each) { return each.second == others.usual; });
    }
}

} // namespace polecat::bpf
