#include "backends/node/programs.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "ir/decision/print.h"

namespace polecat::backends {

using decision::Action;
using decision::PredicateId;
using decision::Program;
using decision::Verdict;

namespace {

/// What the classes of packets may need, so that a backend holds them beside a row in a word.
constexpr int kPacketBits = 14;
/// Of one program in the kernel: some 100 MB.
constexpr std::size_t kMostElements = 1U << 20;
/// A look-up more for every new flow must spare this many elements.
constexpr std::size_t kWorthBlocks = 100;

/// The program's text, the same in whatever order predicates were met.
std::string canonical_text(Program program, const decision::PredicateStore& predicates) {
    sort_by_text(program, predicates);
    return to_text(program, predicates);
}

std::string cut_text(const decision::Table& table) {
    std::string out;
    const auto add = [&](const decision::Pieces& pieces) {
        for (const decision::Piece& piece : pieces)
            out += fmt::format(" {}:{}", piece.range.first, piece.id);
        out += '\n';
    };
    add(table.source_ports);
    for (const auto& [protocol, pieces] : table.l4.by_protocol) {
        out += fmt::format("{}", protocol);
        add(pieces);
    }
    return out + fmt::format("other {}\n", table.l4.other);
}

/// From a table to its image.
class ImageMaker {
    using Counts = std::map<std::uint32_t, std::size_t>; ///< of identities, by row

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
        // In the order of the base, then of identities.
        std::map<std::uint16_t, std::pair<std::uint32_t, std::uint32_t>> first;
        for (const auto& [number, identity] : own) {
            const auto before = base_.own.find(number);
            const std::pair<std::uint32_t, std::uint32_t> rank{
                before == base_.own.end() ? ~0u : before->second, number};
            const auto place = first.try_emplace(side.find(*identity), rank).first;
            place->second = std::min(place->second, rank);
        }
        for (const auto& [by_table, rank] : first)
            own_classes_.push_back(by_table);
        std::sort(own_classes_.begin(), own_classes_.end(),
                  [&](std::uint16_t a, std::uint16_t b) { return first[a] < first[b]; });
        if (own_classes_.size() < 2)
            return;
        for (const auto& [number, identity] : own)
            out_.own[number] = static_cast<std::uint16_t>(
                std::find(own_classes_.begin(), own_classes_.end(), side.find(*identity)) -
                own_classes_.begin());
        record_.own = out_.own;
    }

    void add_others(const NumberedEnds& others) {
        const bool egress = table_.direction == decision::Direction::Egress;
        const decision::Side& side = egress ? table_.destination : table_.source;
        for (std::uint32_t i = 0; i < own_classes_.size(); ++i) {
            std::map<std::uint32_t, std::uint32_t> rows;
            Counts counts;
            for (const auto& [number, identity] : others) {
                const std::uint16_t own = own_classes_[i], other = side.find(*identity);
                const auto row =
                    table_.pairs.find(egress ? std::pair(own, other) : std::pair(other, own));
                rows[number] =
                    record_.rows.at(row_names_[row == table_.pairs.end() ? 0 : row->second]);
                ++counts[rows[number]];
            }
            ProgramImage::Others& made = out_.others.emplace_back();
            made.usual = usual(i, counts);
            made.rows = std::move(rows);
            add_blocks(i, made);
            std::erase_if(made.rows, [&](const auto& each) {
                const auto block = made.blocks.find(block_of(each.first));
                return each.second == (block == made.blocks.end() ? made.usual : block->second);
            });
        }
    }

    std::string usual_text() const {
        std::string out;
        for (const std::string& each : record_.usual)
            out += each + "\n";
        return out;
    }
    const Numbers::Program& record() const { return record_; }
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
    ProgramImage take() { return std::move(out_); }

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

    /// Says a row once for a block, where that saves much or the base does so.
    void add_blocks(std::uint32_t own, ProgramImage::Others& to) {
        std::map<std::uint32_t, Counts> by_block;
        for (const auto& [identity, row] : to.rows)
            ++by_block[block_of(identity)][row];
        std::size_t saved = 0;
        bool in_base = false;
        for (const auto& [block, counts] : by_block) {
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

std::string name_of(const CellImage& cell) {
    const char outcome = cell.outcome == Outcome::Deny    ? 'd'
                         : cell.outcome == Outcome::Allow ? 'a'
                                                          : 'n';
    std::string out = fmt::format("{}{}", outcome, cell.slot);
    for (const std::uint32_t log : cell.logs)
        out += fmt::format("_l{}", log);
    if (cell.staged_allow != cell.passes())
        out += cell.staged_allow ? "_sa" : "_sd";
    return out;
}

void sort_by_text(Program& program, const decision::PredicateStore& predicates) {
    const auto by_text = [&](std::vector<PredicateId>& list) {
        if (list.size() > 1)
            std::sort(list.begin(), list.end(), [&](PredicateId a, PredicateId b) {
                return to_string(predicates[a]) < to_string(predicates[b]);
            });
    };
    for (decision::Stage& stage : program.stages)
        for (decision::Entry& entry : stage.entries) {
            decision::Match match = entry.match;
            for (decision::EndMatch* end : {&match.source, &match.destination}) {
                by_text(end->all);
                by_text(end->none);
                for (auto* ports : {&end->ports, &end->not_ports})
                    if (*ports)
                        by_text((*ports)->named);
            }
            entry.match = std::move(match);
        }
}

std::string said_of(const decision::LoweredCluster& cluster, decision::ProgramId id) {
    NamedProgram unused;
    return digest_of(canonical_text(Programs::expressible(cluster, id, unused), cluster.predicates),
                     24);
}

/// Host endpoints govern packets between any addresses: what is forwarded, and what comes to
/// addresses of the host that nobody named. So do workloads that may send from addresses of others.
OwnSides own_sides(const decision::LoweredCluster& cluster, const IdentityNumbers& numbers) {
    std::map<std::uint32_t, OwnSides::Side> by_program;
    for (const decision::Endpoint& endpoint : cluster.endpoints) {
        const auto& programs = cluster.groups[endpoint.group.value].programs;
        if (endpoint.is_host_endpoint || !endpoint.other_sources.empty())
            for (const auto& [key, program] : programs)
                by_program[program.program.value].any = true;
        for (const net::Address& address : cluster.world.object(endpoint.object).addresses)
            for (const auto& [key, program] : programs)
                if (const auto number = numbers.addresses().find(address);
                    key.family == address.family && number != numbers.addresses().end())
                    by_program[program.program.value].numbers.insert(number->second);
    }
    OwnSides out;
    for (const auto& [id, side] : by_program) {
        const std::string& digest = out.digests[id] = said_of(cluster, decision::ProgramId{id});
        OwnSides::Side& made = out.sides[digest];
        made.numbers.insert(side.numbers.begin(), side.numbers.end());
        made.any = made.any || side.any;
    }
    return out;
}

Programs::Programs(const decision::LoweredCluster& cluster, const IdentityNumbers& numbers,
                   OwnSides own, const Numbers& base)
    : cluster_(cluster), numbers_(numbers), own_(std::move(own)), base_(base) {}

/// The program without what packets do not show: Allow rules that need a request or a domain are
/// left out, which is narrower; anything else of the kind can't be said.
Program Programs::expressible(const decision::LoweredCluster& cluster, decision::ProgramId id,
                              NamedProgram& out) {
    Program program = cluster.program(id);
    const auto unseen = [&](const decision::Entry& entry) {
        const auto domain = [&](const decision::EndMatch& end) {
            return std::any_of(end.all.begin(), end.all.end(), [&](PredicateId each) {
                return decision::is_never_known(cluster.predicates[each]);
            });
        };
        return entry.match->http.has_value() || domain(entry.match->source) ||
               domain(entry.match->destination);
    };
    for (decision::Stage& stage : program.stages)
        std::erase_if(stage.entries, [&](const decision::Entry& entry) {
            if (!unseen(entry))
                return false;
            const bool narrower = entry.action == Action::Allow || entry.action == Action::Log;
            (narrower ? out.left_out : out.unsaid).push_back(entry.slot);
            return true;
        });
    return program;
}

/// What is said of a program that can't be told: nothing is allowed.
NamedProgram Programs::closed(const Program& program, const std::string& text, std::string why,
                              NamedProgram of) {
    ProgramImage closed;
    closed.hook = program.hook;
    closed.direction = program.direction;
    closed.family = program.family;
    closed.closed = true;
    of.name = "p" + digest_of("closed\n" + text, 12);
    of.image = closed;
    of.too_large = std::move(why);
    return of;
}

NamedProgram Programs::make(decision::ProgramId id) {
    NamedProgram out;
    const Program program = expressible(cluster_, id, out);
    if (!out.unsaid.empty())
        return out;
    NumberedEnds own;
    const auto known = own_.digests.find(id.value); // endpoints without an address have none
    const std::string text = known == own_.digests.end() ? said_of(cluster_, id) : known->second;
    const auto& ids = numbers_.of(program.family);
    const NumberedEnds others(ids.begin(), ids.end());
    const OwnSides::Side& side = own_.sides[text];
    if (side.any)
        own = others;
    else
        for (const std::uint32_t number : side.numbers)
            own.emplace_back(number, ids.at(number));
    const auto list_of = [](const NumberedEnds& ends) {
        std::vector<decision::Identity> list;
        for (const auto& [number, identity] : ends)
            list.push_back(*identity);
        return list;
    };
    const bool egress = program.direction == decision::Direction::Egress;
    const auto table =
        decision::flatten(program, cluster_.predicates, list_of(egress ? own : others),
                          list_of(egress ? others : own));
    if (!table)
        return closed(program, text, table.error(), std::move(out));
    for (const decision::Cell& cell : table->cells)
        if (cell.verdict == Verdict::Depends)
            out.unsaid.push_back(cell.slot);
    if (!out.unsaid.empty())
        return out;
    return named(program, text, *table, own, others, std::move(out));
}

NamedProgram Programs::named(const Program& program, const std::string& text,
                             const decision::Table& table, const NumberedEnds& own,
                             const NumberedEnds& others, NamedProgram of) {
    const std::string frame = digest_of(text + cut_text(table), 24);
    const auto before = base_.programs.find(frame);
    const Numbers::Program none;
    ImageMaker maker(table, program.otherwise_slot,
                     before == base_.programs.end() ? none : before->second);
    maker.add_cells();
    maker.add_rows();
    maker.add_own(own);
    maker.add_others(others);
    if (const std::string why = maker.too_large(); !why.empty())
        return closed(program, text, why, std::move(of));
    record_[frame] = maker.record();
    of.name = "p" + digest_of(frame + maker.usual_text(), 12);
    of.image = maker.take();
    return of;
}

const NamedProgram& Programs::operator[](decision::ProgramId id) {
    const auto found = made_.find(id.value);
    return found != made_.end() ? found->second : made_.emplace(id.value, make(id)).first->second;
}

Numbers Programs::record() const {
    Numbers out = numbers_.record();
    out.programs = record_;
    return out;
}

} // namespace polecat::backends
