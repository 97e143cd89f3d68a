/// Connection sets by number: each distinct one once, operations on them remembered. Id 0 is the
/// empty set; equal ids, equal sets.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <unordered_map>
#include <vector>

#include "analyzer/algebra/connections.h"

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

    const ConnectionSet& operator[](Id id) const { return *sets_[id]; }
    std::size_t size() const { return sets_.size(); }

  private:
    enum class Op : std::uint8_t { And, Or, Minus };
    struct Hash {
        std::size_t operator()(const ConnectionSet& set) const { return set.hash(); }
    };
    /// The last answers, by a hash of the question: all pairs of a cluster ask for few.
    struct Recent {
        std::uint64_t key = 0;
        Id set = 0;
    };
    struct Memory {
        std::unordered_map<std::uint64_t, Id> known;
        std::vector<Recent> recent = std::vector<Recent>(1u << 14);
    };

    Id remembered(Op op, Id a, Id b) {
        Memory& memory = memories_[static_cast<std::size_t>(op)];
        const std::uint64_t key = (std::uint64_t{a} << 32) | b;
        Recent& recent = memory.recent[(a * 0x9E3779B1u + b) % memory.recent.size()];
        if (recent.key == key)
            return recent.set;
        const auto [place, added] = memory.known.try_emplace(key, 0);
        if (added)
            place->second = intern(op == Op::And  ? *sets_[a] & *sets_[b]
                                   : op == Op::Or ? *sets_[a] | *sets_[b]
                                                  : *sets_[a] - *sets_[b]);
        recent = {key, place->second};
        return place->second;
    }

    std::unordered_map<ConnectionSet, Id, Hash> ids_;
    std::deque<const ConnectionSet*> sets_;
    std::array<Memory, 3> memories_;
};

} // namespace polecat::analyzer
