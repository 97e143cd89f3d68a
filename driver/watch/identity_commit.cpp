// Numbers of what was found, and the bundle with them.
#include "driver/watch/identity_change.h"

namespace polecat::driver {

using backends::Numbers;
using bundle::PredicateRecord;

std::vector<std::string> LiveIdentities::Change::rank(const std::set<std::uint32_t>& predicates,
                                                      const std::set<std::uint32_t>& but,
                                                      Ranks& ranks) {
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

LiveIdentities::Content LiveIdentities::Change::ranked(Content content, const Ranks& ranks) {
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

void LiveIdentities::Change::number() {
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

void LiveIdentities::Change::give_free(backends::FoundIdentities& found) {
    blocks_ = contents_.ranges.blocks;
    if (std::none_of(found.begin(), found.end(),
                     [](const auto& each) { return each.second.number == backends::kNoNumber; }))
        return;
    backends::FreeBlocks free(blocks_);
    for (const auto& [number, identity] : of_.identities_)
        free.take(number);
    for (auto& [content, each] : found)
        if (each.number == backends::kNoNumber)
            each.number = free.next(each.space);
    blocks_ = free.blocks();
}

void LiveIdentities::Change::note_difference(std::uint32_t number, const Content& before,
                                             const Content& now) {
    const auto port_of = [](const Content::Member& each) {
        return PredicateRecord::Port{each.protocol, each.port};
    };
    differ(before.yes, now.yes, [&](auto id) { records_[id].yes.gone.insert(number); });
    differ(now.yes, before.yes, [&](auto id) { records_[id].yes.come.insert(number); });
    differ(before.unknown, now.unknown, [&](auto id) { records_[id].unknown.gone.insert(number); });
    differ(now.unknown, before.unknown, [&](auto id) { records_[id].unknown.come.insert(number); });
    differ(before.members, now.members, [&](const auto& each) {
        records_[each.predicate].members[port_of(each)].gone.insert(number);
    });
    differ(now.members, before.members, [&](const auto& each) {
        records_[each.predicate].members[port_of(each)].come.insert(number);
    });
}

void LiveIdentities::Change::commit() {
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

void LiveIdentities::Change::commit_predicates() {
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

void LiveIdentities::Change::commit_places() {
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

void LiveIdentities::Change::put(const Place& place, std::uint32_t number) {
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

void LiveIdentities::Change::commit_blocks() {
    std::erase_if(blocks_, [&](const auto& each) { return !of_.spaces_.contains(each.first); });
    touched_.ranges = touched_.ranges || blocks_ != contents_.ranges.blocks;
    contents_.ranges.blocks = std::move(blocks_);
}

} // namespace polecat::driver
