/// Connection sets by number: each distinct one once, operations on them remembered. Id 0 is the
/// empty set; equal ids, equal sets.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "analyzer/algebra/bounds.h"
#include "analyzer/algebra/connections.h"
#include "analyzer/algebra/pair_table.h"

namespace polecat::analyzer {

class SetStore {
  public:
    using Id = std::uint32_t;
    SetStore() { intern(ConnectionSet{}); }
    SetStore(const SetStore&) = delete;
    SetStore& operator=(const SetStore&) = delete;

    Id intern(ConnectionSet set) {
        const auto next = static_cast<Id>(sets_.size());
        const auto [place, added] = ids_.emplace(std::move(set), next);
        if (added)
            sets_.push_back(&place->first);
        return place->second;
    }

    Id intersect(Id a, Id b) {
        if (a == b || a == 0 || b == 0)
            return a == b ? a : 0;
        return remembered(Op::And, a < b ? a : b, a < b ? b : a);
    }
    Id unite(Id a, Id b) {
        if (a == b || b == 0)
            return a;
        return a == 0 ? b : remembered(Op::Or, a < b ? a : b, a < b ? b : a);
    }
    Id subtract(Id a, Id b) {
        if (a == b || a == 0)
            return 0;
        return b == 0 ? a : remembered(Op::Minus, a, b);
    }

    /// What both let through.
    Bounds<Id> meet(const Bounds<Id>& a, const Bounds<Id>& b) {
        const Id sure = intersect(a.sure, b.sure);
        return {sure, a.is_certain() && b.is_certain() ? sure : intersect(a.may, b.may)};
    }

    const ConnectionSet& operator[](Id id) const { return *sets_[id]; }
    std::size_t size() const { return sets_.size(); }

  private:
    enum class Op : std::uint8_t { And, Or, Minus };
    struct Hash {
        std::size_t operator()(const ConnectionSet& set) const { return set.hash(); }
    };
    Id remembered(Op op, Id a, Id b) {
        Id& known = known_[static_cast<std::size_t>(op)](a, b);
        if (known == PairTable::kNone)
            known = intern(op == Op::And  ? *sets_[a] & *sets_[b]
                           : op == Op::Or ? *sets_[a] | *sets_[b]
                                          : *sets_[a] - *sets_[b]);
        return known;
    }

    std::unordered_map<ConnectionSet, Id, Hash> ids_;
    std::deque<const ConnectionSet*> sets_;
    std::array<PairTable, 3> known_; ///< by operation: answers
};

/// By number of sets.
using SetBounds = Bounds<SetStore::Id>;

} // namespace polecat::analyzer
