/// The identities of a bundle that stays loaded: which predicates hold at which places, and what
/// becomes of it when predicates or endpoints come and go.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "artefact/bundle/bundle.h"
#include "backends/node/renumber.h"
#include "driver/watch/live_endpoints.h"

namespace polecat::driver {

/// Addresses of endpoints, and ranges of all others by their first.
using Place = std::pair<net::Address, bool>; ///< whether it is a range

class LiveIdentities {
  public:
    struct NetworkSet {
        selector::Labels labels;
        net::AddressSet nets;
    };
    /// `contents` and `endpoints` must outlive it.
    LiveIdentities(bundle::Contents& contents, const LiveEndpoints& endpoints,
                   std::vector<NetworkSet> sets);

    /// Predicates by their numbers: those that come stand in the contents, holding of nobody, and
    /// those that go still do. Addresses: those that endpoints left, and those whose endpoint is
    /// another, or has other labels or ports.
    struct Step {
        std::set<std::uint32_t> gone, come;
        std::set<net::Address> left, renewed;
    };
    struct Moved {
        net::Address address;
        std::optional<std::uint32_t> before, now;
    };
    /// Numbers are then those of a compile that has the contents of before as its base. Predicates
    /// that are gone are taken out.
    std::vector<Moved> apply(const Step& step, bundle::Touched& touched);

  private:
    /// Predicates by their numbers.
    using Content = backends::Numbers::Identity;
    struct Hash {
        std::size_t operator()(const Content& content) const;
    };
    struct Identity {
        Content content;
        std::set<Place> places;
        std::string space; ///< of its endpoints, the first by name
    };
    /// What comes to hold at a place.
    struct Gain {
        std::vector<std::uint32_t> yes;
        std::vector<Content::Member> members;
    };
    class Change;

    /// Addresses of which it holds, whatever is there.
    std::vector<net::Range> region_of(const decision::Predicate& predicate) const;
    std::optional<std::uint32_t> number_at(const Place& place) const;
    /// Of the range that the address is in.
    std::uint32_t number_around(const net::Address& address) const;
    std::string space_of(const std::set<Place>& places) const;
    const std::string& digest_of(std::uint32_t predicate);
    void add(std::uint32_t number, Identity identity);
    Identity take(std::uint32_t number);

    bundle::Contents& contents_;
    const LiveEndpoints& endpoints_;
    std::vector<NetworkSet> sets_;
    std::map<std::uint32_t, Identity> identities_;
    std::unordered_map<Content, std::uint32_t, Hash> by_content_;
    std::map<net::Address, std::size_t> borders_;  ///< how many regions begin or end there
    std::map<std::string, std::size_t> spaces_;    ///< how many identities are of each
    std::map<std::uint32_t, std::string> digests_; ///< of predicates' texts
};

} // namespace polecat::driver
