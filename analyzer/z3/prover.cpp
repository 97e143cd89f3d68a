#include "analyzer/z3/prover.h"

#include <algorithm>
#include <optional>

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

FlowAnswer ask(ProgramQuestions& questions, const analyzer::Unit& unit, Claim::What what) {
    switch (what) {
    case Claim::What::NeverDecides:
        return questions.decides(unit);
    case Claim::What::NeverReached:
        return questions.reached(unit);
    case Claim::What::NotNeeded:
        return questions.needed(unit);
    }
    return {};
}

/// Confirms claims for all programs of one IP family.
class FamilyProver {
  public:
    FamilyProver(const decision::LoweredCluster& cluster, const decision::Identities& identities,
                 const analyzer::HttpAtoms& requests, net::Family family,
                 const QueryOptions& options)
        : runs_(cluster, identities, family), ends_(cluster, family), requests_(requests),
          options_(options) {}

    void confirm(const std::vector<Claim>& claims, std::vector<bool>& proved) {
        for (const Run& run : runs_.list())
            confirm(run, claims, proved);
    }

  private:
    /// One program at a time: each holds a solver, and a cluster has thousands of programs.
    void confirm(const Run& run, const std::vector<Claim>& claims, std::vector<bool>& proved) {
        std::optional<ProgramQuestions> questions;
        for (std::size_t i = 0; i < claims.size(); ++i)
            for (const std::size_t unit : units_about(claims[i], run)) {
                if (!questions)
                    questions.emplace(ends_, requests_, runs_.program(run), own_of(run), options_);
                const FlowAnswer answer = ask(*questions, run.units.units[unit], claims[i].what);
                if (answer.kind == Answer::Kind::Yes)
                    throw Disagreement("internal error: Z3 contradicts a finding about " +
                                       name_of(claims[i]));
                proved[i] = proved[i] && answer.kind == Answer::Kind::No;
            }
    }

    std::vector<std::size_t> units_about(const Claim& claim, const Run& run) {
        const Direction direction = runs_.program(run).direction;
        std::vector<std::size_t> out;
        for (std::size_t i = 0; i < run.units.units.size(); ++i)
            if (std::any_of(run.attributions.begin(), run.attributions.end(),
                            [&](const Attribution& slots) {
                                return is_about(claim, run.units.meanings[i], slots, direction);
                            }))
                out.push_back(i);
        return out;
    }

    /// At the normal hook the endpoint itself; elsewhere packets have any ends.
    std::optional<std::vector<decision::ObjectId>> own_of(const Run& run) {
        if (runs_.program(run).hook != decision::Hook::Normal)
            return std::nullopt;
        std::vector<decision::ObjectId> out;
        for (const std::uint32_t group : run.own) {
            const auto& objects = runs_.ends().list()[group].objects;
            out.insert(out.end(), objects.begin(), objects.end());
        }
        return out;
    }

    EffectRuns runs_;
    ExistingEnds ends_;
    const analyzer::HttpAtoms& requests_;
    const QueryOptions& options_;
};

} // namespace

std::vector<bool> confirm(const decision::LoweredCluster& cluster, const std::vector<Claim>& claims,
                          const QueryOptions& options) {
    std::vector<bool> proved(claims.size(), true);
    const decision::Identities identities(cluster);
    const analyzer::HttpAtoms requests({&cluster});
    for (const net::Family family : {net::Family::V4, net::Family::V6})
        FamilyProver(cluster, identities, requests, family, options).confirm(claims, proved);
    return proved;
}

} // namespace polecat::smt
