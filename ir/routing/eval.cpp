#include "ir/routing/eval.h"

#include <algorithm>

#include <fmt/format.h>

namespace polecat::routing {

namespace {

bool inside(const net::Cidr& prefix, const net::Cidr& range) {
    return prefix.prefix >= range.prefix && range.contains(prefix.base);
}

bool matches(const NetMatch& match, const net::Cidr& prefix) {
    const bool negated = match.op == NetOperator::NotIn || match.op == NetOperator::NotEqual;
    bool holds = false;
    if (match.op == NetOperator::In || match.op == NetOperator::NotIn)
        holds = inside(prefix, match.cidr) &&
                (!match.lengths || (prefix.prefix >= match.lengths->shortest &&
                                    prefix.prefix <= match.lengths->longest));
    else
        holds = !match.lengths && prefix == match.cidr;
    return holds != negated;
}

std::uint32_t local_preference(const Route& route) {
    return route.local_preference.value_or(kUsualLocalPreference);
}

bool matches(const FilterMatch& match, const Session& session, const Route& route) {
    const auto has = [](const auto& list, const auto& value) {
        return std::find(list.begin(), list.end(), value) != list.end();
    };
    const auto& prefix = match.as_path_prefix;
    if (match.peer_type && (*match.peer_type == PeerType::Internal) != session.is_internal())
        return false;
    if (match.net && !matches(*match.net, route.prefix))
        return false;
    if (match.from_bgp && route.source != RouteSource::Bgp)
        return false;
    if (match.interface && !matches_interface(*match.interface, route.interface))
        return false;
    if (match.community && !has(route.communities, *match.community))
        return false;
    if (prefix.size() > route.as_path.size() ||
        !std::equal(prefix.begin(), prefix.end(), route.as_path.begin()))
        return false;
    return !match.priority || local_preference(route) == local_preference_of(*match.priority);
}

void add(const Community& community, Route& route) {
    auto& list = route.communities;
    if (std::find(list.begin(), list.end(), community) == list.end())
        list.push_back(community);
}

void apply(const Operation& operation, Route& route) {
    if (const auto* to_add = std::get_if<AddCommunity>(&operation))
        add(to_add->community, route);
    else if (const auto* path = std::get_if<PrependPath>(&operation))
        route.as_path.insert(route.as_path.begin(), path->numbers.begin(), path->numbers.end());
    else
        route.local_preference = local_preference_of(std::get<SetPriority>(operation).priority);
}

/// One evaluation. Each step returns true when it decided.
class Evaluation {
  public:
    Evaluation(const FamilyRouting& node, Route route, Trail trail) : node_(node), trail_(trail) {
        out_.route = std::move(route);
    }

    RouteVerdict exported(const Session& session) {
        set_priority();
        if (!filters(session, session.export_filters, &Filter::export_rules) &&
            !built_in(session.is_internal()))
            missing(Verdict::Reject);
        return std::move(out_);
    }

    RouteVerdict imported(const Session& session) {
        if (filters(session, session.import_filters, &Filter::import_rules))
            return std::move(out_);
        if (local_preference(route()) > local_preference_of(node_.normal_priority))
            elevate();
        missing(Verdict::Accept);
        return std::move(out_);
    }

    RouteVerdict to_kernel() {
        if (!kernel())
            missing(Verdict::Accept);
        return std::move(out_);
    }

  private:
    Route& route() { return out_.route; }

    /// Notes a step; true: it applies, and what it decides is the verdict.
    bool step(bool applies, StepKind kind, std::string subject, const Origin& origin,
              std::optional<Verdict> decision, std::size_t index = 0) {
        if (applies || trail_ == Trail::Everything)
            out_.trail.push_back({kind, std::move(subject), index, applies, decision, origin});
        if (applies && decision)
            out_.verdict = *decision;
        return applies && decision;
    }

    void missing(Verdict verdict) { step(true, StepKind::MissingDecision, "", {}, verdict); }

    void elevate() {
        out_.preference = kElevatedPreference;
        step(true, StepKind::Elevated, "", {}, std::nullopt);
    }

    bool within(StepKind kind, const std::vector<PrefixLine>& lines, Verdict decision) {
        return std::any_of(lines.begin(), lines.end(), [&](const PrefixLine& line) {
            return step(inside(route().prefix, line.prefix), kind, net::to_string(line.prefix),
                        line.origin, decision);
        });
    }

    bool through(const std::vector<std::string>& patterns) {
        return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
            return step(matches_interface(pattern, route().interface), StepKind::RejectInterface,
                        pattern, {}, Verdict::Reject);
        });
    }

    // --- export ----------------------------------------------------------------------------------

    /// Metric and local preference say the same from here on.
    void set_priority() {
        Route& of = route();
        if (of.source == RouteSource::Bgp) {
            of.local_preference = local_preference(of);
            of.metric = priority_of(*of.local_preference);
        } else {
            of.metric = of.source == RouteSource::Kernel
                            ? of.metric.value_or(0)
                            : of.metric.value_or(node_.normal_priority);
            of.local_preference = local_preference_of(*of.metric);
        }
    }

    bool filters(const Session& session, const std::vector<std::string>& names,
                 std::vector<FilterRule> Filter::*rules) {
        for (const std::string& name : names)
            if (const Filter* filter = node_.filter(name))
                for (std::size_t i = 0; i < (filter->*rules).size(); ++i) {
                    const FilterRule& rule = (filter->*rules)[i];
                    const bool applies = matches(rule.match, session, route());
                    for (std::size_t o = 0; applies && o < rule.operations.size(); ++o)
                        apply(rule.operations[o], route());
                    if (step(applies, StepKind::FilterRule, name, rule.origin, rule.action, i))
                        return true;
                }
        return false;
    }

    bool built_in(bool internal) {
        const ExportRules& rules = node_.exports;
        if (within(StepKind::RejectPool, rules.reject_pools, Verdict::Reject) ||
            (internal && through(rules.reject_interfaces_inside)) ||
            through(rules.reject_interfaces))
            return true;
        for (const CommunityLine& line : rules.communities) {
            const bool applies = inside(route().prefix, line.prefix);
            for (std::size_t i = 0; applies && i < line.communities.size(); ++i)
                add(line.communities[i], route());
            step(applies, StepKind::AddCommunities, net::to_string(line.prefix), line.origin,
                 std::nullopt);
        }
        return blocks() || within(StepKind::Service, node_.services, Verdict::Accept) ||
               within(StepKind::Reflector, rules.accept_as_reflector, Verdict::Accept) ||
               within(StepKind::Pool, rules.accept_pools, Verdict::Accept);
    }

    bool blocks() {
        const net::Cidr prefix = route().prefix;
        const bool elevated = *route().metric < node_.normal_priority;
        for (const Block& block : node_.blocks) {
            if (!block.hides)
                continue;
            const std::string text = net::to_string(block.cidr);
            const bool in = inside(prefix, block.cidr);
            if (step(prefix == block.cidr, StepKind::BlockItself, text, block.origin,
                     Verdict::Accept) ||
                step(in && elevated, StepKind::BlockElevated, text, block.origin,
                     Verdict::Accept) ||
                step(in, StepKind::BlockHides, text, block.origin, Verdict::Reject))
                return true;
        }
        return false;
    }

    // --- kernel ----------------------------------------------------------------------------------

    bool kernel() {
        if (within(StepKind::ServiceRange, node_.kernel.reject_services, Verdict::Reject))
            return true;
        const bool bgp = route().source == RouteSource::Bgp;
        if (bgp && !route().metric) {
            route().metric = priority_of(local_preference(route()));
            if (*route().metric < node_.normal_priority)
                elevate();
        }
        const auto next_hop = bgp ? route().next_hop : std::nullopt;
        for (const NextHopLine& line : node_.kernel.reject_next_hops)
            if (step(next_hop == line.next_hop, StepKind::NextHop, net::to_string(line.next_hop),
                     line.origin, Verdict::Reject))
                return true;
        for (const KernelPool& pool : node_.kernel.pools) {
            const bool reject = pool.action == KernelAction::Reject;
            if (!step(inside(route().prefix, pool.cidr), StepKind::KernelPool,
                      net::to_string(pool.cidr), pool.origin,
                      reject ? Verdict::Reject : Verdict::Accept))
                continue;
            const bool near =
                pool.direct_inside && next_hop && pool.direct_inside->contains(*next_hop);
            out_.tunnel = pool.action == KernelAction::Tunnel && !near;
            return true;
        }
        return false;
    }

    const FamilyRouting& node_;
    Trail trail_;
    RouteVerdict out_;
};

} // namespace

RouteVerdict evaluate_export(const FamilyRouting& node, const Session& session, Route route,
                             Trail trail) {
    return Evaluation(node, std::move(route), trail).exported(session);
}

RouteVerdict evaluate_import(const FamilyRouting& node, const Session& session, Route route,
                             Trail trail) {
    return Evaluation(node, std::move(route), trail).imported(session);
}

RouteVerdict evaluate_kernel(const FamilyRouting& node, Route route, Trail trail) {
    return Evaluation(node, std::move(route), trail).to_kernel();
}

std::string to_string(const Step& step) {
    const std::string& what = step.subject;
    const bool accepts = step.decision == Verdict::Accept;
    switch (step.kind) {
    case StepKind::FilterRule:
        return fmt::format("rule {} of BGPFilter {} {}", step.index + 1, what,
                           accepts ? "accepts" : "rejects");
    case StepKind::MissingDecision:
        return accepts ? "nothing rejects it" : "nothing announces it";
    case StepKind::RejectPool:
        return "pool " + what + " is not exported";
    case StepKind::RejectInterface:
        return "routes through " + what + " don't leave the node";
    case StepKind::AddCommunities:
        return "communities for prefixes inside " + what;
    case StepKind::BlockItself:
        return what + " is a block of this node";
    case StepKind::BlockElevated:
        return "elevated route inside block " + what;
    case StepKind::BlockHides:
        return "block " + what + " is announced in its place";
    case StepKind::Service:
        return "service range " + what;
    case StepKind::Reflector:
        return "a route reflector passes on service range " + what;
    case StepKind::Pool:
        return "pool " + what;
    case StepKind::ServiceRange:
        return "service range " + what + " is kept out of the kernel";
    case StepKind::NextHop:
        return "node " + what + " is reached by WireGuard";
    case StepKind::KernelPool:
        return accepts ? "pool " + what : "the routes of pool " + what + " are written by Felix";
    case StepKind::Elevated:
        return "better than normal: beats routes to local workloads";
    }
    return "";
}

} // namespace polecat::routing
