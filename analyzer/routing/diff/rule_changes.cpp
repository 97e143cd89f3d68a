#include "analyzer/routing/diff/rule_changes.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ir/policy/cluster_routes.h"
#include "support/listed.h"

namespace polecat::routing {

namespace {

// --- in words ------------------------------------------------------------------------------------

std::string words(const NetMatch& match) {
    const char* op = match.op == NetOperator::In      ? "in"
                     : match.op == NetOperator::NotIn ? "not in"
                     : match.op == NetOperator::Equal ? "equal to"
                                                      : "not equal to";
    std::string out = fmt::format(" {} {}", op, net::to_string(match.cidr));
    if (match.lengths)
        out += fmt::format(" of length {} to {}", match.lengths->shortest, match.lengths->longest);
    return out;
}

std::string words(const Operation& operation) {
    if (const auto* add = std::get_if<AddCommunity>(&operation))
        return ", adds community " + to_string(add->community);
    if (const auto* prepend = std::get_if<PrependPath>(&operation))
        return fmt::format(", prepends {}", fmt::join(prepend->numbers, " "));
    return fmt::format(", sets priority {}", std::get<SetPriority>(operation).priority);
}

std::string words(const FilterRule& rule) {
    const FilterMatch& match = rule.match;
    std::string out = rule.action == Verdict::Accept ? "accepts" : "rejects";
    out += match.net ? words(*match.net) : " all";
    if (match.peer_type)
        out += *match.peer_type == PeerType::Internal ? ", iBGP" : ", eBGP";
    if (match.from_bgp)
        out += ", learnt by BGP";
    if (match.interface)
        out += ", of interface " + *match.interface;
    if (match.community)
        out += ", with community " + to_string(*match.community);
    if (!match.as_path_prefix.empty())
        out += fmt::format(", path from {}", fmt::join(match.as_path_prefix, " "));
    if (match.priority)
        out += fmt::format(", priority {}", *match.priority);
    for (const Operation& each : rule.operations)
        out += words(each);
    return out;
}

std::string words(const CommunityLine& line) {
    std::vector<std::string> texts;
    for (const Community& each : line.communities)
        texts.push_back(to_string(each));
    return fmt::format("{}", fmt::join(texts, " "));
}

std::string words(const Pool& pool) {
    const char* kernel = pool.kernel == KernelAction::Direct   ? "BIRD makes its routes"
                         : pool.kernel == KernelAction::Tunnel ? "BIRD makes its routes by IPIP"
                                                               : "Felix makes its routes";
    return fmt::format("{}, {}{}", pool.exported ? "announced" : "not announced", kernel,
                       pool.cross_subnet ? ", tunnels between networks only" : "");
}

// --- compared ------------------------------------------------------------------------------------

/// Something with a name in both versions.
struct Entry {
    std::string words;
    Origin origin;
};
using Entries = std::map<std::string, Entry>;

class RuleChanges {
  public:
    RuleChanges(const RoutingVersion& before, const RoutingVersion& now)
        : old_(before), fresh_(now), before_(before.routing), now_(now.routing) {}

    std::vector<RuleChange> run() {
        compare(of_all(old_), of_all(fresh_));
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            compare(of_family(before_, family), of_family(now_, family));
            filters(family);
        }
        for (const BgpNode& node : now_.nodes)
            if (const auto twin = before_.find(node.name))
                compare(of_node(before_.nodes[*twin]), of_node(node));
        return std::move(out_);
    }

  private:
    static Entries of_all(const RoutingVersion& version) {
        const ClusterRouting& of = version.routing;
        const policy::OtherObject* settings =
            policy::default_object(version.cluster, "BGPConfiguration");
        Entries out;
        const auto add = [&](const char* what, std::string words, const char* field) {
            Origin at;
            if (settings != nullptr)
                at = {"BGPConfiguration default",
                      settings->spec.has(field) ? settings->spec.span(field) : settings->meta.span};
            out[what] = {std::move(words), std::move(at)};
        };
        add("ignored interfaces",
            of.ignored_interfaces.empty()
                ? "none"
                : fmt::format("{}", fmt::join(of.ignored_interfaces, " ")),
            "ignoredInterfaces");
        add("port of BGP", std::to_string(of.port.value_or(179)), "listenPort");
        add("AS number of the cluster", std::to_string(of.as), "asNumber");
        add("listening on", of.bind_node_address ? "the node's address" : "all", "bindMode");
        if (const auto owner = policy::routes_of_bird(version.cluster))
            out["programClusterRoutes"] = {owner->value, {owner->object, owner->span}};
        else
            add("programClusterRoutes", "EnabledNoEncapOnly", "programClusterRoutes");
        add_secrets(version, out);
        return out;
    }

    /// Keys of Secrets that hold a password of some session.
    static void add_secrets(const RoutingVersion& version, Entries& into) {
        std::vector<PasswordRef> used;
        for (const BgpPeer& peer : version.routing.peers)
            if (peer.password)
                used.push_back(*peer.password);
        if (version.routing.mesh_password)
            used.push_back(*version.routing.mesh_password);
        for (const PasswordRef& each : used)
            for (const policy::Secret& secret : version.cluster.secrets)
                if (secret.meta.name == each.secret && secret.has(each.key))
                    into[fmt::format("key {} of Secret {}", each.key, each.secret)] = {
                        "in the input", {"Secret " + each.secret, secret.meta.span}};
    }

    static Entries of_family(const ClusterRouting& of, net::Family family) {
        const FamilyShared& shared = of.of(family);
        Entries out;
        out["normal priority of " + std::string(net::to_string(family))] = {
            std::to_string(shared.normal_priority), of.mesh_origin};
        for (const Pool& each : shared.pools)
            out["pool " + net::to_string(each.cidr)] = {words(each), each.origin};
        for (const CommunityLine& each : shared.communities)
            out["communities of " + net::to_string(each.prefix)] = {words(each), each.origin};
        for (const PrefixLine& each : shared.announced_ranges)
            out["services' range " + net::to_string(each.prefix)] = {"announced", each.origin};
        for (const PrefixLine& each : shared.kept_from_kernel) {
            Entry& entry = out["services' range " + net::to_string(each.prefix)];
            entry.words += entry.words.empty() ? "kept out of kernels" : ", kept out of kernels";
            entry.origin = each.origin;
        }
        add_services(of, family, out);
        return out;
    }

    /// One entry a service: its addresses that are announced one by one, and who does so.
    static void add_services(const ClusterRouting& of, net::Family family, Entries& into) {
        struct Announced {
            std::set<net::Cidr> prefixes;
            std::set<std::string> nodes; ///< empty: all
            Origin origin;
        };
        std::map<std::string, Announced> services;
        const auto add = [&](const PrefixLine& line, const std::string& node) {
            if (line.prefix.family() != family)
                return;
            Announced& service = services[line.origin.object];
            service.prefixes.insert(line.prefix);
            service.origin = line.origin;
            if (!node.empty())
                service.nodes.insert(node);
        };
        for (const PrefixLine& each : of.of(family).services)
            add(each, "");
        for (const BgpNode& node : of.nodes)
            for (const PrefixLine& each : node.services)
                add(each, node.name);
        for (const auto& [object, service] : services) {
            std::vector<std::string> texts;
            for (const net::Cidr& each : service.prefixes)
                texts.push_back(net::to_string(each));
            into[fmt::format("{} addresses of {}", net::to_string(family), object)] = {
                fmt::format("{} announced by {}", fmt::join(texts, " "),
                            service.nodes.empty()
                                ? "all nodes"
                                : listed({service.nodes.begin(), service.nodes.end()}, 20)),
                service.origin};
        }
    }

    static Entries of_node(const BgpNode& node) {
        Entries out;
        const auto add = [&](const char* what, std::string text) {
            out[fmt::format("{} of node {}", what, node.name)] = {std::move(text), node.origin};
        };
        add("reflector's cluster ID", node.cluster_id ? net::to_string(*node.cluster_id) : "none");
        add("announcing of services", node.announces_services ? "on" : "off");
        add("port of BGP", node.own_port ? std::to_string(*node.own_port) : "the cluster's");
        for (const auto* address : {&node.v4, &node.v6})
            if (*address)
                add(address == &node.v4 ? "IPv4 network" : "IPv6 network",
                    net::to_string((*address)->subnet));
        if (node.communities)
            for (const CommunityLine& each : *node.communities)
                out["communities of " + net::to_string(each.prefix) + " on node " + node.name] = {
                    words(each), each.origin};
        return out;
    }

    void filters(net::Family family) {
        std::map<std::string_view, std::pair<const Filter*, const Filter*>> all;
        for (const Filter& each : before_.of(family).filters)
            all[each.name].first = &each;
        for (const Filter& each : now_.of(family).filters)
            all[each.name].second = &each;
        static const std::vector<FilterRule> kNone;
        for (const auto& [name, pair] : all)
            for (const bool imports : {true, false}) {
                const auto rules = [&](const Filter* of) -> const std::vector<FilterRule>& {
                    return of == nullptr ? kNone : imports ? of->import_rules : of->export_rules;
                };
                const std::string field =
                    fmt::format("{}{} of BGPFilter {}", imports ? "import" : "export",
                                family == net::Family::V4 ? "V4" : "V6", name);
                compare(field, rules(pair.first), rules(pair.second));
            }
    }

    /// From the first rule that differs to the last: what stands before and after is the same.
    void compare(const std::string& field, const std::vector<FilterRule>& before,
                 const std::vector<FilterRule>& now) {
        std::size_t first = 0, tail = 0;
        const std::size_t least = std::min(before.size(), now.size());
        while (first < least && before[first] == now[first])
            ++first;
        while (tail < least - first &&
               before[before.size() - 1 - tail] == now[now.size() - 1 - tail])
            ++tail;
        for (std::size_t i = first; i < std::max(before.size(), now.size()) - tail; ++i) {
            const FilterRule* old = i + tail < before.size() ? &before[i] : nullptr;
            const FilterRule* fresh = i + tail < now.size() ? &now[i] : nullptr;
            if (old == nullptr && fresh == nullptr)
                continue;
            add(fmt::format("rule {} of {}", i + 1, field),
                old ? std::optional(Entry{words(*old), old->origin}) : std::nullopt,
                fresh ? std::optional(Entry{words(*fresh), fresh->origin}) : std::nullopt);
        }
    }

    void compare(const Entries& before, const Entries& now) {
        for (const auto& [name, entry] : before)
            if (const auto twin = now.find(name); twin == now.end())
                add(name, entry, std::nullopt);
            else if (twin->second.words != entry.words)
                add(name, entry, twin->second);
        for (const auto& [name, entry] : now)
            if (!before.contains(name))
                add(name, std::nullopt, entry);
    }

    void add(const std::string& about, const std::optional<Entry>& before,
             const std::optional<Entry>& now) {
        RuleChange change{about, before ? before->words : "", now ? now->words : "", {}, {}};
        if (before)
            change.before_origin = before->origin;
        if (now)
            change.now_origin = now->origin;
        out_.push_back(std::move(change));
    }

    const RoutingVersion& old_;
    const RoutingVersion& fresh_;
    const ClusterRouting& before_;
    const ClusterRouting& now_;
    std::vector<RuleChange> out_;
};

} // namespace

std::vector<RuleChange> rule_changes(const RoutingVersion& before, const RoutingVersion& now) {
    return RuleChanges(before, now).run();
}

} // namespace polecat::routing
