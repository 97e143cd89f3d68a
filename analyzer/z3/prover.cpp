#include "analyzer/z3/prover.h"

#include <algorithm>
#include <map>

#include "analyzer/effect_runs.h"

namespace polecat::smt {

using analyzer::Claim;
using analyzer::EffectRuns;
using analyzer::Meaning;
using analyzer::PolicyKey;
using analyzer::RuleKey;
using analyzer::Run;
using decision::Attribution;
using decision::Direction;

namespace {

RuleKey key_of(const decision::Slot& slot, Direction direction) {
    return {{slot.policy_kind, slot.policy_space, slot.policy_name, slot.kind_of_policy},
            direction,
            slot.rule_index};
}

bool is_about(const Claim& claim, const Meaning& meaning, const Attribution& slots,
              Direction direction) {
    if (const auto* rule = std::get_if<RuleKey>(&claim.about))
        return meaning.kind == Meaning::Kind::Rule &&
               key_of(slots[meaning.number], direction) == *rule;
    if (const auto* policy = std::get_if<PolicyKey>(&claim.about)) {
        if (meaning.kind != Meaning::Kind::Policy)
            return false;
        const decision::PolicyBlock& block = slots.policies()[meaning.number];
        return PolicyKey{block.kind, block.space, block.name, block.kind_of_policy} == *policy;
    }
    return meaning.kind == Meaning::Kind::Tier &&
           slots[meaning.number].tier == std::get<std::string>(claim.about);
}

std::string name_of(const Claim& claim) {
    if (const auto* rule = std::get_if<RuleKey>(&claim.about))
        return analyzer::to_string(*rule);
    if (const auto* policy = std::get_if<PolicyKey>(&claim.about))
        return analyzer::to_string(*policy);
    return "Tier " + std::get<std::string>(claim.about);
}

} // namespace

struct Prover::State {
    /// What one IP family needs.
    struct Family {
        Family(const decision::LoweredCluster& cluster, const decision::Identities& identities,
               net::Family family)
            : runs(cluster, identities, family), ends(cluster, family) {}
        EffectRuns runs;
        ExistingEnds ends;
        std::map<const Run*, ProgramQuestions> questions;
    };

    State(const decision::LoweredCluster& cluster, QueryOptions given)
        : identities(cluster), requests({&cluster}), options(std::move(given)) {
        for (const net::Family family : {net::Family::V4, net::Family::V6})
            families.push_back(std::make_unique<Family>(cluster, identities, family));
    }

    ProgramQuestions& questions_of(Family& family, const Run& run) {
        const auto found = family.questions.find(&run);
        if (found != family.questions.end())
            return found->second;
        const decision::Program& program = family.runs.program(run);
        std::optional<std::vector<decision::ObjectId>> own;
        if (program.hook == decision::Hook::Normal) {
            own.emplace();
            for (const std::uint32_t group : run.own) {
                const auto& objects = family.runs.ends().list()[group].objects;
                own->insert(own->end(), objects.begin(), objects.end());
            }
        }
        return family.questions
            .try_emplace(&run, family.ends, requests, program, std::move(own), options)
            .first->second;
    }

    FlowAnswer ask(Family& family, const Run& run, const analyzer::Unit& unit, const Claim& claim) {
        ProgramQuestions& questions = questions_of(family, run);
        switch (claim.what) {
        case Claim::What::NeverDecides:
            return questions.decides(unit);
        case Claim::What::NeverReached:
            return questions.reached(unit);
        case Claim::What::NotNeeded:
            return questions.needed(unit);
        }
        return {};
    }

    bool confirm(Family& family, const Run& run, const Claim& claim) {
        const Direction direction = family.runs.program(run).direction;
        bool sure = true;
        for (std::size_t i = 0; i < run.units.units.size(); ++i) {
            const bool about = std::any_of(
                run.attributions.begin(), run.attributions.end(), [&](const Attribution& slots) {
                    return is_about(claim, run.units.meanings[i], slots, direction);
                });
            if (!about)
                continue;
            const FlowAnswer answer = ask(family, run, run.units.units[i], claim);
            if (answer.kind == Answer::Kind::Yes)
                throw Disagreement("internal error: Z3 contradicts a finding about " +
                                   name_of(claim));
            sure = sure && answer.kind == Answer::Kind::No;
        }
        return sure;
    }

    const decision::Identities identities;
    const analyzer::HttpAtoms requests;
    const QueryOptions options;
    std::vector<std::unique_ptr<Family>> families;
    std::size_t proved = 0, undecided = 0;
};

Prover::Prover(const decision::LoweredCluster& cluster, QueryOptions options)
    : state_(std::make_unique<State>(cluster, std::move(options))) {}
Prover::~Prover() = default;

bool Prover::confirm(const Claim& claim) {
    bool sure = true;
    for (const auto& family : state_->families)
        for (const Run& run : family->runs.list())
            sure = state_->confirm(*family, run, claim) && sure;
    ++(sure ? state_->proved : state_->undecided);
    return sure;
}

std::size_t Prover::proved() const {
    return state_->proved;
}

std::size_t Prover::undecided() const {
    return state_->undecided;
}

} // namespace polecat::smt
