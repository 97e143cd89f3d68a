#include "backends/node/numbers.h"

#include <algorithm>

#include <fmt/format.h>

#include "backends/node/node_image.h"
#include "ir/decision/parse_text.h"
#include "support/sha2.h"

namespace polecat::backends {

using decision::Line;

namespace {

constexpr std::uint32_t kVersion = 2;

std::string_view family_name(net::Family family) {
    return family == net::Family::V4 ? "IPv4" : "IPv6";
}

void print_program(std::string& out, const std::string& name, const Numbers::Program& program) {
    out += fmt::format("program {}\n", name);
    for (const auto& [what, number] : program.cells)
        out += fmt::format("  cell {} {}\n", number, what);
    for (const auto& [what, number] : program.rows)
        out += fmt::format("  row {} {}\n", number, what);
    for (const std::string& what : program.usual)
        out += fmt::format("  usual {}\n", what);
    for (const auto& [at, what] : program.blocks)
        out += fmt::format("  mostly {} {} {}\n", at.first, at.second, what);
    for (const auto& [identity, number] : program.own)
        out += fmt::format("  own {} {}\n", identity, number);
}

/// Whatever stands twice, or is larger than numbers get, was not written by print(): two files
/// that were merged can give one number two meanings.
class NumbersReader {
  public:
    void line(Line& line) {
        if (ended_)
            line.fail("nothing after `end`");
        if (!begun_) {
            line.expect("numbers");
            if (line.number() != kVersion)
                line.fail(fmt::format("numbers of version {}", kVersion));
            begun_ = true;
        } else if (line.take("end"))
            ended_ = true;
        else if (line.take("predicate"))
            out_.predicates.emplace_back(line.word());
        else if (line.take("block"))
            block(line);
        else if (line.take("identity"))
            identity(line);
        else if (line.take("address"))
            place(line, out_.addresses);
        else if (line.take("range"))
            place(line, out_.ranges);
        else if (line.take("program"))
            program(line);
        else
            part(line);
        if (!line.done())
            line.fail("the end of the line");
    }

    bool ended() const { return ended_; }
    Numbers take() { return std::move(out_); }

  private:
    static std::uint32_t number_below(Line& line, std::uint32_t limit) {
        const std::uint32_t number = line.number();
        if (number >= limit)
            line.fail(fmt::format("a number below {}", limit));
        return number;
    }

    void program(Line& line) {
        const auto [place, added] = out_.programs.try_emplace(std::string(line.word()));
        if (!added)
            line.fail("a program once");
        program_ = &place->second;
        numbered_.clear();
    }

    std::uint32_t predicate(Line& line) const {
        const std::uint32_t number = line.number();
        if (number >= out_.predicates.size())
            line.fail("a predicate that is there");
        return number;
    }

    void block(Line& line) {
        const std::uint32_t number = number_below(line, kMostIdentities >> kBlockBits);
        const bool other = std::none_of(out_.blocks.begin(), out_.blocks.end(),
                                        [&](const auto& each) { return each.second == number; });
        if (!out_.blocks.emplace(line.word(), number).second || !other)
            line.fail("a namespace with a block of its own");
    }

    void identity(Line& line) {
        const auto [place, added] =
            out_.identities.try_emplace(number_below(line, kMostIdentities));
        if (!added)
            line.fail("an identity once");
        Numbers::Identity& made = place->second;
        made.family = decision::read_family(line);
        for (;;) {
            if (line.take("yes"))
                made.yes.push_back(predicate(line));
            else if (line.take("unknown"))
                made.unknown.push_back(predicate(line));
            else if (line.take("member"))
                member(line, made);
            else
                return;
        }
    }

    void member(Line& line, Numbers::Identity& into) const {
        Numbers::Identity::Member& made = into.members.emplace_back();
        made.predicate = predicate(line);
        made.protocol = decision::read_protocol(line, line.word());
        made.port = decision::read_range(line, line.word()).first;
    }

    void place(Line& line, std::map<net::Address, std::uint32_t>& into) const {
        const auto address = net::parse_address(line.word());
        if (!address)
            line.fail("an address");
        const std::uint32_t number = line.number();
        if (!into.emplace(*address, number).second)
            line.fail("an address once");
        if (!out_.identities.contains(number))
            line.fail("an identity that is there");
    }

    void part(Line& line) {
        if (program_ == nullptr)
            line.fail("`program`");
        if (line.take("usual")) {
            program_->usual.emplace_back(line.word());
            return;
        }
        if (line.take("mostly")) {
            const std::uint32_t own = line.number(), number = line.number();
            if (!program_->blocks.emplace(std::pair(own, number), line.word()).second)
                line.fail("a block once");
            return;
        }
        if (line.take("own")) {
            const std::uint32_t identity = line.number();
            const auto number = static_cast<std::uint16_t>(number_below(line, kMostNumbers));
            if (!program_->own.emplace(identity, number).second)
                line.fail("an identity once");
            return;
        }
        const bool is_cell = line.take("cell");
        if (!is_cell)
            line.expect("row");
        const std::uint32_t number = number_below(line, kMostNumbers);
        auto& known = is_cell ? program_->cells : program_->rows;
        if (!numbered_.emplace(is_cell, number).second ||
            !known.emplace(line.word(), number).second)
            line.fail("rows and cells with numbers of their own");
    }

    Numbers out_;
    bool begun_ = false, ended_ = false;
    Numbers::Program* program_ = nullptr;
    std::set<std::pair<bool, std::uint32_t>> numbered_; ///< cells and rows of program_
};

} // namespace

std::string print(const Numbers& numbers) {
    std::string out = "# What polecat numbered; `polecat compile --base` goes by it.\n";
    out += fmt::format("numbers {}\n", kVersion);
    for (const std::string& each : numbers.predicates)
        out += fmt::format("predicate {}\n", each);
    for (const auto& [space, number] : numbers.blocks)
        out += fmt::format("block {} {}\n", number, space);
    for (const auto& [number, identity] : numbers.identities) {
        out += fmt::format("identity {} {}", number, family_name(identity.family));
        for (const std::uint32_t each : identity.yes)
            out += fmt::format(" yes {}", each);
        for (const std::uint32_t each : identity.unknown)
            out += fmt::format(" unknown {}", each);
        for (const auto& each : identity.members)
            out += fmt::format(" member {} {} {}", each.predicate,
                               net::to_string_protocol(each.protocol), each.port);
        out += '\n';
    }
    for (const auto& [address, number] : numbers.addresses)
        out += fmt::format("address {} {}\n", net::to_string(address), number);
    for (const auto& [address, number] : numbers.ranges)
        out += fmt::format("range {} {}\n", net::to_string(address), number);
    for (const auto& [name, program] : numbers.programs)
        print_program(out, name, program);
    return out + "end\n";
}

Result<Numbers> parse_numbers(std::string_view text) {
    try {
        NumbersReader reader;
        decision::each_line(text, [&](Line& line) { reader.line(line); });
        if (!reader.ended())
            return Error{"the end is missing"};
        return reader.take();
    } catch (const decision::TextFailure& failure) {
        return Error{failure.message};
    }
}

std::string digest_of(std::string_view text, std::size_t digits) {
    std::string out;
    for (const std::uint8_t byte : sha224(text))
        out += fmt::format("{:02x}", byte);
    return out.substr(0, digits);
}

std::uint32_t FreeNumbers::next() {
    while (taken_.contains(next_))
        ++next_;
    return next_++;
}

std::map<std::string, std::uint32_t> number_by(const std::map<std::string, std::uint32_t>& base,
                                               const std::set<std::string>& wanted) {
    FreeNumbers free;
    for (const auto& [what, number] : base)
        free.take(number);
    std::map<std::string, std::uint32_t> out;
    for (const std::string& what : wanted) {
        const auto before = base.find(what);
        out[what] = before != base.end() ? before->second : free.next();
    }
    return out;
}

} // namespace polecat::backends
