// Tables from their text.
#include <algorithm>

#include "ir/decision/parse_text.h"

namespace polecat::decision {

namespace {

class TableReader {
  public:
    TableReader(PredicateStore& predicates, const SelectorReader& read_selector)
        : predicates_(predicates), read_selector_(read_selector) {}

    void line(Line& line) {
        if (line.take("predicate")) {
            const std::uint32_t number = line.number();
            if (predicates_.intern(read_predicate(line, read_selector_)).value != number)
                line.fail("predicates in order, each once");
        } else if (line.take("table")) {
            Table& table = out_.emplace_back();
            table.source_port_count = 0;
            table.direction = read_direction(line);
            table.hook = read_hook(line);
            table.family = read_family(line);
        } else if (out_.empty()) {
            line.fail("`table`");
        } else {
            part(line, out_.back());
        }
        if (!line.done())
            line.fail("the end of the line");
    }

    std::vector<Table> take() { return std::move(out_); }

  private:
    void part(Line& line, Table& table) {
        if (line.take("source")) {
            if (line.take("port"))
                pieces(line, table.source_ports, table.source_port_count);
            else
                side(line, table.source);
        } else if (line.take("destination")) {
            side(line, table.destination);
        } else if (line.take("protocol")) {
            const net::Protocol protocol = read_protocol(line, line.word());
            pieces(line, table.l4.by_protocol[protocol], table.l4.count);
        } else if (line.take("other protocols:")) {
            table.l4.other = small(line, 65535);
            table.l4.count = std::max<std::uint16_t>(
                table.l4.count, static_cast<std::uint16_t>(table.l4.other + 1));
        } else if (line.take("cell")) {
            cell(line, table);
        } else if (line.take("row")) {
            row(line, table);
        } else {
            line.expect("pair");
            const std::uint16_t source = small(line, 65535);
            const std::uint16_t destination = small(line, 65535);
            table.pairs[{source, destination}] = one_of(line, table.rows.size());
        }
    }

    /// A number that something with `count` parts has.
    static std::uint32_t one_of(Line& line, std::size_t count) {
        const std::uint32_t number = line.number();
        if (number >= count)
            line.fail("a number that is there");
        return number;
    }

    static void row(Line& line, Table& table) {
        line.number();
        Row made;
        made.cell = one_of(line, table.cells.size());
        while (!line.done()) {
            Row::Exception each;
            each.source_port = small(line, 65535);
            each.l4 = small(line, 65535);
            each.cell = one_of(line, table.cells.size());
            made.exceptions.push_back(each);
        }
        table.rows.push_back(std::move(made));
    }

    static std::uint16_t small(Line& line, std::size_t highest) {
        const std::uint32_t number = line.number();
        if (number > highest || number > 65535)
            line.fail("a smaller number");
        return static_cast<std::uint16_t>(number);
    }

    static void pieces(Line& line, Pieces& into, std::uint16_t& count) {
        std::string_view range = line.word();
        if (!range.ends_with(':'))
            line.fail("`:`");
        range.remove_suffix(1);
        const std::uint16_t id = small(line, 65534);
        into.push_back({read_range(line, range), id});
        count = std::max(count, static_cast<std::uint16_t>(id + 1));
    }

    void side(Line& line, Side& into) {
        if (line.take("predicates")) {
            while (!line.done())
                into.predicates.push_back(PredicateId{line.number()});
            return;
        }
        line.expect("class");
        into.classes.push_back(small(line, 65535));
        EndClass& made = into.ends.emplace_back();
        if (!into.predicates.empty()) {
            const std::string_view truths = line.word();
            if (truths.size() != into.predicates.size())
                line.fail("a sign for each predicate");
            for (std::size_t i = 0; i < truths.size(); ++i) {
                if (truths[i] == '1')
                    made.yes.push_back(into.predicates[i]);
                else if (truths[i] == '?')
                    made.unknown.push_back(into.predicates[i]);
            }
        }
        while (!line.done())
            made.members.push_back(member(line));
    }

    /// "3=80/TCP".
    static PortMember member(Line& line) {
        const std::string_view text = line.word();
        const std::size_t equals = text.find('='), slash = text.find('/');
        if (equals == std::string_view::npos || slash == std::string_view::npos || slash < equals)
            line.fail("predicate=port/protocol");
        PortMember out;
        out.predicate.value = read_range(line, text.substr(0, equals)).first;
        out.port = read_range(line, text.substr(equals + 1, slash - equals - 1)).first;
        out.protocol = read_protocol(line, text.substr(slash + 1));
        return out;
    }

    static Verdict verdict(Line& line) {
        for (const Verdict each : {Verdict::Allow, Verdict::Deny, Verdict::Depends})
            if (line.take(to_string(each)))
                return each;
        line.fail("a verdict");
    }

    static void cell(Line& line, Table& table) {
        line.number();
        Cell& made = table.cells.emplace_back();
        made.verdict = verdict(line);
        made.slot = SlotId{line.slot()};
        line.expect("staged");
        made.staged = verdict(line);
        while (line.take("log"))
            made.logs.push_back(SlotId{line.slot()});
    }

    PredicateStore& predicates_;
    const SelectorReader& read_selector_;
    std::vector<Table> out_;
};

} // namespace

Result<std::vector<Table>> parse_tables(std::string_view text, PredicateStore& predicates,
                                        const SelectorReader& read_selector) {
    try {
        TableReader reader(predicates, read_selector);
        each_line(text, [&](Line& line) { reader.line(line); });
        return reader.take();
    } catch (const TextFailure& failure) {
        return Error{failure.message};
    }
}

} // namespace polecat::decision
