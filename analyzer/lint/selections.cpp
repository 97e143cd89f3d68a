// Selectors that select nobody, or more than they seem to.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/label_space.h"
#include "analyzer/lint/checks.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using decision::Object;
using policy::EntityRule;
using policy::Policy;
using selector::Op;
using selector::Selector;

namespace {

/// Labels and values that objects have, for slips of the pen.
class Vocabulary {
  public:
    explicit Vocabulary(const Context& context) {
        for (const Object& object : context.lowered.world.objects)
            for (const auto& [label, value] : object.labels)
                values_[std::string(label)].emplace(value);
    }

    /// "app == \"frontend\" (there is app = \"front-end\")" for the first term that nothing has and
    /// something nearly has.
    std::string slip(const Selector& selector) const {
        const selector::Term& term = selector.term();
        for (const Selector& child : term.children)
            if (auto found = slip(child); !found.empty())
                return found;
        if (term.op != Op::Equal && term.op != Op::In && term.op != Op::Has)
            return "";
        const auto known = values_.find(term.label);
        if (known == values_.end())
            return near_label(term.label);
        for (const std::string& value : term.values)
            if (!known->second.contains(value))
                if (const auto near = nearest(value, known->second))
                    return fmt::format("there is `{}` = `{}`, not `{}`", shown(term.label), *near,
                                       value);
        return "";
    }

  private:
    static std::string shown(std::string_view label) {
        for (const auto prefix : {policy::kNamespacePrefix, policy::kServiceAccountPrefix})
            if (label.starts_with(prefix))
                label.remove_prefix(prefix.size());
        return std::string(label);
    }

    template <class List>
    static std::optional<std::string> nearest(const std::string& word, const List& list) {
        std::vector<std::string_view> words(list.begin(), list.end());
        const auto near = diag::nearest(word, words);
        return word.size() > 2 ? near : std::nullopt;
    }

    std::string near_label(const std::string& label) const {
        std::vector<std::string> labels;
        for (const auto& [each, values] : values_)
            labels.push_back(each);
        const auto near = nearest(label, labels);
        return near ? fmt::format("there is a label `{}`, not `{}`", shown(*near), shown(label))
                    : "";
    }

    std::map<std::string, std::set<std::string>> values_;
};

class SelectionsChecker {
  public:
    SelectionsChecker(Context& context, Diagnostics& out)
        : context_(context), out_(out), vocabulary_(context) {
        for (const Object& object : context.lowered.world.objects)
            if (const auto space = object.labels.find(policy::kNamespaceLabel))
                spaces_.emplace(*space);
            else
                has_global_objects_ = true;
        for (const policy::Namespace& space : context.cluster.namespaces)
            known_spaces_.insert(space.meta.name);
        for (const policy::Workload& each : context.cluster.workloads)
            if (each.pod_annotations.contains("cni.projectcalico.org/allowedSourcePrefixes"))
                sends_for_others_.insert(each.meta.space + "/" + each.meta.name);
    }

    void run() {
        each_policy(context_, [&](const policy::OrderedTier&, const Policy& policy) {
            if (policy.staged_action != "Delete")
                check_subject(policy);
        });
        each_rule(context_, [&](const RuleView& view) {
            const std::string space =
                policy::is_global(view.policy.kind) ? "" : view.policy.meta.space;
            check_peer(view, view.rule.source, space, "source");
            check_peer(view, view.rule.destination, space, "destination");
            check_own_side(view, space);
        });
    }

  private:
    /// Whether there is anything of which a selection could be found wanting: objects in the
    /// namespaces that it speaks of. What is not in the input is not held against a policy.
    bool can_tell(const Policy& policy) const {
        return policy::is_global(policy.kind) ? !spaces_.empty() || has_global_objects_
                                              : spaces_.contains(policy.meta.space);
    }

    void check_subject(const Policy& policy) {
        if (!can_tell(policy))
            return;
        const Selector subject = policy::subject_of(policy);
        for (const decision::ObjectId id : context_.select(subject))
            if (context_.object(id).kind != Object::Kind::NetworkSet)
                return;
        const Span span = policy.selector && policy.selector->span.known() ? policy.selector->span
                                                                           : policy.meta.span;
        report(Code::SelectsNothing, span, policy, subject, "selector of the policy",
               {policy.meta.name})
            .with_note("a policy without endpoints protects nothing");
    }

    /// A slip of the pen says more than that nothing matches.
    diag::Diagnostic& report(Code code, Span span, const Policy& policy, const Selector& selector,
                             const std::string& what,
                             std::initializer_list<std::string_view> args) {
        if (const std::string slip = vocabulary_.slip(selector); !slip.empty())
            return out_.report(Code::SelectorTypo, span, {what, slip}).about(name_of(policy));
        return out_.report(code, span, args).about(name_of(policy));
    }

    /// The namespaces in the input that the entity speaks of; nullopt: not of namespaces.
    bool peers_are_in_input(const EntityRule& entity, const std::string& space) const {
        if (!policy::is_present(entity.namespace_selector))
            return space.empty() ? !spaces_.empty() || has_global_objects_
                                 : spaces_.contains(space);
        // A selector of namespaces: some namespace that it picks has objects, or all namespaces
        // are known and it picks none.
        const Selector wanted =
            entity.namespace_selector->parsed.with_prefix(policy::kNamespacePrefix);
        bool picks = false;
        for (const Object& object : context_.lowered.world.objects)
            picks = picks || wanted.matches(object.labels);
        if (picks)
            return true;
        for (const policy::Namespace& each : context_.cluster.namespaces)
            if (entity.namespace_selector->parsed.matches(with_name(each)))
                return false; // it is there and empty
        return !known_spaces_.empty();
    }

    static selector::Labels with_name(const policy::Namespace& space) {
        selector::Labels labels = space.meta.labels;
        labels.set("projectcalico.org/name", space.meta.name);
        return labels;
    }

    void check_peer(const RuleView& view, const EntityRule& entity, const std::string& space,
                    std::string_view side) {
        const auto peers = policy::peers_of(entity, space);
        if (!peers || !peers_are_in_input(entity, space) || !context_.select(*peers).empty())
            return;
        const Span span = entity.span.known() ? entity.span : view.rule.span;
        report(Code::PeerMatchesNothing, span, view.policy, *peers,
               fmt::format("{} of rule {}", side, rule_name(view)),
               {rule_name(view), side, "no endpoint and no network set"});
    }

    /// The destination of what a workload gets, and the source of what it sends, is the workload.
    /// A host endpoint may have several addresses, and sees packets that are for others; some pods
    /// may send from addresses of others.
    void check_own_side(const RuleView& view, const std::string& space) {
        const bool ingress = view.direction == decision::Direction::Ingress;
        const EntityRule& entity = ingress ? view.rule.destination : view.rule.source;
        const auto named = policy::peers_of(entity, space);
        if (!named || *view.policy.apply_on_forward || *view.policy.pre_dnat ||
            *view.policy.do_not_track)
            return;
        const auto meant = context_.select(*named);
        std::size_t governed = 0;
        for (const decision::ObjectId id : context_.select(policy::subject_of(view.policy))) {
            const Object& object = context_.object(id);
            if (object.kind == Object::Kind::NetworkSet)
                continue;
            if (object.kind == Object::Kind::HostEndpoint || may_be_one_of(id, meant) ||
                (!ingress && sends_for_others_.contains(object.name)))
                return;
            ++governed;
        }
        if (governed == 0 || meant.empty())
            return; // said elsewhere
        out_.report(Code::PeerMatchesNothing, entity.span.known() ? entity.span : view.rule.span,
                    {rule_name(view), ingress ? "destination" : "source",
                     "no endpoint that the policy governs"})
            .about(name_of(view.policy))
            .with_note(fmt::format("an {} rule is for packets that come {} the policy's own "
                                   "endpoints, and this names none of them ({})",
                                   ingress ? "ingress" : "egress", ingress ? "to" : "from",
                                   counted(governed, "endpoint")));
    }

    /// An address is what every endpoint and network set that has it is.
    bool may_be_one_of(decision::ObjectId id, const std::vector<decision::ObjectId>& meant) const {
        const Object& object = context_.object(id);
        return std::any_of(meant.begin(), meant.end(), [&](decision::ObjectId each) {
            const Object& other = context_.object(each);
            if (each == id || other.kind == Object::Kind::NetworkSet)
                return each == id || !object.addresses_known ||
                       std::any_of(
                           object.addresses.begin(), object.addresses.end(),
                           [&](const auto& address) { return other.nets.contains(address); });
            return std::any_of(object.addresses.begin(), object.addresses.end(),
                               [&](const auto& address) {
                                   return std::find(other.addresses.begin(), other.addresses.end(),
                                                    address) != other.addresses.end();
                               });
        });
    }

    Context& context_;
    Diagnostics& out_;
    Vocabulary vocabulary_;
    std::set<std::string> spaces_;       ///< namespaces with objects
    std::set<std::string> known_spaces_; ///< Namespace objects
    /// Pods that may send from addresses that aren't theirs.
    std::set<std::string> sends_for_others_;
    bool has_global_objects_ = false; ///< host endpoints, global sets
};

} // namespace

void check_selections(Context& context, Diagnostics& out) {
    SelectionsChecker(context, out).run();
}

} // namespace polecat::lint
