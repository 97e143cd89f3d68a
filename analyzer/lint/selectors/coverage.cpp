// Who is governed: too many (host endpoints, system pods), or too few.
#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analyzer/ends/hypothetical.h"
#include "analyzer/lint/checks.h"
#include "ir/net/special.h"
#include "ir/policy/scope.h"
#include "support/listed.h"

namespace polecat::lint {

using decision::Direction;
using decision::Object;
using policy::Action;
using policy::Policy;

namespace {

/// A global policy of Calico without any selector governs host endpoints as well.
void check_hosts(Context& context, Diagnostics& out) {
    std::vector<std::string> hosts;
    for (const policy::HostEndpoint& each : context.cluster.host_endpoints)
        hosts.push_back(each.meta.name);
    const bool automatic = policy::has_automatic_host_endpoints(context.cluster);
    if (hosts.empty() && !automatic)
        return;
    each_policy(context, [&](const policy::OrderedTier&, const Policy& policy) {
        const bool implicit = policy.kind == policy::PolicyKind::GlobalNetworkPolicy &&
                              !policy::is_present(policy.selector) &&
                              !policy::is_present(policy.namespace_selector) &&
                              !policy::is_present(policy.service_account_selector);
        const bool for_hosts = *policy.apply_on_forward || *policy.pre_dnat || *policy.do_not_track;
        if (implicit && !for_hosts)
            out.report(Code::SelectsHostsToo, policy.meta.span,
                       {policy.meta.name,
                        hosts.empty() ? "those that kube-controllers makes" : listed(hosts)})
                .about(name_of(policy))
                .with_hint("for pods only: `selector: has(projectcalico.org/namespace)`");
    });
}

/// The one end that it asks for is every pod, or a whole range of private addresses: what the
/// system needs gets by.
bool is_for_the_cluster(policy::Rule rule) {
    for (policy::EntityRule* end : {&rule.source, &rule.destination}) {
        const bool wide =
            std::any_of(end->nets.begin(), end->nets.end(), [](const At<net::Cidr>& each) {
                return each->prefix <= 12 && net::local_addresses().contains(each->base);
            });
        if (wide)
            end->nets.clear();
        selector::Labels pod;
        pod.set(policy::kNamespaceLabel, "any");
        pod.set(policy::kOrchestratorLabel, "k8s");
        if (end->selector && end->selector->parsed.matches(pod))
            end->selector = {};
    }
    return policy::asks_nothing(rule);
}

/// How much the rules of a policy let through, or on to later tiers.
enum class Lets { Nothing, Something, Everything };

Lets what_rules_let(const std::vector<policy::Rule>& rules) {
    const auto lets = [](const policy::Rule& rule) {
        return rule.action == Action::Pass || rule.action == Action::Allow;
    };
    for (const policy::Rule& rule : rules)
        if (rule.unread.known() || (is_for_the_cluster(rule) && lets(rule)))
            return Lets::Everything; // one that is not read may let everything through
        else if (policy::asks_nothing(rule) && rule.action != Action::Log)
            return lets(rule)                                      ? Lets::Everything
                   : std::any_of(rules.begin(), rules.end(), lets) ? Lets::Something
                                                                   : Lets::Nothing;
    return std::any_of(rules.begin(), rules.end(), lets) ? Lets::Something : Lets::Nothing;
}

bool denies_the_rest(const std::vector<policy::Rule>& rules) {
    return std::any_of(rules.begin(), rules.end(), [](const policy::Rule& rule) {
        return rule.action == Action::Deny && policy::asks_nothing(rule);
    });
}

const std::vector<policy::Rule>& rules_for(const Policy& policy, Direction direction) {
    return direction == Direction::Ingress ? policy.ingress : policy.egress;
}

/// "ingress and egress".
std::string directions_of(const std::set<Direction>& directions) {
    std::vector<std::string> names;
    for (const Direction each : directions)
        names.emplace_back(decision::to_string(each));
    return fmt::format("{}", fmt::join(names, " and "));
}

bool governs(const Policy& policy, Direction direction) {
    return direction == Direction::Ingress ? policy.ingress_type : policy.egress_type;
}

/// Pods without which nothing else works: DNS, Calico's own.
class SystemPods {
  public:
    explicit SystemPods(const Context& context) : context_(context) {
        for (const decision::Endpoint& endpoint : context.lowered.endpoints) {
            const Object& object = context.object(endpoint.object);
            if (const auto space = object.labels.find(policy::kNamespaceLabel);
                space && object.kind == Object::Kind::Workload && object.selectable &&
                !endpoint.host_network && (*space == "kube-system" || *space == "calico-system"))
                there_.emplace_back(*space, object.labels);
        }
        if (there_.empty())
            there_.emplace_back("kube-system", assumed());
    }

    /// What a policy leaves system pods without.
    struct Lack {
        const Policy* policy;
        std::set<std::string> spaces;
        std::set<Direction> lacking; ///< where it leaves least
        Lets least = Lets::Everything;
        bool ends_in_deny = false;
    };

    /// nullopt: what they need gets by, in each direction that the policy governs.
    std::optional<Lack> check(const policy::OrderedTier& tier, const Policy& policy) const {
        Lack out{&policy, {}, {}};
        const selector::Selector subject = policy::subject_of(policy);
        for (const auto& [space, labels] : there_)
            for (const Direction direction : {Direction::Ingress, Direction::Egress})
                if (governs(policy, direction) && subject.matches(labels))
                    if (const Lets lets = left(tier, policy, labels, direction);
                        lets != Lets::Everything) {
                        out.spaces.insert(space);
                        if (lets < out.least)
                            out.lacking.clear();
                        out.least = std::min(out.least, lets);
                        if (lets == out.least)
                            out.lacking.insert(direction);
                        out.ends_in_deny =
                            out.ends_in_deny || denies_the_rest(rules_for(policy, direction));
                    }
        return out.spaces.empty() ? std::nullopt : std::optional(std::move(out));
    }

    /// Of a tier the policy that is worst: the end of the tier is the end of all of them.
    static void report(const std::vector<Lack>& lacks, Diagnostics& out) {
        const auto worst =
            std::min_element(lacks.begin(), lacks.end(), [](const Lack& a, const Lack& b) {
                return std::tuple(a.least, !a.ends_in_deny) < std::tuple(b.least, !b.ends_in_deny);
            });
        if (worst == lacks.end())
            return;
        const Policy& policy = *worst->policy;
        const std::string does =
            worst->ends_in_deny ? "ends in Deny"
                                : fmt::format("lets {} {} through",
                                              worst->least == Lets::Nothing ? "no" : "only some",
                                              directions_of(worst->lacking));
        auto& diagnostic = out.report(
            Code::SelectsSystem, policy.meta.span,
            {policy.meta.name, does, listed({worst->spaces.begin(), worst->spaces.end()})});
        diagnostic.about(name_of(policy))
            .with_hint("leave them out: `namespaceSelector: projectcalico.org/name not in "
                       "{'kube-system', 'calico-system', 'tigera-operator'}`");
        if (worst->least == Lets::Something)
            diagnostic.severity = diag::Severity::Warning;
        std::vector<std::string> others;
        for (const Lack& each : lacks)
            if (each.policy != &policy)
                others.push_back(each.policy->meta.name);
        if (!others.empty())
            diagnostic.with_note("the same of " + listed(others, 10) + " of its tier");
    }

  private:
    /// The DNS pods, where no system pods are in the input.
    selector::Labels assumed() const {
        policy::Namespace system;
        system.meta.name = "kube-system";
        if (const auto* given = context_.extent.labels_of_namespace(system.meta.name))
            system.meta.labels = *given;
        selector::Labels labels = policy::inherited_labels(system);
        labels.set(policy::kNamespaceLabel, system.meta.name);
        labels.set(policy::kOrchestratorLabel, "k8s");
        labels.set("k8s-app", "kube-dns");
        return labels;
    }

    /// What the policy and the others of its tier let through at a pod.
    static Lets left(const policy::OrderedTier& tier, const Policy& policy,
                     const selector::Labels& pod, Direction direction) {
        const auto& own = rules_for(policy, direction);
        Lets out = what_rules_let(own);
        bool behind = false;
        for (const Policy* each : tier.policies) {
            behind = behind || each == &policy;
            if (each != &policy && !policy::is_staged(each->kind) && governs(*each, direction) &&
                !(behind && denies_the_rest(own)) && policy::subject_of(*each).matches(pod))
                out = std::max(out, what_rules_let(rules_for(*each, direction)));
        }
        return out;
    }

    const Context& context_;
    std::vector<std::pair<std::string, selector::Labels>> there_;
};

void check_system(Context& context, Diagnostics& out) {
    const SystemPods pods(context);
    for (const policy::OrderedTier& tier : context.policies.tiers) {
        std::vector<SystemPods::Lack> lacks;
        for (const Policy* policy : tier.policies)
            if (policy->kind == policy::PolicyKind::GlobalNetworkPolicy &&
                tier.default_action != Action::Pass && !*policy->pre_dnat && !*policy->do_not_track)
                if (auto lack = pods.check(tier, *policy))
                    lacks.push_back(std::move(*lack));
        SystemPods::report(lacks, out);
    }
}

bool is_isolated(const Context& context, const decision::Endpoint& endpoint, Direction direction) {
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        const auto* program =
            context.lowered.find(endpoint.object, direction, decision::Hook::Normal, family);
        if (program != nullptr && program->slots.any_enforced())
            return true;
    }
    return false;
}

/// Workloads of a namespace, and those of them that no policy isolates.
struct OpenCount {
    std::vector<std::string> open;
    bool serves = false; ///< one of these declares a port, or a service leads to it
    std::size_t all = 0;
    Span first;
};

/// And no placeholder: `${APP}`, `__NAMESPACE__`.
bool is_name(std::string_view space) {
    return space.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") ==
           std::string_view::npos;
}

std::map<std::string, OpenCount> count_open(const Context& context, Direction direction) {
    std::map<std::string, OpenCount> out;
    std::set<decision::ObjectId> served;
    for (const auto& [service, objects] : context.lowered.world.service_objects)
        for (const decision::ServiceObject& each : objects)
            served.insert(each.object);
    std::set<Span> listening;
    for (const policy::Workload& each : context.cluster.workloads)
        if (!each.listens.empty())
            listening.insert(each.meta.span);
    for (const decision::Endpoint& endpoint : context.lowered.endpoints) {
        const Object& object = context.object(endpoint.object);
        const auto space = object.labels.find(policy::kNamespaceLabel);
        if (endpoint.is_host_endpoint || endpoint.host_network || !space || space->empty() ||
            !is_name(*space) || is_system_namespace(*space) ||
            context.cluster.spaces_in_part.contains(*space))
            continue;
        OpenCount& count = out[std::string(*space)];
        ++count.all;
        if (is_isolated(context, endpoint, direction))
            continue;
        count.open.push_back(object.name.substr(object.name.find('/') + 1));
        count.serves =
            count.serves || served.contains(endpoint.object) || listening.contains(object.span);
        if (!count.first.known())
            count.first = object.span;
    }
    return out;
}

/// Where most namespaces are open, one more is nobody's slip.
bool isolates_few(const std::map<std::string, OpenCount>& counts) {
    const auto open = std::count_if(counts.begin(), counts.end(), [](const auto& each) {
        return each.second.open.size() == each.second.all;
    });
    return static_cast<std::size_t>(open) * 2 >= counts.size();
}

void check_unprotected(Context& context, Diagnostics& out) {
    std::map<std::string, Span> spans;
    for (const policy::Namespace& each : context.cluster.namespaces)
        spans[each.meta.name] = each.meta.span;
    struct Open {
        Span span;
        std::size_t count = 0;
        std::set<Direction> directions;
        bool usual = true;
    };
    std::map<std::pair<std::string, std::string>, Open> open; // by namespace and names
    for (const Direction direction : {Direction::Ingress, Direction::Egress}) {
        const auto counts = count_open(context, direction);
        const bool usual = isolates_few(counts);
        for (const auto& [space, count] : counts) {
            if (count.open.empty())
                continue;
            const Span span = spans[space].known() ? spans[space] : count.first;
            if (count.open.size() == count.all) {
                out.report(Code::NoDefaultDeny, span, {space, decision::to_string(direction)})
                    .about("Namespace " + space)
                    .as_usual(usual);
                continue;
            }
            Open& each = open[{space, listed(count.open)}];
            each.span = count.first;
            each.count = count.open.size();
            each.directions.insert(direction);
            // Nobody sends to what serves nothing.
            each.usual = each.usual && (count.open.size() * 2 > count.all ||
                                        (direction == Direction::Ingress && !count.serves));
        }
    }
    for (const auto& [key, each] : open)
        out.report(Code::UnprotectedWorkload, each.span,
                   {directions_of(each.directions), counted(each.count, "workload"), key.first,
                    key.second})
            .about("Namespace " + key.first)
            .as_usual(each.usual);
}

} // namespace

void check_coverage(Context& context, Diagnostics& out) {
    check_hosts(context, out);
    check_system(context, out);
    check_unprotected(context, out);
}

} // namespace polecat::lint
