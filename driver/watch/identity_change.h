/// A change of identities. For driver/watch only.
#pragma once

#include <algorithm>

#include "driver/watch/live_identities.h"

namespace polecat::driver {

/// One change. `all_`: what the touched places are, by what then holds there.
class LiveIdentities::Change {
  public:
    Change(LiveIdentities& of, const Step& step, bundle::Touched& touched)
        : of_(of), contents_(of.contents_), step_(step), touched_(touched) {}
    std::vector<Moved> run();

  private:
    void touch(const std::optional<std::uint32_t>& number);
    /// Borders of regions that come and go.
    void cut();
    /// What predicates that come hold of, but for endpoints that are looked at as a whole.
    void find_gains();
    template <class Act> void each_address(const selector::Selector& selector, const Act& act) {
        for (const LiveEndpoints::Number number : of_.endpoints_.with_labels(selector)) {
            const LiveEndpoint& endpoint = of_.endpoints_[number];
            if (endpoint.selectable)
                for (const net::Address& address : endpoint.packed.record.addresses)
                    act(endpoint, address);
        }
    }

    static void add_members(std::vector<Content::Member>& members, std::uint32_t id,
                            const decision::NamedPortSet& set, const LiveEndpoint& endpoint);
    void gain_in(const net::Range& range, std::uint32_t id);
    void find_identities();
    /// Without what is gone.
    Content remaining(Content content) const;
    Content without_new(Content content) const;
    /// What holds at a place now, from what held there or around it.
    Content with_gains(Content content, const Place& place) const;
    void find_contents();
    /// `first`: of a range as they are now.
    Content content_of_range(const net::Address& first) const;
    Content content_of_endpoint(const net::Address& address) const;
    /// Those that are not touched and may go on as one that is.
    void find_equals();
    /// Places of predicates in a list of digests, as numbers() has them.
    using Ranks = std::map<std::uint32_t, std::uint32_t>;
    std::vector<std::string> rank(const std::set<std::uint32_t>& predicates,
                                  const std::set<std::uint32_t>& but, Ranks& ranks);
    static Content ranked(Content content, const Ranks& ranks);
    void number();
    void give_free(backends::FoundIdentities& found);
    /// Numbers that a predicate comes to hold of, and those that it ceases to.
    struct SetChange {
        std::set<std::uint32_t> come, gone;
        bundle::NumberSet of(const bundle::NumberSet& before) const {
            std::set<std::uint32_t> left;
            before.each([&](std::uint32_t each) {
                if (!gone.contains(each))
                    left.insert(left.end(), each);
            });
            left.insert(come.begin(), come.end());
            bundle::NumberSet out;
            for (const std::uint32_t each : left)
                out.add(each);
            return out;
        }
    };

    struct RecordChange {
        SetChange yes, unknown;
        std::map<bundle::PredicateRecord::Port, SetChange> members;
    };

    static void differ(const auto& list, const auto& other, const auto& act) {
        for (const auto& each : list)
            if (!std::binary_search(other.begin(), other.end(), each))
                act(each);
    }

    void note_difference(std::uint32_t number, const Content& before, const Content& now);
    void commit();
    void commit_predicates();
    void commit_places();
    void put(const Place& place, std::uint32_t number);
    void commit_blocks();

    LiveIdentities& of_;
    bundle::Contents& contents_;
    const Step& step_;
    bundle::Touched& touched_;
    std::set<net::Address> inserted_, erased_; ///< borders
    std::map<Place, Gain> gains_;
    std::set<std::uint32_t> identities_; ///< those that are touched
    std::unordered_map<Content, std::set<Place>, Hash> all_;
    std::map<const backends::FoundIdentity*, const Content*> by_rank_;
    std::map<const Content*, std::pair<std::uint32_t, std::string>> numbers_;
    std::map<std::string, std::uint32_t> blocks_;
    std::map<std::uint32_t, RecordChange> records_;
    std::vector<Moved> moved_;
};

} // namespace polecat::driver
