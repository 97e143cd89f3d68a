#include "analyzer/program_sets.h"

namespace polecat::analyzer {

using decision::Action;
using decision::Entry;
using decision::Identity;
using decision::Match;
using decision::PortMatch;
using decision::Stage;
using decision::Tri;

namespace {

/// What matches surely, and what matches or may match.
struct Bounds {
    ConnectionSet yes = ConnectionSet::all();
    ConnectionSet may = ConnectionSet::all();

    void intersect(const ConnectionSet& set) {
        yes = yes & set;
        may = may & set;
    }
    void intersect(const Bounds& other) {
        yes = yes & other.yes;
        may = may & other.may;
    }
    void subtract(const ConnectionSet& set) {
        yes = yes - set;
        may = may - set;
    }
    /// Something that is not known has to hold as well.
    void doubt() { yes = ConnectionSet{}; }
};

const net::PortSet kAnyPort = net::PortSet::of(net::PortRange{});

PortPairs on_side(const net::PortSet& ports, bool source) {
    return source ? PortPairs::of(kAnyPort, ports) : PortPairs::of(ports, kAnyPort);
}

Bounds in_ports(const PortMatch& match, const Identity& end, bool source) {
    Bounds out;
    out.yes = out.may = ConnectionSet::of_ports(on_side(match.numbers, source));
    for (const decision::PredicateId id : match.named) {
        if (end.holds(id) == Tri::Unknown)
            out.may = out.may | ConnectionSet::of_ports(PortPairs::all());
        for (const decision::PortMember& member : end.port_members) {
            if (member.predicate != id)
                continue;
            const auto port = net::PortSet::of(net::PortRange{member.port, member.port});
            const auto set = ConnectionSet::of(member.protocol, on_side(port, source));
            out.yes = out.yes | set;
            out.may = out.may | set;
        }
    }
    return out;
}

/// A service with ports among the predicates of an end: it holds at its members' ports only.
bool has_members(const Identity& end, decision::PredicateId id) {
    for (const decision::PortMember& member : end.port_members)
        if (member.predicate == id)
            return true;
    return false;
}

/// False: nothing matches.
bool add_end(Bounds& bounds, const decision::EndMatch& match, const Identity& end, bool source) {
    const auto with_ports = [&](decision::PredicateId id) {
        PortMatch only;
        only.named = {id};
        return in_ports(only, end, source);
    };
    bool doubtful = false;
    for (const decision::PredicateId id : match.all) {
        const Tri answer = end.holds(id);
        if (has_members(end, id))
            bounds.intersect(with_ports(id));
        else if (answer == Tri::No)
            return false;
        else
            doubtful = doubtful || answer == Tri::Unknown;
    }
    for (const decision::PredicateId id : match.none) {
        const Tri answer = end.holds(id);
        if (has_members(end, id)) {
            const Bounds inside = with_ports(id);
            bounds.yes = bounds.yes - inside.may;
            bounds.may = bounds.may - inside.yes;
        } else if (answer == Tri::Yes) {
            return false;
        } else {
            doubtful = doubtful || answer == Tri::Unknown;
        }
    }
    if (match.ports)
        bounds.intersect(in_ports(*match.ports, end, source));
    if (match.not_ports) {
        const Bounds inside = in_ports(*match.not_ports, end, source);
        bounds.yes = bounds.yes - inside.may;
        bounds.may = bounds.may - inside.yes;
    }
    if (doubtful)
        bounds.doubt();
    return true;
}

ConnectionSet icmp_set(const decision::IcmpTypeCode& wanted, net::Family family) {
    const auto protocol = family == net::Family::V4 ? net::kIcmp : net::kIcmpV6;
    std::vector<net::PortRange> ranges;
    for (unsigned type = wanted.type.value_or(0); type <= wanted.type.value_or(255); ++type)
        ranges.push_back({static_cast<std::uint16_t>(type * 256 + wanted.code.value_or(0)),
                          static_cast<std::uint16_t>(type * 256 + wanted.code.value_or(255))});
    return ConnectionSet::of_icmp(protocol, net::PortSet::of(ranges));
}

std::optional<Bounds> bounds_of(const Match& match, const Identity& source,
                                const Identity& destination) {
    Bounds out;
    if (!add_end(out, match.source, source, true) ||
        !add_end(out, match.destination, destination, false))
        return std::nullopt;
    if (match.protocol)
        out.intersect(ConnectionSet::of(*match.protocol));
    if (match.not_protocol)
        out.subtract(ConnectionSet::of(*match.not_protocol));
    if (match.icmp)
        out.intersect(icmp_set(*match.icmp, source.family));
    if (match.not_icmp)
        out.subtract(icmp_set(*match.not_icmp, source.family));
    if (match.http)
        out.doubt();
    return out;
}

class Walk {
  public:
    Walk(const Identity& source, const Identity& destination)
        : source_(source), destination_(destination) {}

    FlowSets run(const decision::Program& program) {
        for (const Stage& stage : program.stages) {
            if (rest_.empty())
                break;
            walk(stage);
        }
        (program.otherwise == Action::Allow ? may_allow_ : may_deny_) =
            (program.otherwise == Action::Allow ? may_allow_ : may_deny_) | rest_;
        FlowSets out;
        out.allow = may_allow_ - may_deny_;
        out.may = std::move(may_allow_);
        return out;
    }

  private:
    void walk(const Stage& stage) {
        ConnectionSet passed;
        for (const Entry& entry : stage.entries) {
            if (rest_.empty())
                break;
            if (entry.staged || entry.action == Action::Log)
                continue;
            const auto bounds = bounds_of(entry.match, source_, destination_);
            if (!bounds)
                continue;
            const ConnectionSet reached = rest_ & bounds->may;
            ConnectionSet& into = entry.action == Action::Pass    ? passed
                                  : entry.action == Action::Allow ? may_allow_
                                                                  : may_deny_;
            into = into | reached;
            rest_ = rest_ - bounds->yes;
        }
        if (stage.end == decision::StageEnd::Next) {
            rest_ = rest_ | passed;
        } else {
            may_deny_ = may_deny_ | rest_;
            rest_ = std::move(passed);
        }
    }

    const Identity& source_;
    const Identity& destination_;
    ConnectionSet rest_ = ConnectionSet::all(); ///< what some run still carries
    ConnectionSet may_allow_, may_deny_;
};

} // namespace

FlowSets flows_of(const decision::Program& program, const Identity& source,
                  const Identity& destination) {
    return Walk(source, destination).run(program);
}

} // namespace polecat::analyzer
