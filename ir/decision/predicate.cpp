// Canonical text of predicates and the store that keeps each distinct one once.
#include <algorithm>

#include "ir/decision/program.h"

namespace polecat::decision {

namespace {

// Names are quoted with their length before them, so that no name can look like two.
std::string with_length(const std::string& text) {
    return std::to_string(text.size()) + ":" + text;
}

std::string text_of(const ObjectSet& set) {
    return "objects(" + set.selector.canonical() + ")";
}

std::string text_of(const NetSet& set) {
    std::string text = "nets(";
    for (const net::Range& range : set.nets.ranges()) {
        if (text.back() != '(')
            text += ' ';
        text += net::to_string(range.first) + "-" + net::to_string(range.last);
    }
    return text + ")";
}

std::string text_of(const ServiceSet& set) {
    return (set.with_ports ? "service-ports(" : "service(") + with_length(set.key) + ")";
}

std::string text_of(const NamedPortSet& set) {
    return "port(" + with_length(set.name) + " " + std::to_string(set.protocol) + " " +
           set.selector.canonical() + ")";
}

std::string text_of(const DomainSet& set) {
    std::vector<std::string> names = set.domains;
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
    std::string text = "domains(";
    for (const std::string& name : names)
        text += with_length(name) + " ";
    return text + ")";
}

std::string text_of(const UnreadSet& set) {
    return (set.of_read ? "unknown(" : "unread(") + with_length(set.what) + ")";
}

} // namespace

std::string reason_of(const UnreadSet& set) {
    return set.what + (set.of_read ? " is not known" : " could not be read");
}

std::string to_string(const Predicate& predicate) {
    return std::visit([](const auto& set) { return text_of(set); }, predicate);
}

PredicateId PredicateStore::intern(Predicate predicate) {
    const PredicateId next{static_cast<std::uint32_t>(predicates_.size())};
    const auto [place, added] = by_text_.emplace(to_string(predicate), next);
    if (added)
        predicates_.push_back(std::move(predicate));
    return place->second;
}

} // namespace polecat::decision
