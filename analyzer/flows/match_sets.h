/// What the rules of a cluster match, by number: a rule is part of many programs and meets ends
/// that it sees alike many times; each question is answered once.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <unordered_map>
#include <vector>

#include "analyzer/algebra/set_store.h"
#include "analyzer/flows/program_flows.h"

namespace polecat::analyzer {

class MatchSets {
  public:
    using Id = SetStore::Id;

    /// Both must outlive this, and so must the matches that it is asked about.
    MatchSets(const HttpAtoms& atoms, SetStore& store)
        : atoms_(atoms), store_(store), everything_(store.intern(ConnectionSet::all())) {}
    MatchSets(const MatchSets&) = delete;
    MatchSets& operator=(const MatchSets&) = delete;

    /// One match in one family, and what was found of it.
    class Known {
        friend class MatchSets;

      public:
        const decision::Match& of() const { return *match; }

      private:
        const decision::Match* match = nullptr;
        Id packets = 0; ///< whoever the ends are
        /// By what its sets with ports have of the ends.
        std::map<std::vector<std::uint64_t>, SetBounds> by_ports;
    };
    /// Stays where it is as long as this does.
    Known& known(const decision::Match& match, net::Family family);
    /// `ends`: whether these ends match, apart from ports; not No.
    SetBounds between(Known& known, decision::Tri ends, const decision::Identity& source,
                      const decision::Identity& destination);

    SetStore& store() { return store_; }
    const HttpAtoms& atoms() const { return atoms_; }
    Id everything() const { return everything_; }

  private:
    const HttpAtoms& atoms_;
    SetStore& store_;
    Id everything_;
    std::array<std::unordered_map<const decision::Match*, Known>, 2> known_; ///< IPv4, IPv6
};

} // namespace polecat::analyzer
