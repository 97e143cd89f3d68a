#include "backends/bpf/program_writer.h"

#include <algorithm>
#include <bit>

namespace polecat::bpf {

using backends::ProgramImage;
using decision::Row;

namespace {

template <class Numbered> std::size_t room_for(const Numbered& numbered) {
    return numbered.empty() ? 0 : numbered.rbegin()->first + std::size_t{1};
}

} // namespace

std::optional<std::uint32_t> place_of(const Identities& identities, std::uint32_t number) {
    const auto found = std::lower_bound(identities.begin(), identities.end(), number);
    if (found == identities.end() || *found != number)
        return std::nullopt;
    return static_cast<std::uint32_t>(found - identities.begin());
}

std::uint32_t ProgramWriter::counters() const {
    return static_cast<std::uint32_t>(room_for(image_.cells));
}

std::uint32_t ProgramWriter::write(std::uint32_t counter) {
    line_ = out_.add_lines(1);
    set(kBpfProgramState, image_.closed ? kBpfStateClosed : kBpfStateJudges);
    set(kBpfProgramKind, static_cast<unsigned>(image_.hook) |
                             static_cast<unsigned>(image_.direction) << 8 |
                             static_cast<unsigned>(image_.family) << 16);
    set(kBpfProgramLine, line_);
    set(kBpfProgramCounter, counter);
    if (image_.closed)
        return line_;
    add_own();
    add_others();
    add_protocols();
    add_source_ports();
    add_rows();
    add_cells();
    return line_;
}

void ProgramWriter::add_own() {
    set(kBpfProgramOwnCount, image_.others.size());
    if (image_.own.empty())
        return;
    std::vector<std::uint16_t> classes(identities_.size());
    for (const auto& [identity, number] : image_.own)
        if (const auto place = place_of(identities_, identity))
            classes[*place] = static_cast<std::uint16_t>(number + 1);
    const std::uint32_t root = out_.root(out_.pages(classes));
    set(kBpfProgramOwn, root);
}

std::vector<std::uint16_t> ProgramWriter::rows_of(const ProgramImage::Others& others) const {
    std::vector<std::uint16_t> out;
    out.reserve(identities_.size());
    auto listed = others.rows.begin();
    auto block = others.blocks.begin();
    for (const std::uint32_t identity : identities_) {
        while (listed != others.rows.end() && listed->first < identity)
            ++listed;
        while (block != others.blocks.end() && block->first < backends::block_of(identity))
            ++block;
        std::uint32_t row = others.usual;
        if (listed != others.rows.end() && listed->first == identity)
            row = listed->second;
        else if (block != others.blocks.end() && block->first == backends::block_of(identity))
            row = block->second;
        out.push_back(static_cast<std::uint16_t>(row));
    }
    return out;
}

void ProgramWriter::add_others() {
    const std::size_t pages = (identities_.size() + kBpfPageEntries - 1) / kBpfPageEntries;
    const std::size_t lines = (pages + kBpfLineWords - 1) / kBpfLineWords;
    const std::uint32_t first = out_.add_lines(lines * image_.others.size());
    set(kBpfProgramOthers, first);
    set(kBpfProgramRootLines, lines);
    for (std::size_t own = 0; own < image_.others.size(); ++own) {
        const std::uint32_t root = first + static_cast<std::uint32_t>(own * lines);
        std::size_t word = 0;
        for (const std::uint32_t page : out_.pages(rows_of(image_.others[own])))
            out_.at(root, word++) = page;
    }
}

void ProgramWriter::add_protocols() {
    std::vector<std::uint32_t> words(256, image_.l4.other);
    for (const auto& [protocol, pieces] : image_.l4.by_protocol) {
        const std::uint16_t first = pieces.front().id;
        const bool alike = std::all_of(pieces.begin(), pieces.end(),
                                       [&](const auto& each) { return each.id == first; });
        words[protocol] = kBpfIsListed | (alike ? first : kBpfIsRoot | out_.root_of(pieces));
    }
    const std::uint32_t root = out_.root(words);
    set(kBpfProgramProtocols, root);
    set(kBpfProgramL4Count, image_.l4.count);
    set(kBpfProgramL4Other, image_.l4.other);
}

void ProgramWriter::add_source_ports() {
    std::uint16_t count = 1;
    for (const decision::Piece& each : image_.source_ports)
        count = std::max(count, static_cast<std::uint16_t>(each.id + 1));
    shift_ = static_cast<unsigned>(std::bit_width(image_.l4.count - 1U));
    packets_ = std::size_t{count} << shift_;
    set(kBpfProgramSourceShift, shift_);
    if (count == 1)
        return;
    const std::uint32_t root = out_.root_of(image_.source_ports);
    set(kBpfProgramSourcePorts, root);
}

/// Of a row's cells by class of packets, or their page; 0 where all are the usual one.
std::uint32_t ProgramWriter::root_of(const Row& row) {
    if (row.exceptions.empty())
        return 0;
    std::map<std::size_t, TableWriter::Page> changed;
    for (const Row::Exception& each : row.exceptions) {
        const std::size_t packet = (std::size_t{each.source_port} << shift_) | each.l4;
        const auto [page, added] = changed.try_emplace(packet / kBpfPageEntries);
        if (added)
            page->second.fill(static_cast<std::uint16_t>(row.cell));
        page->second[packet % kBpfPageEntries] = static_cast<std::uint16_t>(each.cell);
    }
    std::vector<std::uint32_t> pages((packets_ + kBpfPageEntries - 1) / kBpfPageEntries,
                                     out_.page_of(static_cast<std::uint16_t>(row.cell)));
    for (const auto& [place, page] : changed)
        pages[place] = out_.page(page);
    return pages.size() == 1 ? kBpfIsPage | pages.front() : out_.root(pages);
}

void ProgramWriter::add_rows() {
    const std::size_t count = room_for(image_.rows);
    const std::uint32_t first = out_.add_words(count * kBpfRowWords);
    set(kBpfProgramRows, first);
    set(kBpfProgramRowCount, count);
    for (const auto& [number, row] : image_.rows) {
        const std::uint32_t root = root_of(row);
        const std::size_t word = std::size_t{number} * kBpfRowWords;
        out_.at(first, word + kBpfRowCell) = kBpfThere | row.cell;
        out_.at(first, word + kBpfRowRoot) = root;
    }
}

void ProgramWriter::add_cells() {
    const std::size_t count = room_for(image_.cells);
    const std::uint32_t first = out_.add_words(count * kBpfCellWords);
    std::vector<std::uint32_t> logs;
    for (const auto& [number, cell] : image_.cells) {
        std::uint32_t* to = &out_.at(first, std::size_t{number} * kBpfCellWords);
        to[kBpfCellState] = kBpfThere | static_cast<std::uint32_t>(cell.outcome) |
                            (cell.staged_allow ? kBpfStagedAllow : 0);
        to[kBpfCellSlot] = cell.slot;
        to[kBpfCellLog] = static_cast<std::uint32_t>(logs.size());
        to[kBpfCellLogCount] = static_cast<std::uint32_t>(cell.logs.size());
        logs.insert(logs.end(), cell.logs.begin(), cell.logs.end());
    }
    const std::uint32_t log_line = out_.add_words(logs.size());
    for (std::size_t i = 0; i < logs.size(); ++i)
        out_.at(log_line, i) = logs[i];
    set(kBpfProgramCells, first);
    set(kBpfProgramCellCount, count);
    set(kBpfProgramLogs, log_line);
    set(kBpfProgramLogCount, logs.size());
}

} // namespace polecat::bpf
