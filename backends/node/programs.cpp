#include "backends/node/programs.h"

#include <algorithm>
#include <bit>

#include <fmt/format.h>

#include "backends/node/image_maker.h"
#include "ir/decision/print.h"

namespace polecat::backends {

using decision::Action;
using decision::PredicateId;
using decision::Program;
using decision::Verdict;

namespace {

/// The program's text, the same in whatever order predicates were met.
std::string canonical_text(Program program, const decision::PredicateStore& predicates) {
    sort_by_text(program, predicates);
    return to_text(program, predicates);
}

std::string cut_text(const decision::Table& table) {
    std::string out;
    const auto add = [&](const decision::Pieces& pieces) {
        for (const decision::Piece& piece : pieces)
            out += fmt::format(" {}:{}", piece.range.first, piece.id);
        out += '\n';
    };
    add(table.source_ports);
    for (const auto& [protocol, pieces] : table.l4.by_protocol) {
        out += fmt::format("{}", protocol);
        add(pieces);
    }
    return out + fmt::format("other {}\n", table.l4.other);
}

} // namespace

std::string name_of(const CellImage& cell) {
    const char outcome = cell.outcome == Outcome::Deny    ? 'd'
                         : cell.outcome == Outcome::Allow ? 'a'
                                                          : 'n';
    std::string out = fmt::format("{}{}", outcome, cell.slot);
    for (const std::uint32_t log : cell.logs)
        out += fmt::format("_l{}", log);
    if (cell.staged_allow != cell.passes())
        out += cell.staged_allow ? "_sa" : "_sd";
    return out;
}

void sort_by_text(Program& program, const decision::PredicateStore& predicates) {
    const auto by_text = [&](std::vector<PredicateId>& list) {
        if (list.size() > 1)
            std::sort(list.begin(), list.end(), [&](PredicateId a, PredicateId b) {
                return to_string(predicates[a]) < to_string(predicates[b]);
            });
    };
    for (decision::Stage& stage : program.stages)
        for (decision::Entry& entry : stage.entries) {
            decision::Match match = entry.match;
            for (decision::EndMatch* end : {&match.source, &match.destination}) {
                by_text(end->all);
                by_text(end->none);
                for (auto* ports : {&end->ports, &end->not_ports})
                    if (*ports)
                        by_text((*ports)->named);
            }
            entry.match = std::move(match);
        }
}

std::string said_of(const decision::LoweredCluster& cluster, decision::ProgramId id) {
    NamedProgram unused;
    return digest_of(canonical_text(Programs::expressible(cluster, id, unused), cluster.predicates),
                     24);
}

/// Host endpoints govern packets between any addresses: what is forwarded, and what comes to
/// addresses of the host that nobody named. So do workloads that may send from addresses of others.
OwnSides own_sides(const decision::LoweredCluster& cluster, const IdentityNumbers& numbers) {
    std::map<std::uint32_t, OwnSides::Side> by_program;
    for (const decision::Endpoint& endpoint : cluster.endpoints) {
        const auto& programs = cluster.groups[endpoint.group.value].programs;
        if (endpoint.is_host_endpoint || !endpoint.other_sources.empty())
            for (const auto& [key, program] : programs)
                by_program[program.program.value].any = true;
        for (const net::Address& address : cluster.world.object(endpoint.object).addresses)
            for (const auto& [key, program] : programs)
                if (const auto number = numbers.addresses().find(address);
                    key.family == address.family && number != numbers.addresses().end())
                    by_program[program.program.value].numbers.insert(number->second);
    }
    OwnSides out;
    for (const auto& [id, side] : by_program) {
        const std::string& digest = out.digests[id] = said_of(cluster, decision::ProgramId{id});
        OwnSides::Side& made = out.sides[digest];
        made.numbers.insert(side.numbers.begin(), side.numbers.end());
        made.any = made.any || side.any;
    }
    return out;
}

Programs::Programs(const decision::LoweredCluster& cluster, const IdentityNumbers& numbers,
                   OwnSides own, const Numbers& base)
    : cluster_(cluster), numbers_(numbers), own_(std::move(own)), base_(base) {}

/// The program without what packets do not show: Allow rules that need a request or a domain are
/// left out, which is narrower; anything else of the kind can't be said.
Program Programs::expressible(const decision::LoweredCluster& cluster, decision::ProgramId id,
                              NamedProgram& out) {
    Program program = cluster.program(id);
    const auto unseen = [&](const decision::Entry& entry) {
        const auto domain = [&](const decision::EndMatch& end) {
            return std::any_of(end.all.begin(), end.all.end(), [&](PredicateId each) {
                return decision::is_never_known(cluster.predicates[each]);
            });
        };
        return entry.match->http.has_value() || domain(entry.match->source) ||
               domain(entry.match->destination);
    };
    for (decision::Stage& stage : program.stages)
        std::erase_if(stage.entries, [&](const decision::Entry& entry) {
            if (!unseen(entry))
                return false;
            const bool narrower = entry.action == Action::Allow || entry.action == Action::Log;
            (narrower ? out.left_out : out.unsaid).push_back(entry.slot);
            return true;
        });
    return program;
}

/// What is said of a program that can't be told: nothing is allowed.
NamedProgram Programs::closed(const Program& program, const std::string& text, std::string why,
                              NamedProgram of) {
    ProgramImage closed;
    closed.hook = program.hook;
    closed.direction = program.direction;
    closed.family = program.family;
    closed.closed = true;
    of.name = "p" + digest_of("closed\n" + text, 12);
    of.image = closed;
    of.too_large = std::move(why);
    return of;
}

/// `only`: of these identities, or of all of the family.
NumberedEnds Programs::ends_of(const Program& program, bool source,
                               const std::set<std::uint32_t>* only) {
    const auto& known = numbers_.of(program.family);
    const std::vector<PredicateId> asked = decision::predicates_of(program, source);
    if (!only) {
        const FamilyEnds& ends = ends_.try_emplace(program.family, known).first->second;
        return {ends.numbers(), ends.kinds(asked)};
    }
    std::vector<const decision::Identity*> list;
    for (const std::uint32_t number : *only)
        list.push_back(&known.at(number));
    return {{only->begin(), only->end()}, decision::EndKinds({asked, {}, {}}, list)};
}

NamedProgram Programs::make(decision::ProgramId id) {
    NamedProgram out;
    const Program program = expressible(cluster_, id, out);
    if (!out.unsaid.empty())
        return out;
    const auto known = own_.digests.find(id.value); // endpoints without an address have none
    const std::string text = known == own_.digests.end() ? said_of(cluster_, id) : known->second;
    const bool egress = program.direction == decision::Direction::Egress;
    const OwnSides::Side& side = own_.sides[text];
    const NumberedEnds others = ends_of(program, !egress, nullptr);
    const NumberedEnds own = ends_of(program, egress, side.any ? nullptr : &side.numbers);
    const auto table =
        decision::flatten(program, cluster_.predicates, egress ? own.kinds : others.kinds,
                          egress ? others.kinds : own.kinds);
    if (!table)
        return closed(program, text, table.error(), std::move(out));
    for (const decision::Cell& cell : table->cells)
        if (cell.verdict == Verdict::Depends)
            out.unsaid.push_back(cell.slot);
    if (!out.unsaid.empty())
        return out;
    return named(program, text, *table, own, others, std::move(out));
}

NamedProgram Programs::named(const Program& program, const std::string& text,
                             const decision::Table& table, const NumberedEnds& own,
                             const NumberedEnds& others, NamedProgram of) {
    const std::string frame = digest_of(text + cut_text(table), 24);
    const auto before = base_.programs.find(frame);
    const Numbers::Program none;
    MadeImage made =
        make_image(table, program.otherwise_slot,
                   before == base_.programs.end() ? none : before->second, own, others);
    if (!made.too_large.empty())
        return closed(program, text, made.too_large, std::move(of));
    of.name = "p" + digest_of(frame + made.usual_text(), 12);
    record_[frame] = std::move(made.record);
    of.image = std::move(made.image);
    return of;
}

const NamedProgram& Programs::operator[](decision::ProgramId id) {
    const auto found = made_.find(id.value);
    return found != made_.end() ? found->second : made_.emplace(id.value, make(id)).first->second;
}

Numbers Programs::record() const {
    Numbers out = numbers_.record();
    out.programs = record_;
    return out;
}

} // namespace polecat::backends
