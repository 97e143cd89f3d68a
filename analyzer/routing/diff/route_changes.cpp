// Both versions' models of propagation, compared for one node and one prefix of each kind. Nodes
// are of a kind that are of one class in both versions and keep or change their addresses alike;
// prefixes, that no rule tells apart in either version and that as many nodes of each kind
// originate.
#include "analyzer/routing/diff/route_changes.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analyzer/routing/diff/version_routes.h"

namespace polecat::routing {

namespace {

/// A node in both versions.
struct NodeVersions {
    std::string name;
    std::optional<NodeIndex> before, now;
};

std::vector<NodeVersions> node_pairs(const ClusterRouting& before, const ClusterRouting& now) {
    std::map<std::string, NodeVersions> out;
    for (NodeIndex i = 0; i < before.nodes.size(); ++i)
        out[before.nodes[i].name].before = i;
    for (NodeIndex i = 0; i < now.nodes.size(); ++i)
        out[now.nodes[i].name].now = i;
    std::vector<NodeVersions> list;
    for (auto& [name, pair] : out) {
        pair.name = name;
        list.push_back(std::move(pair));
    }
    return list;
}

bool asks_for_subnets(const ClusterRouting& of, net::Family family) {
    return std::any_of(
        of.of(family).pools.begin(), of.of(family).pools.end(),
        [](const Pool& pool) { return pool.cross_subnet && pool.kernel == KernelAction::Tunnel; });
}

class RouteChanges {
  public:
    RouteChanges(const RoutingVersion& before, const RoutingVersion& now, net::Family family,
                 RoutingDiff& into)
        : family_(family), into_(into), before_(before, family), now_(now, family),
          pairs_(node_pairs(before.routing, now.routing)) {}

    void run() {
        find_kinds();
        find_prefixes();
        if (work() > kMostWork) {
            into_.not_compared.push_back(
                fmt::format("{}: {} kinds of nodes with {} kinds of prefixes are too many to "
                            "compare their routes; sessions and rules are",
                            net::to_string(family_), kinds_.size(), prefixes_.size()));
            return;
        }
        for (const auto& [key, prefixes] : prefixes_)
            compare(prefixes);
        for (auto& [key, change] : merged_)
            into_.routes.push_back(std::move(change));
        for (auto& [key, change] : announcements_)
            into_.announcements.push_back(std::move(change));
    }

  private:
    /// Sessions over which prefixes are sent: some seconds.
    static constexpr std::size_t kMostWork = 15'000'000;
    using Parts = std::pair<std::uint8_t, std::uint8_t>; ///< roles before and now
    using Group = std::pair<std::size_t, Parts>;         ///< kind of node, and its part

    // --- kinds -----------------------------------------------------------------------------------

    std::string kind_of(const NodeVersions& pair) const {
        std::string out;
        for (const auto* side : {&before_, &now_}) {
            const auto& index = side == &before_ ? pair.before : pair.now;
            out += index ? fmt::format("{} ", side->model.classes().of[*index]) : "- ";
            if (index && subnets_count_)
                if (const auto& address = side->routing().nodes[*index].of(family_))
                    out += net::to_string(address->subnet) + " ";
        }
        if (pair.before && pair.now && before_.address(*pair.before) != now_.address(*pair.now))
            out += pair.name;
        return out;
    }

    void find_kinds() {
        subnets_count_ = asks_for_subnets(before_.routing(), family_) ||
                         asks_for_subnets(now_.routing(), family_);
        std::map<std::string, std::size_t> known;
        of_before_.resize(before_.routing().nodes.size());
        of_now_.resize(now_.routing().nodes.size());
        for (std::size_t i = 0; i < pairs_.size(); ++i) {
            const auto [place, fresh] = known.emplace(kind_of(pairs_[i]), kinds_.size());
            if (fresh)
                kinds_.emplace_back();
            kinds_[place->second].push_back(i);
            kind_.push_back(place->second);
            if (pairs_[i].before)
                of_before_[*pairs_[i].before] = i;
            if (pairs_[i].now)
                of_now_[*pairs_[i].now] = i;
        }
    }

    /// Nodes with a part in the prefix, by pair.
    std::map<std::size_t, Parts> parts(const Propagation::Roles& before,
                                       const Propagation::Roles& now) const {
        std::map<std::size_t, Parts> out;
        for (const auto& [node, role] : before)
            out[of_before_[node]].first = role;
        for (const auto& [node, role] : now)
            out[of_now_[node]].second = role;
        return out;
    }

    void find_prefixes() {
        std::set<net::Cidr> all;
        for (const auto* side : {&before_, &now_})
            for (const net::Cidr& prefix : side->model.prefixes())
                all.insert(prefix);
        for (const net::Cidr& prefix : all) {
            const auto before = before_.model.roles(prefix), now = now_.model.roles(prefix);
            std::map<Group, std::size_t> counts;
            for (const auto& [pair, part] : parts(before, now))
                ++counts[{kind_[pair], part}];
            std::string key =
                before_.model.key(prefix, before) + "|" + now_.model.key(prefix, now) + "|";
            for (const auto& [kind, count] : counts)
                key += fmt::format("{}/{}/{}x{} ", kind.first, kind.second.first,
                                   kind.second.second, count);
            prefixes_[key].push_back(prefix);
        }
    }

    /// Each kind is run with a few nodes, among which everybody may speak with everybody. A node
    /// costs as much as some sessions.
    std::size_t work() {
        std::size_t out = 0;
        if (prefixes_.empty())
            return out;
        for (VersionRoutes* side : {&before_, &now_}) {
            const auto& network = side->model.run(prefixes_.begin()->second.front()).network;
            out += prefixes_.size() * (network.links.size() + 10 * network.speakers.size());
        }
        return out;
    }

    // --- one kind of prefix ----------------------------------------------------------------------

    void compare(const std::vector<net::Cidr>& prefixes) {
        const net::Cidr& prefix = prefixes.front();
        for (VersionRoutes* side : {&before_, &now_})
            if (!side->model.run(prefix).spread.settled) {
                into_.not_compared.push_back(net::to_string(prefix) + ": routes don't settle");
                return;
            }
        announcements(prefixes);
        // Of the first prefix, a node of each kind; of all prefixes, who is of which kind.
        std::map<Group, std::vector<std::size_t>> first;
        std::map<Group, std::set<std::size_t>> members;
        std::map<std::size_t, std::size_t> with_part;
        for (const net::Cidr& each : prefixes)
            for (const auto& [pair, roles] :
                 parts(before_.model.roles(each), now_.model.roles(each))) {
                const Group group{kind_[pair], roles};
                members[group].insert(pair);
                ++with_part[pair];
                if (each == prefix)
                    first[group].push_back(pair);
            }
        const auto part = parts(before_.model.roles(prefix), now_.model.roles(prefix));
        for (std::size_t kind = 0; kind < kinds_.size(); ++kind)
            for (const std::size_t pair : kinds_[kind]) {
                const auto times = with_part.find(pair);
                if (times == with_part.end() || times->second < prefixes.size())
                    members[{kind, Parts{}}].insert(pair);
                if (!part.contains(pair))
                    first[{kind, Parts{}}].push_back(pair);
            }
        for (const auto& [group, pairs] : first)
            compare(prefixes, pairs, members[group]);
    }

    /// `pairs`: alike for the first prefix; `members`: for any of them.
    void compare(const std::vector<net::Cidr>& prefixes, const std::vector<std::size_t>& pairs,
                 const std::set<std::size_t>& members) {
        const NodeVersions& pair = pairs_[pairs.front()];
        if (!pair.before || !pair.now)
            return; // a node that comes or goes; others' routes to it are told of
        const auto before = before_.state(*pair.before, prefixes.front());
        const auto now = now_.state(*pair.now, prefixes.front());
        if (const auto kind = change_of(before, now))
            add(*kind, prefixes, pairs, members, before, now);
    }

    void add(RouteChangeKind kind, const std::vector<net::Cidr>& prefixes,
             const std::vector<std::size_t>& pairs, const std::set<std::size_t>& members,
             const RouteState& before, const RouteState& now) {
        RouteChange& change = merged_[{kind, before.kind, now.kind, before.session.span,
                                       now.session.span, kind_[pairs.front()]}];
        if (change.routes == 0) {
            change.kind = kind;
            change.family = family_;
            change.node = pairs_[pairs.front()].name;
            change.prefix = prefixes.front();
            change.before = before.text();
            change.now = now.text();
            const bool device = kind == RouteChangeKind::Device;
            change.before_origin = device ? before.pool : before.session;
            change.now_origin = device ? now.pool : now.session;
            // Where the block itself comes, goes or moves, its line says so.
            const auto then = before_.originators(prefixes.front()),
                       here = now_.originators(prefixes.front());
            for (const auto& [node, origin] : then)
                if (!here.contains(node))
                    change.before_origin = origin;
            for (const auto& [node, origin] : here)
                if (!then.contains(node))
                    change.now_origin = origin;
        }
        change.routes += std::uint64_t{prefixes.size()} * pairs.size();
        change.prefixes.insert(change.prefixes.end(), prefixes.begin(), prefixes.end());
        std::sort(change.prefixes.begin(), change.prefixes.end());
        change.prefixes.erase(std::unique(change.prefixes.begin(), change.prefixes.end()),
                              change.prefixes.end());
        std::set<std::string> names(change.nodes.begin(), change.nodes.end());
        for (const std::size_t each : members)
            names.insert(pairs_[each].name);
        change.nodes.assign(names.begin(), names.end());
    }

    static std::optional<RouteChangeKind> change_of(const RouteState& before,
                                                    const RouteState& now) {
        using Kind = RouteState::Kind;
        const bool had = before.kind != Kind::None, has = now.kind != Kind::None;
        if (had != has)
            return has ? RouteChangeKind::Gained : RouteChangeKind::Lost;
        if (before.kind != now.kind)
            return RouteChangeKind::Device;
        if (before.next_hops != now.next_hops)
            return RouteChangeKind::NextHops;
        return std::nullopt;
    }

    // --- routers ---------------------------------------------------------------------------------

    void announcements(const std::vector<net::Cidr>& prefixes) {
        const net::Cidr& prefix = prefixes.front();
        std::set<net::Address> routers;
        for (const auto* side : {&before_, &now_})
            for (const policy::FabricRouter& each : side->routers.list)
                if (each.address.value.family == family_)
                    routers.insert(each.address.value);
        for (const net::Address& router : routers) {
            const auto had = before_.announcer(router, prefix);
            const auto has = now_.announcer(router, prefix);
            if (had.has_value() == has.has_value())
                continue;
            VersionRoutes& tells = has ? now_ : before_;
            const std::string node = *(has ? has : had);
            const auto why = has ? now_.why_announced(node, router, prefix)
                                 : now_.why_not_announced(node, router, prefix, before_);
            AnnouncementChange& change =
                announcements_[{has.has_value(), router, why.text, why.origin.span}];
            if (change.prefixes.empty()) {
                change.announced = has.has_value();
                change.router = tells.title(router);
                change.node = node;
                change.reason = why.text;
                change.origin = why.origin;
                change.origin_before = why.before;
            }
            change.prefixes.insert(change.prefixes.end(), prefixes.begin(), prefixes.end());
        }
    }

    const net::Family family_;
    RoutingDiff& into_;
    VersionRoutes before_, now_;
    const std::vector<NodeVersions> pairs_;
    bool subnets_count_ = false;
    std::vector<std::size_t> kind_;               ///< by pair
    std::vector<std::vector<std::size_t>> kinds_; ///< pairs of each
    std::vector<std::size_t> of_before_, of_now_; ///< pair, by node
    std::map<std::string, std::vector<net::Cidr>> prefixes_;
    std::map<
        std::tuple<RouteChangeKind, RouteState::Kind, RouteState::Kind, Span, Span, std::size_t>,
        RouteChange>
        merged_;
    std::map<std::tuple<bool, net::Address, std::string, Span>, AnnouncementChange> announcements_;
};

} // namespace

void add_route_changes(const RoutingVersion& before, const RoutingVersion& now, net::Family family,
                       RoutingDiff& into) {
    RouteChanges(before, now, family, into).run();
}

} // namespace polecat::routing
