#include "analyzer/z3/prover.h"

#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include "analyzer/effects/runs.h"
#include "analyzer/z3/any_endpoint.h"
#include "support/parallel.h"

namespace polecat::smt {

using analyzer::Claim;
using analyzer::EffectRuns;
using analyzer::Meaning;
using analyzer::RuleKey;
using analyzer::Run;
using decision::Attribution;
using decision::Direction;
using policy::PolicyName;

namespace {

RuleKey key_of(const decision::Slot& slot, Direction direction) {
    return {slot.policy, direction, slot.rule_index};
}

using Target = std::variant<RuleKey, PolicyName, std::string>;

/// What a unit of a run is, in manifests.
Target target_of(const Meaning& meaning, const Attribution& slots, Direction direction) {
    if (meaning.kind == Meaning::Kind::Rule)
        return key_of(slots[meaning.number], direction);
    if (meaning.kind == Meaning::Kind::Policy)
        return slots.policies()[meaning.number].policy;
    return slots[meaning.number].tier;
}

std::string name_of(const Claim& claim) {
    if (const auto* rule = std::get_if<RuleKey>(&claim.about))
        return analyzer::to_string(*rule);
    if (const auto* policy = std::get_if<PolicyName>(&claim.about))
        return policy::to_string(*policy);
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
    case Claim::What::NeverAnywhere:
    case Claim::What::NeverMatches:
        break; // about no program
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
        for (std::size_t i = 0; i < claims.size(); ++i)
            if (!claims[i].is_about_all())
                about_[claims[i].about].push_back(i);
        std::vector<Asked> list;
        for (const Run& run : runs_.list())
            if (auto about = claims_about(run); !about.empty())
                list.push_back({run, std::move(about), {}});
        std::set<decision::PredicateId> predicates;
        for (const Asked& each : list)
            for (const bool source : {true, false})
                for (const auto id : predicates_of(runs_.program(each.run), source))
                    predicates.insert(id);
        ends_.compute(predicates, options_.jobs); // the threads that ask Z3 read only
        // Parts of their own engine, as many as ever: the number of threads changes no answer.
        constexpr std::size_t kParts = 8;
        in_parallel(kParts, options_.sink ? 1 : options_.jobs, [&](std::size_t part) {
            QueryOptions options = options_;
            options.engine = std::make_shared<Engine>();
            for (std::size_t i = list.size() * part / kParts; i < list.size() * (part + 1) / kParts;
                 ++i)
                confirm(list[i], claims, options);
        });
        for (const Asked& each : list)
            for (const auto& [claim, holds] : each.proved)
                proved[claim] = proved[claim] && holds;
    }

  private:
    /// What is asked of a run: claims and units by number; and which claims hold there.
    struct Asked {
        const Run& run;
        std::set<std::pair<std::size_t, std::size_t>> about;
        std::vector<std::pair<std::size_t, bool>> proved;
    };

    /// One program at a time: each holds a solver, and a cluster has thousands of programs.
    void confirm(Asked& asked, const std::vector<Claim>& claims, const QueryOptions& options) {
        const Run& run = asked.run;
        std::optional<ProgramQuestions> questions;
        std::map<std::pair<std::size_t, Claim::What>, Answer::Kind> answers;
        for (const auto& [claim, unit] : asked.about) {
            const auto [place, is_new] =
                answers.try_emplace({unit, claims[claim].what}, Answer::Kind::Unknown);
            if (is_new && !questions)
                questions.emplace(ends_, requests_, runs_.program(run), runs_.own_objects(run),
                                  options);
            if (is_new)
                place->second = ask(*questions, run.units.units[unit], claims[claim].what).kind;
            if (place->second == Answer::Kind::Yes)
                throw Disagreement("internal error: Z3 contradicts a finding about " +
                                   name_of(claims[claim]));
            asked.proved.emplace_back(claim, place->second == Answer::Kind::No);
        }
    }

    /// Claims about units of the run, in their order.
    std::set<std::pair<std::size_t, std::size_t>> claims_about(const Run& run) {
        const Direction direction = runs_.program(run).direction;
        std::set<std::pair<std::size_t, std::size_t>> out;
        for (const Attribution& slots : run.attributions)
            for (std::size_t unit = 0; unit < run.units.units.size(); ++unit) {
                const auto found =
                    about_.find(target_of(run.units.meanings[unit], slots, direction));
                if (found != about_.end())
                    for (const std::size_t claim : found->second)
                        out.emplace(claim, unit);
            }
        return out;
    }

    EffectRuns runs_;
    ExistingEnds ends_;
    const analyzer::HttpAtoms& requests_;
    const QueryOptions& options_;
    std::map<Target, std::vector<std::size_t>> about_; ///< claims by number
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

std::vector<bool> confirm_anywhere(const decision::PolicyRules& policies,
                                   const std::map<RuleKey, std::vector<RuleKey>>& covered,
                                   const std::vector<Claim>& claims, const QueryOptions& options) {
    AnyEndpoint questions(policies, options);
    std::vector<bool> proved;
    for (const Claim& claim : claims) {
        const auto& rule = std::get<RuleKey>(claim.about);
        const auto takers = covered.find(rule);
        const AnyAnswer answer =
            claim.what == Claim::What::NeverMatches
                ? questions.matches(rule)
                : questions.decides(rule, takers == covered.end() ? std::vector<RuleKey>{}
                                                                  : takers->second);
        if (answer.kind == Answer::Kind::Yes)
            throw Disagreement("internal error: Z3 contradicts a finding about " + name_of(claim) +
                               " at every endpoint that could exist");
        proved.push_back(answer.kind == Answer::Kind::No);
    }
    return proved;
}

} // namespace polecat::smt
