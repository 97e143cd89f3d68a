#include "ir/decision/flatten_cell.h"

#include <algorithm>

namespace polecat::decision {

EntryIndex::EntryIndex(const Program& program, const PredicateStore& predicates, bool by_source) {
    for (std::uint32_t i = 0; i < program.stages.size(); ++i)
        for (std::uint32_t j = 0; j < program.stages[i].entries.size(); ++j) {
            const Match& match = program.stages[i].entries[j].match;
            const auto& all = by_source ? match.source.all : match.destination.all;
            const auto key = std::find_if(all.begin(), all.end(), [&](PredicateId id) {
                return !is_port_set(predicates[id]);
            });
            if (key == all.end())
                always_.emplace_back(i, j);
            else
                by_predicate_[key->value].emplace_back(i, j);
        }
}

std::vector<std::pair<std::uint32_t, std::uint32_t>>
EntryIndex::candidates(const EndClass& end) const {
    std::vector<Position> out = always_;
    for (const auto* list : {&end.yes, &end.unknown})
        for (const PredicateId id : *list)
            if (const auto found = by_predicate_.find(id.value); found != by_predicate_.end())
                out.insert(out.end(), found->second.begin(), found->second.end());
    std::sort(out.begin(), out.end());
    return out;
}

CellJudge::CellJudge(const Program& program, const PredicateStore& predicates,
                     const EndClass& source, const EndClass& destination,
                     const std::vector<std::pair<std::uint32_t, std::uint32_t>>& positions)
    : program_(program), predicates_(predicates), source_(source), destination_(destination),
      stages_(program.stages.size()) {
    const auto ends = [&](const EndMatch& match, const EndClass& end) {
        Tri result = Tri::Yes;
        for (const PredicateId id : match.all)
            if (!is_port_set(predicates[id]))
                result = both(result, end.holds(id));
        for (const PredicateId id : match.none)
            if (!is_port_set(predicates[id]))
                result = both(result, !end.holds(id));
        return result;
    };
    for (const auto& [stage, position] : positions) {
        const Entry& entry = program.stages[stage].entries[position];
        if (entry.match->http) // no flow here has a request
            continue;
        const Tri truth =
            both(ends(entry.match->source, source), ends(entry.match->destination, destination));
        if (truth == Tri::No)
            continue;
        stages_[stage].push_back({&entry, truth});
        has_staged_ = has_staged_ || entry.staged;
    }
    for (const Stage& stage : program.stages)
        has_staged_ = has_staged_ || stage.end != stage.staged_end;
}

Tri CellJudge::matches(const Candidate& candidate, const Packet& packet) const {
    const Match& match = candidate.entry->match;
    const auto& [protocol, not_protocol, type, not_type, source, destination, http] = match;
    const bool has_ports = net::has_ports(packet.protocol);
    if (protocol && *protocol != packet.protocol)
        return Tri::No;
    if (not_protocol && *not_protocol == packet.protocol)
        return Tri::No;
    const auto icmp = [&](const IcmpTypeCode& wanted) {
        return packet.protocol ==
                   (program_.family == net::Family::V4 ? net::kIcmp : net::kIcmpV6) &&
               (!wanted.type || *wanted.type == packet.value / 256) &&
               (!wanted.code || *wanted.code == packet.value % 256);
    };
    if ((type && !icmp(*type)) || (not_type && icmp(*not_type)))
        return Tri::No;
    Tri result = candidate.ends;
    const auto side = [&](const EndMatch& end, const EndClass& view, std::uint16_t port) {
        const auto in = [&](PredicateId id) {
            return has_ports ? view.holds(id, packet.protocol, port) : Tri::No;
        };
        const auto in_ports = [&](const PortMatch& ports) {
            Tri found = known(has_ports && ports.numbers.contains(port));
            for (const PredicateId id : ports.named)
                found = either(found, in(id));
            return found;
        };
        const auto& [all, none, ports, not_ports] = end;
        for (const PredicateId id : all)
            if (is_port_set(predicates_[id]))
                result = both(result, in(id));
        for (const PredicateId id : none)
            if (is_port_set(predicates_[id]))
                result = both(result, !in(id));
        if (ports)
            result = both(result, in_ports(*ports));
        if (not_ports)
            result = both(result, !in_ports(*not_ports));
    };
    side(source, source_, packet.source_port);
    side(destination, destination_, packet.value);
    return result;
}

/// The same walk as eval(): the run in which no unknown rule matches, and what others would do.
void CellJudge::judge(const Packet& packet, bool staged, Cell& cell) const {
    bool main = true, may_allow = false, may_deny = false, has_unknown = false, reached = true;
    SlotId slot, unknown;
    std::vector<SlotId> logs;
    const auto finish = [&](Action action, SlotId by, bool is_main) {
        (action == Action::Allow ? may_allow : may_deny) = true;
        if (is_main)
            slot = by;
    };
    for (std::size_t i = 0; i < stages_.size() && reached; ++i) {
        const Stage& stage = program_.stages[i];
        bool passed = false, ended = false;
        for (const Candidate& candidate : stages_[i]) {
            const Entry& entry = *candidate.entry;
            if (entry.staged && !staged)
                continue;
            const Tri outcome = matches(candidate, packet);
            if (outcome == Tri::No)
                continue;
            const bool sure = outcome == Tri::Yes;
            if (entry.action == Action::Log) {
                if (sure && main)
                    logs.push_back(entry.slot);
                continue;
            }
            if (!sure && !has_unknown) {
                unknown = entry.slot;
                has_unknown = true;
            }
            if (entry.action == Action::Pass)
                passed = true;
            else
                finish(entry.action, entry.slot, sure && main);
            if (sure) {
                main = main && entry.action == Action::Pass;
                ended = true;
                break;
            }
        }
        if (!ended && (staged ? stage.staged_end : stage.end) == StageEnd::Next) {
            reached = true;
            continue;
        }
        if (!ended) {
            finish(Action::Deny, stage.end_slot, main);
            main = false;
        }
        reached = passed;
    }
    if (reached)
        finish(program_.otherwise, program_.otherwise_slot, main);
    const Verdict verdict = may_allow && may_deny ? Verdict::Depends
                            : may_allow           ? Verdict::Allow
                                                  : Verdict::Deny;
    if (staged) {
        cell.staged = verdict;
        return;
    }
    cell.verdict = verdict;
    cell.slot = verdict == Verdict::Depends ? unknown : slot;
    cell.logs = std::move(logs);
}

Cell CellJudge::at(const Packet& packet) const {
    Cell cell;
    judge(packet, false, cell);
    if (has_staged_)
        judge(packet, true, cell);
    else
        cell.staged = cell.verdict;
    return cell;
}

} // namespace polecat::decision
