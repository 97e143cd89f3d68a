/// A set of numbers of identities as runs: those of a namespace lie beside each other.
#pragma once

#include <compare>
#include <cstdint>
#include <vector>

namespace polecat::bundle {

class NumberSet {
  public:
    struct Run {
        std::uint32_t first = 0, last = 0;
        auto operator<=>(const Run&) const = default;
    };

    /// Numbers come in ascending order.
    void add(std::uint32_t number) {
        if (!runs_.empty() && number == runs_.back().last + 1)
            runs_.back().last = number;
        else
            runs_.push_back({number, number});
    }
    /// Above all that are there, with a gap.
    void add_run(Run run) { runs_.push_back(run); }
    const std::vector<Run>& runs() const { return runs_; }
    bool empty() const { return runs_.empty(); }
    template <class Act> void each(const Act& act) const {
        for (const Run& run : runs_)
            for (std::uint32_t number = run.first;; ++number) {
                act(number);
                if (number == run.last)
                    break;
            }
    }
    auto operator<=>(const NumberSet&) const = default;

  private:
    std::vector<Run> runs_;
};

} // namespace polecat::bundle
