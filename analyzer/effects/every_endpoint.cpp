#include "analyzer/effects/every_endpoint.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "analyzer/algebra/set_store.h"
#include "analyzer/effects/every_peer.h"
#include "analyzer/flows/program_flows.h"
#include "ir/policy/scope.h"

namespace polecat::analyzer {

using decision::Action;
using decision::Direction;
using decision::EndMatch;
using decision::Entry;
using decision::PolicyRules;
using decision::PredicateId;

namespace {

// Beyond these nothing is said of a rule.
constexpr std::size_t kMostPolicies = 24;  ///< that come before and take packets like the rule's
constexpr std::size_t kMostSplits = 3;     ///< that only some endpoints of the policy have as well
constexpr std::size_t kMostPredicates = 6; ///< of one side
constexpr std::size_t kMostBefore = 100;   ///< policies that come before at all

/// What an earlier policy is for the endpoints in question.
enum class Presence { Sure, Maybe, Absent };

struct Before {
    std::uint32_t policy = 0;
    std::vector<std::uint32_t> entries; ///< those that can meet the rule's packets
    Presence presence = Presence::Maybe;
    bool doubtful = false; ///< it stays Maybe
};

/// A rule of a policy in one family.
struct Question {
    std::uint32_t policy = 0;
    Direction direction = Direction::Ingress;
    net::Family family = net::Family::V4;
    std::uint32_t entry = 0;
};

class CoverSearch {
  public:
    explicit CoverSearch(const PolicyRules& policies) : all_(policies), atoms_({&policies.rules}) {
        for (const decision::Program& program : all_.rules.programs) {
            const ProgramFlows flows(program, atoms_);
            auto& packets = packets_.emplace_back();
            for (std::uint32_t e = 0; e < program.stages.front().entries.size(); ++e)
                packets.push_back(store_.intern(flows.packets(0, e)));
        }
        for (const PolicyRules::Policy& each : all_.list)
            spaces_.push_back(space_of(each));
    }

    std::map<RuleKey, std::vector<RuleKey>> run() {
        std::map<RuleKey, std::vector<RuleKey>> out;
        for (std::uint32_t i = 0; i < all_.list.size(); ++i)
            for (const Direction direction : {Direction::Ingress, Direction::Egress})
                if (governs(*all_.list[i].policy, direction))
                    add_rules(i, direction, out);
        return out;
    }

  private:
    using Id = SetStore::Id;

    static bool governs(const policy::Policy& policy, Direction direction) {
        return direction == Direction::Ingress ? policy.ingress_type : policy.egress_type;
    }
    static std::string space_of(const PolicyRules::Policy& each) {
        return policy::is_global(each.policy->kind) ? "" : each.policy->meta.space;
    }
    decision::ProgramId program_of(std::uint32_t policy, const Question& q) const {
        return all_.list[policy]
            .programs[q.direction == Direction::Egress][q.family == net::Family::V6];
    }
    const std::vector<Entry>& entries_of(std::uint32_t policy, const Question& q) const {
        return all_.rules.program(program_of(policy, q)).stages.front().entries;
    }
    const Entry& entry_of(const Question& q) const { return entries_of(q.policy, q)[q.entry]; }
    Id packets_of(std::uint32_t policy, std::uint32_t entry, const Question& q) const {
        return packets_[program_of(policy, q).value][entry];
    }
    RuleKey key_of(std::uint32_t policy, Direction direction, std::uint32_t index) const {
        return {policy_name(*all_.list[policy].policy), direction, index};
    }

    /// A rule is covered when all that it was lowered to is, in both families.
    void add_rules(std::uint32_t policy, Direction direction,
                   std::map<RuleKey, std::vector<RuleKey>>& out) {
        std::map<std::uint32_t, bool> covered; // by index in the manifest
        taken_.clear();
        const std::vector<Before> candidates = preceding(policy, direction);
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            Question q{policy, direction, family, 0};
            const auto& entries = entries_of(policy, q);
            for (; q.entry < entries.size(); ++q.entry) {
                const std::uint32_t index = entries[q.entry].slot.value;
                const auto place = covered.try_emplace(index, true).first;
                place->second = place->second && is_covered(q, candidates);
            }
        }
        for (const auto& [index, is] : covered)
            if (is && !taken_[index].empty())
                out.emplace(key_of(policy, direction, index),
                            std::vector<RuleKey>(taken_[index].begin(), taken_[index].end()));
    }

    /// Policies up to this one that its endpoints may have too, as far as namespaces say; too many:
    /// none.
    std::vector<Before> preceding(std::uint32_t policy, Direction direction) const {
        const policy::Policy& mine = *all_.list[policy].policy;
        std::vector<Before> out;
        for (std::uint32_t i = 0; i <= policy; ++i) {
            const policy::Policy& theirs = *all_.list[i].policy;
            if (!governs(theirs, direction) || (i != policy && policy::is_staged(theirs.kind)) ||
                (!spaces_[i].empty() && !spaces_[policy].empty() && spaces_[i] != spaces_[policy]))
                continue;
            if (out.size() == kMostBefore)
                return {};
            Before& each = out.emplace_back(Before{i, {}, Presence::Maybe, false});
            // What is for forwarded packets too is asked where other policy is not.
            each.doubtful = *mine.apply_on_forward && !*theirs.apply_on_forward;
            if (i == policy)
                each.presence = Presence::Sure;
        }
        return out;
    }

    /// Policies that come before with the entries that meet the rule's packets; nullopt: together
    /// they don't take all of them, or they are too many.
    std::optional<std::vector<Before>> before(const Question& q,
                                              const std::vector<Before>& candidates) {
        const Id wanted = packets_of(q.policy, q.entry, q);
        std::vector<Before> out;
        Id rest = wanted;
        for (const Before& candidate : candidates) {
            Before each = candidate;
            const auto& entries = entries_of(each.policy, q);
            const std::size_t end = each.policy == q.policy ? q.entry : entries.size();
            for (std::uint32_t e = 0; e < end; ++e) {
                const Id packets = packets_of(each.policy, e, q);
                if (entries[e].action == Action::Log || store_.intersect(packets, wanted) == 0)
                    continue;
                each.entries.push_back(e);
                rest = store_.subtract(rest, packets);
            }
            if (!each.entries.empty())
                out.push_back(std::move(each));
        }
        if (wanted == 0 || rest != 0 || out.size() > kMostPolicies)
            return std::nullopt;
        return out;
    }

    bool is_covered(const Question& q, const std::vector<Before>& candidates) {
        auto policies = before(q, candidates);
        if (!policies)
            return false;
        const selector::Selector& subject = all_.list[q.policy].subject;
        if (labels_.impossible({subject}, {}))
            return false; // there is nothing to be said about
        std::vector<std::size_t> open;
        for (std::size_t i = 0; i < policies->size(); ++i) {
            Before& each = (*policies)[i];
            if (each.presence == Presence::Sure || each.doubtful)
                continue;
            const selector::Selector& other = all_.list[each.policy].subject;
            if (labels_.impossible({subject}, {other}))
                each.presence = Presence::Sure;
            else if (labels_.impossible({subject, other}, {}))
                each.presence = Presence::Absent;
            else
                open.push_back(i);
        }
        if (open.size() > kMostSplits)
            open.clear(); // they stay in doubt
        return split(q, *policies, open, 0, {subject}, {});
    }

    /// For each kind of endpoint by which of the open policies it has.
    bool split(const Question& q, std::vector<Before>& policies,
               const std::vector<std::size_t>& open, std::size_t at,
               const std::vector<selector::Selector>& wanted,
               const std::vector<selector::Selector>& excluded) {
        if (labels_.impossible(wanted, excluded))
            return true;
        if (at == open.size())
            return is_taken(q, policies);
        Before& each = policies[open[at]];
        for (const bool has : {true, false}) {
            each.presence = has ? Presence::Sure : Presence::Absent;
            auto more = has ? wanted : excluded;
            more.push_back(all_.list[each.policy].subject);
            if (!split(q, policies, open, at + 1, has ? more : wanted, has ? excluded : more))
                return false;
        }
        return true;
    }

    const EndMatch& side(const Entry& entry, bool source) const {
        return source ? entry.match->source : entry.match->destination;
    }

    /// Every truth of what the entries ask of one side, given what the rule asks. nullopt: too
    /// many.
    std::optional<std::vector<Truth>> ends(const Question& q, const std::vector<Before>& policies,
                                           bool source) {
        Truth given;
        const EndMatch& mine = side(entry_of(q), source);
        for (const PredicateId id : mine.all)
            given[id] = true;
        for (const PredicateId id : mine.none)
            if (!given.try_emplace(id, false).second)
                return std::vector<Truth>{};
        std::set<PredicateId> open;
        for (const Before& each : policies)
            for (const std::uint32_t e : each.entries) {
                // What named ports are is not asked: is_certain.
                const auto& [all, none, ports, not_ports] =
                    side(entries_of(each.policy, q)[e], source);
                open.insert(all.begin(), all.end());
                open.insert(none.begin(), none.end());
            }
        if (open.size() > kMostPredicates)
            return std::nullopt;
        return truths(all_.rules.predicates, q.family, given, {open.begin(), open.end()}, labels_);
    }

    bool is_taken(const Question& q, const std::vector<Before>& policies) {
        const auto sources = ends(q, policies, true), destinations = ends(q, policies, false);
        if (!sources || !destinations || sources->empty() || destinations->empty())
            return false; // too many, or the rule contradicts itself
        for (const Truth& source : *sources)
            for (const Truth& destination : *destinations)
                if (left_over(q, policies, source, destination) != 0)
                    return false;
        return true;
    }

    static bool end_matches(const EndMatch& match, const Truth& truth) {
        const auto holds = [&](PredicateId id) { return truth.at(id); };
        const auto& [all, none, ports, not_ports] = match;
        return std::all_of(all.begin(), all.end(), holds) &&
               std::none_of(none.begin(), none.end(), holds);
    }

    /// Is it sure that the end matches where its predicates do? The numbers of named ports are not
    /// known, unless the rule itself asks for the same.
    bool is_certain(const EndMatch& match, const EndMatch& mine) const {
        const auto known = [](const auto& ports, const auto& same) {
            return !ports || ports->named.empty() || ports == same;
        };
        const auto resolved = [&](PredicateId id) {
            return !decision::is_never_known(all_.rules.predicates[id]);
        };
        const auto& [all, none, ports, not_ports] = match;
        return known(ports, mine.ports) && known(not_ports, mine.not_ports) &&
               std::all_of(all.begin(), all.end(), resolved) &&
               std::all_of(none.begin(), none.end(), resolved);
    }

    /// What of the rule's packets comes to it between such ends.
    Id left_over(const Question& q, const std::vector<Before>& policies, const Truth& source,
                 const Truth& destination) {
        const std::uint32_t tier = all_.list[q.policy].tier;
        Id rest = packets_of(q.policy, q.entry, q), passed = 0;
        std::uint32_t at = 0;
        bool sure = false; // the endpoint has policy of the tier `at`
        const auto end_tier = [&] {
            rest = !sure || all_.passes[at] ? store_.unite(rest, passed) : passed;
            passed = 0;
            sure = false;
        };
        for (const Before& each : policies) {
            if (each.presence == Presence::Absent)
                continue;
            for (; at < all_.list[each.policy].tier; ++at)
                end_tier();
            sure = sure || each.presence == Presence::Sure;
            for (const std::uint32_t e : each.entries)
                take(q, each, e, at == tier, source, destination, rest, passed);
        }
        for (; at < tier; ++at)
            end_tier();
        return rest;
    }

    void take(const Question& q, const Before& before, std::uint32_t number, bool same_tier,
              const Truth& source, const Truth& destination, Id& rest, Id& passed) {
        const Entry& entry = entries_of(before.policy, q)[number];
        const Entry& mine = entry_of(q);
        if (!end_matches(entry.match->source, source) ||
            !end_matches(entry.match->destination, destination))
            return;
        const Id taken = store_.intersect(rest, packets_of(before.policy, number, q));
        if (taken == 0)
            return;
        const bool certain = before.presence == Presence::Sure &&
                             is_certain(entry.match->source, mine.match->source) &&
                             is_certain(entry.match->destination, mine.match->destination);
        if (entry.action == Action::Pass && !same_tier)
            passed = store_.unite(passed, taken);
        if (!certain)
            return;
        rest = store_.subtract(rest, taken);
        taken_[mine.slot.value].insert(key_of(before.policy, q.direction, entry.slot.value));
    }

    const PolicyRules& all_;
    HttpAtoms atoms_;
    SetStore store_;
    std::vector<std::vector<Id>> packets_; ///< by program and entry
    std::vector<std::string> spaces_;      ///< by policy; empty: any
    LabelQuestions labels_;
    std::map<std::uint32_t, std::set<RuleKey>> taken_; ///< of the policy in question, by rule
};

} // namespace

std::map<RuleKey, std::vector<RuleKey>> covered_everywhere(const PolicyRules& policies) {
    return CoverSearch(policies).run();
}

} // namespace polecat::analyzer
