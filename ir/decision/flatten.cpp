// From a program to its table: classes of packets, a row for each pair of ends that predicates tell
// apart, judged exactly as eval() judges, and equal ones put together. The work goes with what rows
// list, not with the product of ends and packets.
#include <algorithm>
#include <map>
#include <set>

#include "ir/decision/packet_classes.h"

namespace polecat::decision {

namespace {

/// That ends are members of; sorted.
std::vector<PortMember> members_of(const EndKinds& ends) {
    std::set<PortMember> all;
    for (const EndClass& end : ends.list)
        all.insert(end.members.begin(), end.members.end());
    return {all.begin(), all.end()};
}

class Flattener {
  public:
    Flattener(const Program& program, const PredicateStore& predicates, const FlattenLimits& limits)
        : program_(program), predicates_(predicates), limits_(limits) {}

    Result<Table> run(const EndKinds& from, const EndKinds& to) {
        table_.hook = program_.hook;
        table_.direction = program_.direction;
        table_.family = program_.family;
        table_.source.predicates = predicates_of(program_, true);
        table_.destination.predicates = predicates_of(program_, false);
        if (!to.list.empty() && from.list.size() > limits_.pairs / to.list.size())
            return Error{std::to_string(from.list.size()) + " x " + std::to_string(to.list.size()) +
                         " kinds of ends"};
        const PacketClasses packets(program_, predicates_, members_of(from), members_of(to),
                                    limits_);
        if (packets.too_many())
            return Error{"too many classes of packets"};
        table_.source_ports = packets.source_ports;
        table_.source_port_count = packets.source_port_count;
        table_.l4 = packets.l4;
        packets_ = &packets;
        fill(from, to);
        if (listed_ > limits_.exceptions)
            return Error{"more than " + std::to_string(limits_.exceptions) +
                         " cells that differ from what is usual"};
        sort_cells();
        if (!name_classes(from, to))
            return Error{"too many kinds of ends that are treated differently"};
        return std::move(table_);
    }

  private:
    using Position = std::pair<std::uint32_t, std::uint32_t>;

    /// Rows of all pairs of ends, into grid_.
    void fill(const EndKinds& from, const EndKinds& to) {
        std::map<Row, std::uint32_t> known;
        Partition l4(table_.l4.count), source_ports(table_.source_port_count);
        const bool by_source = from.list.size() >= to.list.size();
        const EntryIndex index(program_, predicates_, by_source);
        std::vector<Position> positions;
        const EndClass* indexed = nullptr;
        for (const EndClass& source : from.list)
            for (const EndClass& destination : to.list) {
                const EndClass& wanted = by_source ? source : destination;
                if (indexed != &wanted)
                    positions = index.candidates(wanted);
                indexed = &wanted;
                const CellJudge judge(program_, predicates_, source, destination, positions);
                cut(judge, source, destination, l4, source_ports);
                const auto next = static_cast<std::uint32_t>(table_.rows.size());
                const auto [place, added] =
                    known.try_emplace(row_of(judge, l4, source_ports), next);
                grid_.push_back(place->second);
                if (!added)
                    continue;
                table_.rows.push_back(place->first);
                listed_ += place->first.exceptions.size();
                if (listed_ > limits_.exceptions)
                    return;
            }
    }

    /// Groups of packets that what may match between two ends does not tell apart.
    void cut(const CellJudge& judge, const EndClass& source, const EndClass& destination,
             Partition& l4, Partition& source_ports) const {
        l4.clear();
        source_ports.clear();
        bool by_sets = false;
        judge.each_candidate([&](const Match& match) {
            const PacketClasses::Asked& asked = packets_->asked(match);
            for (const auto& list : asked.l4)
                l4.cut(list);
            for (const auto& list : asked.source_ports)
                source_ports.cut(list);
            by_sets = by_sets || asked.by_sets;
        });
        if (!by_sets)
            return;
        for (const PortMember& member : destination.members)
            l4.cut({table_.l4.of({member.protocol, member.port})});
        for (const PortMember& member : source.members)
            source_ports.cut({find(table_.source_ports, member.port)});
    }

    /// A group of classes: one that stands for it, and how many they are.
    struct Group {
        std::uint16_t first = 0;
        std::size_t size = 0;
    };
    /// Groups by number. Those that no cut named are group 0, which may be empty.
    static std::vector<Group> groups_of(const Partition& partition, std::size_t count) {
        std::vector<Group> out(1);
        for (const std::uint16_t number : partition.named()) {
            const std::uint32_t group = partition.group_of(number);
            if (group >= out.size())
                out.resize(group + 1);
            if (out[group].size++ == 0 || number < out[group].first)
                out[group].first = number;
        }
        out[0].size = count - partition.named().size();
        while (out[0].first + 1U < count && partition.group_of(out[0].first) != 0)
            ++out[0].first;
        return out;
    }

    Row row_of(const CellJudge& judge, const Partition& l4, const Partition& source_ports) {
        const auto by_l4 = groups_of(l4, table_.l4.count);
        const auto by_port = groups_of(source_ports, table_.source_port_count);
        std::vector<std::vector<std::uint32_t>> cells(by_port.size(),
                                                      std::vector<std::uint32_t>(by_l4.size()));
        std::map<std::uint32_t, std::size_t> counts;
        for (std::size_t i = 0; i < by_port.size(); ++i)
            for (std::size_t j = 0; j < by_l4.size(); ++j) {
                if (by_port[i].size == 0 || by_l4[j].size == 0)
                    continue;
                Packet packet = packets_->packets[by_l4[j].first];
                packet.source_port = packets_->source_first[by_port[i].first];
                cells[i][j] = number_of(judge.at(packet));
                counts[cells[i][j]] += by_port[i].size * by_l4[j].size;
            }
        Row row;
        row.cell =
            std::max_element(counts.begin(), counts.end(), [&](const auto& a, const auto& b) {
                return a.second != b.second ? a.second < b.second
                                            : table_.cells[b.first] < table_.cells[a.first];
            })->first;
        for (std::uint16_t port = 0; port < table_.source_port_count; ++port)
            add_exceptions(row, port, cells[source_ports.group_of(port)], l4);
        return row;
    }

    void add_exceptions(Row& row, std::uint16_t port, const std::vector<std::uint32_t>& cells,
                        const Partition& l4) const {
        const auto add = [&](std::uint16_t number) {
            const std::uint32_t cell = cells[l4.group_of(number)];
            if (cell != row.cell)
                row.exceptions.push_back({port, number, cell});
        };
        if (l4.named().size() < table_.l4.count && cells[0] != row.cell) {
            for (std::uint16_t number = 0; number < table_.l4.count; ++number)
                add(number);
            return;
        }
        std::vector<std::uint16_t> named = l4.named();
        std::sort(named.begin(), named.end());
        std::for_each(named.begin(), named.end(), add);
    }

    std::uint32_t number_of(Cell cell) {
        const auto next = static_cast<std::uint32_t>(table_.cells.size());
        const auto [place, added] = known_cells_.try_emplace(std::move(cell), next);
        if (added)
            table_.cells.push_back(place->first);
        return place->second;
    }

    /// Cells and rows in the order of what they say, whatever was met first.
    void sort_cells() {
        std::vector<std::uint32_t> of_cell(table_.cells.size());
        std::uint32_t next = 0;
        for (const auto& [cell, number] : known_cells_)
            of_cell[number] = next++;
        std::sort(table_.cells.begin(), table_.cells.end());
        std::map<Row, std::uint32_t> rows;
        std::vector<Row> list = table_.rows;
        for (Row& row : list) {
            row.cell = of_cell[row.cell];
            for (Row::Exception& each : row.exceptions)
                each.cell = of_cell[each.cell];
            rows[row] = 0;
        }
        table_.rows.clear();
        for (auto& [row, number] : rows) {
            number = static_cast<std::uint32_t>(table_.rows.size());
            table_.rows.push_back(row);
        }
        for (std::uint32_t& each : grid_)
            each = rows.at(list[each]);
    }

    /// Ends whose rows are equal become one class, numbered by rows; the default is that of most
    /// identities. Returns the rows of a class, and of which class each end is.
    struct Named {
        std::vector<std::vector<std::uint32_t>> rows; ///< by class
        std::vector<std::uint16_t> of_end;
    };
    static Named name(const EndKinds& ends, const std::vector<std::vector<std::uint32_t>>& rows) {
        std::map<std::vector<std::uint32_t>, std::size_t> weight;
        for (std::size_t i = 0; i < ends.list.size(); ++i)
            weight[rows[i]] += ends.weights[i];
        const auto heaviest =
            std::max_element(weight.begin(), weight.end(),
                             [](const auto& a, const auto& b) { return a.second < b.second; });
        Named out;
        std::map<std::vector<std::uint32_t>, std::uint16_t> numbers;
        if (heaviest != weight.end())
            numbers[heaviest->first] = 0, out.rows.push_back(heaviest->first);
        for (const auto& [each, count] : weight)
            if (numbers.try_emplace(each, static_cast<std::uint16_t>(out.rows.size())).second)
                out.rows.push_back(each);
        for (std::size_t i = 0; i < ends.list.size(); ++i)
            out.of_end.push_back(numbers.at(rows[i]));
        return out;
    }

    static void list_ends(const EndKinds& ends, const Named& named, Side& out) {
        for (std::size_t i = 0; i < ends.list.size(); ++i)
            if (named.of_end[i] != 0) {
                out.ends.push_back(ends.list[i]);
                out.classes.push_back(named.of_end[i]);
            }
    }

    bool name_classes(const EndKinds& from, const EndKinds& to) {
        const std::size_t width = to.list.size();
        std::vector<std::vector<std::uint32_t>> columns(width), lines;
        for (std::size_t i = 0; i < grid_.size(); ++i)
            columns[i % width].push_back(grid_[i]);
        const Named destinations = name(to, columns);
        for (std::size_t i = 0; i < from.list.size(); ++i) {
            auto& line = lines.emplace_back();
            for (const auto& column : destinations.rows)
                line.push_back(column[i]);
        }
        const Named sources = name(from, lines);
        if (std::max(sources.rows.size(), destinations.rows.size()) > limits_.classes)
            return false;
        list_ends(from, sources, table_.source);
        list_ends(to, destinations, table_.destination);
        if (grid_.empty()) {
            table_.rows.assign(1, {});
            table_.cells.assign(1, {Verdict::Deny, program_.otherwise_slot, {}, Verdict::Deny});
            return true;
        }
        // Row 0 is that of the two defaults.
        const std::uint32_t usual = sources.rows[0][0];
        std::rotate(table_.rows.begin(), table_.rows.begin() + usual,
                    table_.rows.begin() + usual + 1);
        for (std::size_t i = 0; i < sources.rows.size(); ++i)
            for (std::size_t j = 0; j < destinations.rows.size(); ++j) {
                const std::uint32_t row = sources.rows[i][j];
                if (row != usual)
                    table_.pairs[{static_cast<std::uint16_t>(i), static_cast<std::uint16_t>(j)}] =
                        row < usual ? row + 1 : row;
            }
        return true;
    }

    const Program& program_;
    const PredicateStore& predicates_;
    const FlattenLimits& limits_;
    const PacketClasses* packets_ = nullptr;
    std::map<Cell, std::uint32_t> known_cells_;
    std::vector<std::uint32_t> grid_; ///< row by source end and destination end
    std::size_t listed_ = 0;
    Table table_;
};

} // namespace

EndKinds::EndKinds(const Side& side, std::span<const Identity* const> identities) {
    std::map<EndClass, std::uint32_t> kinds;
    std::vector<const std::uint32_t*> places;
    for (const Identity* identity : identities)
        places.push_back(&kinds[side.end_of(*identity)]);
    for (auto& [end, number] : kinds) {
        number = static_cast<std::uint32_t>(list.size());
        list.push_back(end);
    }
    weights.resize(list.size());
    for (const std::uint32_t* number : places) {
        of.push_back(*number);
        ++weights[*number];
    }
}

Result<Table> flatten(const Program& program, const PredicateStore& predicates,
                      const EndKinds& sources, const EndKinds& destinations,
                      const FlattenLimits& limits) {
    return Flattener(program, predicates, limits).run(sources, destinations);
}

Result<Table> flatten(const Program& program, const PredicateStore& predicates,
                      std::span<const Identity> sources, std::span<const Identity> destinations,
                      const FlattenLimits& limits) {
    const auto kinds = [&](std::span<const Identity> identities, bool source) {
        std::vector<const Identity*> list;
        for (const Identity& each : identities)
            list.push_back(&each);
        return EndKinds({predicates_of(program, source), {}, {}}, list);
    };
    return flatten(program, predicates, kinds(sources, true), kinds(destinations, false), limits);
}

} // namespace polecat::decision
