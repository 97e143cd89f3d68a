#include "driver/watch/live_programs.h"

#include <algorithm>

namespace polecat::driver {

using bundle::ContentId;
using bundle::GroupRecord;

LivePrograms::LivePrograms(bundle::Contents& contents, std::map<ContentId, std::string> said,
                           const std::set<ContentId>& pinned)
    : contents_(contents) {
    for (const auto& [id, record] : contents.programs) {
        Program& program = programs_[id];
        program.said = said.at(id);
        program.pinned = pinned.contains(id);
        by_said_[program.said].insert(id);
        for (const std::uint32_t each : asked_by(record.program))
            ++asking_[each];
    }
}

std::set<std::uint32_t> LivePrograms::asked_by(const decision::Program& program) {
    std::set<std::uint32_t> out;
    for (const decision::Stage& stage : program.stages)
        for (const decision::Entry& entry : stage.entries)
            for (const auto* end : {&entry.match->source, &entry.match->destination})
                each_predicate(*end, [&](decision::PredicateId id) { out.insert(id.value); });
    return out;
}

void LivePrograms::Uses::add(const GroupRecord& group, int endpoints) {
    for (const auto& [key, part] : group.programs) {
        programs[part.program] += endpoints;
        slots[part.slots] += endpoints;
    }
}

std::set<ContentId> LivePrograms::gone_programs(const Uses& uses) const {
    std::set<ContentId> out;
    for (const auto& [id, more] : uses.programs)
        if (const auto found = programs_.find(id); found != programs_.end() &&
                                                   !found->second.pinned &&
                                                   found->second.endpoints + more == 0)
            out.insert(id);
    return out;
}

bool LivePrograms::others_have(const ContentId& slots, const Uses& taken) const {
    const auto found = slots_.find(slots);
    const auto gone = taken.slots.find(slots);
    return found != slots_.end() &&
           found->second + (gone == taken.slots.end() ? 0 : gone->second) != 0;
}

std::set<std::uint32_t> LivePrograms::gone_predicates(const std::set<ContentId>& gone,
                                                      const std::set<std::uint32_t>& asked) const {
    std::map<std::uint32_t, std::size_t> fewer;
    for (const ContentId& id : gone)
        for (const std::uint32_t each : asked_by(contents_.programs.at(id).program))
            ++fewer[each];
    std::set<std::uint32_t> out;
    for (const auto& [id, programs] : fewer)
        if (asking_.at(id) == programs && !asked.contains(id))
            out.insert(id);
    return out;
}

void LivePrograms::add(const ContentId& id, bundle::ProgramRecord record, const std::string& said) {
    for (const std::uint32_t each : asked_by(record.program))
        ++asking_[each];
    programs_[id].said = said;
    by_said_[said].insert(id);
    changed_.insert(said);
    contents_.programs.insert_or_assign(id, std::move(record));
}

void LivePrograms::use(const Uses& uses, bundle::Touched& touched) {
    for (const ContentId& id : gone_programs(uses)) {
        for (const std::uint32_t each : asked_by(contents_.programs.at(id).program))
            if (const auto asking = asking_.find(each); --asking->second == 0)
                asking_.erase(asking);
        const std::string& said = programs_.at(id).said;
        changed_.insert(said);
        if (const auto alike = by_said_.find(said);
            alike->second.erase(id) == 1 && alike->second.empty())
            by_said_.erase(alike);
        programs_.erase(id);
        contents_.programs.erase(id);
        touched.programs.insert(id);
    }
    for (const auto& [id, more] : uses.programs)
        if (const auto found = programs_.find(id); found != programs_.end())
            found->second.endpoints += more;
    for (const auto& [id, more] : uses.slots) {
        const auto found = slots_.emplace(id, 0).first;
        found->second += more;
        if (found->second != 0)
            continue;
        slots_.erase(found);
        contents_.slots.erase(id);
        contents_.origins.slots.erase(id);
        touched.slots.insert(id);
    }
}

void LivePrograms::run(const GroupRecord& group, net::Family family, std::uint32_t identity,
                       int times) {
    for (const auto& [key, part] : group.programs) {
        if (key.family != family)
            continue;
        Program& program = programs_.at(part.program);
        const auto place = program.identities.emplace(identity, 0).first;
        const bool was_there = place->second != 0;
        place->second += times;
        if (was_there == (place->second != 0))
            continue;
        changed_.insert(program.said);
        if (was_there)
            program.identities.erase(place);
    }
}

void LivePrograms::run_anywhere(const GroupRecord& group, int times) {
    for (const auto& [key, part] : group.programs) {
        Program& program = programs_.at(part.program);
        program.anywhere += times;
        changed_.insert(program.said);
    }
}

/// What is said alike is run by all of those together; one that nobody with an address runs has
/// none.
void LivePrograms::set_own(const ContentId& id, bundle::Touched& touched) {
    bundle::NumberSet own;
    bool any = false;
    const Program& program = programs_.at(id);
    if (!program.identities.empty() || program.anywhere != 0) {
        std::set<std::uint32_t> numbers;
        for (const ContentId& alike : by_said_.at(program.said)) {
            const Program& other = programs_.at(alike);
            any = any || other.anywhere != 0;
            for (const auto& [number, times] : other.identities)
                numbers.insert(numbers.end(), number);
        }
        for (const std::uint32_t number : numbers)
            own.add(number);
    }
    bundle::ProgramRecord& record = contents_.programs.at(id);
    record.own = std::move(own);
    record.any_own = any;
    touched.programs.insert(id);
}

void LivePrograms::finish(bundle::Touched& touched) {
    for (const std::string& said : changed_)
        if (const auto alike = by_said_.find(said); alike != by_said_.end())
            for (const ContentId& id : alike->second)
                set_own(id, touched);
    changed_.clear();
}

} // namespace polecat::driver
