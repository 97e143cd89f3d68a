#include "ir/decision/mismatch.h"

#include <fmt/format.h>

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

/// As people write it: labels of the namespace are told by a word, not by the prefix that
/// Calico's own form has.
std::string shown(const selector::Selector& selector) {
    using selector::Op;
    std::vector<selector::Selector> parts;
    if (selector.term().op == Op::And)
        for (const selector::Selector& each : selector.term().children)
            if (each.term().label != policy::kOrchestratorLabel) // Calico's own: it is a pod
                parts.push_back(each);
    if (!parts.empty() && parts.size() < selector.term().children.size())
        return shown(selector::Selector::all_of(std::move(parts)));
    std::string text = selector.canonical();
    const auto op = selector.term().op;
    if ((op == selector::Op::And || op == selector::Op::Or) && text.starts_with("("))
        text = text.substr(1, text.size() - 2);
    const auto tell = [&](std::string_view prefix, std::string_view word) {
        for (std::size_t at = text.find(prefix); at != std::string::npos;
             at = text.find(prefix, at + word.size()))
            if (at == 0 || text[at - 1] == ' ' || text[at - 1] == '(' || text[at - 1] == '!')
                text.replace(at, prefix.size(), word);
    };
    tell(policy::kNamespacePrefix, "namespace:");
    tell(policy::kServiceAccountPrefix, "serviceaccount:");
    return text;
}

/// "no label `app`", "its namespace has no label `team`".
std::string lacks(std::string_view label) {
    std::string who;
    for (const auto& [prefix, owner] :
         {std::pair(policy::kNamespacePrefix, "its namespace has "),
          std::pair(policy::kServiceAccountPrefix, "its service account has ")})
        if (label.starts_with(prefix)) {
            who = owner;
            label.remove_prefix(prefix.size());
        }
    return fmt::format("{}no label `{}`", who, label);
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

    /// " (no label `app`)": the first that the selector asks for and the object does not have.
    std::string missing_label(const Predicate& predicate, const End& end) const {
        const auto* set = std::get_if<ObjectSet>(&predicate);
        if (set == nullptr || end.objects.size() != 1)
            return "";
        const auto& labels = world_.object(end.objects.front()).labels;
        const selector::Term& term = set->selector.term();
        const std::vector<selector::Selector> alone{set->selector};
        for (const auto& each : term.op == selector::Op::And ? term.children : alone) {
            const auto& [op, label, values, children] = each.term();
            const bool wanted =
                op == selector::Op::Equal || op == selector::Op::In || op == selector::Op::Has;
            if (wanted && !labels.find(label))
                return " (" + lacks(label) + ")";
        }
        return "";
    }

    static std::string words_for(const Predicate& predicate) {
        if (const auto* set = std::get_if<ObjectSet>(&predicate))
            return "selected by `" + shown(set->selector) + "`";
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
