#include "analyzer/effects/every_peer.h"

#include <algorithm>

namespace polecat::analyzer {

using decision::PredicateId;
using selector::Selector;

namespace {

/// Beyond so many, nothing is said.
constexpr std::size_t kMostQuestions = 20'000;

/// Are these answers possible for one end?
bool possible(const decision::PredicateStore& predicates, net::Family family, const Truth& truth,
              LabelQuestions& labels) {
    std::vector<Selector> wanted, excluded;
    net::AddressSet addresses = net::AddressSet::all(family);
    for (const auto& [id, holds] : truth) {
        if (const auto* objects = std::get_if<decision::ObjectSet>(&predicates[id]))
            (holds ? wanted : excluded).push_back(objects->selector);
        else if (const auto* nets = std::get_if<decision::NetSet>(&predicates[id]))
            addresses = holds ? addresses & nets->nets : addresses - nets->nets;
    }
    if (addresses.empty())
        return false;
    // Each needs an object of its own, of which nothing excluded holds.
    return std::none_of(wanted.begin(), wanted.end(),
                        [&](const Selector& each) { return labels.impossible({each}, excluded); });
}

} // namespace

bool LabelQuestions::impossible(const std::vector<Selector>& wanted,
                                const std::vector<Selector>& excluded) {
    std::string key;
    for (const auto* list : {&wanted, &excluded}) {
        std::vector<std::string> texts;
        for (const Selector& each : *list)
            texts.push_back(each.canonical());
        std::sort(texts.begin(), texts.end());
        for (const std::string& text : texts)
            key += text + '\n';
        key += '\r';
    }
    const auto [place, added] = known_.try_emplace(std::move(key), false);
    if (added && known_.size() <= kMostQuestions)
        place->second = find_labels(wanted, excluded).kind == LabelAnswer::Kind::No;
    return place->second;
}

std::vector<Truth> truths(const decision::PredicateStore& predicates, net::Family family,
                          const Truth& given, const std::vector<PredicateId>& open,
                          LabelQuestions& labels) {
    std::vector<Truth> out;
    if (possible(predicates, family, given, labels))
        out.push_back(given);
    for (const PredicateId id : open) {
        if (given.contains(id))
            continue;
        std::vector<Truth> next;
        for (const Truth& each : out)
            for (const bool holds : {true, false}) {
                Truth more = each;
                more.emplace(id, holds);
                if (possible(predicates, family, more, labels))
                    next.push_back(std::move(more));
            }
        out = std::move(next);
    }
    return out;
}

} // namespace polecat::analyzer
