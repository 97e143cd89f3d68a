/// A number for each pair of numbers that was asked about, in one piece of memory: what operations
/// on numbered things remember.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace polecat::analyzer {

class PairTable {
  public:
    static constexpr std::uint32_t kNone = UINT32_MAX;

    /// What was noted of the pair; kNone where it is asked about for the first time. Valid until
    /// the next call. `a` is not kNone.
    std::uint32_t& operator()(std::uint32_t a, std::uint32_t b) {
        if (2 * used_ >= slots_.size())
            grow();
        Slot& found = slot_of(a, b);
        if (found.a == kNone) {
            found = {a, b, kNone};
            ++used_;
        }
        return found.value;
    }

    /// Has memory bring what the next call with this pair reads.
    void prefetch(std::uint32_t a, std::uint32_t b) const {
        if (!slots_.empty())
            __builtin_prefetch(&slots_[place_of(a, b)]);
    }

  private:
    struct Slot {
        std::uint32_t a = kNone, b = 0, value = kNone;
    };

    /// Where the search for it begins.
    std::size_t place_of(std::uint32_t a, std::uint32_t b) const {
        const std::uint64_t key = ((std::uint64_t{a} << 32) | b) * 0x9E3779B97F4A7C15u;
        return key >> (64 - std::bit_width(slots_.size() - 1));
    }

    /// That of the pair, or the free one where it goes.
    Slot& slot_of(std::uint32_t a, std::uint32_t b) {
        std::size_t at = place_of(a, b);
        while (slots_[at].a != kNone && (slots_[at].a != a || slots_[at].b != b))
            at = (at + 1) & (slots_.size() - 1);
        return slots_[at];
    }

    void grow() {
        std::vector<Slot> old(slots_.empty() ? 1024 : 2 * slots_.size());
        old.swap(slots_);
        for (const Slot& each : old)
            if (each.a != kNone)
                slot_of(each.a, each.b) = each;
    }

    std::vector<Slot> slots_; ///< a power of two of them, half of them free
    std::size_t used_ = 0;
};

} // namespace polecat::analyzer
