// A change touches identities at whose places a predicate comes or goes. These, and those that are
// equal to them but for such predicates, are numbered anew by the function that numbers all.
#include "driver/watch/live_identities.h"

#include <algorithm>

#include "ir/decision/program.h"

namespace polecat::driver {

using backends::Numbers;
using bundle::PredicateRecord;

namespace {

constexpr net::Family kFamilies[] = {net::Family::V4, net::Family::V6};

void insert_sorted(auto& list, const auto& value) {
    const auto place = std::lower_bound(list.begin(), list.end(), value);
    if (place == list.end() || *place != value)
        list.insert(place, value);
}

} // namespace

std::size_t LiveIdentities::Hash::operator()(const Content& content) const {
    std::size_t out = static_cast<std::size_t>(content.family);
    const auto mix = [&](std::size_t value) {
        out = (out ^ value) * 0x9E3779B97F4A7C15u;
        out ^= out >> 29;
    };
    for (const std::uint32_t each : content.yes)
        mix(each);
    mix(~std::size_t{0});
    for (const std::uint32_t each : content.unknown)
        mix(each);
    for (const Content::Member& each : content.members)
        mix(std::size_t{each.predicate} << 24 ^ std::size_t{each.port} << 8 ^ each.protocol);
    return out;
}

LiveIdentities::LiveIdentities(bundle::Contents& contents, const LiveEndpoints& endpoints,
                               std::vector<NetworkSet> sets)
    : contents_(contents), endpoints_(endpoints), sets_(std::move(sets)) {
    std::map<std::uint32_t, Identity> found;
    for (const auto& [address, number] : contents.addresses)
        found[number].places.insert({address, false});
    for (const auto& [first, number] : contents.ranges.ranges)
        found[number].places.insert({first, true});
    for (const auto& [predicate, record] : contents.predicates) {
        const std::uint32_t id = predicate;
        record.yes.each([&](std::uint32_t each) { found.at(each).content.yes.push_back(id); });
        record.unknown.each(
            [&](std::uint32_t each) { found.at(each).content.unknown.push_back(id); });
        for (const auto& [port, set] : record.members)
            set.each([&, at = port](std::uint32_t each) {
                found.at(each).content.members.push_back({id, at.protocol, at.port});
            });
        for (const net::Range& range : region_of(record.predicate)) {
            ++borders_[range.first];
            if (const auto after = net::next(range.last))
                ++borders_[*after];
        }
    }
    for (const net::Family family : kFamilies)
        ++borders_[net::first_address(family)];
    for (auto& [number, identity] : found) {
        identity.content.family = identity.places.begin()->first.family;
        identity.space = space_of(identity.places);
        add(number, std::move(identity));
    }
}

std::vector<net::Range> LiveIdentities::region_of(const decision::Predicate& predicate) const {
    if (const auto* set = std::get_if<decision::NetSet>(&predicate))
        return set->nets.ranges();
    net::AddressSet out;
    if (const auto* set = std::get_if<decision::ObjectSet>(&predicate))
        for (const NetworkSet& each : sets_)
            if (set->selector.matches(each.labels))
                out = out | each.nets;
    return out.ranges();
}

std::optional<std::uint32_t> LiveIdentities::number_at(const Place& place) const {
    const auto& in = place.second ? contents_.ranges.ranges : contents_.addresses;
    const auto found = in.find(place.first);
    return found == in.end() ? std::nullopt : std::optional(found->second);
}

std::uint32_t LiveIdentities::number_around(const net::Address& address) const {
    return std::prev(contents_.ranges.ranges.upper_bound(address))->second;
}

std::string LiveIdentities::space_of(const std::set<Place>& places) const {
    std::string out;
    for (const auto& [address, is_range] : places) {
        if (is_range)
            continue;
        const auto holder = endpoints_.at(address);
        if (!holder || endpoints_[*holder].packed.is_host())
            continue;
        std::string space = endpoints_[*holder].packed.space();
        if (out.empty() || space < out)
            out = std::move(space);
    }
    return out;
}

const std::string& LiveIdentities::digest_of(std::uint32_t predicate) {
    std::string& out = digests_[predicate];
    if (out.empty())
        out = backends::digest_of(decision::to_string(contents_.predicates.at(predicate).predicate),
                                  24);
    return out;
}

void LiveIdentities::add(std::uint32_t number, Identity identity) {
    by_content_.emplace(identity.content, number);
    ++spaces_[identity.space];
    identities_.emplace(number, std::move(identity));
}

LiveIdentities::Identity LiveIdentities::take(std::uint32_t number) {
    const auto found = identities_.find(number);
    Identity out = std::move(found->second);
    identities_.erase(found);
    by_content_.erase(out.content);
    if (const auto space = spaces_.find(out.space); --space->second == 0)
        spaces_.erase(space);
    return out;
}

/// One change. `all_`: what the touched places are, by what then holds there.
class LiveIdentities::Change {
  public:
    Change(LiveIdentities& of, const Step& step, bundle::Touched& touched)
        : of_(of), contents_(of.contents_), step_(step), touched_(touched) {}

    std::vector<Moved> run() {
        cut();
        find_gains();
        find_identities();
        find_contents();
        find_equals();
        number();
        commit();
        return std::move(moved_);
    }

  private:
    void touch(const std::optional<std::uint32_t>& number) {
        if (number)
            identities_.insert(*number);
    }

    /// Borders of regions that come and go.
    void cut() {
        const auto each_border = [&](const std::set<std::uint32_t>& predicates, const auto& act) {
            for (const std::uint32_t id : predicates)
                for (const net::Range& range :
                     of_.region_of(contents_.predicates.at(id).predicate)) {
                    act(range.first);
                    if (const auto after = net::next(range.last))
                        act(*after);
                }
        };
        each_border(step_.come, [&](const net::Address& at) { ++of_.borders_[at]; });
        each_border(step_.gone, [&](const net::Address& at) {
            const auto border = of_.borders_.find(at);
            if (--border->second != 0)
                return;
            of_.borders_.erase(border);
            if (contents_.ranges.ranges.contains(at))
                erased_.insert(at);
        });
        each_border(step_.come, [&](const net::Address& at) {
            if (of_.borders_.contains(at) && !contents_.ranges.ranges.contains(at))
                inserted_.insert(at);
        });
    }

    /// What predicates that come hold of, but for endpoints that are looked at as a whole.
    void find_gains() {
        for (const std::uint32_t id : step_.come) {
            const decision::Predicate& predicate = contents_.predicates.at(id).predicate;
            for (const net::Range& range : of_.region_of(predicate))
                gain_in(range, id);
            if (const auto* set = std::get_if<decision::ObjectSet>(&predicate))
                each_address(set->selector, [&](const LiveEndpoint&, const net::Address& at) {
                    insert_sorted(gains_[{at, false}].yes, id);
                });
            if (const auto* set = std::get_if<decision::NamedPortSet>(&predicate))
                each_address(set->selector, [&](const LiveEndpoint& of, const net::Address& at) {
                    add_members(gains_[{at, false}].members, id, *set, of);
                });
        }
        std::erase_if(gains_, [](const auto& each) {
            return each.second.yes.empty() && each.second.members.empty();
        });
    }

    template <class Act> void each_address(const selector::Selector& selector, const Act& act) {
        for (const LiveEndpoints::Number number : of_.endpoints_.with_labels(selector)) {
            const LiveEndpoint& endpoint = of_.endpoints_[number];
            if (endpoint.selectable)
                for (const net::Address& address : endpoint.packed.record.addresses)
                    act(endpoint, address);
        }
    }

    static void add_members(std::vector<Content::Member>& members, std::uint32_t id,
                            const decision::NamedPortSet& set, const LiveEndpoint& endpoint) {
        for (const policy::EndpointPort& declared : endpoint.packed.ports)
            if (declared.name == set.name &&
                (set.protocol == 0 || set.protocol == declared.protocol))
                insert_sorted(members, Content::Member{id, declared.protocol, declared.port});
    }

    void gain_in(const net::Range& range, std::uint32_t id) {
        const auto among = [&](const auto& places, bool is_range) {
            const auto last = places.upper_bound(range.last);
            for (auto place = places.lower_bound(range.first); place != last; ++place)
                insert_sorted(gains_[{place->first, is_range}].yes, id);
        };
        among(of_.borders_, true);
        among(contents_.addresses, false);
    }

    void find_identities() {
        for (const std::uint32_t id : step_.gone) {
            const PredicateRecord& record = contents_.predicates.at(id);
            const auto each = [&](std::uint32_t number) { identities_.insert(number); };
            record.yes.each(each);
            record.unknown.each(each);
            for (const auto& [port, set] : record.members)
                set.each(each);
        }
        for (const auto& [place, gain] : gains_)
            touch(of_.number_at(place));
        for (const net::Address& at : inserted_)
            identities_.insert(of_.number_around(at));
        for (const net::Address& at : erased_)
            touch(of_.number_at({at, true}));
        for (const auto* list : {&step_.left, &step_.renewed})
            for (const net::Address& at : *list)
                touch(of_.number_at({at, false}));
    }

    /// Without what is gone.
    Content remaining(Content content) const {
        const auto is_gone = [&](std::uint32_t id) { return step_.gone.contains(id); };
        std::erase_if(content.yes, is_gone);
        std::erase_if(content.unknown, is_gone);
        std::erase_if(content.members, [&](const auto& each) { return is_gone(each.predicate); });
        return content;
    }
    Content without_new(Content content) const {
        const auto is_new = [&](std::uint32_t id) { return step_.come.contains(id); };
        std::erase_if(content.yes, is_new);
        std::erase_if(content.unknown, is_new);
        std::erase_if(content.members, [&](const auto& each) { return is_new(each.predicate); });
        return content;
    }

    /// What holds at a place now, from what held there or around it.
    Content with_gains(Content content, const Place& place) const {
        if (const auto gain = gains_.find(place); gain != gains_.end()) {
            for (const std::uint32_t id : gain->second.yes)
                insert_sorted(content.yes, id);
            for (const Content::Member& each : gain->second.members)
                insert_sorted(content.members, each);
        }
        return content;
    }

    void find_contents() {
        for (const std::uint32_t number : identities_) {
            const Identity& identity = of_.identities_.at(number);
            const Content content = remaining(identity.content);
            std::set<Place>* usual = nullptr; // of places without a gain, found once
            for (const Place& place : identity.places) {
                const auto& [at, is_range] = place;
                if (is_range ? erased_.contains(at)
                             : step_.left.contains(at) || step_.renewed.contains(at))
                    continue;
                if (gains_.contains(place)) {
                    all_[with_gains(content, place)].insert(place);
                    continue;
                }
                if (usual == nullptr)
                    usual = &all_[content];
                usual->insert(place);
            }
        }
        for (const net::Address& at : inserted_)
            all_[content_of_range(at)].insert({at, true});
        for (const net::Address& at : step_.renewed)
            all_[content_of_endpoint(at)].insert({at, false});
    }

    /// `first`: of a range as they are now.
    Content content_of_range(const net::Address& first) const {
        return with_gains(remaining(of_.identities_.at(of_.number_around(first)).content),
                          {first, true});
    }

    Content content_of_endpoint(const net::Address& address) const {
        Content out = content_of_range(std::prev(of_.borders_.upper_bound(address))->first);
        const LiveEndpoint& endpoint = of_.endpoints_[*of_.endpoints_.at(address)];
        for (const auto& [id, record] : contents_.predicates) {
            if (step_.gone.contains(id))
                continue;
            if (const auto* set = std::get_if<decision::ObjectSet>(&record.predicate)) {
                if (set->selector.matches(endpoint.packed.labels))
                    insert_sorted(out.yes, id);
            } else if (const auto* named = std::get_if<decision::NamedPortSet>(&record.predicate)) {
                if (named->selector.matches(endpoint.packed.labels))
                    add_members(out.members, id, *named, endpoint);
            }
        }
        return out;
    }

    /// Those that are not touched and may go on as one that is.
    void find_equals() {
        std::vector<Content> wanted;
        for (const auto& [content, places] : all_)
            wanted.push_back(without_new(content));
        for (const std::uint32_t number : identities_)
            wanted.push_back(remaining(of_.identities_.at(number).content));
        for (const Content& each : wanted) {
            const auto found = of_.by_content_.find(each);
            if (found == of_.by_content_.end() || !identities_.insert(found->second).second)
                continue;
            const Identity& identity = of_.identities_.at(found->second);
            all_[each].insert(identity.places.begin(), identity.places.end());
        }
    }

    /// Places of predicates in a list of digests, as numbers() has them.
    using Ranks = std::map<std::uint32_t, std::uint32_t>;
    std::vector<std::string> rank(const std::set<std::uint32_t>& predicates,
                                  const std::set<std::uint32_t>& but, Ranks& ranks) {
        std::vector<std::pair<std::string, std::uint32_t>> sorted;
        for (const std::uint32_t id : predicates)
            if (!but.contains(id))
                sorted.emplace_back(of_.digest_of(id), id);
        std::sort(sorted.begin(), sorted.end());
        std::vector<std::string> out;
        for (const auto& [digest, id] : sorted) {
            ranks[id] = static_cast<std::uint32_t>(out.size());
            out.push_back(digest);
        }
        return out;
    }
    static Content ranked(Content content, const Ranks& ranks) {
        for (auto* list : {&content.yes, &content.unknown}) {
            for (std::uint32_t& id : *list)
                id = ranks.at(id);
            std::sort(list->begin(), list->end());
        }
        for (Content::Member& each : content.members)
            each.predicate = ranks.at(each.predicate);
        std::sort(content.members.begin(), content.members.end());
        return content;
    }

    void number() {
        std::set<std::uint32_t> predicates;
        const auto mention = [&](const Content& content) {
            predicates.insert(content.yes.begin(), content.yes.end());
            predicates.insert(content.unknown.begin(), content.unknown.end());
            for (const Content::Member& each : content.members)
                predicates.insert(each.predicate);
        };
        for (const auto& [content, places] : all_)
            mention(content);
        for (const std::uint32_t number : identities_)
            mention(of_.identities_.at(number).content);
        Numbers base;
        Ranks before, now;
        base.predicates = rank(predicates, step_.come, before);
        const std::vector<std::string> known = rank(predicates, step_.gone, now);
        for (const std::uint32_t number : identities_)
            base.identities[number] = ranked(of_.identities_.at(number).content, before);
        backends::FoundIdentities found;
        for (const auto& [content, places] : all_) {
            backends::FoundIdentity& each = found[ranked(content, now)];
            by_rank_[&each] = &content;
            each.space = of_.space_of(places);
            for (const auto& [at, is_range] : places) {
                each.places.emplace_back(at, is_range);
                if (const auto number = of_.number_at({at, is_range}))
                    (is_range ? base.ranges : base.addresses)[at] = *number;
            }
        }
        backends::keep_numbers(found, known, base);
        give_free(found);
        for (const auto& [content, each] : found)
            numbers_[by_rank_.at(&each)] = {each.number, each.space};
    }

    void give_free(backends::FoundIdentities& found) {
        blocks_ = contents_.ranges.blocks;
        if (std::none_of(found.begin(), found.end(), [](const auto& each) {
                return each.second.number == backends::kNoNumber;
            }))
            return;
        backends::FreeBlocks free(blocks_);
        for (const auto& [number, identity] : of_.identities_)
            free.take(number);
        for (auto& [content, each] : found)
            if (each.number == backends::kNoNumber)
                each.number = free.next(each.space);
        blocks_ = free.blocks();
    }

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
        std::map<PredicateRecord::Port, SetChange> members;
    };

    static void differ(const auto& list, const auto& other, const auto& act) {
        for (const auto& each : list)
            if (!std::binary_search(other.begin(), other.end(), each))
                act(each);
    }

    void note_difference(std::uint32_t number, const Content& before, const Content& now) {
        const auto port_of = [](const Content::Member& each) {
            return PredicateRecord::Port{each.protocol, each.port};
        };
        differ(before.yes, now.yes, [&](auto id) { records_[id].yes.gone.insert(number); });
        differ(now.yes, before.yes, [&](auto id) { records_[id].yes.come.insert(number); });
        differ(before.unknown, now.unknown,
               [&](auto id) { records_[id].unknown.gone.insert(number); });
        differ(now.unknown, before.unknown,
               [&](auto id) { records_[id].unknown.come.insert(number); });
        differ(before.members, now.members, [&](const auto& each) {
            records_[each.predicate].members[port_of(each)].gone.insert(number);
        });
        differ(now.members, before.members, [&](const auto& each) {
            records_[each.predicate].members[port_of(each)].come.insert(number);
        });
    }

    void commit() {
        std::map<std::uint32_t, Content> before;
        for (const std::uint32_t number : identities_)
            before.emplace(number, of_.take(number).content);
        std::map<std::uint32_t, const Content*> now;
        for (const auto& [content, places] : all_)
            now[numbers_.at(&content).first] = &content;
        const Content nothing;
        for (const auto& [number, content] : before)
            if (const auto is = now.find(number); is != now.end())
                note_difference(number, content, *is->second);
            else
                note_difference(number, content, nothing);
        for (const auto& [number, content] : now)
            if (!before.contains(number))
                note_difference(number, nothing, *content);
        commit_predicates();
        commit_places();
        for (auto& [content, places] : all_) {
            const auto& [number, space] = numbers_.at(&content);
            of_.add(number, {content, std::move(places), space});
        }
        commit_blocks();
    }

    void commit_predicates() {
        for (const auto& [id, change] : records_) {
            PredicateRecord& record = contents_.predicates.at(id);
            record.yes = change.yes.of(record.yes);
            record.unknown = change.unknown.of(record.unknown);
            for (const auto& [port, set] : change.members) {
                record.members[port] = set.of(record.members[port]);
                if (record.members[port].empty())
                    record.members.erase(port);
            }
            touched_.predicates.insert(id);
        }
        touched_.predicates.insert(step_.come.begin(), step_.come.end());
        for (const std::uint32_t id : step_.gone) {
            contents_.predicates.erase(id);
            of_.digests_.erase(id);
            touched_.predicates.insert(id);
        }
    }

    void commit_places() {
        for (const auto& [content, places] : all_)
            for (const auto& [at, is_range] : places)
                put({at, is_range}, numbers_.at(&content).first);
        for (const net::Address& at : step_.left)
            if (const auto was = of_.number_at({at, false})) {
                moved_.push_back({at, was, std::nullopt});
                contents_.addresses.erase(at);
                touched_.addresses.insert(at);
            }
        for (const net::Address& at : erased_) {
            contents_.ranges.ranges.erase(at);
            touched_.ranges = true;
        }
    }

    void put(const Place& place, std::uint32_t number) {
        const std::optional<std::uint32_t> was = of_.number_at(place);
        if (was == number)
            return;
        const auto& [at, is_range] = place;
        if (is_range) {
            contents_.ranges.ranges[at] = number;
            touched_.ranges = true;
            return;
        }
        contents_.addresses[at] = number;
        touched_.addresses.insert(at);
        moved_.push_back({at, was, number});
    }

    void commit_blocks() {
        std::erase_if(blocks_, [&](const auto& each) { return !of_.spaces_.contains(each.first); });
        touched_.ranges = touched_.ranges || blocks_ != contents_.ranges.blocks;
        contents_.ranges.blocks = std::move(blocks_);
    }

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

std::vector<LiveIdentities::Moved> LiveIdentities::apply(const Step& step,
                                                         bundle::Touched& touched) {
    return Change(*this, step, touched).run();
}

} // namespace polecat::driver
