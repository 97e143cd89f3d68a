// Rules that select the same in other words: Calico makes an IP set of each distinct selector.
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/labels/label_space.h"
#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using policy::EntityRule;
using selector::Selector;

namespace {

/// Compared with this many others that look alike.
constexpr std::size_t kCompared = 200;

void add_labels(const Selector& selector, std::set<std::string>& out) {
    const selector::Term& term = selector.term();
    if (!term.label.empty())
        out.insert(term.label);
    for (const Selector& child : term.children)
        add_labels(child, out);
}

class SelectorVariantsChecker {
  public:
    SelectorVariantsChecker(Context& context, Diagnostics& out) : context_(context), out_(out) {}

    void run() {
        each_rule(context_, [&](const RuleView& view) {
            if (view.policy.staged_action == "Delete")
                return;
            check(view, view.rule.source, "source");
            check(view, view.rule.destination, "destination");
        });
    }

  private:
    using Kind = analyzer::LabelAnswer::Kind;

    struct Known {
        Selector selector;
        selector::Labels matched; ///< labels that it matches
        std::string shown;
        Span span;
    };
    /// What selectors that mean the same have in common: the labels that they name, and whom they
    /// select here.
    using Key = std::pair<std::set<std::string>, std::vector<std::uint32_t>>;

    void check(const RuleView& view, const EntityRule& end, const char* side) {
        const std::string space = policy::is_global(view.policy.kind) ? "" : view.policy.meta.space;
        const auto peers = policy::peers_of(end, space);
        if (!peers || !seen_.insert(peers->unique_id()).second)
            return;
        const auto matched = analyzer::find_labels({*peers}, {});
        if (matched.kind != Kind::Yes)
            return; // it selects nothing, or there is too much to try
        Key key;
        add_labels(*peers, key.first);
        for (const decision::ObjectId id : context_.select(*peers))
            key.second.push_back(id.value);
        std::vector<Known>& alike = known_[key];
        const Span span = end.selector && end.selector->span.known() ? end.selector->span
                          : end.span.known()                         ? end.span
                                                                     : view.rule.span;
        const Known mine{*peers, matched.labels,
                         fmt::format("{} of {} {}", side, name_of(view.policy), rule_name(view)),
                         span};
        for (std::size_t i = 0; i < alike.size() && i < kCompared; ++i)
            if (mean_the_same(alike[i], mine)) {
                out_.report(Code::SelectorVariants, span,
                            {fmt::format("{} of rule {}", side, rule_name(view)), alike[i].shown})
                    .about(name_of(view.policy))
                    .with_label(alike[i].span, "the other one")
                    .with_proof("for every set of labels that could exist")
                    .with_hint("write both alike");
                return;
            }
        alike.push_back(mine);
    }

    /// Labels that one matches and the other doesn't tell most of them apart at once.
    static bool mean_the_same(const Known& a, const Known& b) {
        if (!a.selector.matches(b.matched) || !b.selector.matches(a.matched))
            return false;
        return analyzer::find_labels({a.selector}, {b.selector}).kind == Kind::No &&
               analyzer::find_labels({b.selector}, {a.selector}).kind == Kind::No;
    }

    Context& context_;
    Diagnostics& out_;
    std::set<std::string> seen_;
    std::map<Key, std::vector<Known>> known_;
};

} // namespace

void check_selector_variants(Context& context, Diagnostics& out) {
    SelectorVariantsChecker(context, out).run();
}

} // namespace polecat::lint
