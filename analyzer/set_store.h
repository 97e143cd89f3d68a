/// Connection sets by number: each distinct one once, intersections remembered.
#pragma once

#include <cstdint>
#include <deque>
#include <unordered_map>

#include "analyzer/connections.h"

namespace polecat::analyzer {

class SetStore {
  public:
    SetStore() { intern(ConnectionSet{}); }

    std::uint32_t intern(ConnectionSet set) {
        const auto next = static_cast<std::uint32_t>(sets_.size());
        const auto [place, added] = ids_.emplace(std::move(set), next);
        if (added)
            sets_.push_back(&place->first);
        return place->second;
    }

    std::uint32_t intersect(std::uint32_t a, std::uint32_t b) {
        if (a == b || a == 0 || b == 0)
            return a == b ? a : 0;
        if (a > b)
            std::swap(a, b);
        const auto [place, added] = both_.try_emplace((std::uint64_t{a} << 32) | b, 0);
        if (added)
            place->second = intern(*sets_[a] & *sets_[b]);
        return place->second;
    }

    const ConnectionSet& operator[](std::uint32_t id) const { return *sets_[id]; }

  private:
    struct Hash {
        std::size_t operator()(const ConnectionSet& set) const { return set.hash(); }
    };
    std::unordered_map<ConnectionSet, std::uint32_t, Hash> ids_;
    std::deque<const ConnectionSet*> sets_;
    std::unordered_map<std::uint64_t, std::uint32_t> both_;
};

} // namespace polecat::analyzer
