#include "ir/selector/index.h"

#include <algorithm>
#include <map>
#include <string>
#include <unordered_map>

namespace polecat::selector {

namespace {

using GroupList = std::vector<std::uint32_t>;

/// Groups that have a label, and those that have it with a value. Ascending. Values are sorted out
/// when the label is first asked for one: most labels never are.
struct Postings {
    GroupList present;
    std::unordered_map<std::string_view, GroupList> by_value; ///< of the first `sorted_out`
    std::size_t sorted_out = 0;
};

GroupList union_of(const std::vector<GroupList>& lists) {
    GroupList out;
    for (const GroupList& each : lists)
        out.insert(out.end(), each.begin(), each.end());
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
}

} // namespace

struct LabelIndex::State {
    std::map<Labels, std::uint32_t> groups;
    std::vector<const Labels*> labels;                       ///< of each group
    std::vector<std::vector<std::uint32_t>> members;         ///< of each group, ascending
    std::unordered_map<std::string_view, Postings> postings; ///< texts of `groups`
    std::uint32_t size = 0;

    std::uint32_t group_of(const Labels& wanted) {
        const auto [it, fresh] = groups.emplace(wanted, static_cast<std::uint32_t>(groups.size()));
        if (fresh) {
            labels.push_back(&it->first);
            members.emplace_back();
            for (const auto& [key, value] : it->first)
                postings[key].present.push_back(it->second);
        }
        return it->second;
    }

    GroupList with_value(const std::string& label, const std::string& value) {
        const auto found = postings.find(label);
        if (found == postings.end())
            return {};
        Postings& entry = found->second;
        for (; entry.sorted_out < entry.present.size(); ++entry.sorted_out) {
            const std::uint32_t group = entry.present[entry.sorted_out];
            entry.by_value[*labels[group]->find(label)].push_back(group);
        }
        const auto having = entry.by_value.find(value);
        return having == entry.by_value.end() ? GroupList{} : having->second;
    }

    GroupList with_label(const std::string& label) const {
        const auto entry = postings.find(label);
        return entry == postings.end() ? GroupList{} : entry->second.present;
    }

    /// Groups of which every match is one; nullopt: the selector gives no such list.
    std::optional<GroupList> candidates(const Selector& selector) {
        const Term& t = selector.term();
        switch (t.op) {
        case Op::Equal:
            return with_value(t.label, t.values.front());
        case Op::In: {
            std::vector<GroupList> lists;
            for (const std::string& value : t.values)
                lists.push_back(with_value(t.label, value));
            return union_of(lists);
        }
        case Op::Has:
        case Op::Contains:
        case Op::StartsWith:
        case Op::EndsWith:
            return with_label(t.label);
        case Op::And:
            return smallest(t.children);
        case Op::Or:
            return every(t.children);
        default:
            return std::nullopt;
        }
    }

    std::optional<GroupList> smallest(const std::vector<Selector>& children) {
        std::optional<GroupList> best;
        for (const Selector& child : children) {
            auto list = candidates(child);
            if (list && (!best || list->size() < best->size()))
                best = std::move(list);
        }
        return best;
    }

    std::optional<GroupList> every(const std::vector<Selector>& children) {
        std::vector<GroupList> lists;
        for (const Selector& child : children) {
            auto list = candidates(child);
            if (!list)
                return std::nullopt;
            lists.push_back(std::move(*list));
        }
        return union_of(lists);
    }
};

LabelIndex::LabelIndex() : state_(std::make_unique<State>()) {}
LabelIndex::~LabelIndex() = default;
LabelIndex::LabelIndex(LabelIndex&&) noexcept = default;
LabelIndex& LabelIndex::operator=(LabelIndex&&) noexcept = default;

std::uint32_t LabelIndex::add(const Labels& labels) {
    state_->members[state_->group_of(labels)].push_back(state_->size);
    return state_->size++;
}

std::size_t LabelIndex::size() const {
    return state_->size;
}

std::vector<std::uint32_t> LabelIndex::select(const Selector& selector) const {
    std::vector<std::uint32_t> out;
    std::size_t groups = 0;
    const auto take = [&](std::uint32_t group) {
        if (!selector.matches(*state_->labels[group]))
            return;
        const auto& members = state_->members[group];
        out.insert(out.end(), members.begin(), members.end());
        ++groups;
    };
    if (const auto list = state_->candidates(selector))
        for (std::uint32_t group : *list)
            take(group);
    else
        for (std::uint32_t group = 0; group < state_->labels.size(); ++group)
            take(group);
    if (groups > 1)
        std::sort(out.begin(), out.end());
    return out;
}

} // namespace polecat::selector
