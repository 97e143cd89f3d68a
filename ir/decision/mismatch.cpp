#include "ir/decision/mismatch.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "ir/policy/scope.h"

namespace polecat::decision {

namespace {

/// The first few of a list that may be long.
template <class Range, class Text> std::string some_of(const Range& all, const Text& text) {
    constexpr std::size_t kMost = 4;
    std::string out;
    std::size_t count = 0;
    for (const auto& each : all) {
        if (count < kMost)
            out += (count == 0 ? "" : ", ") + text(each);
        ++count;
    }
    return count > kMost ? fmt::format("{} and {} more", out, count - kMost) : out;
}

std::string numbers_text(const net::PortSet& ports) {
    return some_of(ports.ranges(), [](const net::PortRange& range) {
        return range.first == range.last ? std::to_string(range.first)
                                         : fmt::format("{}-{}", range.first, range.last);
    });
}

/// Whose labels a selector asks for.
enum class Asked : std::uint8_t { Own, Namespace, Account, Mixed };

constexpr std::pair<std::string_view, Asked> kOwners[] = {
    {policy::kNamespacePrefix, Asked::Namespace}, {policy::kServiceAccountPrefix, Asked::Account}};

/// The label without the prefix that Calico's own form has, and whose it is.
std::pair<std::string_view, Asked> owner_of(std::string_view label) {
    for (const auto& [prefix, owner] : kOwners)
        if (label.starts_with(prefix))
            return {label.substr(prefix.size()), owner};
    return {label, Asked::Own};
}

Asked asked_of(const selector::Selector& selector) {
    const selector::Term& term = selector.term();
    if (term.children.empty())
        return owner_of(term.label).second;
    const Asked first = asked_of(term.children.front());
    const bool same =
        std::all_of(term.children.begin(), term.children.end(),
                    [&](const selector::Selector& each) { return asked_of(each) == first; });
    return same ? first : Asked::Mixed;
}

/// The terms that must all hold, without Calico's own that it is a pod.
void add_terms(const selector::Selector& selector, std::vector<selector::Selector>& into) {
    if (selector.term().op == selector::Op::And)
        for (const selector::Selector& each : selector.term().children)
            add_terms(each, into);
    else if (selector.term().label != policy::kOrchestratorLabel)
        into.push_back(selector);
}

/// Without the brackets of a whole.
std::string text_of(const selector::Selector& selector) {
    const std::string text = selector.canonical();
    const auto op = selector.term().op;
    const bool bracketed =
        (op == selector::Op::And || op == selector::Op::Or) && text.starts_with("(");
    return bracketed ? text.substr(1, text.size() - 2) : text;
}

/// As people write it: what is asked of the namespace and of the account by itself, and labels of
/// these without Calico's prefix.
std::string shown(const selector::Selector& selector) {
    static constexpr std::tuple<Asked, std::string_view, std::string_view> kFields[] = {
        {Asked::Namespace, "namespaceSelector ", policy::kNamespacePrefix},
        {Asked::Account, "serviceAccounts ", policy::kServiceAccountPrefix},
        {Asked::Own, "", ""},
        {Asked::Mixed, "", ""}};
    std::vector<selector::Selector> terms;
    add_terms(selector, terms);
    std::vector<std::string> out;
    for (const auto& [asked, field, prefix] : kFields) {
        std::vector<selector::Selector> of_field;
        std::copy_if(terms.begin(), terms.end(), std::back_inserter(of_field),
                     [&, whose = asked](const auto& each) { return asked_of(each) == whose; });
        if (of_field.empty())
            continue;
        std::string text =
            text_of(of_field.size() == 1 ? of_field.front()
                                         : selector::Selector::all_of(std::move(of_field)));
        for (std::size_t at = text.find(prefix); !prefix.empty() && at != std::string::npos;
             at = text.find(prefix, at))
            if (at == 0 || std::string_view(" (!").find(text[at - 1]) != std::string_view::npos)
                text.erase(at, prefix.size());
            else
                at += prefix.size();
        out.push_back(fmt::format("{}`{}`", field, text));
    }
    return out.empty() ? "`all()`" : fmt::format("{}", fmt::join(out, " and "));
}

/// "no label `app`", "its namespace has no label `team`", "its namespace has `team` = `ops`".
std::string lacks(std::string_view label, std::optional<std::string_view> value) {
    const auto [name, owner] = owner_of(label);
    const std::string_view who = owner == Asked::Namespace ? "its namespace has "
                                 : owner == Asked::Account ? "its service account has "
                                 : value                   ? "it has "
                                                           : "";
    return value ? fmt::format("{}`{}` = `{}`", who, name, *value)
                 : fmt::format("{}no label `{}`", who, name);
}

class MismatchFinder {
  public:
    MismatchFinder(const PredicateStore& predicates, const World& world, const Flow& flow)
        : predicates_(predicates), world_(world), flow_(flow) {}

    std::vector<std::string> run(const Match& match) {
        packet(match);
        end(match.source, flow_.source, flow_.source_port, "source");
        end(match.destination, flow_.destination, flow_.destination_port, "destination");
        return std::move(out_);
    }

  private:
    void packet(const Match& match) {
        const auto& [wanted, left_out, icmp, not_icmp, source, destination, http] = match;
        const std::string protocol = net::to_string_protocol(flow_.protocol);
        if (wanted && *wanted != flow_.protocol)
            out_.push_back(fmt::format("the protocol is {}, not {}", protocol,
                                       net::to_string_protocol(*wanted)));
        if (left_out && *left_out == flow_.protocol)
            out_.push_back("the rule leaves protocol " + protocol + " out");
        Match rest;
        rest.icmp = icmp;
        rest.not_icmp = not_icmp;
        if (matches(rest, predicates_, world_, flow_) == Tri::No)
            out_.emplace_back("the ICMP type or code is another");
        rest = Match{};
        rest.http = http;
        if (matches(rest, predicates_, world_, flow_) == Tri::No)
            out_.emplace_back(
                flow_.http ? "the HTTP method or path is another"
                           : "the rule is for HTTP requests, and none is given; without Calico's "
                             "application layer policy it takes the whole port");
    }

    void end(const EndMatch& match, const End& end, std::optional<std::uint16_t> port,
             const std::string& side) {
        const auto ask = [&](PredicateId id) {
            return holds(predicates_[id], world_, end, flow_.family, flow_.protocol, port);
        };
        const auto& [all, none, ports, not_ports] = match;
        const std::string who = "the " + side + " " + name_of(end);
        for (const PredicateId id : all)
            if (ask(id) == Tri::No)
                out_.push_back(who + " is not " + words_for(predicates_[id]) +
                               missing_label(predicates_[id], end));
        for (const PredicateId id : none)
            if (ask(id) == Tri::Yes)
                out_.push_back(who + " is " + words_for(predicates_[id]) +
                               ", which the rule leaves out");
        EndMatch only;
        only.ports = ports;
        if (ports && asks_in_vain(only, side))
            out_.push_back(port_text(port, side) + " is not among " + ports_of(*ports));
        only.ports.reset();
        only.not_ports = not_ports;
        if (not_ports && asks_in_vain(only, side))
            out_.push_back(port_text(port, side) + " is among those that the rule leaves out");
    }

    bool asks_in_vain(const EndMatch& only, const std::string& side) const {
        Match match;
        (side == "source" ? match.source : match.destination) = only;
        return matches(match, predicates_, world_, flow_) == Tri::No;
    }

    std::string port_text(std::optional<std::uint16_t> port, const std::string& side) const {
        if (!net::has_ports(flow_.protocol))
            return net::to_string_protocol(flow_.protocol) + " has no ports, and its " + side +
                   " port";
        return "the " + side + " port" + (port ? " " + std::to_string(*port) : "");
    }

    std::string ports_of(const PortMatch& ports) const {
        std::string out = numbers_text(ports.numbers);
        for (const PredicateId id : ports.named)
            if (const auto* named = std::get_if<NamedPortSet>(&predicates_[id]))
                out += (out.empty() ? "" : ", ") + ("`" + named->name + "`") + meaning_of(*named);
        return out.empty() ? "any" : out;
    }

    /// What the port's name stands for on the destination; the source's are not looked at.
    std::string meaning_of(const NamedPortSet& named) const {
        for (const ObjectId id : flow_.destination.objects)
            for (const policy::EndpointPort& port : world_.object(id).ports)
                if (port.name == named.name)
                    return fmt::format(" ({}/{} there)", port.port,
                                       net::to_string_protocol(port.protocol));
        return " (of that name it has none)";
    }

    std::string name_of(const End& end) const {
        const std::string address = end.address ? net::to_string(*end.address) : "";
        if (end.objects.empty())
            return address.empty() ? "without a known address" : address;
        const std::string& name = world_.object(end.objects.front()).name;
        return address.empty() ? name : fmt::format("{} ({})", name, address);
    }

    /// " (no label `app`)": the first that the selector asks for and the object does not have so.
    std::string missing_label(const Predicate& predicate, const End& end) const {
        const auto* set = std::get_if<ObjectSet>(&predicate);
        if (set == nullptr || end.objects.size() != 1)
            return "";
        const auto& labels = world_.object(end.objects.front()).labels;
        std::vector<selector::Selector> terms;
        add_terms(set->selector, terms);
        for (const selector::Selector& each : terms) {
            const auto& [op, label, values, children] = each.term();
            const bool wanted =
                op == selector::Op::Equal || op == selector::Op::In || op == selector::Op::Has;
            if (wanted && !each.matches(labels))
                return " (" + lacks(label, labels.find(label)) + ")";
        }
        return "";
    }

    static std::string words_for(const Predicate& predicate) {
        if (const auto* set = std::get_if<ObjectSet>(&predicate))
            return "selected by " + shown(set->selector);
        if (const auto* set = std::get_if<NetSet>(&predicate))
            return "in " + some_of(set->nets.cidrs(),
                                   [](const net::Cidr& cidr) { return net::to_string(cidr); });
        if (const auto* set = std::get_if<ServiceSet>(&predicate))
            return "behind service " + set->key;
        if (const auto* set = std::get_if<DomainSet>(&predicate))
            return "in domain " +
                   some_of(set->domains, [](const std::string& name) { return name; });
        return "one with port `" + std::get<NamedPortSet>(predicate).name + "`";
    }

    const PredicateStore& predicates_;
    const World& world_;
    const Flow& flow_;
    std::vector<std::string> out_;
};

} // namespace

std::vector<std::string> failing_parts(const Match& match, const PredicateStore& predicates,
                                       const World& world, const Flow& flow) {
    return MismatchFinder(predicates, world, flow).run(match);
}

} // namespace polecat::decision
