/// LabelIndex: which objects does a selector match, without asking each object. Objects with equal
/// labels are one group; a selector is answered from postings of (label, value) over the groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ir/selector/selector.h"

namespace polecat::selector {

class LabelIndex {
  public:
    LabelIndex();
    ~LabelIndex();
    LabelIndex(LabelIndex&&) noexcept;
    LabelIndex& operator=(LabelIndex&&) noexcept;

    /// Objects are numbered 0, 1, 2, ... in the order of adding.
    std::uint32_t add(const Labels& labels);
    std::size_t size() const;
    /// The matching objects, ascending. Not from two threads at once: the index grows with what is
    /// asked of it.
    std::vector<std::uint32_t> select(const Selector& selector) const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace polecat::selector
