#include "analyzer/routing/diff/session_changes.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analyzer/routing/sessions/routing_lines.h"

namespace polecat::routing {

namespace {

// --- what differs --------------------------------------------------------------------------------

class SessionWords {
  public:
    SessionWords(const Session& before, const Session& now) : before_(before), now_(now) {}

    /// "" where a router would see no difference.
    std::string text() {
        number("AS of the neighbour", &Session::neighbor_as);
        number("own AS", &Session::local_as);
        number("own AS allowed in paths", &Session::allowed_local_as);
        add("who calls", caller(before_), caller(now_));
        add("source address", source(before_), source(now_));
        add("TTL security", ttl(before_), ttl(now_));
        add("password", password(before_), password(now_));
        add("import filters", names(before_.import_filters), names(now_.import_filters));
        add("export filters", names(before_.export_filters), names(now_.export_filters));
        add("next hop", next_hop(before_), next_hop(now_));
        add("reflects for it", cluster(before_), cluster(now_));
        add("restart time", seconds(before_.max_restart_seconds),
            seconds(now_.max_restart_seconds));
        add("keepalive", seconds(before_.keepalive_seconds), seconds(now_.keepalive_seconds));
        return std::move(out_);
    }

  private:
    void add(std::string_view title, const std::string& before, const std::string& now) {
        if (before != now)
            out_ += fmt::format("{}{} {} -> {}", out_.empty() ? "" : ", ", title, before, now);
    }
    void number(std::string_view title, std::uint32_t Session::*field) {
        add(title, std::to_string(before_.*field), std::to_string(now_.*field));
    }
    static std::string caller(const Session& of) {
        return of.passive ? "the neighbour" : "the node";
    }
    static std::string source(const Session& of) {
        return of.source ? net::to_string(*of.source) : "any";
    }
    static std::string ttl(const Session& of) {
        return of.ttl_security_hops ? fmt::format("{} hops", *of.ttl_security_hops) : "none";
    }
    static std::string password(const Session& of) {
        return of.password ? of.password->secret + "/" + of.password->key : "none";
    }
    static std::string names(const std::vector<std::string>& list) {
        return list.empty() ? "none" : fmt::format("{}", fmt::join(list, " "));
    }
    static std::string next_hop(const Session& of) {
        return of.next_hop == NextHop::Keep   ? "kept"
               : of.next_hop == NextHop::Self ? "itself"
                                              : "automatic";
    }
    static std::string cluster(const Session& of) {
        return of.reflector_cluster ? "cluster " + net::to_string(*of.reflector_cluster) : "no";
    }
    static std::string seconds(const std::optional<std::uint32_t>& of) {
        return of ? fmt::format("{} s", *of) : "the usual";
    }

    const Session& before_;
    const Session& now_;
    std::string out_;
};

std::string numbers(const Session& session) {
    return fmt::format("AS {} with AS {}", session.local_as, session.neighbor_as);
}

// --- BGPPeers ------------------------------------------------------------------------------------

class PeerSessions {
  public:
    PeerSessions(const RoutingVersion& before, const RoutingVersion& now)
        : before_(before), now_(now) {}

    std::vector<SessionChange> run() {
        std::map<std::string_view, std::pair<const NodeRouting*, const NodeRouting*>> nodes;
        for (const NodeRouting& each : before_.nodes)
            nodes[each.node].first = &each;
        for (const NodeRouting& each : now_.nodes)
            nodes[each.node].second = &each;
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            for (const RoutingVersion* version : {&before_, &now_})
                for (const BgpNode& node : version->routing.nodes)
                    if (const auto& address = node.of(family))
                        node_at_[address->address] = node.name;
            for (const auto& [name, pair] : nodes)
                compare(std::string(name), pair.first, pair.second, family);
            node_at_.clear();
        }
        return std::move(out_);
    }

  private:
    using Ends = std::map<std::pair<net::Address, std::uint16_t>, const Session*>;
    using Key = std::tuple<SessionChangeKind, net::Family, std::string, std::string, std::string>;

    static Ends ends(const NodeRouting* node, net::Family family) {
        Ends out;
        if (node != nullptr)
            for (const Session& each : node->of(family).sessions)
                out.emplace(std::pair{each.neighbor, each.port}, &each);
        return out;
    }

    void compare(const std::string& name, const NodeRouting* before, const NodeRouting* now,
                 net::Family family) {
        const Ends old = ends(before, family), fresh = ends(now, family);
        for (const auto& [end, session] : old) {
            const auto twin = fresh.find(end);
            if (twin == fresh.end())
                add(SessionChangeKind::Goes, name, family, session, nullptr, numbers(*session));
            else if (std::string what = SessionWords(*session, *twin->second).text(); !what.empty())
                add(SessionChangeKind::Differs, name, family, session, twin->second,
                    std::move(what));
        }
        for (const auto& [end, session] : fresh)
            if (!old.contains(end))
                add(SessionChangeKind::Comes, name, family, nullptr, session, numbers(*session));
    }

    /// Whether the node's own manifest says something else of who speaks with it.
    bool is_changed(const std::string& name) const {
        const auto then = before_.routing.find(name), here = now_.routing.find(name);
        if (!then || !here)
            return true;
        const BgpNode &a = before_.routing.nodes[*then], &b = now_.routing.nodes[*here];
        const auto same = [](const auto& x, const auto& y) {
            return x.has_value() == y.has_value() && (!x || x->address == y->address);
        };
        return !(a.labels == b.labels) || !same(a.v4, b.v4) || !same(a.v6, b.v6) ||
               a.own_as != b.own_as || a.cluster_id != b.cluster_id;
    }

    void add(SessionChangeKind kind, const std::string& node, net::Family family,
             const Session* before, const Session* now, std::string what) {
        const Session& any = now != nullptr ? *now : *before;
        const auto other = node_at_.find(any.neighbor);
        const auto object = [](const Session* of) { return of ? of->origin.object : ""; };
        const std::string* changed = is_changed(node)            ? &node
                                     : other == node_at_.end()   ? nullptr
                                     : is_changed(other->second) ? &other->second
                                                                 : nullptr;
        // A session of two nodes is one, and is told of from one end where both change.
        if (other != node_at_.end() &&
            !joined_.emplace(kind, family, std::minmax<std::string>(node, other->second)).second)
            return;
        const auto [place, fresh] = places_.emplace(
            Key{kind, family, object(before), object(now), what + (changed != nullptr ? "+" : "")},
            out_.size());
        if (fresh) {
            SessionChange change;
            change.kind = kind;
            change.family = family;
            change.node = node;
            change.neighbor = endpoint_text(any.neighbor, any.port);
            change.what = std::move(what);
            change.neighbor_unknown = other == node_at_.end();
            if (before != nullptr)
                change.before = before->origin;
            if (now != nullptr)
                change.now = now->origin;
            if (changed != nullptr) {
                const auto here = now_.routing.find(*changed);
                change.node_gone = !here;
                change.node_line =
                    here ? now_.routing.nodes[*here].origin
                         : before_.routing.nodes[*before_.routing.find(*changed)].origin;
            }
            out_.push_back(std::move(change));
        }
        ++out_[place->second].sessions;
    }

    const RoutingVersion& before_;
    const RoutingVersion& now_;
    std::map<net::Address, std::string> node_at_; ///< of the family
    std::vector<SessionChange> out_;
    std::map<Key, std::size_t> places_;
    std::set<std::tuple<SessionChangeKind, net::Family, std::pair<std::string, std::string>>>
        joined_;
};

// --- mesh ----------------------------------------------------------------------------------------

struct Member {
    net::Address address;
    std::uint16_t port = 0;
    net::AsNumber as = 0;
};
using Members = std::map<std::string, Member>; ///< by node

Members members(const ClusterRouting& of, net::Family family) {
    Members out;
    if (of.mesh)
        for (const BgpNode& node : of.nodes)
            if (const auto& address = node.of(family); address && !node.cluster_id)
                out[node.name] = {address->address, of.port_of(node), of.as_of(node)};
    return out;
}

std::uint64_t pairs(std::uint64_t count) {
    return count < 2 ? 0 : count * (count - 1) / 2;
}

class MeshSessions {
  public:
    MeshSessions(const RoutingVersion& before, const RoutingVersion& now)
        : before_(before.routing), now_(now.routing), before_lines_(before.cluster),
          now_lines_(now.cluster) {}

    void add_to(std::vector<SessionChange>& out) const {
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            add(family, out);
    }

  private:
    void add(net::Family family, std::vector<SessionChange>& out) const {
        const Members old = members(before_, family), fresh = members(now_, family);
        Members common;
        for (const auto& [name, member] : fresh)
            if (const auto twin = old.find(name);
                twin != old.end() && twin->second.address == member.address)
                common.emplace(name, member);
        const auto moved = [&](SessionChangeKind kind, const Members& of) {
            const std::uint64_t count = pairs(of.size()) - pairs(common.size());
            if (count == 0)
                return;
            // Somebody who is in the one mesh only, with anybody else.
            auto node = std::find_if(of.begin(), of.end(), [&](const auto& each) {
                return !common.contains(each.first);
            });
            const auto other = node == of.begin() ? std::next(node) : of.begin();
            out.push_back(
                change(kind, family, *node, *other, count,
                       fmt::format("{} nodes in the mesh -> {}", old.size(), fresh.size())));
        };
        moved(SessionChangeKind::Goes, old);
        moved(SessionChangeKind::Comes, fresh);
        differing(family, old, common, out);
    }

    void differing(net::Family family, const Members& old, const Members& common,
                   std::vector<SessionChange>& out) const {
        if (common.size() < 2)
            return;
        std::string what;
        if (before_.mesh_password != now_.mesh_password)
            what = fmt::format("password {} -> {}", password(before_), password(now_));
        if (before_.mesh_restart_seconds != now_.mesh_restart_seconds)
            what += what.empty() ? "restart time" : ", restart time";
        if (!what.empty()) {
            out.push_back(change(SessionChangeKind::Differs, family, *common.begin(),
                                 *std::next(common.begin()), pairs(common.size()), what));
            const char* field = what.starts_with("password") ? "nodeMeshPassword.secretKeyRef.key"
                                                             : "nodeMeshMaxRestartTime";
            out.back().before = before_lines_.field(before_.mesh_origin, field);
            out.back().now = now_lines_.field(now_.mesh_origin, field);
        }
        std::vector<std::pair<std::string, Member>> renumbered;
        for (const auto& each : common)
            if (const Member& then = old.at(each.first);
                then.as != each.second.as || then.port != each.second.port)
                renumbered.push_back(each);
        if (renumbered.empty())
            return;
        const auto& first = renumbered.front();
        const Member& then = old.at(first.first);
        const auto other =
            first.first == common.begin()->first ? std::next(common.begin()) : common.begin();
        out.push_back(change(SessionChangeKind::Differs, family, first, *other,
                             pairs(common.size()) - pairs(common.size() - renumbered.size()),
                             then.as != first.second.as
                                 ? fmt::format("own AS {} -> {}", then.as, first.second.as)
                                 : fmt::format("port {} -> {}", then.port, first.second.port)));
    }

    static std::string password(const ClusterRouting& of) {
        return of.mesh_password ? of.mesh_password->secret + "/" + of.mesh_password->key : "none";
    }

    SessionChange change(SessionChangeKind kind, net::Family family,
                         const std::pair<const std::string, Member>& node,
                         const std::pair<const std::string, Member>& other, std::uint64_t count,
                         std::string what) const {
        SessionChange out;
        out.kind = kind;
        out.family = family;
        out.node = node.first;
        out.neighbor = endpoint_text(other.second.address, other.second.port);
        out.sessions = count;
        out.what = std::move(what);
        if (kind != SessionChangeKind::Comes)
            out.before = line(before_, node.first);
        if (kind != SessionChangeKind::Goes)
            out.now = line(now_, node.first);
        return out;
    }

    /// Who is in the mesh its own line says, and the switch for all.
    Origin line(const ClusterRouting& of, const std::string& node) const {
        const auto index = of.find(node);
        const bool switched = before_.mesh != now_.mesh;
        return index && !switched ? of.nodes[*index].origin : of.mesh_origin;
    }

    const ClusterRouting& before_;
    const ClusterRouting& now_;
    const RoutingLines before_lines_, now_lines_;
};

} // namespace

std::string_view to_string(SessionChangeKind kind) {
    switch (kind) {
    case SessionChangeKind::Comes:
        return "comes";
    case SessionChangeKind::Goes:
        return "goes";
    case SessionChangeKind::Differs:
        return "differs";
    }
    return "";
}

std::vector<SessionChange> session_changes(const RoutingVersion& before,
                                           const RoutingVersion& now) {
    std::vector<SessionChange> out = PeerSessions(before, now).run();
    MeshSessions(before, now).add_to(out);
    return out;
}

} // namespace polecat::routing
