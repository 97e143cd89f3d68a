// Rules that mean hosts: host endpoints and nodes that no address leads to.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/checks.h"
#include "analyzer/lint/pools.h"
#include "ir/policy/extent.h"
#include "ir/policy/scope.h"

namespace polecat::lint {

using decision::Object;
using policy::EntityRule;
using selector::Selector;

namespace {

Span span_of(const RuleView& view, const EntityRule& end) {
    return end.selector && end.selector->span.known() ? end.selector->span
           : end.span.known()                         ? end.span
                                                      : view.rule.span;
}

/// Nothing in a namespace, and something with labels that people give: not everybody.
bool means_hosts(const Selector& peers, const EntityRule& end) {
    selector::Labels pod;
    pod.set(std::string(policy::kNamespaceLabel), "default");
    return !peers.matches(selector::Labels{}) ||
           (policy::is_present(end.namespace_selector) && !peers.matches(pod));
}

/// Nodes that have the labels that the peers ask for, where nothing that policy knows has them:
/// no endpoint and no network set.
std::vector<std::string> nodes_named(Context& context, const Selector& peers) {
    if (peers.matches(selector::Labels{}) || !context.select(peers).empty() ||
        policy::has_automatic_host_endpoints(context.cluster))
        return {};
    std::vector<std::string> out;
    for (const NodeView& node : nodes_of(context.cluster))
        if (peers.matches(node.labels))
            out.push_back("node " + node.name);
    return out;
}

class HostPeersChecker {
  public:
    HostPeersChecker(Context& context, Diagnostics& out) : context_(context), out_(out) {
        for (const policy::HostEndpoint& each : context.cluster.host_endpoints)
            if (each.meta.unread.known()) // its addresses may be what could not be read
                unread_.insert(each.meta.name);
        for (std::uint32_t i = 0; i < context.lowered.world.objects.size(); ++i) {
            const Object& object = context.lowered.world.objects[i];
            if (object.kind == Object::Kind::HostEndpoint && object.addresses.empty() &&
                !unread_.contains(object.name))
                hosts_.push_back(&object);
        }
    }

    void run() {
        if (hosts_.empty() && context_.cluster.nodes.empty())
            return;
        each_rule(context_, [&](const RuleView& view) {
            check(view, view.rule.source, "source");
            check(view, view.rule.destination, "destination");
        });
    }

  private:
    void check(const RuleView& view, const EntityRule& end, const char* side) {
        const std::string space = policy::is_global(view.policy.kind) ? "" : view.policy.meta.space;
        const auto peers = policy::peers_of(end, space);
        const std::string what = fmt::format("{} of rule {}", side, rule_name(view));
        left_out(view, end, peers, what);
        if (!peers || !means_hosts(*peers, end))
            return;
        without_addresses(view, end, *peers, what);
        const auto nodes = nodes_named(context_, *peers);
        if (!nodes.empty())
            out_.report(Code::NodesInRule, span_of(view, end), {listed(nodes), what})
                .about(name_of(view.policy))
                .with_hint("add a HostEndpoint with expectedIPs for each node, or name the nodes' "
                           "addresses by nets");
    }

    void without_addresses(const RuleView& view, const EntityRule& end, const Selector& peers,
                           const std::string& what) {
        std::vector<const Object*> meant;
        for (const Object* host : hosts_)
            if (peers.matches(host->labels) &&
                !(end.not_selector && end.not_selector->parsed.matches(host->labels)))
                meant.push_back(host);
        report(view, span_of(view, end), what, meant);
    }

    /// notSelector is to leave hosts out, and takes nobody away.
    void left_out(const RuleView& view, const EntityRule& end, const std::optional<Selector>& peers,
                  const std::string& what) {
        if (!policy::is_present(end.not_selector) ||
            end.not_selector->parsed.matches(selector::Labels{}))
            return;
        std::vector<const Object*> meant;
        for (const Object* host : hosts_)
            if (end.not_selector->parsed.matches(host->labels) &&
                (!peers || peers->matches(host->labels)))
                meant.push_back(host);
        report(view, end.not_selector->span.known() ? end.not_selector->span : view.rule.span,
               "notSelector of the " + what, meant);
    }

    void report(const RuleView& view, const Span& span, const std::string& what,
                const std::vector<const Object*>& hosts) {
        if (hosts.empty())
            return;
        std::vector<std::string> names;
        for (const Object* host : hosts)
            names.push_back("`" + host->name + "`");
        out_.report(Code::HostWithoutAddresses, span, {listed(names), what})
            .about(name_of(view.policy))
            .with_label(hosts.front()->span, "the host endpoint")
            .with_hint("give it expectedIPs: rules know others by their addresses only");
    }

    Context& context_;
    Diagnostics& out_;
    std::set<std::string> unread_;
    std::vector<const Object*> hosts_; ///< host endpoints without addresses
};

} // namespace

void check_host_peers(Context& context, Diagnostics& out) {
    HostPeersChecker(context, out).run();
}

} // namespace polecat::lint
