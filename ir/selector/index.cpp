#include "ir/selector/index.h"

#include <algorithm>
#include <iterator>
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

/// A set of groups: those of a list, or all others. The list may be one of the postings.
class Groups {
  public:
    static Groups none() { return {}; }
    static Groups view(const GroupList& list) {
        Groups out;
        out.view_ = &list;
        return out;
    }
    static Groups of(GroupList list) {
        Groups out;
        out.own_ = std::move(list);
        return out;
    }

    const GroupList& list() const { return view_ != nullptr ? *view_ : own_; }
    bool others() const { return others_; }
    bool is_all() const { return others_ && list().empty(); }

    Groups operator~() && {
        others_ = !others_;
        return std::move(*this);
    }
    friend Groups operator&(Groups a, Groups b) {
        if (a.is_all())
            return b;
        if (b.is_all())
            return a;
        if (a.others_ && b.others_)
            return ~of(united(a.list(), b.list()));
        if (!a.others_ && !b.others_)
            return a.list().size() <= b.list().size() ? of(filtered(a.list(), b.list(), true))
                                                      : of(filtered(b.list(), a.list(), true));
        return a.others_ ? of(filtered(b.list(), a.list(), false))
                         : of(filtered(a.list(), b.list(), false));
    }
    friend Groups operator|(Groups a, Groups b) { return ~(~std::move(a) & ~std::move(b)); }

  private:
    static GroupList united(const GroupList& a, const GroupList& b) {
        GroupList out;
        out.reserve(a.size() + b.size());
        std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(out));
        return out;
    }
    /// Members of `list` that are in `other`, or that are not.
    static GroupList filtered(const GroupList& list, const GroupList& other, bool wanted) {
        constexpr std::size_t kMuchLonger = 8;
        return other.size() > kMuchLonger * list.size() ? looked_up(list, other, wanted)
                                                        : walked(list, other, wanted);
    }

    static GroupList looked_up(const GroupList& list, const GroupList& other, bool wanted) {
        GroupList out;
        auto from = other.begin();
        for (const std::uint32_t group : list) {
            from = skip_to(from, other.end(), group);
            if ((from != other.end() && *from == group) == wanted)
                out.push_back(group);
        }
        return out;
    }

    /// Side by side and without branches: which list is ahead nobody can foresee.
    static GroupList walked(const GroupList& list, const GroupList& other, bool wanted) {
        GroupList out(list.size());
        std::size_t kept = 0, i = 0, j = 0;
        while (i < list.size() && j < other.size()) {
            const std::uint32_t mine = list[i], theirs = other[j];
            out[kept] = mine;
            kept += (wanted ? mine == theirs : mine < theirs) ? 1 : 0;
            i += mine <= theirs ? 1 : 0;
            j += theirs <= mine ? 1 : 0;
        }
        out.resize(kept);
        if (!wanted)
            out.insert(out.end(), list.begin() + static_cast<std::ptrdiff_t>(i), list.end());
        return out;
    }
    /// The first that is not below `group`, in steps that double: lists differ much in length.
    static GroupList::const_iterator skip_to(GroupList::const_iterator from,
                                             GroupList::const_iterator end, std::uint32_t group) {
        std::ptrdiff_t step = 1;
        auto last = from;
        while (end - last > step && last[step] < group) {
            last += step;
            step *= 2;
        }
        return std::lower_bound(last, end - last > step ? last + step + 1 : end, group);
    }

    const GroupList* view_ = nullptr;
    GroupList own_;
    bool others_ = false;
};

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

    Groups with_value(const std::string& label, const std::string& value) {
        const auto found = postings.find(label);
        if (found == postings.end())
            return Groups::none();
        Postings& entry = found->second;
        for (; entry.sorted_out < entry.present.size(); ++entry.sorted_out) {
            const std::uint32_t group = entry.present[entry.sorted_out];
            entry.by_value[*labels[group]->find(label)].push_back(group);
        }
        const auto having = entry.by_value.find(value);
        return having == entry.by_value.end() ? Groups::none() : view(having->second);
    }

    /// What all have, such as the orchestrator, is no list to walk.
    Groups view(const GroupList& list) const {
        return list.size() == labels.size() ? ~Groups::none() : Groups::view(list);
    }

    Groups with_label(const std::string& label) const {
        const auto entry = postings.find(label);
        return entry == postings.end() ? Groups::none() : view(entry->second.present);
    }

    /// Of lists that have no member in common.
    static GroupList merged(const GroupList& a, const GroupList& b) {
        GroupList out(a.size() + b.size());
        std::size_t i = 0, j = 0;
        while (i < a.size() && j < b.size()) {
            const bool first = a[i] < b[j];
            out[i + j] = first ? a[i] : b[j];
            i += first ? 1 : 0;
            j += first ? 0 : 1;
        }
        const auto at = [](const GroupList& list, std::size_t place) {
            return list.begin() + static_cast<std::ptrdiff_t>(place);
        };
        std::copy(at(b, j), b.end(),
                  std::copy(at(a, i), a.end(), out.begin() + static_cast<std::ptrdiff_t>(i + j)));
        return out;
    }

    /// With one of the term's values; a label has one value, so no group comes twice.
    Groups with_any(const Term& term) {
        if (term.values.size() == 1)
            return with_value(term.label, term.values.front());
        GroupList out;
        std::size_t lists = 0;
        for (const std::string& value : term.values) {
            Groups found = with_value(term.label, value);
            if (found.others())
                return found; // everybody has it
            if (found.list().empty())
                continue;
            if (++lists <= 2)
                out = merged(out, found.list());
            else
                out.insert(out.end(), found.list().begin(), found.list().end());
        }
        if (lists > 2)
            std::sort(out.begin(), out.end());
        return Groups::of(std::move(out));
    }

    Groups matching(const Selector& selector) {
        const Term& t = selector.term();
        switch (t.op) {
        case Op::All:
        case Op::Global:
            return ~Groups::none();
        case Op::Equal:
        case Op::In:
            return with_any(t);
        case Op::NotEqual:
        case Op::NotIn:
            return ~with_any(t);
        case Op::Has:
            return with_label(t.label);
        case Op::Contains:
        case Op::StartsWith:
        case Op::EndsWith:
            return asked(selector, with_label(t.label));
        case Op::Not:
            return ~matching(t.children.front());
        case Op::And:
        case Op::Or:
            return joined(t);
        }
        return asked(selector, ~Groups::none());
    }

    Groups joined(const Term& term) {
        Groups out = matching(term.children.front());
        for (std::size_t i = 1; i < term.children.size(); ++i) {
            Groups next = matching(term.children[i]);
            out = term.op == Op::And ? std::move(out) & std::move(next)
                                     : std::move(out) | std::move(next);
        }
        return out;
    }

    /// Those of `among` that match, asked one by one.
    Groups asked(const Selector& selector, const Groups& among) const {
        GroupList out;
        each(among, [&](std::uint32_t group) {
            if (selector.matches(*labels[group]))
                out.push_back(group);
        });
        return Groups::of(std::move(out));
    }

    /// act(group), ascending.
    template <class Act> void each(const Groups& wanted, const Act& act) const {
        const GroupList& list = wanted.list();
        if (!wanted.others()) {
            for (const std::uint32_t group : list)
                act(group);
            return;
        }
        auto left_out = list.begin();
        for (std::uint32_t group = 0; group < labels.size(); ++group) {
            if (left_out != list.end() && *left_out == group)
                ++left_out;
            else
                act(group);
        }
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
    state_->each(state_->matching(selector), [&](std::uint32_t group) {
        const auto& members = state_->members[group];
        out.insert(out.end(), members.begin(), members.end());
    });
    // Groups are numbered by their first member: most often nothing is left to be sorted.
    if (!std::is_sorted(out.begin(), out.end()))
        std::sort(out.begin(), out.end());
    return out;
}

} // namespace polecat::selector
