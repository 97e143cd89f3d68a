/// Sources and spans: which text of which file a thing was read from. Spans are small values that
/// every typed field carries; the Sources registry turns them into "file:line:column" and excerpts.
#pragma once

#include <compare>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "support/id.h"

namespace polecat {

using FileId = Id<struct FileTag>;

/// A stretch of text on one line. Line and column count from 1, columns in Unicode characters, as
/// editors do. line == 0: no place is known (something that no file says, such as a default).
struct Span {
    FileId file{UINT32_MAX}; ///< UINT32_MAX: no file
    std::uint32_t line = 0;
    std::uint32_t column = 0;
    std::uint32_t length = 0;

    bool known() const { return line != 0; }
    auto operator<=>(const Span&) const = default;
};

/// A value with the place it was read from.
template <class T> struct At {
    T value{};
    Span span{};

    const T& operator*() const { return value; }
    const T* operator->() const { return &value; }
};

/// The texts that were read. A file's id is its index in order of adding.
class Sources {
  public:
    /// `path` is shown to people as given ("-" for standard input).
    FileId add(std::string path, std::string text);

    const std::string& path(FileId file) const;
    const std::string& text(FileId file) const;
    std::size_t size() const { return files_.size(); }

    /// The line without its line end; empty when there is no such line.
    std::string_view line(FileId file, std::uint32_t line) const;

    /// "path:line:column", "path" when the span's place is not known.
    std::string describe(const Span& span) const;

  private:
    struct File {
        std::string path;
        std::string text;
        mutable std::vector<std::uint32_t> line_starts; // filled at the first question
    };
    std::deque<File> files_;
};

} // namespace polecat
