// Effects against a walk of every program between all ends, without numbers of sets and without
// leaving anything out.
#include <map>
#include <set>

#include <doctest/doctest.h>

#include "analyzer/effects/effects.h"
#include "analyzer/ends/end_groups.h"
#include "analyzer/flows/program_flows.h"
#include "tests/random_cluster.h"

using namespace polecat;
using analyzer::ConnectionSet;
using analyzer::EndGroups;
using analyzer::RuleKey;
using decision::Action;
using decision::Direction;

namespace {

using SeenEffects = std::map<RuleKey, analyzer::UnitEffect>;

/// What comes to each rule of policy between two ends. `needed` is not asked.
void walk_plainly(const analyzer::ProgramFlows& flows, const decision::Attribution& slots,
                  const decision::Identity& source, const decision::Identity& destination,
                  SeenEffects& out) {
    const decision::Program& program = flows.program();
    ConnectionSet rest = ConnectionSet::all();
    for (std::uint32_t i = 0; i < program.stages.size(); ++i) {
        const decision::Stage& stage = program.stages[i];
        ConnectionSet passed;
        std::set<RuleKey> begun; // a rule of a manifest may be several entries
        for (std::uint32_t e = 0; e < stage.entries.size(); ++e) {
            const decision::Entry& entry = stage.entries[e];
            if (entry.staged)
                continue;
            const decision::Slot& slot = slots[entry.slot.value];
            const RuleKey key{slot.policy, program.direction, slot.rule_index};
            analyzer::UnitEffect& rule = out[key];
            rule.reached = rule.reached || (begun.insert(key).second && !rest.empty());
            const auto sets = flows.entry(i, e, source, destination);
            if (!sets)
                continue;
            rule.matches = rule.matches || !sets->may.empty();
            rule.decides = rule.decides || !(rest & sets->may).empty();
            if (entry.action == Action::Pass)
                passed = passed | (rest & sets->may);
            if (entry.action != Action::Log)
                rest = rest - sets->sure;
        }
        rest = stage.end == decision::StageEnd::Next ? rest | passed : passed;
    }
}

void walk_between_all(const decision::LoweredCluster& cluster,
                      const decision::Identities& identities, const decision::Group& group,
                      const decision::Group::Key& key, const decision::GroupProgram& program,
                      SeenEffects& out) {
    const analyzer::HttpAtoms atoms({&cluster});
    const EndGroups ends(cluster, identities, key.family);
    const analyzer::ProgramFlows flows(cluster.program(program.program), atoms);
    std::set<std::uint32_t> own;
    for (const decision::ObjectId member : group.members)
        if (const auto number = ends.group_of(member))
            own.insert(*number);
    for (std::uint32_t i = 0; key.hook != decision::Hook::Normal && i < ends.list().size(); ++i)
        own.insert(i); // packets that are forwarded or not yet translated have any ends
    for (const std::uint32_t a : own)
        for (std::uint32_t b = 0; b < ends.list().size(); ++b) {
            if (a == b && ends.list()[a].objects.size() == 1)
                continue; // an endpoint sends itself nothing that policy sees
            const bool egress = key.direction == Direction::Egress;
            walk_plainly(flows, program.slots, ends.identity(egress ? a : b),
                         ends.identity(egress ? b : a), out);
        }
}

} // namespace

TEST_CASE("what effects leave out shows nothing") {
    std::size_t checked = 0, hidden = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        INFO("seed ", seed);
        testing::ClusterShape shape;
        shape.http = seed % 3 == 0;
        testing::RandomCluster cluster;
        testing::load_text(testing::ClusterWriter(seed, shape).write(), cluster);
        const decision::LoweredCluster& lowered = cluster.lowered;
        const decision::Identities identities(lowered);
        SeenEffects seen;
        for (const decision::Group& group : lowered.groups)
            for (const auto& [key, program] : group.programs)
                walk_between_all(lowered, identities, group, key, program, seen);
        for (const auto& [key, rule] : analyzer::effects_of(lowered, identities).rules) {
            INFO(analyzer::to_string(key));
            const analyzer::UnitEffect& plain = seen[key];
            CHECK(rule.effect.matches == plain.matches);
            CHECK(rule.effect.decides == plain.decides);
            CHECK(rule.effect.reached == plain.reached);
            ++checked;
            hidden += plain.decides ? 0 : 1;
        }
    }
    CHECK(checked > 300);
    CHECK(hidden > 30);
}
