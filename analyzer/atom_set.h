/// AtomSet: a set of ends of flows, by number. All sets of one question have the same size.
#pragma once

#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace polecat::analyzer {

class AtomSet {
  public:
    AtomSet() = default;
    explicit AtomSet(std::size_t size, bool full = false);
    static AtomSet of(std::size_t size, const std::vector<std::uint32_t>& members);

    void insert(std::uint32_t atom) { words_[atom / 64] |= bit(atom); }
    bool contains(std::uint32_t atom) const { return (words_[atom / 64] & bit(atom)) != 0; }
    bool empty() const;
    std::size_t count() const;
    std::uint32_t first() const; ///< the lowest member; there must be one
    std::vector<std::uint32_t> members() const;

    AtomSet operator|(const AtomSet& other) const;
    AtomSet operator&(const AtomSet& other) const;
    AtomSet operator-(const AtomSet& other) const;
    bool intersects(const AtomSet& other) const;
    auto operator<=>(const AtomSet&) const = default;

  private:
    static std::uint64_t bit(std::uint32_t atom) { return std::uint64_t{1} << (atom % 64); }
    std::vector<std::uint64_t> words_; ///< bits beyond the size are 0
};

} // namespace polecat::analyzer
