/// Numbers of the identities that addresses have, those of a base where it knows them: of a
/// cluster, or as a bundle has them.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "backends/node/numbers.h"
#include "backends/node/renumber.h"
#include "ir/decision/identity.h"

namespace polecat::backends {

/// In ascending order of their numbers, for who goes through all of them and looks up few.
class NumberedIdentities {
  public:
    using Each = std::pair<std::uint32_t, const decision::Identity*>;

    NumberedIdentities() = default;
    /// Each number once.
    explicit NumberedIdentities(std::vector<Each> list);

    auto begin() const { return list_.begin(); }
    auto end() const { return list_.end(); }
    bool contains(std::uint32_t number) const { return find(number) != nullptr; }
    /// Which must be there.
    const decision::Identity& at(std::uint32_t number) const;

  private:
    const decision::Identity* find(std::uint32_t number) const;
    std::vector<Each> list_;
};

class IdentityNumbers {
  public:
    IdentityNumbers(const decision::LoweredCluster& cluster, const decision::Identities& identities,
                    const Numbers& base);
    /// As recorded. `by_number`: in ascending order, of each at least what the programs ask that
    /// will be made.
    using Recorded = std::vector<std::pair<std::uint32_t, decision::Identity>>;
    IdentityNumbers(Numbers record, Recorded by_number);
    IdentityNumbers(const IdentityNumbers&) = delete; // what it gives out points into it
    IdentityNumbers(IdentityNumbers&&) = default;

    const std::map<net::Address, std::uint32_t>& addresses() const { return record_.addresses; }
    const std::map<net::Range, std::uint32_t>& outside() const { return outside_; }
    /// Those that addresses of the family have.
    const NumberedIdentities& of(net::Family family) const { return by_number_.at(family); }
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

    std::vector<std::uint32_t> rank_; ///< of predicates, by id: place in record_.predicates
    FoundIdentities found_;
    std::map<std::uint32_t, FoundIdentity*> by_id_;
    std::map<net::Range, std::uint32_t> outside_;
    std::map<net::Family, NumberedIdentities> by_number_;
    Recorded recorded_;                              ///< of a bundle
    std::map<net::Address, std::string> namespaces_; ///< of pods
    Numbers record_;
};

} // namespace polecat::backends
