// Selectors of rules that mean something else than they seem to. That is how Calico reads them
// (updateprocessors/rules.go, rule_scanner.go); one by one in docs/semantics.md.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/flows/program_flows.h"
#include "analyzer/labels/label_space.h"
#include "analyzer/lint/checks.h"
#include "ir/policy/felix.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using decision::Hook;
using decision::Object;
using policy::Action;
using policy::EntityRule;
using policy::OrderedTier;
using policy::Policy;
using policy::Rule;
using selector::Selector;

namespace {

class SelectorSurprisesChecker {
  public:
    SelectorSurprisesChecker(Context& context, Diagnostics& out)
        : context_(context), out_(out), atoms_({&context.lowered}) {
        for (const policy::NetworkSet& set : context.cluster.network_sets)
            sets_[full_name(set.meta)] = &set;
    }

    void run() {
        each_policy(context_, [&](const OrderedTier& tier, const Policy& policy) {
            if (policy.staged_action == "Delete")
                return;
            contradiction(policy);
            if (!is_kubernetes(policy)) {
                all_is_not_everybody(tier, policy, policy.ingress, decision::Direction::Ingress);
                all_is_not_everybody(tier, policy, policy.egress, decision::Direction::Egress);
            }
        });
        each_rule(context_, [&](const RuleView& view) {
            if (is_kubernetes(view.policy))
                return;
            check(view, view.rule.source, "source");
            check(view, view.rule.destination, "destination");
        });
    }

  private:
    void check(const RuleView& view, const EntityRule& end, const char* side) {
        not_selector_in_namespace(view, end, side);
        not_selector_through_set(view, end, side);
        not_all(view, end, side);
        global_is_all(view, end, side);
        network_set_of_requests(view, end, side);
    }

    diag::Diagnostic& report(Code code, const Span& span, const RuleView& view,
                             const std::vector<std::string>& args) {
        return out_.report(code, span.known() ? span : view.rule.span, std::span(args))
            .about(name_of(view.policy));
    }

    static std::string shown(const RuleView& view, const char* side) {
        return fmt::format("the {} of rule {}", side, rule_name(view));
    }
    static std::string space_of(const Policy& policy) {
        return policy::is_global(policy.kind) ? "" : policy.meta.space;
    }

    void contradiction(const Policy& policy) {
        const auto answer = analyzer::find_labels({policy::subject_of(policy)}, {});
        if (answer.kind != analyzer::LabelAnswer::Kind::No)
            return;
        const bool given = policy.selector && policy.selector->span.known();
        out_.report(Code::SelectorContradiction, given ? policy.selector->span : policy.meta.span,
                    {"policy `" + policy.meta.name + "`", "its selectors contradict each other"})
            .about(name_of(policy))
            .with_proof("for every set of labels that could exist");
    }

    /// In a namespaced policy a notSelector by itself speaks of the namespace's own.
    void not_selector_in_namespace(const RuleView& view, const EntityRule& end, const char* side) {
        if (policy::is_global(view.policy.kind) || !policy::is_present(end.not_selector) ||
            policy::is_present(end.selector) || policy::is_present(end.namespace_selector) ||
            end.service_accounts)
            return;
        report(Code::NotSelectorInNamespace, end.not_selector->span, view,
               {shown(view, side), view.policy.meta.space})
            .with_hint("for everybody else, deny those that it names in a rule before and leave "
                       "the selectors out here");
    }

    /// selector and notSelector are asked of one object, and an address may be of several.
    void not_selector_through_set(const RuleView& view, const EntityRule& end, const char* side) {
        const std::string space = space_of(view.policy);
        const auto peers = policy::peers_of(end, space);
        if (!peers || !policy::is_present(end.not_selector))
            return;
        const Selector& excluded = end.not_selector->parsed;
        std::vector<const Object*> sets;
        for (const decision::ObjectId id :
             context_.select(Selector::all_of({*peers, Selector::negate(excluded)})))
            if (context_.object(id).kind == Object::Kind::NetworkSet)
                sets.push_back(&context_.object(id));
        if (sets.empty())
            return;
        const bool own_only = !space.empty() && !policy::is_present(end.namespace_selector);
        for (const decision::ObjectId id : context_.select(excluded)) {
            const Object& object = context_.object(id);
            const auto of = object.labels.find(policy::kNamespaceLabel);
            if (object.kind == Object::Kind::NetworkSet || (own_only && (!of || *of != space)))
                continue;
            if (held_by_set(view, end, side, object, sets))
                return;
        }
    }

    bool held_by_set(const RuleView& view, const EntityRule& end, const char* side,
                     const Object& excluded, const std::vector<const Object*>& sets) {
        for (const net::Address& address : excluded.addresses)
            for (const Object* set : sets)
                if (set->nets.contains(address)) {
                    report(Code::NotSelectorThroughSet, end.not_selector->span, view,
                           {shown(view, side), excluded.name, net::to_string(address), set->name})
                        .with_label(set->span, "the network set")
                        .with_hint("take the address out of the set, or out of the rule by "
                                   "notNets");
                    return true;
                }
        return false;
    }

    /// Its meaning is put in place of global() in a namespaceSelector only.
    void global_is_all(const RuleView& view, const EntityRule& end, const char* side) {
        const auto check = [&](const Box<policy::SelectorField>& field, const char* name) {
            if (field && field->text.find("global(") != std::string::npos)
                report(Code::GlobalIsAll, field->span, view,
                       {rule_name(view), fmt::format("{} {}", side, name)})
                    .with_hint("write `all()` if everything is meant");
        };
        check(end.not_selector, "notSelector");
        if (end.service_accounts)
            check(end.service_accounts->selector, "serviceAccounts.selector");
    }

    /// all() of a rule's namespaceSelector becomes "has a namespace", wherever it stands.
    void not_all(const RuleView& view, const EntityRule& end, const char* side) {
        if (!end.namespace_selector)
            return;
        std::string text = end.namespace_selector->text;
        std::erase_if(text, [](char c) { return c == ' ' || c == '\t'; });
        if (text == "!all()" || text == "!(all())")
            report(Code::NotAllIsGlobal, end.namespace_selector->span, view, {shown(view, side)})
                .with_hint("write global() if that is meant");
    }

    /// app-policy/checker keeps a set's members in a tree that knows whole bytes of a prefix and
    /// full addresses only.
    void network_set_of_requests(const RuleView& view, const EntityRule& end, const char* side) {
        if (!view.rule.http || context_.settings.dataplane == Dataplane::Polecat)
            return;
        const auto peers = policy::peers_of(end, space_of(view.policy));
        if (!peers || !has_application_policy())
            return;
        for (const decision::ObjectId id : context_.select(*peers)) {
            const auto set = sets_.find(context_.object(id).name);
            if (context_.object(id).kind != Object::Kind::NetworkSet || set == sets_.end())
                continue;
            for (const At<net::Cidr>& cidr : set->second->nets) {
                const unsigned width = net::width(cidr->family());
                if (cidr->prefix <= width - 8 || cidr->prefix >= width)
                    continue;
                report(Code::HttpNetworkSet, end.span.known() ? end.span : view.rule.span, view,
                       {fmt::format("{} of rule {}", side, rule_name(view)),
                        net::to_string(cidr.value), set->first})
                    .with_label(cidr.span, "the range")
                    .with_hint("name the range by nets, or write its addresses one by one");
                return;
            }
        }
    }

    bool has_application_policy() const {
        const policy::OtherObject* felix = policy::default_felix(context_.cluster);
        return felix != nullptr && felix->spec.has("policySyncPathPrefix");
    }

    /// Something from or to an address that Calico knows nothing of gets by the policy, and no
    /// policy after it in its tier denies that, at an endpoint that it governs.
    bool gets_by(const Policy& policy, decision::Direction direction) {
        std::vector<Hook> hooks{Hook::Normal, Hook::Forward};
        if (*policy.pre_dnat || *policy.do_not_track)
            hooks = {*policy.pre_dnat ? Hook::PreDnat : Hook::Untracked};
        std::set<std::pair<std::uint32_t, std::uint32_t>> seen; // program, block
        for (const decision::ObjectId id : context_.select(policy::subject_of(policy)))
            for (const Hook hook : hooks)
                for (const net::Family family : {net::Family::V4, net::Family::V6}) {
                    const auto* found = context_.lowered.find(id, direction, hook, family);
                    const auto* block = found == nullptr ? nullptr : block_of(found->slots, policy);
                    if (block != nullptr &&
                        seen.emplace(found->program.value, block->first).second &&
                        gets_by(context_.lowered.program(found->program), *block, id))
                        return true;
                }
        return false;
    }

    static const decision::PolicyBlock* block_of(const decision::Attribution& slots,
                                                 const Policy& policy) {
        const auto name = policy_name(policy);
        const auto found = std::find_if(slots.policies().begin(), slots.policies().end(),
                                        [&](const auto& block) { return block.policy == name; });
        return found == slots.policies().end() ? nullptr : &*found;
    }

    bool gets_by(const decision::Program& program, const decision::PolicyBlock& block,
                 decision::ObjectId id) {
        // The tier alone; what it or an earlier Pass decides doesn't get by.
        decision::Program tier = program;
        tier.stages = {program.stages[block.stage]};
        tier.stages.front().end = decision::StageEnd::Next;
        tier.otherwise = Action::Allow;
        auto& entries = tier.stages.front().entries;
        for (std::uint32_t i = 0; i < entries.size(); ++i)
            if (entries[i].action == Action::Allow ||
                (entries[i].action == Action::Pass && i < block.first + block.count))
                entries[i].action = Action::Deny;
        auto& ends = context_.ends(program.family);
        analyzer::ProgramView view(tier, analyzer::ProgramFlows(tier, atoms_), ends);
        const auto own =
            ends.group_of(id); // nullopt: a host endpoint whose addresses are not known
        for (std::uint32_t i = 0; i < ends.list().size(); ++i)
            for (std::uint32_t j = own.value_or(0); j < (own ? *own + 1 : ends.list().size()); ++j)
                if (ends.list()[i].is_outside() &&
                    !view.between(ends.identity(j), ends.identity(i)).sure.empty())
                    return true;
        return false;
    }

    /// A closing Deny for all() where nothing after it denies the rest: before translation, of
    /// untracked packets, and in a tier that passes by default.
    void all_is_not_everybody(const OrderedTier& tier, const Policy& policy,
                              const std::vector<Rule>& rules, decision::Direction direction) {
        const bool goes_on =
            tier.default_action == Action::Pass || *policy.pre_dnat || *policy.do_not_track;
        if (!goes_on || rules.empty() || rules.back().action != Action::Deny)
            return;
        Rule rest = rules.back();
        EntityRule& other =
            direction == decision::Direction::Ingress ? rest.source : rest.destination;
        if (!policy::is_global(policy.kind) || !policy::is_present(other.selector) ||
            !other.selector->parsed.is_all())
            return;
        const Span span = other.selector->span;
        other.selector = {};
        if (policy::asks_nothing(rest) && gets_by(policy, direction))
            out_.report(Code::AllIsNotEverybody, span.known() ? span : rules.back().span,
                        {rule_name({policy, rules.back(), direction, rules.size() - 1})})
                .about(name_of(policy))
                .with_hint("to deny everybody, leave the selector out");
    }

    Context& context_;
    Diagnostics& out_;
    analyzer::HttpAtoms atoms_;
    std::map<std::string, const policy::NetworkSet*> sets_; ///< by the name of their object
};

} // namespace

void check_selector_surprises(Context& context, Diagnostics& out) {
    SelectorSurprisesChecker(context, out).run();
}

} // namespace polecat::lint
