/// Programs of endpoint groups: policies lowered once each, programs put together from them and
/// shared where they are equal. For passes/lower.cpp and this folder only.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "passes/lowering/parts.h"
#include "passes/lowering/tokens.h"

namespace polecat::passes::lowering {

/// A policy's place in the order of evaluation.
struct PolicyPlace {
    std::size_t tier = 0; ///< index into the tiers
    const policy::Policy* policy = nullptr;
};

class Programs {
  public:
    Programs(const policy::Cluster& cluster, const Profiles& profiles,
             const std::vector<OrderedTier>& tiers, const std::vector<PolicyPlace>& places,
             decision::LoweredCluster& lowered);

    struct Request {
        decision::Hook hook = decision::Hook::Normal;
        policy::Direction direction = policy::Direction::Ingress;
        net::Family family = net::Family::V4;
        std::vector<std::uint32_t> policies; ///< indices of places, ascending
        std::vector<std::string> profiles;   ///< empty for hooks other than Normal
        /// The endpoint, where it could not be read: what governs it is not known.
        const decision::Object* unread = nullptr;
        /// Of a host endpoint's node, where its failsafe ports come first.
        const policy::FelixSettings* failsafes = nullptr;
        /// What a packet meets at earlier hooks of the same host: only what no policy there decides
        /// goes on.
        std::vector<Request> before;
    };
    decision::GroupProgram build(const Request& request);

  private:
    /// The rules of one policy or profile in one direction and family.
    struct Rules {
        std::vector<std::uint32_t> entries; ///< twice the id of a match and action, plus
                                            ///< 1 where the slot is that of the entry before
        std::vector<Shared<decision::Slot>> slots;
    };
    struct Assembly;

    /// The policy's name; its place in a program is not filled in.
    decision::PolicyBlock block_of(std::uint32_t place) const;
    const Rules& rules_of(std::uint32_t place, policy::Direction direction, net::Family family);
    const Rules& lowered_rules(std::uint32_t place, policy::Direction direction,
                               net::Family family);
    const Rules& rules_of_profile(const std::string& name, policy::Direction direction,
                                  net::Family family);
    void lower_into(Rules& rules, const policy::Rule& rule, const RuleContext& context, bool staged,
                    decision::Slot slot);
    bool is_tier_in_doubt(std::span<const std::uint32_t> places, bool staged) const;
    void add_failsafes(Assembly& assembly, const Request& request);
    void add_replies(Assembly& assembly, const Request& request);
    void add_tiers(Assembly& assembly, const Request& request);
    void add_unread(Assembly& assembly, const decision::Object& endpoint);
    void add_tier(Assembly& assembly, const Request& request, std::size_t first, std::size_t last);
    void add_profile(Assembly& assembly, const Request& request, const std::string& name);
    decision::ProgramId intern_program(const Request& request, const Assembly& assembly,
                                       policy::Action otherwise);

    const policy::Cluster& cluster_;
    const Profiles& profiles_;
    const std::vector<OrderedTier>& tiers_;
    const std::vector<PolicyPlace>& places_;
    decision::LoweredCluster& lowered_;
    DomainSets domain_sets_;
    using RulesKey = std::pair<policy::Direction, net::Family>;
    std::vector<std::map<RulesKey, Rules>> by_policy_;
    std::vector<const Rules*> found_; ///< by policy, direction and family: parts of by_policy_
    std::map<std::pair<std::string, RulesKey>, Rules> by_profile_;
    Tokens tokens_;
    std::unordered_map<std::u32string, decision::ProgramId> program_ids_;
    std::unordered_map<std::string, decision::Attribution>
        attributions_; ///< by where slots are from
};

} // namespace polecat::passes::lowering
