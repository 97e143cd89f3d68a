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
    /// The next spot, with the endpoints there. `number`: differs where another thing than their
    /// labels and ports may decide; nullopt: the spot is like no other.
    void add(const decision::World& world, const std::vector<decision::ObjectId>& objects,
             std::optional<std::uint32_t> number);

    /// By spot, in the order of add(): the first one that is like it for the selector; and in what
    /// it declares the port of this name to be, where one is given.
    std::vector<std::uint32_t> of(const selector::Selector& selector,
                                  const std::string& port = "") const;

  private:
    /// A label and a value that it has; nullopt: it is there, whatever its value.
    using Feature = std::pair<std::string, std::optional<std::string>>;
    using Ports = std::vector<std::pair<net::Protocol, std::uint16_t>>;
    /// Spots, ascending, whose first endpoint has something; whose second one; and so on.
    struct Having {
        std::vector<std::vector<std::uint32_t>> by_place;
        void add(std::size_t place, std::uint32_t spot);
    };
    void add_features(const selector::Selector& selector, std::set<Feature>& out) const;
    /// Tells the spots from others of their part, which they leave for one from `next` on.
    static void cut(const Having& having, std::vector<std::uint32_t>& parts, std::uint32_t& next);

    /// By spot: equal where nothing but labels and ports can tell them apart.
    std::vector<std::uint32_t> shapes_;
    std::uint32_t next_ = 0; ///< shape that no spot has
    /// By the number, and of each endpoint whether it can be selected and was read.
    std::map<std::pair<std::uint32_t, std::vector<std::pair<bool, bool>>>, std::uint32_t> known_;
    std::map<Feature, Having> with_;
    std::map<std::string, std::map<Ports, Having>> declaring_; ///< by name of ports
};

} // namespace polecat::smt
