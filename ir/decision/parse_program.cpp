// Programs from their text.
#include <algorithm>

#include "ir/decision/parse_text.h"

namespace polecat::decision {

namespace {

class Reader {
  public:
    Reader(PredicateStore& predicates, const SelectorReader& read_selector)
        : predicates_(predicates), read_selector_(read_selector) {}

    void line(Line& line) {
        if (line.take("program")) {
            Program& program = out_.emplace_back();
            program.direction = read_direction(line);
            program.hook = read_hook(line);
            program.family = read_family(line);
        } else if (out_.empty()) {
            line.fail("`program`");
        } else if (line.take("tier")) {
            out_.back().stages.emplace_back();
        } else if (line.take("profile")) {
            out_.back().stages.emplace_back().kind = Stage::Kind::Profile;
        } else {
            numbered(line);
        }
        if (!line.done())
            line.fail("the end of the line");
    }

    std::vector<Program> take() { return std::move(out_); }

  private:
    void numbered(Line& line) {
        const SlotId slot{line.slot()};
        Program& program = out_.back();
        if (line.take("otherwise")) {
            program.otherwise = line.take("allow") ? Action::Allow : Action::Deny;
            if (program.otherwise == Action::Deny)
                line.expect("deny");
            program.otherwise_slot = slot;
            return;
        }
        if (program.stages.empty())
            line.fail("`tier` or `profile` first, or `otherwise`");
        Stage& stage = program.stages.back();
        if (line.take("end")) {
            stage.end = stage.staged_end = stage_end(line);
            if (line.take("staged"))
                stage.staged_end = stage_end(line);
            stage.end_slot = slot;
            return;
        }
        Entry entry;
        entry.slot = slot;
        entry.staged = line.take("staged");
        entry.action = action(line);
        entry.match = match(line);
        stage.entries.push_back(std::move(entry));
    }

    static StageEnd stage_end(Line& line) {
        if (line.take("next"))
            return StageEnd::Next;
        line.expect("deny");
        return StageEnd::Deny;
    }

    static Action action(Line& line) {
        for (const auto& [word, value] :
             {std::pair{"allow", Action::Allow}, std::pair{"deny", Action::Deny},
              std::pair{"pass", Action::Pass}, std::pair{"log", Action::Log}})
            if (line.take(word))
                return value;
        line.fail("allow, deny, pass or log");
    }

    Match match(Line& line) {
        Match out;
        if (line.take("any"))
            return out;
        while (!line.done()) {
            if (line.take("protocol")) {
                const bool negated = line.take("not");
                (negated ? out.not_protocol : out.protocol) = read_protocol(line, line.word());
            } else if (line.take("icmp")) {
                const bool negated = line.take("not");
                (negated ? out.not_icmp : out.icmp) = icmp(line);
            } else if (line.take("source")) {
                end(line, out.source);
            } else if (line.take("destination")) {
                end(line, out.destination);
            } else {
                line.expect("http");
                out.http = http(line);
            }
        }
        return out;
    }

    static IcmpTypeCode icmp(Line& line) {
        const std::string_view text = line.word();
        const std::size_t slash = text.find('/');
        const auto number = [&](std::string_view part) {
            const net::PortRange range = read_range(line, part);
            if (range.first != range.last || range.last > 255)
                line.fail("a number up to 255");
            return static_cast<std::uint8_t>(range.first);
        };
        IcmpTypeCode out;
        if (text.substr(0, slash) != "*")
            out.type = number(text.substr(0, slash));
        if (slash != std::string_view::npos)
            out.code = number(text.substr(slash + 1));
        return out;
    }

    void end(Line& line, EndMatch& into) {
        if (line.take("port")) {
            const bool negated = line.take("not");
            (negated ? into.not_ports : into.ports) = ports(line);
            return;
        }
        const bool negated = line.take("not");
        (negated ? into.none : into.all).push_back(predicate(line));
    }

    PredicateId predicate(Line& line) {
        return predicates_.intern(read_predicate(line, read_selector_));
    }

    /// "[ 80 443-445 port(...) ]".
    PortMatch ports(Line& line) {
        PortMatch out;
        std::vector<net::PortRange> numbers;
        line.expect("[");
        while (!line.take("]")) {
            const char next = line.peek();
            if (next >= '0' && next <= '9')
                numbers.push_back(read_range(line, line.word()));
            else
                out.named.push_back(predicate(line));
        }
        out.numbers = net::PortSet::of(numbers);
        return out;
    }

    static Match::Http http(Line& line) {
        Match::Http out;
        for (;;) {
            if (line.take("method"))
                out.methods.push_back(line.quoted());
            else if (line.take("prefix"))
                out.paths.emplace_back(true, line.quoted());
            else if (line.take("exact"))
                out.paths.emplace_back(false, line.quoted());
            else
                return out;
        }
    }

    PredicateStore& predicates_;
    const SelectorReader& read_selector_;
    std::vector<Program> out_;
};

} // namespace

Result<std::vector<Program>> parse_programs(std::string_view text, PredicateStore& predicates,
                                            const SelectorReader& read_selector) {
    try {
        Reader reader(predicates, read_selector);
        each_line(text, [&](Line& line) { reader.line(line); });
        return reader.take();
    } catch (const TextFailure& failure) {
        return Error{failure.message};
    }
}

} // namespace polecat::decision
