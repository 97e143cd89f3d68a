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
        const std::uint64_t key = (std::uint64_t{a} << 32) | b;
        Recent& recent = recent_[(a * 0x9E3779B1u + b) % recent_.size()];
        if (recent.key == key)
            return recent.set;
        const auto [place, added] = both_.try_emplace(key, 0);
        if (added)
            place->second = intern(*sets_[a] & *sets_[b]);
        recent = {key, place->second};
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
    /// The last answers, by a hash of the question: all pairs of a cluster ask for few.
    struct Recent {
        std::uint64_t key = 0;
        std::uint32_t set = 0;
    };
    std::vector<Recent> recent_ = std::vector<Recent>(1u << 14);
};

} // namespace polecat::analyzer
