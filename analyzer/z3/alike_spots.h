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

    /// By spot, in the order of add(): the first one that is like it for the selector; and in what
    /// it declares the port of this name to be, where one is given.
    std::vector<std::uint32_t> of(const selector::Selector& selector,
                                  const std::string& port = "") const;

  private:
    /// A label and a value that it has; nullopt: it is there, whatever its value.
    using Feature = std::pair<std::string, std::optional<std::string>>;
    using Ports = std::vector<std::pair<net::Protocol, std::uint16_t>>;
    void add_features(const selector::Selector& selector, std::set<Feature>& out) const;
    /// Tells the spots from others of their part, which they leave for one from `next` on.
    static void cut(const std::vector<std::uint32_t>& spots, std::vector<std::uint32_t>& parts,
                    std::uint32_t& next);

    /// By spot: equal where nothing but labels can tell them apart.
    std::vector<std::uint32_t> shapes_;
    std::uint32_t next_ = 0; ///< shape that no spot has
    /// By whether it can be selected and was read, and by the number.
    std::map<std::pair<std::pair<bool, bool>, std::uint32_t>, std::uint32_t> known_;
    std::map<Feature, std::vector<std::uint32_t>> with_; ///< spots, ascending
    /// The same by name and what is declared under it.
    std::map<std::string, std::map<Ports, std::vector<std::uint32_t>>> declaring_;
};

} // namespace polecat::smt
