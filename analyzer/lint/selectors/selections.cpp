// Selectors that select nobody, or more than they seem to.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/hosts/node_policies.h"
#include "analyzer/lint/selectors/doubts.h"
#include "analyzer/lint/selectors/near_miss.h"
#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::lint {

using decision::Object;
using policy::EntityRule;
using policy::Policy;
using selector::Selector;

namespace {

class SelectionsChecker {
  public:
    SelectionsChecker(Context& context, Diagnostics& out)
        : context_(context), out_(out), vocabulary_(context), doubts_(context) {
        for (const diag::Diagnostic& each : out.list())
            if (each.code == Code::PeerAndOr || each.code == Code::NamespaceLabelNotSet ||
                each.code == Code::SelectorTypo || each.code == Code::HostNetworkPeer ||
                each.code == Code::NodesInRule) {
                told_.insert(each.span);
                for (const diag::Label& label : each.labels)
                    told_.insert(label.span);
            }
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
        });
    }

  private:
    void check_subject(const Policy& policy) {
        const Selector subject = policy::subject_of(policy);
        for (const decision::ObjectId id : context_.select(subject))
            if (context_.object(id).kind != Object::Kind::NetworkSet)
                return;
        if (!nodes_meant(context_, policy).empty())
            return; // said by NoHostEndpoint
        const bool for_hosts = *policy.pre_dnat || *policy.do_not_track;
        if (!for_hosts && has_on_host_network(subject))
            return; // said by HostNetworkSelected
        const auto known = context_.extent.known_endpoints_of(policy);
        const Span span = span_of_subject(policy);
        if (slip(span, policy, subject, "selector of the policy", known) || !known)
            return;
        auto& diagnostic = out_.report(Code::SelectsNothing, span, {policy.meta.name})
                               .about(name_of(policy))
                               .with_fact("selector", subject.canonical());
        bool explained = true;
        if (const auto label = vocabulary_.only_on_namespaces(subject))
            diagnostic.with_note(*label);
        else if (const std::string pod = finished_with(subject); !pod.empty())
            diagnostic.with_note(pod);
        else
            explained = false;
        diagnostic.with_note("a policy without endpoints protects nothing")
            .with_note("assumes that " + *known);
        doubts_.weigh(diagnostic, subject, explained, &policy);
    }

    /// Of the part that selects nobody, where one of them does by itself.
    Span span_of_subject(const Policy& policy) {
        const auto stands = [](const Box<policy::SelectorField>& field) {
            return policy::is_present(field) && field->span.known();
        };
        const auto& spaces = policy.namespace_selector;
        if (stands(spaces) &&
            (!stands(policy.selector) ||
             context_.select(spaces->parsed.with_prefix(policy::kNamespacePrefix)).empty()))
            return spaces->span;
        return policy.selector && policy.selector->span.known() ? policy.selector->span
                                                                : policy.meta.span;
    }

    /// A slip of the pen says more than that nothing matches.
    bool slip(Span span, const Policy& policy, const Selector& selector, const std::string& what,
              const std::optional<std::string>& known) {
        const auto found = vocabulary_.slip(selector, is_kubernetes(policy), known.has_value());
        if (found) {
            auto& diagnostic = out_.report(Code::SelectorTypo, span, {what, *found})
                                   .about(name_of(policy))
                                   .with_fact("selector", selector.canonical());
            if (known)
                diagnostic.with_note("assumes that " + *known);
        }
        return found.has_value();
    }

    /// A pod of a node's network has the labels.
    bool has_on_host_network(const Selector& selector) const {
        const auto& endpoints = context_.lowered.endpoints;
        return std::any_of(endpoints.begin(), endpoints.end(), [&](const auto& endpoint) {
            return endpoint.host_network &&
                   selector.matches(context_.object(endpoint.object).labels);
        });
    }

    bool is_told(const EntityRule& entity) const {
        return told_.contains(entity.span) ||
               (entity.selector && told_.contains(entity.selector->span)) ||
               (entity.namespace_selector && told_.contains(entity.namespace_selector->span));
    }

    void check_peer(const RuleView& view, const EntityRule& entity, const std::string& space,
                    const std::string& side) {
        const auto peers = policy::peers_of(entity, space);
        if (!peers || !context_.select(*peers).empty() || has_on_host_network(*peers) ||
            is_told(entity))
            return;
        const auto known = context_.extent.known(*peers, policy::Ends::Peers);
        const Span span = entity.span.known() ? entity.span : view.rule.span;
        const std::string what = side + " of rule " + rule_name(view);
        const std::string others = others_with(entity, space);
        if (others.empty() && (slip(span, view.policy, *peers, what, known) || !known))
            return;
        auto& diagnostic =
            known ? out_.report(
                        Code::PeerMatchesNothing, span,
                        {rule_name(view), side,
                         is_kubernetes(view.policy) ? "no pod" : "no endpoint and no network set"})
                  : out_.report(Code::SelectorTypo, span, {what, others});
        diagnostic.about(name_of(view.policy)).with_fact("selector", peers->canonical());
        if (known)
            diagnostic.with_note("assumes that " + *known);
        const bool explained = explain(diagnostic, entity, space, *peers, others, known);
        if (known)
            doubts_.weigh(diagnostic, *peers, explained, nullptr);
    }

    /// Why nothing is what the peers ask for, where something shows it.
    bool explain(diag::Diagnostic& diagnostic, const EntityRule& entity, const std::string& space,
                 const Selector& peers, const std::string& others,
                 const std::optional<std::string>& known) {
        const bool no_namespace = known && selects_no_namespace(entity);
        if (no_namespace)
            diagnostic.with_note(
                "no Namespace of the input has what its namespaceSelector asks for");
        if (!others.empty())
            diagnostic.with_note(others);
        else if (const auto label = vocabulary_.only_on_namespaces(peers))
            diagnostic.with_note(*label).with_hint("ask for it in a namespaceSelector");
        else if (const std::string elsewhere = elsewhere_with(entity, space); !elsewhere.empty())
            diagnostic.with_note(elsewhere).with_hint(
                "add a namespaceSelector for those of other namespaces");
        else if (const std::string pod = finished_with(peers); !pod.empty())
            diagnostic.with_note(pod);
        else
            return no_namespace;
        return true;
    }

    /// A pod that has finished, and would be selected.
    std::string finished_with(const Selector& selector) {
        for (const std::uint32_t number : doubts_.pods().select(selector)) {
            const policy::Workload& each = context_.cluster.workloads[number];
            if (each.finished)
                return fmt::format("{} {} has these labels, and has finished: it sends and gets no "
                                   "packets",
                                   each.kind, full_name(each.meta));
        }
        return "";
    }

    bool selects_no_namespace(const EntityRule& entity) const {
        const auto& spaces = context_.cluster.namespaces;
        const auto& pods = context_.cluster.workloads;
        const auto is_of_it = [&](const policy::Workload& each) { // its Namespace may be elsewhere
            selector::Labels named;
            for (const std::string_view name : {policy::kCalicoNameLabel, policy::kNameLabel})
                named.set(name, each.meta.space);
            return entity.namespace_selector->parsed.matches(named);
        };
        return policy::is_present(entity.namespace_selector) && !spaces.empty() &&
               std::none_of(spaces.begin(), spaces.end(),
                            [&](const policy::Namespace& each) {
                                return each.meta.unread.known() ||
                                       entity.namespace_selector->parsed.matches(
                                           policy::labels_of(each));
                            }) &&
               std::none_of(pods.begin(), pods.end(), is_of_it);
    }

    /// A selector by itself means the policy's own namespace, and `all()` for namespaces what is in
    /// one. Who has the labels elsewhere.
    std::string others_with(const EntityRule& entity, const std::string& space) {
        if (!means_namespaces(entity, space))
            return "";
        for (const decision::ObjectId id : context_.select(entity.selector->parsed)) {
            const Object& object = context_.object(id);
            if (object.labels.find(policy::kNamespaceLabel))
                continue;
            return fmt::format("{} {} has these labels, and only `namespaceSelector: global()` "
                               "selects what is in no namespace",
                               object.manifest_kind, object.name);
        }
        return "";
    }

    /// A workload that does not say its namespace: it may be meant for any.
    bool is_unplaced(const Object& object) const {
        const auto& workloads = context_.cluster.workloads;
        return std::any_of(workloads.begin(), workloads.end(), [&](const policy::Workload& each) {
            return each.meta.span == object.span && !each.meta.space_given;
        });
    }

    /// The same of other namespaces, and of accounts there.
    std::string elsewhere_with(const EntityRule& entity, const std::string& space) {
        const auto anywhere = policy::peers_of(entity, "");
        selector::Labels any;
        any.set(policy::kOrchestratorLabel, "k8s");
        if (space.empty() || !anywhere || policy::is_present(entity.namespace_selector) ||
            anywhere->matches(any))
            return "";
        for (const decision::ObjectId id : context_.select(*anywhere)) {
            const Object& object = context_.object(id);
            const auto of = object.labels.find(policy::kNamespaceLabel);
            if (of && *of != space && !is_unplaced(object))
                return fmt::format("{} {} is what it asks for, and without a namespaceSelector "
                                   "namespace {} alone is meant",
                                   object.manifest_kind, object.name, space);
        }
        return "";
    }

    /// Labels, of what is in the policy's namespace, or in any.
    static bool means_namespaces(const EntityRule& entity, const std::string& space) {
        selector::Labels any;
        any.set(policy::kOrchestratorLabel, "k8s");
        return !space.empty() && policy::is_present(entity.selector) && !entity.service_accounts &&
               !entity.selector->parsed.matches({}) && !entity.selector->parsed.matches(any) &&
               (!policy::is_present(entity.namespace_selector) ||
                entity.namespace_selector->parsed.is_all());
    }

    Context& context_;
    Diagnostics& out_;
    Vocabulary vocabulary_;
    Doubts doubts_;
    std::set<Span> told_; ///< peers of which another rule said it
};

} // namespace

void check_selections(Context& context, Diagnostics& out) {
    SelectionsChecker(context, out).run();
}

} // namespace polecat::lint
