// A change touches identities at whose places a predicate comes or goes. These, and those that are
// equal to them but for such predicates, are numbered anew by the function that numbers all
// (identity_commit.cpp).
#include "driver/watch/identity_change.h"

namespace polecat::driver {

using bundle::PredicateRecord;

namespace {

void insert_sorted(auto& list, const auto& value) {
    const auto place = std::lower_bound(list.begin(), list.end(), value);
    if (place == list.end() || *place != value)
        list.insert(place, value);
}

} // namespace

std::vector<LiveIdentities::Moved> LiveIdentities::Change::run() {
    cut();
    find_gains();
    find_identities();
    find_contents();
    find_equals();
    number();
    commit();
    return std::move(moved_);
}

void LiveIdentities::Change::touch(const std::optional<std::uint32_t>& number) {
    if (number)
        identities_.insert(*number);
}

void LiveIdentities::Change::cut() {
    const auto each_border = [&](const std::set<std::uint32_t>& predicates, const auto& act) {
        for (const std::uint32_t id : predicates)
            for (const net::Range& range : of_.region_of(contents_.predicates.at(id).predicate)) {
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

void LiveIdentities::Change::find_gains() {
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

void LiveIdentities::Change::add_members(std::vector<Content::Member>& members, std::uint32_t id,
                                         const decision::NamedPortSet& set,
                                         const LiveEndpoint& endpoint) {
    for (const policy::EndpointPort& declared : endpoint.packed.ports)
        if (declared.name == set.name && (set.protocol == 0 || set.protocol == declared.protocol))
            insert_sorted(members, Content::Member{id, declared.protocol, declared.port});
}

void LiveIdentities::Change::gain_in(const net::Range& range, std::uint32_t id) {
    const auto among = [&](const auto& places, bool is_range) {
        const auto last = places.upper_bound(range.last);
        for (auto place = places.lower_bound(range.first); place != last; ++place)
            insert_sorted(gains_[{place->first, is_range}].yes, id);
    };
    among(of_.borders_, true);
    among(contents_.addresses, false);
}

void LiveIdentities::Change::find_identities() {
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

LiveIdentities::Content LiveIdentities::Change::remaining(Content content) const {
    const auto is_gone = [&](std::uint32_t id) { return step_.gone.contains(id); };
    std::erase_if(content.yes, is_gone);
    std::erase_if(content.unknown, is_gone);
    std::erase_if(content.members, [&](const auto& each) { return is_gone(each.predicate); });
    return content;
}

LiveIdentities::Content LiveIdentities::Change::without_new(Content content) const {
    const auto is_new = [&](std::uint32_t id) { return step_.come.contains(id); };
    std::erase_if(content.yes, is_new);
    std::erase_if(content.unknown, is_new);
    std::erase_if(content.members, [&](const auto& each) { return is_new(each.predicate); });
    return content;
}

LiveIdentities::Content LiveIdentities::Change::with_gains(Content content,
                                                           const Place& place) const {
    if (const auto gain = gains_.find(place); gain != gains_.end()) {
        for (const std::uint32_t id : gain->second.yes)
            insert_sorted(content.yes, id);
        for (const Content::Member& each : gain->second.members)
            insert_sorted(content.members, each);
    }
    return content;
}

void LiveIdentities::Change::find_contents() {
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

LiveIdentities::Content LiveIdentities::Change::content_of_range(const net::Address& first) const {
    return with_gains(remaining(of_.identities_.at(of_.number_around(first)).content),
                      {first, true});
}

LiveIdentities::Content
LiveIdentities::Change::content_of_endpoint(const net::Address& address) const {
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

void LiveIdentities::Change::find_equals() {
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

} // namespace polecat::driver
