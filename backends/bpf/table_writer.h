/// Lines of words, of which equal pages and roots are written once.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "artefact/bpf/layout.h"
#include "backends/bpf/stretches.h"
#include "ir/decision/table.h"

namespace polecat::bpf {

/// More than a map may have.
struct TooManyLines {};

class TableWriter {
  public:
    using Page = std::array<std::uint16_t, kBpfPageEntries>;

    /// Empty lines; the number of the first.
    std::uint32_t add_lines(std::size_t count);
    /// Room for that many words.
    std::uint32_t add_words(std::size_t count);
    std::uint32_t& at(std::uint32_t line, std::size_t word) {
        return words_[line * std::size_t{kBpfLineWords} + word];
    }

    std::uint32_t page(const Page& page);
    /// A page of one number.
    std::uint32_t page_of(std::uint16_t number);
    /// Pages one after the other.
    std::uint32_t root(const std::vector<std::uint32_t>& pages);
    /// Pages with these numbers.
    std::vector<std::uint32_t> pages(const std::vector<std::uint16_t>& numbers);
    /// A root of the classes of all ports.
    std::uint32_t root_of(const decision::Pieces& pieces);

    /// IPv4 by parts of the address, of which the first are at `top`.
    void paint4(std::uint32_t top, const Stretches& stretches);
    /// IPv6 by search; a place, 0 without any.
    std::uint32_t addresses6(const Stretches& stretches, std::uint32_t& count);

    std::vector<std::uint32_t> take();

  private:
    void paint(std::uint32_t node, unsigned shift, std::uint32_t first, std::uint32_t last,
               std::uint32_t leaf);

    std::vector<std::uint32_t> words_;
    std::unordered_map<std::string, std::uint32_t> pages_, roots_;
    std::map<std::uint16_t, std::uint32_t> uniform_;
    std::map<decision::Pieces, std::uint32_t> pieces_;
};

} // namespace polecat::bpf
