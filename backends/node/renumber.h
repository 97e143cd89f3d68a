/// How identities get their numbers: those that survive of a base keep theirs, others have free
/// ones.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "backends/node/numbers.h"
#include "ir/decision/identity.h"

namespace polecat::backends {

inline constexpr std::uint32_t kNoNumber = ~0u;

/// An identity with the places where it is found.
struct FoundIdentity {
    decision::IdentityId id;
    std::vector<std::pair<net::Address, bool>> places; ///< whether it is a range's first
    std::uint32_t number = kNoNumber;
    /// Of its endpoints, the first by name; empty: none is a pod.
    std::string space;
};
using FoundIdentities = std::map<Numbers::Identity, FoundIdentity>;

/// Fills in the numbers of those that survive. What an identity may go on as depends on those alone
/// that are equal to it but for predicates that come or go: so it may be asked of a part of them,
/// with what the base has of that part.
void keep_numbers(FoundIdentities& all, const std::vector<std::string>& predicates,
                  const Numbers& base);

/// Free numbers by namespace. What belongs to no pod has the first block, and so have namespaces
/// that are too many; a block that is full goes on in one of nobody.
class FreeBlocks {
  public:
    explicit FreeBlocks(std::map<std::string, std::uint32_t> blocks);
    void take(std::uint32_t number);
    std::uint32_t next(const std::string& space);
    const std::map<std::string, std::uint32_t>& blocks() const { return blocks_; }

  private:
    static constexpr std::size_t kMostNamed = 100'000;
    std::map<std::string, std::uint32_t> blocks_;    ///< by namespace
    std::map<std::uint32_t, std::uint32_t> further_; ///< where a block that is full goes on
    std::map<std::uint32_t, FreeNumbers> numbers_;   ///< by block
    FreeNumbers fresh_;                              ///< blocks
};

} // namespace polecat::backends
