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
    const auto by_text = [&](std::vector<PredicateId>& list) {
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

Programs::Programs(const decision::LoweredCluster& cluster, const decision::Identities& identities,
                   const IdentityNumbers& numbers, const Numbers& base)
    : cluster_(cluster), identities_(identities), numbers_(numbers), base_(base) {
    find_own();
}

/// Of all endpoints of the cluster, so that every node says the same of a program. Host endpoints
/// govern packets between any addresses: what is forwarded, and what comes to addresses of the host
/// that nobody named. So do workloads that may send from addresses of others.
void Programs::find_own() {
    std::map<std::uint32_t, std::set<std::uint32_t>> by_program;
    std::set<std::uint32_t> any;
    for (const decision::Endpoint& endpoint : cluster_.endpoints) {
        const auto& programs = cluster_.groups[endpoint.group.value].programs;
        if (endpoint.is_host_endpoint || !endpoint.other_sources.empty())
            for (const auto& [key, program] : programs) {
                by_program[program.program.value];
                any.insert(program.program.value);
            }
        for (const net::Address& address : cluster_.world.object(endpoint.object).addresses)
            for (const auto& [key, program] : programs)
                if (const auto number = numbers_.addresses().find(address);
                    key.family == address.family && number != numbers_.addresses().end())
                    by_program[program.program.value].insert(number->second);
    }
    for (const auto& [id, numbers] : by_program) {
        NamedProgram unused;
        texts_[id] = digest_of(text_of(expressible(cluster_, decision::ProgramId{id}, unused)), 24);
        own_[texts_[id]].insert(numbers.begin(), numbers.end());
        if (any.contains(id))
            any_own_.insert(texts_[id]);
    }
}

std::string Programs::text_of(const Program& program) const {
    return canonical_text(program, cluster_.predicates);
}

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
                               const std::set<std::uint32_t>* only) const {
    const auto& ids = numbers_.of(program.family);
    std::vector<std::uint32_t> numbers;
    std::vector<const decision::Identity*> list;
    const auto add = [&](std::uint32_t number, decision::IdentityId id) {
        numbers.push_back(number);
        list.push_back(&identities_[id]);
    };
    if (only)
        for (const std::uint32_t number : *only)
            add(number, ids.at(number));
    else
        for (const auto& [number, id] : ids)
            add(number, id);
    return {std::move(numbers),
            decision::EndKinds({decision::predicates_of(program, source), {}, {}}, list)};
}

NamedProgram Programs::make(decision::ProgramId id) {
    NamedProgram out;
    const Program program = expressible(cluster_, id, out);
    if (!out.unsaid.empty())
        return out;
    const auto known = texts_.find(id.value); // endpoints without an address have none
    const std::string text =
        known == texts_.end() ? digest_of(text_of(program), 24) : known->second;
    const bool egress = program.direction == decision::Direction::Egress;
    const NumberedEnds others = ends_of(program, !egress, nullptr);
    const NumberedEnds own =
        ends_of(program, egress, any_own_.contains(text) ? nullptr : &own_[text]);
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
