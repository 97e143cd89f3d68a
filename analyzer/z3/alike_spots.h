/// Spots that a selector cannot tell apart, so that eval is asked about one of them only: a value
/// of a label that the selector does not name is to it like any other that it does not name.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ir/decision/world.h"
#include "ir/selector/selector.h"

namespace polecat::smt {

class AlikeSpots {
  public:
    /// A spot where one endpoint is and no other: `number` differs where another thing than the
    /// endpoint's labels may decide. Others are like no other.
    struct Known {
        decision::ObjectId object;
        std::uint32_t number = 0;
    };
    void add(const decision::World& world, const std::optional<Known>& spot);

    /// By spot, in the order of add(): the first one that is like it for the selector.
    std::vector<std::uint32_t> of(const selector::Selector& selector) const;

  private:
    /// A label and a value that it has; nullopt: it is there, whatever its value.
    using Feature = std::pair<std::string, std::optional<std::string>>;
    void add_features(const selector::Selector& selector, std::set<Feature>& out) const;

    /// By spot: equal where nothing but labels can tell them apart.
    std::vector<std::uint32_t> shapes_;
    std::uint32_t next_ = 0; ///< shape that no spot has
    /// By whether it can be selected and was read, and by the number.
    std::map<std::pair<std::pair<bool, bool>, std::uint32_t>, std::uint32_t> known_;
    std::map<Feature, std::vector<std::uint32_t>> with_; ///< spots, ascending
};

} // namespace polecat::smt
