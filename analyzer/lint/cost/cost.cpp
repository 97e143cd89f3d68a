// What policy costs, and what a node can't hold: IP sets, network sets, rules on Windows.
// Sources: felix/config/config_params.go, felix/dataplane/windows/policysets.
#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/pools.h"
#include "ir/policy/felix.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using net::Family;
using policy::EntityRule;
using policy::NetworkSet;

namespace {

constexpr std::int64_t kIpSetSize = 1048576;

class CostChecker {
  public:
    CostChecker(Context& context, Diagnostics& out) : context_(context), out_(out) {
        if (const policy::OtherObject* felix = policy::default_felix(context.cluster))
            if (const auto given = felix->spec.integer("maxIpsetSize"); given && given->value > 0)
                limit_ = given->value;
        each_policy(context, [&](const policy::OrderedTier&, const policy::Policy& policy) {
            has_calico_policy_ = has_calico_policy_ || !is_kubernetes(policy);
        });
    }

    void run() {
        each_rule(context_, [&](const RuleView& view) {
            peers(view, view.rule.source);
            peers(view, view.rule.destination);
        });
        for (const NetworkSet& set : context_.cluster.network_sets) {
            overlaps(set);
            if (has_calico_policy_)
                unused(set);
        }
        find_windows();
        if (!windows_.empty())
            each_policy(context_, [&](const policy::OrderedTier&, const policy::Policy& policy) {
                on_windows(policy);
            });
    }

  private:
    // --- IP sets ---------------------------------------------------------------------------------

    /// Each distinct selector of a rule's end is an IP set for each family.
    void peers(const RuleView& view, const EntityRule& end) {
        if (end.not_selector)
            use(end.not_selector->parsed);
        const auto selector = policy::peers_of(end, view.policy.meta.space);
        if (!selector || !seen_.insert(selector->unique_id()).second)
            return;
        const auto members = use(*selector);
        for (const auto& [family, count] : members) {
            const auto size = static_cast<std::int64_t>(count);
            if (2 * size <= limit_)
                continue;
            const Span span = end.selector ? end.selector->span : view.rule.span;
            out_.report(size > limit_ ? Code::IpSetTooLarge : Code::IpSetNearLimit, span,
                        {fmt::format("the IPv{} set of {}", family == Family::V4 ? 4 : 6,
                                     end.selector ? "`" + end.selector->text + "`"
                                                  : "rule " + rule_name(view)),
                         std::to_string(size), std::to_string(limit_)})
                .about(name_of(view.policy))
                .with_hint("select less, merge nets, or raise maxIpsetSize in FelixConfiguration");
        }
    }

    /// Notes network sets as used; how many members there are of each family, as far as addresses
    /// are known.
    std::map<Family, std::size_t> use(const selector::Selector& selector) {
        std::map<Family, std::vector<net::Cidr>> members;
        for (const decision::ObjectId id : context_.select(selector)) {
            const decision::Object& object = context_.object(id);
            for (const net::Address& address : object.addresses)
                members[address.family].push_back(
                    {address, static_cast<std::uint8_t>(net::width(address.family))});
            if (object.kind == decision::Object::Kind::NetworkSet) {
                used_.insert(object.name);
                for (const net::Cidr& cidr : object.nets.cidrs())
                    members[cidr.family()].push_back(cidr);
            }
        }
        std::map<Family, std::size_t> out;
        for (auto& [family, list] : members) {
            std::sort(list.begin(), list.end());
            const auto last = std::unique(list.begin(), list.end());
            out[family] = static_cast<std::size_t>(last - list.begin());
        }
        return out;
    }

    // --- network sets ----------------------------------------------------------------------------

    diag::Diagnostic& report(Code code, const NetworkSet& set, const Span& span,
                             std::initializer_list<std::string_view> args) {
        return out_.report(code, span, args)
            .about((set.meta.space.empty() ? "GlobalNetworkSet " : "NetworkSet ") +
                   full_name(set.meta));
    }

    /// In the order of addresses a range comes right after one that holds it, or after others that
    /// it holds too.
    void overlaps(const NetworkSet& set) {
        std::vector<const At<net::Cidr>*> sorted;
        for (const At<net::Cidr>& each : set.nets)
            sorted.push_back(&each);
        std::stable_sort(sorted.begin(), sorted.end(),
                         [](const auto* a, const auto* b) { return a->value < b->value; });
        const At<net::Cidr>* outer = nullptr;
        for (const At<net::Cidr>* each : sorted) {
            if (outer == nullptr || !outer->value.contains(each->value.base)) {
                outer = each;
                continue;
            }
            report(Code::NetworkSetOverlap, set, each->span,
                   {net::to_string(each->value), net::to_string(outer->value)})
                .with_label(outer->span, "the larger one");
        }
    }

    void unused(const NetworkSet& set) {
        if (!used_.contains(full_name(set.meta)) && !is_selected_but_for_scope(set))
            report(Code::NetworkSetUnused, set, set.meta.span, {full_name(set.meta)});
    }

    /// A rule of a namespaced policy asks for the labels of a global set: told of that rule.
    bool is_selected_but_for_scope(const NetworkSet& set) const {
        bool out = false;
        each_rule(context_, [&](const RuleView& view) {
            for (const EntityRule* end : {&view.rule.source, &view.rule.destination})
                out = out ||
                      (set.meta.space.empty() && !policy::is_global(view.policy.kind) &&
                       !is_kubernetes(view.policy) && policy::is_present(end->selector) &&
                       !end->selector->parsed.is_all() && !end->namespace_selector &&
                       !end->service_accounts && end->selector->parsed.matches(set.meta.labels));
        });
        return out;
    }

    // --- Windows ---------------------------------------------------------------------------------

    void find_windows() {
        for (const NodeView& node : nodes_of(context_.cluster))
            if (is_windows(node))
                windows_.insert(node.name);
    }

    void on_windows(const policy::Policy& policy) {
        if (policy::is_staged(policy.kind) || !governs_windows(policy))
            return;
        for (const auto* rules : {&policy.ingress, &policy.egress})
            for (const policy::Rule& rule : *rules) {
                const char* why =
                    skipped(rule, policy::is_global(policy.kind) ? "" : policy.meta.space);
                if (why == nullptr)
                    continue;
                const bool in = rules == &policy.ingress;
                out_.report(Code::WindowsSkips, rule.span,
                            {fmt::format("{}[{}]", in ? "ingress" : "egress", rule.manifest_index),
                             why})
                    .about(name_of(policy))
                    .with_hint(rule.action == policy::Action::Deny
                                   ? "a Deny that is skipped lets through"
                                   : "say the same without it");
            }
    }

    bool governs_windows(const policy::Policy& policy) {
        for (const decision::ObjectId id : context_.select(policy::subject_of(policy))) {
            const decision::Endpoint* endpoint = context_.lowered.endpoint_of(id);
            if (endpoint != nullptr && windows_.contains(endpoint->node))
                return true;
        }
        return false;
    }

    static const char* skipped(const policy::Rule& rule, const std::string& space) {
        const auto named = [](const std::vector<policy::Port>& ports) {
            return std::any_of(ports.begin(), ports.end(), [](const policy::Port& port) {
                return std::holds_alternative<std::string>(port.value);
            });
        };
        for (const EntityRule* end : {&rule.source, &rule.destination}) {
            if (!end->not_nets.empty() || !end->not_ports.empty())
                return "it excludes nets or ports";
            if (policy::is_present(end->not_selector) && !policy::peers_of(*end, space))
                return "it excludes endpoints and selects none";
            if (named(end->ports))
                return "it names a port by its name";
        }
        if (rule.not_protocol || rule.not_icmp)
            return "it excludes a protocol";
        return rule.icmp ? "it names an ICMP type" : nullptr;
    }

    Context& context_;
    Diagnostics& out_;
    std::int64_t limit_ = kIpSetSize;
    bool has_calico_policy_ = false; ///< Kubernetes' select no sets
    std::set<std::string> seen_;     ///< selectors, by id
    std::set<std::string> used_;     ///< network sets
    std::set<std::string> windows_;  ///< nodes
};

} // namespace

void check_cost(Context& context, Diagnostics& out) {
    CostChecker(context, out).run();
}

} // namespace polecat::lint
