/// Numbers of the identities that addresses have, those of a base where it knows them: of a
/// cluster, or as a bundle has them.
#pragma once

#include <map>
#include <vector>

#include "backends/node/numbers.h"
#include "ir/decision/identity.h"

namespace polecat::backends {

class FreeBlocks;

class IdentityNumbers {
  public:
    IdentityNumbers(const decision::LoweredCluster& cluster, const decision::Identities& identities,
                    const Numbers& base);
    /// As recorded. `by_number`: of each at least what the programs ask that will be made.
    IdentityNumbers(Numbers record, std::map<std::uint32_t, decision::Identity> by_number);
    IdentityNumbers(const IdentityNumbers&) = delete; // what it gives out points into it
    IdentityNumbers(IdentityNumbers&&) = default;

    const std::map<net::Address, std::uint32_t>& addresses() const { return record_.addresses; }
    const std::map<net::Range, std::uint32_t>& outside() const { return outside_; }
    /// Those that addresses of the family have, by number.
    const std::map<std::uint32_t, const decision::Identity*>& of(net::Family family) const {
        return by_number_.at(family);
    }
    /// For the next compile; programs are not in it.
    const Numbers& record() const { return record_; }

  private:
    void rank_predicates(const decision::LoweredCluster& cluster);
    Numbers::Identity content_of(const decision::Identity& identity) const;
    void meet(decision::IdentityId id, const net::Address& at, bool is_range,
              const decision::Identities& identities);
    void find_namespaces(const decision::LoweredCluster& cluster);
    void find_outside();
    void number(const Numbers& base);
    void keep(const Numbers& base, FreeBlocks& free);

    /// An identity with the places where it is found.
    struct Found {
        decision::IdentityId id;
        std::vector<std::pair<net::Address, bool>> places; ///< whether it is a range's first
        std::uint32_t number = 0;
        /// Of its endpoints, the first by name; empty: none is a pod.
        std::string space;
    };
    std::vector<std::uint32_t> rank_; ///< of predicates, by id: place in record_.predicates
    std::map<Numbers::Identity, Found> found_;
    std::map<std::uint32_t, Found*> by_id_;
    std::map<net::Range, std::uint32_t> outside_;
    std::map<net::Family, std::map<std::uint32_t, const decision::Identity*>> by_number_;
    std::map<std::uint32_t, decision::Identity> recorded_; ///< of a bundle
    std::map<net::Address, std::string> namespaces_;       ///< of pods
    Numbers record_;
};

} // namespace polecat::backends
