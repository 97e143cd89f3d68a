#include "backends/bpf/in_place.h"

#include <array>

#include "artefact/bpf/layout.h"

namespace polecat::bpf {

namespace {

using TableWords = std::vector<std::uint32_t>;

/// A leaf that is another one.
struct OtherLeaf {
    WordChange change;
    std::uint32_t was = 0;
    net::Range range;
    bool is(std::uint32_t bit) const { return (was & bit) != (change.value & bit); }
};

/// Walks both tables at once; nothing else than leaves may differ.
class LeafWalk {
  public:
    LeafWalk(const TableWords& from, const TableWords& to) : from_(from), to_(to) {}

    /// Of identities, and of groups.
    std::vector<OtherLeaf> in4(bool local) {
        found_.clear();
        blocks_ = 0;
        walk4(local ? kBpfLocal4 : kBpfAddresses4, 0, 16);
        return found_;
    }
    std::vector<OtherLeaf> in6(bool local) {
        found_.clear();
        const std::size_t first =
            std::size_t{to_[local ? kBpfHeadLocal6 : kBpfHeadAddresses6]} * kBpfLineWords;
        const std::uint32_t count = to_[local ? kBpfHeadLocal6Count : kBpfHeadAddresses6Count];
        if (first + std::size_t{count} * kBpfStartWords > to_.size())
            return {};
        for (std::uint32_t i = 0; i < count; ++i) {
            net::Address last = net::last_address(net::Family::V6);
            if (i + 1 < count)
                if (const auto before = net::previous(start6(first, i + 1)))
                    last = *before;
            compare(first + i * std::size_t{kBpfStartWords} + kBpfStartLeaf,
                    {start6(first, i), last});
        }
        return found_;
    }

  private:
    void compare(std::size_t word, const net::Range& range) {
        if (from_[word] != to_[word])
            found_.push_back({{static_cast<std::uint32_t>(word), to_[word]}, from_[word], range});
    }

    void walk4(std::uint32_t line, std::uint32_t first, unsigned bits) {
        const std::size_t slots = bits == 16 ? 65536 : 256,
                          place = line * std::size_t{kBpfLineWords};
        if (place + slots > to_.size())
            return;
        for (std::uint32_t i = 0; i < slots; ++i) {
            const std::uint32_t was = from_[place + i], is = to_[place + i], at = first | i << bits;
            if (((was | is) & kBpfIsBlock) == 0)
                compare(place + i, {{net::Family::V4, 0, at},
                                    {net::Family::V4, 0, at | ((1ULL << bits) - 1)}});
            else if (was == is && bits != 0 && ++blocks_ <= to_.size() / 256)
                walk4(is & ~kBpfIsBlock, at, bits - 8);
        }
    }
    net::Address start6(std::size_t first, std::uint32_t i) const {
        const std::uint32_t* const word = &to_[first + i * std::size_t{kBpfStartWords}];
        return {net::Family::V6, std::uint64_t{word[0]} << 32 | word[1],
                std::uint64_t{word[2]} << 32 | word[3]};
    }

    const TableWords &from_, &to_;
    std::size_t blocks_ = 0;
    std::vector<OtherLeaf> found_;
};

/// One address of a family, whose identity or group or both are others; false: they may not be met
/// one after the other.
bool add_address(const std::vector<OtherLeaf>& identity, const std::vector<OtherLeaf>& group,
                 InPlace& out) {
    if (identity.size() > 1 || group.size() > 1)
        return false;
    for (const auto* list : {&identity, &group})
        for (const OtherLeaf& each : *list)
            if (each.range.first != each.range.last)
                return false;
    const bool comes = !group.empty() && group.front().was == 0;
    const bool goes = !group.empty() && group.front().change.value == 0;
    const bool moves = !identity.empty() && identity.front().is(kBpfIsEnd);
    if (!identity.empty() && !group.empty() &&
        (identity.front().range != group.front().range || !moves || (!comes && !goes)))
        return false;
    // Who goes sends nothing any more before he is somebody else to others; who comes sends nothing
    // before he is somebody to them.
    if (goes)
        out.words.push_back(group.front().change);
    if (!identity.empty())
        out.words.push_back(identity.front().change);
    if (!group.empty() && !goes)
        out.words.push_back(group.front().change);
    if (moves)
        out.moved.push_back(identity.front().range.first);
    else
        out.judges_anew = out.judges_anew || !identity.empty() || !group.empty();
    return true;
}

} // namespace

std::optional<InPlace> in_place(const TableWords& from, const TableWords& to) {
    if (from.size() != to.size() ||
        to.size() < std::size_t{kBpfLocal4 + kBpfTopLines} * kBpfLineWords)
        return std::nullopt;
    std::size_t differ = 0;
    for (std::size_t i = 0; i < to.size(); ++i)
        differ += from[i] == to[i] ? 0 : 1;
    if (differ > 4) // an address of each family, each of them twice
        return std::nullopt;
    InPlace out;
    LeafWalk walk(from, to);
    if (!add_address(walk.in4(false), walk.in4(true), out) ||
        !add_address(walk.in6(false), walk.in6(true), out) || out.words.size() != differ)
        return std::nullopt;
    return out;
}

} // namespace polecat::bpf
