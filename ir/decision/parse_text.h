/// The cursor that the readers of programs and tables share. For ir/decision/parse_*.cpp only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ir/decision/print.h"

namespace polecat::decision {

/// Thrown within a reader, caught at its face.
struct TextFailure {
    std::string message;
};

/// One line of text, read word by word.
class Line {
  public:
    Line(std::string_view text, std::size_t number) : rest_(text), number_(number) {}

    bool done();
    /// Takes the word if it comes next.
    bool take(std::string_view word);
    void expect(std::string_view word);
    std::string_view word(); ///< up to the next blank
    std::uint32_t number();
    std::uint32_t slot(); ///< "#12"
    std::string quoted(); ///< "text", with \" and backslash escaped
    /// "name(...)": what stands in the parentheses, quotes respected.
    std::string_view call(std::string_view& name);
    char peek();
    [[noreturn]] void fail(const std::string& expected) const;

  private:
    void skip();
    std::string_view rest_;
    std::size_t number_;
};

/// Calls act(Line&) for every line that says something.
template <class Act> void each_line(std::string_view text, const Act& act) {
    std::size_t number = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        ++number;
        if (line.empty() || line.front() == '#')
            continue;
        Line cursor(line, number);
        act(cursor);
    }
}

net::Protocol read_protocol(Line& line, std::string_view text);
net::PortRange read_range(Line& line, std::string_view text);
Direction read_direction(Line& line);
Hook read_hook(Line& line);
net::Family read_family(Line& line);
Predicate read_predicate(Line& line, const SelectorReader& read_selector);

} // namespace polecat::decision
