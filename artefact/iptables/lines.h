/// Lines and words of both texts. For artefact/iptables/parse*.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace polecat::iptables {

/// Why a text can't be read.
struct Failure {
    std::string message;
};

/// The words of one line; `"..."` is one word.
class Line {
  public:
    Line(std::string_view text, std::size_t number);

    bool at_end() const { return place_ == words_.size(); }
    std::string next();
    bool take(std::string_view word);
    std::string one_of(std::initializer_list<std::string_view> words);
    std::uint64_t number(std::string_view text, std::uint64_t most, int base = 10) const;
    std::vector<std::string> split(std::string_view text, char at) const;
    [[noreturn]] void fail(const std::string& wanted) const;

  private:
    std::vector<std::string> words_;
    std::size_t place_ = 0, number_ = 0;
};

/// The lines of a text, without empty ones and remarks.
class Lines {
  public:
    explicit Lines(std::string_view text) : rest_(text) {}
    bool next(); ///< whether there is one more
    Line line() const { return {current_, number_}; }
    std::string_view remark() const { return remark_; } ///< the one right before the line

  private:
    std::string_view rest_, current_, remark_;
    std::size_t number_ = 0;
};

} // namespace polecat::iptables
