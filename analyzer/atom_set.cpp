#include "analyzer/atom_set.h"

#include <algorithm>

namespace polecat::analyzer {

AtomSet::AtomSet(std::size_t size, bool full) : words_((size + 63) / 64, full ? ~0ull : 0) {
    if (full && size % 64 != 0)
        words_.back() >>= 64 - size % 64;
}

AtomSet AtomSet::of(std::size_t size, const std::vector<std::uint32_t>& members) {
    AtomSet out(size);
    for (const std::uint32_t atom : members)
        out.insert(atom);
    return out;
}

bool AtomSet::empty() const {
    return std::all_of(words_.begin(), words_.end(), [](std::uint64_t word) { return word == 0; });
}

std::size_t AtomSet::count() const {
    std::size_t out = 0;
    for (const std::uint64_t word : words_)
        out += static_cast<std::size_t>(std::popcount(word));
    return out;
}

std::uint32_t AtomSet::first() const {
    std::size_t at = 0;
    while (words_[at] == 0)
        ++at;
    return static_cast<std::uint32_t>(at * 64 +
                                      static_cast<std::size_t>(std::countr_zero(words_[at])));
}

std::vector<std::uint32_t> AtomSet::members() const {
    std::vector<std::uint32_t> out;
    for (std::size_t at = 0; at < words_.size(); ++at)
        for (std::uint64_t word = words_[at]; word != 0; word &= word - 1)
            out.push_back(static_cast<std::uint32_t>(
                at * 64 + static_cast<std::size_t>(std::countr_zero(word))));
    return out;
}

AtomSet AtomSet::operator|(const AtomSet& other) const {
    AtomSet out = *this;
    for (std::size_t i = 0; i < out.words_.size(); ++i)
        out.words_[i] |= other.words_[i];
    return out;
}

AtomSet AtomSet::operator&(const AtomSet& other) const {
    AtomSet out = *this;
    for (std::size_t i = 0; i < out.words_.size(); ++i)
        out.words_[i] &= other.words_[i];
    return out;
}

AtomSet AtomSet::operator-(const AtomSet& other) const {
    AtomSet out = *this;
    for (std::size_t i = 0; i < out.words_.size(); ++i)
        out.words_[i] &= ~other.words_[i];
    return out;
}

bool AtomSet::intersects(const AtomSet& other) const {
    for (std::size_t i = 0; i < words_.size(); ++i)
        if ((words_[i] & other.words_[i]) != 0)
            return true;
    return false;
}

} // namespace polecat::analyzer
