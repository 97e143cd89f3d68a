#include "analyzer/z3/encode.h"

namespace polecat::smt {

using decision::Action;
using decision::EndMatch;
using decision::Entry;
using decision::PredicateId;
using decision::Stage;

namespace {

struct Encoder {
    Terms& terms;
    Packet& packet;
    const AskEnd& ask;

    Bounds negate(const Bounds& bounds) {
        return {terms.negate(bounds.may), terms.negate(bounds.yes)};
    }

    Bounds all_of(const std::vector<Bounds>& parts) {
        std::vector<Term> yes, may;
        for (const Bounds& each : parts) {
            yes.push_back(each.yes);
            may.push_back(each.may);
        }
        return {terms.all_of(std::move(yes)), terms.all_of(std::move(may))};
    }

    Bounds in_ports(const decision::PortMatch& ports, bool source) {
        const Term numbers = packet.port_in(ports.numbers, source);
        std::vector<Term> yes{numbers}, may{numbers};
        for (const PredicateId id : ports.named) {
            const Bounds named = ask(id, source);
            yes.push_back(named.yes);
            may.push_back(named.may);
        }
        return {terms.any_of(std::move(yes)), terms.any_of(std::move(may))};
    }

    void add_end(const EndMatch& match, bool source, std::vector<Bounds>& parts) {
        const auto& [all, none, ports, not_ports] = match;
        for (const PredicateId id : all)
            parts.push_back(ask(id, source));
        for (const PredicateId id : none)
            parts.push_back(negate(ask(id, source)));
        if (ports)
            parts.push_back(in_ports(*ports, source));
        if (not_ports)
            parts.push_back(negate(in_ports(*not_ports, source)));
    }

    Bounds match(const decision::Match& match) {
        const Term shown = packet.matches(match);
        std::vector<Bounds> parts{{shown, shown}};
        add_end(match.source, true, parts);
        add_end(match.destination, false, parts);
        return all_of(parts);
    }

    /// Adds what the stage decides to the program; says what goes on after it.
    Term stage(const Stage& stage, Term arriving, EncodedProgram& out) {
        EncodedStage encoded;
        encoded.arriving = arriving;
        std::vector<Term> passed, allowed{out.may_allow}, denied{out.may_deny};
        Term rest = arriving;
        for (const Entry& entry : stage.entries) {
            const Term no = terms.truth(false);
            const Bounds bounds = entry.staged ? Bounds{no, no} : match(entry.match);
            encoded.entries.push_back({bounds, rest});
            if (entry.action == Action::Log)
                continue;
            auto& into = entry.action == Action::Pass    ? passed
                         : entry.action == Action::Allow ? allowed
                                                         : denied;
            into.push_back(terms.both(rest, bounds.may));
            rest = terms.except(rest, bounds.yes);
        }
        encoded.leaving = rest;
        (stage.end == decision::StageEnd::Next ? passed : denied).push_back(rest);
        out.may_allow = terms.any_of(std::move(allowed));
        out.may_deny = terms.any_of(std::move(denied));
        out.stages.push_back(std::move(encoded));
        return terms.any_of(std::move(passed));
    }

    EncodedProgram program(const decision::Program& program) {
        EncodedProgram out{{}, terms.truth(false), terms.truth(false)};
        Term arriving = terms.truth(true);
        for (const Stage& each : program.stages)
            arriving = stage(each, arriving, out);
        Term& into = program.otherwise == Action::Allow ? out.may_allow : out.may_deny;
        into = terms.either(into, arriving);
        return out;
    }
};

} // namespace

Bounds encode(const decision::Match& match, Terms& terms, Packet& packet, const AskEnd& ask) {
    return Encoder{terms, packet, ask}.match(match);
}

EncodedProgram encode(const decision::Program& program, Terms& terms, Packet& packet,
                      const AskEnd& ask) {
    return Encoder{terms, packet, ask}.program(program);
}

} // namespace polecat::smt
