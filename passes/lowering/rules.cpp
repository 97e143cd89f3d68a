// Rules: felix/calc/rule_scanner.go (sets), felix/rules/policy.go (families).
#include <algorithm>

#include "passes/lowering/parts.h"

namespace polecat::passes::lowering {

using decision::EndMatch;
using decision::Match;
using decision::PredicateId;
using selector::Selector;

namespace {

/// The rule's IP version, said or meant by an ICMP protocol.
bool is_of_family(const policy::Rule& rule, net::Family family) {
    if (rule.ip_version)
        return **rule.ip_version == static_cast<int>(family);
    if (rule.protocol && **rule.protocol == net::kIcmp)
        return family == net::Family::V4;
    if (rule.protocol && **rule.protocol == net::kIcmpV6)
        return family == net::Family::V6;
    return true;
}

/// The nets of the family. nullopt: the rule does not exist in this family, because the list says
/// something but nothing of this family, or excludes everything.
std::optional<net::AddressSet> nets_of(const std::vector<At<net::Cidr>>& list, bool negative,
                                       net::Family family) {
    std::vector<net::Cidr> nets;
    for (const At<net::Cidr>& cidr : list) {
        if (cidr->family() != family)
            continue;
        if (negative && cidr->prefix == 0)
            return std::nullopt;
        nets.push_back(*cidr);
    }
    if (nets.empty())
        return std::nullopt;
    return net::AddressSet::of(nets);
}

/// Whether a rule with this end exists in the family, as nets_of() says.
bool has_nets_of(const policy::EntityRule& entity, net::Family family) {
    return (entity.nets.empty() || nets_of(entity.nets, false, family)) &&
           (entity.not_nets.empty() || nets_of(entity.not_nets, true, family));
}

/// Of a rule that exists in the family: what is interned is then part of a program.
class EndLowering {
  public:
    EndLowering(const policy::Rule& rule, const policy::EntityRule& entity, bool is_destination,
                const RuleContext& context)
        : rule_(rule), entity_(entity), is_destination_(is_destination), context_(context) {}

    EndMatch run() {
        // What stands in comments is read by the function.
        const auto& [nets, not_nets /* add_nets */, selector, not_selector, namespace_selector,
                     accounts /* add_selectors */, services, numbers, not_numbers, names, nodes,
                     span] = entity_;
        add_nets();
        if (policy::is_present(nodes))
            match_.all.push_back(node_addresses());
        add_selectors();
        if (services)
            match_.all.push_back(intern(
                decision::ServiceSet{services->space + "/" + services->name, is_destination_}));
        if (!names.empty())
            match_.all.push_back(intern(domains(names)));
        match_.not_ports = ports(not_numbers);
        match_.ports = ports(numbers);
        return std::move(match_);
    }

    /// The end once more, by the domains of the network sets that its selector names instead of
    /// their nets (Calico Enterprise: egress Allow only).
    std::optional<EndMatch> by_domains(const EndMatch& match) {
        if (!objects_ || !is_destination_ || rule_.action != policy::Action::Allow ||
            context_.direction != policy::Direction::Egress)
            return std::nullopt;
        const auto& set = std::get<decision::ObjectSet>(context_.predicates[*objects_]);
        std::vector<At<std::string>> names;
        for (const auto& [labels, domains_of_set] : *context_.domain_sets)
            if (set.selector.matches(labels))
                names.insert(names.end(), domains_of_set.begin(), domains_of_set.end());
        if (names.empty())
            return std::nullopt;
        EndMatch changed = match;
        std::replace(changed.all.begin(), changed.all.end(), *objects_, intern(domains(names)));
        return changed;
    }

  private:
    PredicateId intern(decision::Predicate predicate) {
        return context_.predicates.intern(std::move(predicate));
    }

    /// `nets` with `notNets` taken out is one set: an address that is not known is then in doubt as
    /// a whole, and not outside of what is excepted.
    void add_nets() {
        std::optional<net::AddressSet> in = nets_of(entity_.nets, false, context_.family);
        std::optional<net::AddressSet> out = nets_of(entity_.not_nets, true, context_.family);
        if (in)
            match_.all.push_back(intern(decision::NetSet{out ? *in - *out : std::move(*in)}));
        else if (out)
            match_.none.push_back(intern(decision::NetSet{std::move(*out)}));
    }

    PredicateId node_addresses() {
        std::vector<net::Cidr> addresses;
        for (const policy::Node& node : context_.cluster.nodes)
            if (node.meta.unread.known())
                return intern(decision::UnreadSet{"Node " + node.meta.name});
        for (const policy::Node& node : context_.cluster.nodes)
            if (entity_.nodes->parsed.matches(node.meta.labels))
                for (const net::Address& address : node.addresses)
                    addresses.push_back(
                        {address, static_cast<std::uint8_t>(net::width(address.family))});
        return intern(decision::NetSet{net::AddressSet::of(addresses).of_family(context_.family)});
    }

    static decision::DomainSet domains(const std::vector<At<std::string>>& names) {
        decision::DomainSet set;
        for (const At<std::string>& name : names)
            set.domains.push_back(*name);
        std::sort(set.domains.begin(), set.domains.end());
        set.domains.erase(std::unique(set.domains.begin(), set.domains.end()), set.domains.end());
        return set;
    }

    void add_selectors() {
        positive_ = policy::peers_of(entity_, context_.space);
        if (policy::is_present(entity_.not_selector)) {
            const Selector& excluded = entity_.not_selector->parsed;
            if (positive_) // of one object: rule_scanner.go combineMatchesIfPossible
                positive_ = Selector::all_of({*positive_, Selector::negate(excluded)});
            else
                match_.none.push_back(intern(decision::ObjectSet{excluded}));
        }
        const auto is_named = [](const policy::Port& port) {
            return std::holds_alternative<std::string>(port.value);
        };
        const bool only_named = !entity_.ports.empty() &&
                                std::all_of(entity_.ports.begin(), entity_.ports.end(), is_named);
        if (positive_ && !only_named) { // the sets of named ports are already of these objects
            objects_ = intern(decision::ObjectSet{*positive_});
            match_.all.push_back(*objects_);
        }
    }

    std::optional<decision::PortMatch> ports(const std::vector<policy::Port>& list) {
        if (list.empty())
            return std::nullopt;
        decision::PortMatch match;
        std::vector<net::PortRange> numbers;
        const bool filters = rule_.protocol && net::has_ports(**rule_.protocol);
        for (const policy::Port& port : list) {
            if (const auto* range = std::get_if<net::PortRange>(&port.value))
                numbers.push_back(*range);
            else
                match.named.push_back(
                    intern(decision::NamedPortSet{positive_.value_or(Selector::all()),
                                                  filters ? **rule_.protocol : net::Protocol{0},
                                                  std::get<std::string>(port.value)}));
        }
        match.numbers = net::PortSet::of(numbers);
        std::sort(match.named.begin(), match.named.end());
        match.named.erase(std::unique(match.named.begin(), match.named.end()), match.named.end());
        return match;
    }

    const policy::Rule& rule_;
    const policy::EntityRule& entity_;
    bool is_destination_;
    const RuleContext& context_;
    EndMatch match_;
    std::optional<Selector> positive_;
    std::optional<PredicateId> objects_;
};

std::optional<decision::IcmpTypeCode> icmp_of(const Box<policy::IcmpMatch>& match) {
    if (!match || (!match->type && !match->code))
        return std::nullopt;
    return decision::IcmpTypeCode{match->type, match->code};
}

/// HTTP narrows an Allow; Calico knows it in no other rule.
std::optional<Match::Http> http_of(const Box<policy::HttpMatch>& wanted, policy::Action action) {
    if (!wanted || action != policy::Action::Allow)
        return std::nullopt;
    Match::Http http;
    http.methods = wanted->methods;
    for (const policy::HttpPath& path : wanted->paths)
        http.paths.emplace_back(path.kind == policy::HttpPath::Kind::Prefix, path.text);
    return http;
}

std::string name_of_unread(const policy::Rule& rule, const RuleContext& context) {
    if (context.policy == nullptr)
        return "a rule of a Profile";
    std::string name = to_string(policy_name(*context.policy));
    if (context.policy->meta.unread.known())
        return name;
    const char* list = context.direction == policy::Direction::Ingress ? "ingress" : "egress";
    return list + ("[" + std::to_string(rule.manifest_index) + "] of ") + name;
}

} // namespace

decision::Match unread_match(decision::UnreadSet what, decision::PredicateStore& predicates) {
    Match match;
    match.source.all.push_back(predicates.intern(std::move(what)));
    return match;
}

std::vector<policy::Action> actions_of(const policy::Rule& rule) {
    if (rule.unread.known() && rule.any_action) // whatever passes is then allowed or denied as well
        return {policy::Action::Allow, policy::Action::Deny};
    return {rule.action};
}

bool depends_on_family(const policy::Rule& rule) {
    if (rule.unread.known())
        return false;
    const auto has_addresses = [](const policy::EntityRule& entity) {
        return !entity.nets.empty() || !entity.not_nets.empty() || policy::is_present(entity.nodes);
    };
    return is_of_family(rule, net::Family::V4) != is_of_family(rule, net::Family::V6) ||
           has_addresses(rule.source) || has_addresses(rule.destination);
}

std::vector<Match> lower_rule(const policy::Rule& rule, const RuleContext& context) {
    const auto& [action, ip_version, protocol, not_protocol, icmp, not_icmp, source_end,
                 destination_end, http, name, index, span, action_span, unread, any_action] = rule;
    if (unread.known())
        return {unread_match({name_of_unread(rule, context)}, context.predicates)};
    if (!is_of_family(rule, context.family) || !has_nets_of(source_end, context.family) ||
        !has_nets_of(destination_end, context.family))
        return {};
    Match match;
    if (protocol)
        match.protocol = **protocol;
    if (not_protocol)
        match.not_protocol = **not_protocol;
    match.icmp = icmp_of(icmp);
    match.not_icmp = icmp_of(not_icmp);
    match.http = http_of(http, action);
    EndLowering source(rule, source_end, false, context);
    EndLowering destination(rule, destination_end, true, context);
    match.source = source.run();
    match.destination = destination.run();
    std::vector<Match> matches{match};
    if (std::optional<EndMatch> named = destination.by_domains(match.destination)) {
        match.destination = std::move(*named);
        matches.push_back(std::move(match));
    }
    return matches;
}

void collect_port_names(const std::vector<policy::Rule>& rules, std::set<std::string>& names) {
    for (const policy::Rule& rule : rules)
        for (const policy::EntityRule* entity : {&rule.source, &rule.destination})
            for (const auto* ports : {&entity->ports, &entity->not_ports})
                for (const policy::Port& port : *ports)
                    if (const auto* name = std::get_if<std::string>(&port.value))
                        names.insert(*name);
}

} // namespace polecat::passes::lowering
