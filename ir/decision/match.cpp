#include "ir/decision/match.h"

#include <algorithm>

#include "ir/policy/scope.h"

namespace polecat::decision {

namespace {

/// One side of a flow.
struct MatchSide {
    const End& end;
    std::optional<std::uint16_t> port;
    const char* name; ///< "source", "destination"
};

MatchSide source_of(const Flow& flow) {
    return {flow.source, flow.source_port, "source"};
}

MatchSide destination_of(const Flow& flow) {
    return {flow.destination, flow.destination_port, "destination"};
}

struct Context {
    const PredicateStore& predicates;
    const World& world;
    const Flow& flow;
};

Tri has(const Context& c, PredicateId id, const MatchSide& side) {
    return holds(c.predicates[id], c.world, side.end, c.flow.family, c.flow.protocol, side.port);
}

/// A port that is not given stands for any port that a connection can have: 1 to 65535.
Tri in_numbers(const Context& c, const net::PortSet& numbers, const MatchSide& side) {
    if (numbers.empty() || !net::has_ports(c.flow.protocol))
        return Tri::No;
    if (side.port)
        return known(numbers.contains(*side.port));
    const bool every = (net::PortSet::of(net::PortRange{1, 65535}) - numbers).empty();
    return every ? Tri::Yes : Tri::Unknown;
}

Tri in_ports(const Context& c, const PortMatch& ports, const MatchSide& side) {
    Tri result = in_numbers(c, ports.numbers, side);
    for (const PredicateId id : ports.named)
        result = either(result, has(c, id, side));
    return result;
}

Tri end_matches(const Context& c, const EndMatch& match, const MatchSide& side) {
    const auto& [all, none, ports, not_ports] = match;
    Tri result = Tri::Yes;
    for (const PredicateId id : all)
        result = both(result, has(c, id, side));
    for (const PredicateId id : none)
        result = both(result, !has(c, id, side));
    if (ports)
        result = both(result, in_ports(c, *ports, side));
    if (not_ports)
        result = both(result, !in_ports(c, *not_ports, side));
    return result;
}

Tri is_icmp(const Flow& flow, const IcmpTypeCode& wanted) {
    const net::Protocol icmp = flow.family == net::Family::V4 ? net::kIcmp : net::kIcmpV6;
    if (flow.protocol != icmp)
        return Tri::No;
    Tri result = Tri::Yes;
    if (wanted.type)
        result =
            both(result, flow.icmp_type ? known(*wanted.type == *flow.icmp_type) : Tri::Unknown);
    if (wanted.code)
        result =
            both(result, flow.icmp_code ? known(*wanted.code == *flow.icmp_code) : Tri::Unknown);
    return result;
}

bool is_below(std::string_view path, std::string_view prefix) {
    while (!prefix.empty() && prefix.back() == '/')
        prefix.remove_suffix(1);
    return path.substr(0, prefix.size()) == prefix &&
           (path.size() == prefix.size() || path[prefix.size()] == '/');
}

bool http_matches(const Match::Http& wanted, const std::optional<Flow::Http>& http) {
    if (!http)
        return false;
    const auto& methods = wanted.methods;
    const bool method =
        methods.empty() || std::any_of(methods.begin(), methods.end(), [&](const std::string& m) {
            return m == "*" || m == http->method;
        });
    if (!method || wanted.paths.empty())
        return method;
    const std::optional<std::string> path = normalize_http_path(http->path);
    return path && std::any_of(wanted.paths.begin(), wanted.paths.end(), [&](const auto& entry) {
               return entry.first ? is_below(*path, entry.second) : *path == entry.second;
           });
}

/// What a match asks besides its ends.
Tri packet_matches(const Match& match, const Flow& flow) {
    const auto& [protocol, not_protocol, icmp, not_icmp, source, destination, http] = match;
    Tri result = Tri::Yes;
    if (protocol)
        result = both(result, known(*protocol == flow.protocol));
    if (not_protocol)
        result = both(result, known(*not_protocol != flow.protocol));
    if (icmp)
        result = both(result, is_icmp(flow, *icmp));
    if (not_icmp)
        result = both(result, !is_icmp(flow, *not_icmp));
    if (http)
        result = both(result, known(http_matches(*http, flow.http)));
    return result;
}

std::string name_of(const Context& c, const MatchSide& side) {
    for (const ObjectId id : side.end.objects)
        return "the address of " + c.world.object(id).name;
    return std::string("the ") + side.name + " address";
}

/// What could not be read and would say whether the predicate holds; empty: nothing of the kind.
std::string unread_reason(const Context& c, const Predicate& predicate, const MatchSide& side) {
    const auto name = [&](ObjectId id) { return reason_of(unread_set_of(c.world.object(id))); };
    for (const ObjectId id : side.end.objects)
        if (c.world.object(id).unread.known())
            return name(id);
    if (const auto* objects = std::get_if<ObjectSet>(&predicate))
        for (const ObjectId id : c.world.network_sets)
            if (is_in_doubt(*objects, c.world.object(id)))
                return name(id);
    if (const auto* service = std::get_if<ServiceSet>(&predicate))
        if (is_in_doubt(*service, c.world))
            return reason_of(UnreadSet{"Service " + service->key});
    return {};
}

std::string predicate_reason(const Context& c, PredicateId id, const MatchSide& side) {
    const Predicate& predicate = c.predicates[id];
    if (const auto* domains = std::get_if<DomainSet>(&predicate)) {
        const std::string first = domains->domains.empty() ? "" : domains->domains.front();
        return "the addresses of " + first + " are not known before it is resolved";
    }
    if (const auto* unread = std::get_if<UnreadSet>(&predicate))
        return reason_of(*unread);
    const auto* service = std::get_if<ServiceSet>(&predicate);
    if (service != nullptr && service->key == policy::kKubernetesService &&
        is_in_doubt(*service, c.world))
        return "where the API server listens (Endpoints " + service->key + ") is not in the input";
    if (std::string reason = unread_reason(c, predicate, side); !reason.empty())
        return reason;
    const bool reads_port = std::holds_alternative<NamedPortSet>(predicate) ||
                            (service != nullptr && service->with_ports);
    if (reads_port && !side.port)
        return std::string("the ") + side.name + " port is not given";
    return name_of(c, side) + " is not known";
}

std::string end_reason(const Context& c, const EndMatch& match, const MatchSide& side) {
    const auto& [all, none, ports, not_ports] = match;
    for (const auto* list : {&all, &none})
        for (const PredicateId id : *list)
            if (has(c, id, side) == Tri::Unknown)
                return predicate_reason(c, id, side);
    for (const auto* list : {&ports, &not_ports}) {
        if (!*list || in_ports(c, **list, side) != Tri::Unknown)
            continue;
        for (const PredicateId id : (*list)->named)
            if (has(c, id, side) == Tri::Unknown)
                return predicate_reason(c, id, side);
        return std::string("the ") + side.name + " port is not given";
    }
    return {};
}

} // namespace

Tri matches(const Match& match, const PredicateStore& predicates, const World& world,
            const Flow& flow) {
    const Context c{predicates, world, flow};
    Tri result = packet_matches(match, flow);
    if (result != Tri::No)
        result = both(result, end_matches(c, match.source, source_of(flow)));
    if (result != Tri::No)
        result = both(result, end_matches(c, match.destination, destination_of(flow)));
    return result;
}

UnreadSet unread_set_of(const Object& object) {
    const std::string name = object.manifest_kind + " " + object.name;
    if (object.unread_part.empty())
        return {name};
    return {name + ": " + object.unread_part, true};
}

std::string unknown_reason(const Match& match, const PredicateStore& predicates, const World& world,
                           const Flow& flow) {
    const Context c{predicates, world, flow};
    if (packet_matches(match, flow) == Tri::Unknown)
        return "the ICMP type or code is not given";
    const std::string of_source = end_reason(c, match.source, source_of(flow));
    return of_source.empty() ? end_reason(c, match.destination, destination_of(flow)) : of_source;
}

} // namespace polecat::decision
