#include "backends/node/image_maker.h"

#include <algorithm>
#include <bit>
#include <set>

#include <fmt/format.h>

#include "backends/node/programs.h"

namespace polecat::backends {

using decision::Verdict;

namespace {

/// What the classes of packets may need, so that a backend holds them beside a row in a word.
constexpr int kPacketBits = 14;
/// Of one program in the kernel: some 100 MB.
constexpr std::size_t kMostElements = 1U << 20;
/// A look-up more for every new flow must spare this many elements.
constexpr std::size_t kWorthBlocks = 100;

/// From a table to its image.
class ImageMaker {
    using Counts = std::map<std::uint32_t, std::size_t>;               ///< of identities, by row
    using Rows = std::vector<std::pair<std::uint32_t, std::uint32_t>>; ///< of identities; sorted

  public:
    /// `otherwise`: the slot of packets that nothing matched.
    ImageMaker(const decision::Table& table, decision::SlotId otherwise,
               const Numbers::Program& base)
        : table_(table), otherwise_(otherwise), base_(base) {
        out_.hook = table.hook;
        out_.direction = table.direction;
        out_.family = table.family;
        out_.source_ports = table.source_ports;
        out_.l4 = table.l4;
    }

    void add_cells() {
        std::set<std::string> names;
        for (const decision::Cell& cell : table_.cells) {
            CellImage made{outcome_of(cell), cell.slot.value, {}, cell.staged == Verdict::Allow};
            for (const decision::SlotId log : cell.logs)
                made.logs.push_back(log.value);
            names_.push_back(name_of(made));
            names.insert(names_.back());
            cells_.push_back(std::move(made));
        }
        record_.cells = number_by(base_.cells, names);
        for (std::size_t i = 0; i < cells_.size(); ++i)
            out_.cells[record_.cells.at(names_[i])] = cells_[i];
    }

    void add_rows() {
        std::set<std::string> distinct;
        for (const decision::Row& row : table_.rows) {
            std::string text = names_[row.cell];
            for (const auto& each : row.exceptions)
                text += fmt::format(" {}/{} {}", each.source_port, each.l4, names_[each.cell]);
            row_names_.push_back(digest_of(text, 16));
            distinct.insert(row_names_.back());
        }
        record_.rows = number_by(base_.rows, distinct);
        for (std::size_t i = 0; i < table_.rows.size(); ++i) {
            decision::Row row = table_.rows[i];
            row.cell = record_.cells.at(names_[row.cell]);
            for (auto& each : row.exceptions)
                each.cell = record_.cells.at(names_[each.cell]);
            out_.rows[record_.rows.at(row_names_[i])] = std::move(row);
        }
    }

    void add_own(const NumberedEnds& own) {
        const bool egress = table_.direction == decision::Direction::Egress;
        const decision::Side& side = egress ? table_.source : table_.destination;
        const std::vector<std::uint16_t> classes = own.classes(side);
        // In the order of the base, then of identities.
        std::map<std::uint16_t, std::pair<std::uint32_t, std::uint32_t>> first;
        for (std::size_t i = 0; i < own.numbers.size(); ++i) {
            const auto before = base_.own.find(own.numbers[i]);
            const std::pair<std::uint32_t, std::uint32_t> rank{
                before == base_.own.end() ? ~0u : before->second, own.numbers[i]};
            const auto place = first.try_emplace(classes[own.kinds.of[i]], rank).first;
            place->second = std::min(place->second, rank);
        }
        for (const auto& [by_table, rank] : first)
            own_classes_.push_back(by_table);
        std::sort(own_classes_.begin(), own_classes_.end(),
                  [&](std::uint16_t a, std::uint16_t b) { return first[a] < first[b]; });
        if (own_classes_.size() < 2)
            return;
        for (std::size_t i = 0; i < own.numbers.size(); ++i)
            out_.own[own.numbers[i]] = static_cast<std::uint16_t>(
                std::find(own_classes_.begin(), own_classes_.end(), classes[own.kinds.of[i]]) -
                own_classes_.begin());
        record_.own = out_.own;
    }

    void add_others(const NumberedEnds& others) {
        const bool egress = table_.direction == decision::Direction::Egress;
        const auto classes = others.classes(egress ? table_.destination : table_.source);
        for (std::uint32_t i = 0; i < own_classes_.size(); ++i) {
            std::vector<std::uint32_t> by_kind;
            Counts counts;
            for (std::size_t kind = 0; kind < classes.size(); ++kind) {
                const std::uint16_t own = own_classes_[i], other = classes[kind];
                const auto row =
                    table_.pairs.find(egress ? std::pair(own, other) : std::pair(other, own));
                by_kind.push_back(
                    record_.rows.at(row_names_[row == table_.pairs.end() ? 0 : row->second]));
                counts[by_kind.back()] += others.kinds.weights[kind];
            }
            Rows rows;
            for (std::size_t each = 0; each < others.numbers.size(); ++each)
                rows.emplace_back(others.numbers[each], by_kind[others.kinds.of[each]]);
            add_rows_of(i, rows, counts);
        }
    }

    /// Why it is more than a backend can hold; empty: it is not.
    std::string too_large() const {
        const auto bits = [](std::uint16_t count) {
            return std::bit_width(static_cast<unsigned>(count - 1));
        };
        const auto beyond = [](const auto& numbered) {
            return !numbered.empty() && numbered.rbegin()->first >= kMostNumbers;
        };
        if (beyond(out_.rows) || beyond(out_.cells) ||
            bits(out_.l4.count) + bits(table_.source_port_count) > kPacketBits)
            return "too many classes of ends or packets";
        std::size_t elements = out_.own.size();
        for (const auto& [number, row] : out_.rows)
            elements += row.exceptions.size();
        for (const ProgramImage::Others& each : out_.others)
            elements += each.rows.size() + each.blocks.size();
        return elements > kMostElements ? fmt::format("{} elements", elements) : "";
    }
    MadeImage take() { return {std::move(out_), std::move(record_), {}}; }

  private:
    Outcome outcome_of(const decision::Cell& cell) const {
        if (cell.verdict != Verdict::Allow)
            return Outcome::Deny;
        return table_.hook != decision::Hook::Normal && cell.slot == otherwise_ ? Outcome::NoMatch
                                                                                : Outcome::Allow;
    }

    /// The row of most identities; that of the base, unless it has become costly.
    std::pair<std::uint32_t, std::size_t> most(const Counts& counts,
                                               const std::string& before) const {
        std::pair<std::uint32_t, std::size_t> best{0, 0};
        for (const auto& each : counts)
            if (each.second > best.second)
                best = each;
        const auto kept = record_.rows.find(before);
        const auto count = kept == record_.rows.end() ? counts.end() : counts.find(kept->second);
        if (count != counts.end() && count->second * 2 >= best.second)
            best = *count;
        return best;
    }

    std::string name_of_row(std::uint32_t row) const {
        const auto found = std::find_if(record_.rows.begin(), record_.rows.end(),
                                        [&](const auto& each) { return each.second == row; });
        return found == record_.rows.end() ? "" : found->first;
    }

    std::uint32_t usual(std::size_t own, const Counts& counts) {
        const bool same_classes = base_.usual.size() == own_classes_.size();
        const std::uint32_t row = most(counts, same_classes ? base_.usual[own] : "").first;
        record_.usual.push_back(name_of_row(row));
        return row;
    }

    /// What an own class gets: the usual row, and what differs from it.
    void add_rows_of(std::uint32_t own, const Rows& rows, const Counts& counts) {
        ProgramImage::Others& made = out_.others.emplace_back();
        made.usual = usual(own, counts);
        add_blocks(own, rows, made);
        // Blocks come one after the other: each is looked up once.
        std::uint32_t block = 0, of_block = made.usual;
        for (auto each = rows.begin(); each != rows.end(); ++each) {
            if (each == rows.begin() || block_of(each->first) != block) {
                block = block_of(each->first);
                const auto said = made.blocks.find(block);
                of_block = said == made.blocks.end() ? made.usual : said->second;
            }
            if (each->second != of_block)
                made.rows.emplace_hint(made.rows.end(), each->first, each->second);
        }
    }

    /// Says a row once for a block, where that saves much or the base does so.
    void add_blocks(std::uint32_t own, const Rows& rows, ProgramImage::Others& to) {
        std::size_t saved = 0;
        bool in_base = false;
        for (auto first = rows.begin(); first != rows.end();) {
            const std::uint32_t block = block_of(first->first);
            Counts counts;
            auto of_last = counts.end(); // neighbours are alike more often than not
            for (; first != rows.end() && block_of(first->first) == block; ++first) {
                if (of_last == counts.end() || of_last->first != first->second)
                    of_last = counts.try_emplace(first->second, 0).first;
                ++of_last->second;
            }
            const auto before = base_.blocks.find({own, block});
            in_base = in_base || before != base_.blocks.end();
            const auto [row, count] =
                most(counts, before == base_.blocks.end() ? "" : before->second);
            const auto usual = counts.find(to.usual);
            const std::size_t without = usual == counts.end() ? 0 : usual->second;
            if (row == to.usual || count <= without + 1)
                continue;
            saved += count - without - 1;
            to.blocks[block] = row;
        }
        if (saved < kWorthBlocks && !in_base)
            to.blocks.clear();
        for (const auto& [block, row] : to.blocks)
            record_.blocks[{own, block}] = name_of_row(row);
    }

    const decision::Table& table_;
    decision::SlotId otherwise_;
    const Numbers::Program& base_;
    std::vector<CellImage> cells_;
    std::vector<std::string> names_, row_names_; ///< by the table's cells and rows
    std::vector<std::uint16_t> own_classes_;     ///< the table's, by ours
    Numbers::Program record_;
    ProgramImage out_;
};

} // namespace

std::vector<std::uint16_t> NumberedEnds::classes(const decision::Side& side) const {
    std::vector<std::uint16_t> out;
    for (const decision::EndClass& end : kinds.list)
        out.push_back(side.find(end));
    return out;
}

std::string MadeImage::usual_text() const {
    std::string out;
    for (const std::string& each : record.usual)
        out += each + "\n";
    return out;
}

MadeImage make_image(const decision::Table& table, decision::SlotId otherwise,
                     const Numbers::Program& base, const NumberedEnds& own,
                     const NumberedEnds& others) {
    ImageMaker maker(table, otherwise, base);
    maker.add_cells();
    maker.add_rows();
    maker.add_own(own);
    maker.add_others(others);
    if (std::string why = maker.too_large(); !why.empty())
        return {{}, {}, std::move(why)};
    return maker.take();
}

} // namespace polecat::backends
