/// Lines of a text as libyaml counts them, and bytes by line and column.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace polecat::yaml {

/// The length in bytes of the line break at `at`, 0 for none.
std::size_t break_at(std::string_view text, std::size_t at);
std::size_t count_breaks(std::string_view text);
/// Behind the byte order mark, where there is one.
std::size_t first_byte(std::string_view text);
/// Every byte but the further ones of a character.
bool begins_character(char byte);

/// Bytes of characters by number, counted from behind the byte order mark.
class Characters {
  public:
    /// The text must outlive this.
    explicit Characters(std::string_view text);
    /// Where it begins; the end of the text for one that is not there.
    std::size_t byte_of(std::size_t number) const;

  private:
    static constexpr std::size_t kStep = 16;
    std::string_view text_;
    std::size_t count_ = 0;
    std::vector<std::size_t> known_; ///< of one in kStep: all would be larger than the text
};

/// A stretch of a text that begins with a `---` line, or with the text.
struct Chunk {
    std::string_view text;
    std::uint32_t first_line; ///< in the whole text, from 1
};
std::vector<Chunk> chunks_of(std::string_view text);

class Lines {
  public:
    /// The text must outlive this.
    explicit Lines(std::string_view text);

    /// Line and column as spans count them.
    std::optional<std::size_t> byte_at(std::uint32_t line, std::uint32_t column) const;
    std::pair<std::uint32_t, std::uint32_t> place_of(std::size_t byte) const;
    /// Of the line that holds the byte; the end is before its line break.
    std::size_t begin_of_line(std::size_t byte) const;
    std::size_t end_of_line(std::size_t byte) const;
    /// The first one of the text; "\n" where it has none.
    std::string_view line_break() const;

  private:
    std::string_view text_;
    std::vector<std::size_t> starts_;
};

} // namespace polecat::yaml
