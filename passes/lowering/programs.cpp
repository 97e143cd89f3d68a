#include "passes/lowering/programs.h"

#include <algorithm>

#include "ir/decision/match.h"
#include "ir/policy/felix.h"

namespace polecat::passes::lowering {

using decision::Attribution;
using decision::Entry;
using decision::Hook;
using decision::Program;
using decision::Slot;
using decision::SlotId;
using decision::Stage;
using decision::StageEnd;

/// A program in the making: stages as lists of tokens, and the slots.
struct Programs::Assembly {
    struct Part {
        Stage::Kind kind = Stage::Kind::Tier;
        std::vector<std::uint32_t> entries;
        StageEnd end = StageEnd::Deny, staged_end = StageEnd::Deny;
    };
    std::vector<Part> parts;
    using Source = std::variant<const Rules*, Shared<Slot>>;
    /// Where the slots come from, in order: the rules of a policy or profile, or one slot.
    std::vector<Source> slots;
    struct Block {
        std::uint32_t place = 0, stage = 0, first = 0, count = 0;
    };
    std::vector<Block> blocks;       ///< of policies
    std::vector<std::uint32_t> head; ///< entries that tiers begin with

    void add(Part& part, const Rules& rules) {
        part.entries.insert(part.entries.end(), rules.entries.begin(), rules.entries.end());
        slots.emplace_back(&rules);
    }

    Attribution attribution(std::vector<decision::PolicyBlock> policies) const {
        std::size_t count = 0;
        for (const auto& each : slots)
            count += rules_in(each) != nullptr ? rules_in(each)->slots.size() : 1;
        std::vector<Shared<Slot>> out;
        out.reserve(count);
        for (const auto& each : slots)
            if (const Rules* rules = rules_in(each))
                out.insert(out.end(), rules->slots.begin(), rules->slots.end());
            else
                out.push_back(std::get<Shared<Slot>>(each));
        return Attribution(std::move(out), std::move(policies));
    }

    static const Rules* rules_in(const Source& source) {
        const auto* rules = std::get_if<const Rules*>(&source);
        return rules != nullptr ? *rules : nullptr;
    }

    /// Equal texts, equal slots: rules are known by their place, ends by what they say.
    std::string slots_key() const {
        std::string out;
        for (const auto& each : slots)
            if (const Rules* rules = rules_in(each)) {
                out += 'r';
                const void* place = rules;
                out.append(reinterpret_cast<const char*>(&place), sizeof place);
            } else {
                const Slot& slot = *std::get<Shared<Slot>>(each);
                out += std::to_string(static_cast<int>(slot.kind)) + slot.tier + "/" +
                       to_string(slot.policy) + "/" +
                       std::to_string(static_cast<int>(slot.action)) + ";";
            }
        return out;
    }

    /// Equal keys, equal programs: slots are numbered in the order of the parts.
    std::u32string key(const Request& request) const {
        std::size_t size = 3;
        for (const Part& part : parts)
            size += 4 + part.entries.size();
        std::u32string text;
        text.reserve(size);
        text += {static_cast<char32_t>(request.hook), static_cast<char32_t>(request.direction),
                 static_cast<char32_t>(request.family)};
        for (const Part& part : parts) {
            text += static_cast<char32_t>(part.kind);
            text += static_cast<char32_t>(part.end);
            text += static_cast<char32_t>(part.staged_end);
            text += static_cast<char32_t>(part.entries.size());
            text.append(part.entries.begin(), part.entries.end());
        }
        return text;
    }
};

Programs::Programs(const policy::Cluster& cluster, const Profiles& profiles,
                   const std::vector<OrderedTier>& tiers, const std::vector<PolicyPlace>& places,
                   decision::LoweredCluster& lowered)
    : cluster_(cluster), profiles_(profiles), tiers_(tiers), places_(places), lowered_(lowered),
      by_policy_(places.size()), found_(4 * places.size(), nullptr) {
    for (std::size_t i = 0; i < cluster.network_sets.size(); ++i) {
        const auto& domains = cluster.network_sets[i].allowed_egress_domains;
        const decision::World& world = lowered.world;
        if (!domains.empty())
            domain_sets_.emplace_back(world.object(world.network_sets[i]).labels, domains);
    }
}

void Programs::lower_into(Rules& rules, const policy::Rule& rule, const RuleContext& context,
                          bool staged, Slot slot) {
    std::vector<decision::Match> matches = lower_rule(rule, context);
    if (matches.empty())
        return;
    slot.action = rule.action;
    if (rule.span.known())
        slot.span = rule.unread.known() ? rule.unread : rule.span;
    rules.slots.emplace_back(std::move(slot));
    std::uint32_t same_slot = 0;
    for (const decision::Match& match : matches)
        for (const policy::Action action : actions_of(rule)) {
            rules.entries.push_back(2 * tokens_.intern({match, action, staged}) + same_slot);
            same_slot = 1;
        }
}

static policy::PolicyName profile_name(const std::string& name) {
    return {"Profile", "", name};
}

decision::PolicyBlock Programs::block_of(std::uint32_t place) const {
    const policy::Policy& policy = *places_[place].policy;
    decision::PolicyBlock out;
    out.tier = tiers_[places_[place].tier].name;
    out.policy = policy_name(policy);
    if (policy.order)
        out.order = **policy.order;
    out.staged = policy::is_staged(policy.kind);
    out.unread = policy.meta.unread.known();
    out.span = policy.meta.span;
    return out;
}

/// Asked for each endpoint that has the policy, which are many.
const Programs::Rules& Programs::rules_of(std::uint32_t place, policy::Direction direction,
                                          net::Family family) {
    const Rules*& found =
        found_[std::size_t{4} * place + (direction == policy::Direction::Egress ? 2 : 0) +
               (family == net::Family::V6 ? 1 : 0)];
    if (found == nullptr)
        found = &lowered_rules(place, direction, family);
    return *found;
}

const Programs::Rules& Programs::lowered_rules(std::uint32_t place, policy::Direction direction,
                                               net::Family family) {
    const policy::Policy& policy = *places_[place].policy;
    const auto& rules = direction == policy::Direction::Ingress ? policy.ingress : policy.egress;
    if (std::none_of(rules.begin(), rules.end(), depends_on_family))
        family = net::Family::V4; // both families share what is the same
    const auto [found, added] = by_policy_[place].try_emplace({direction, family});
    Rules& lowered = found->second;
    if (!added)
        return lowered;
    const RuleContext context{
        cluster_,      lowered_.predicates,
        &domain_sets_, policy::is_global(policy.kind) ? "" : policy.meta.space,
        direction,     family,
        &policy};
    const decision::PolicyBlock block = block_of(place);
    for (std::size_t i = 0; i < rules.size(); ++i) {
        Slot slot;
        slot.tier = block.tier;
        slot.policy = block.policy;
        slot.rule_index = rules[i].manifest_index;
        slot.span = block.span;
        lower_into(lowered, rules[i], context, policy::is_staged(policy.kind), std::move(slot));
    }
    return lowered;
}

const Programs::Rules& Programs::rules_of_profile(const std::string& name,
                                                  policy::Direction direction, net::Family family) {
    const auto [found, added] = by_profile_.try_emplace({name, {direction, family}});
    Rules& lowered = found->second;
    if (!added)
        return lowered;
    const ProfileSource& profile = profiles_.at(name);
    const RuleContext context{cluster_, lowered_.predicates, &domain_sets_, "", direction, family};
    const std::vector<policy::Rule> rules = profile.rules(direction);
    for (std::size_t i = 0; i < rules.size(); ++i) {
        Slot slot;
        slot.policy = profile_name(name);
        slot.rule_index = static_cast<std::uint32_t>(i);
        slot.span = profile.span;
        lower_into(lowered, rules[i], context, false, std::move(slot));
    }
    return lowered;
}

/// Whether no policy of the list that counts is one that could be read: then it is not known
/// whether the endpoint has any, and with it the tier.
bool Programs::is_tier_in_doubt(std::span<const std::uint32_t> places, bool staged) const {
    const auto counts = [&](std::uint32_t place) {
        return staged || !policy::is_staged(places_[place].policy->kind);
    };
    return std::any_of(places.begin(), places.end(), counts) &&
           std::none_of(places.begin(), places.end(), [&](std::uint32_t place) {
               return counts(place) && !places_[place].policy->meta.unread.known();
           });
}

namespace {

/// failsafeInChain and failsafeOutChain of felix/rules/static.go: packets to the failsafe ports of
/// a direction; `answers`: those that come back from them.
std::vector<decision::Match> failsafe_matches(const policy::FelixSettings& felix,
                                              policy::Direction direction, net::Family family,
                                              bool answers, decision::PredicateStore& predicates) {
    std::vector<decision::Match> out;
    const bool peer_sends = (direction == policy::Direction::Ingress) != answers;
    for (const auto& port : policy::failsafe_ports(felix, direction)) {
        if (port.net && port.net->family() != family)
            continue;
        decision::Match match;
        match.protocol = port.protocol;
        (answers ? match.source : match.destination).ports.emplace().numbers =
            net::PortSet::of(net::PortRange{port.port, port.port});
        if (port.net)
            (peer_sends ? match.source : match.destination)
                .all.push_back(predicates.intern(decision::NetSet{net::AddressSet::of(*port.net)}));
        out.push_back(std::move(match));
    }
    return out;
}

Slot failsafe_slot(policy::Action action) {
    Slot slot;
    slot.kind = Slot::Kind::Failsafe;
    slot.action = action;
    return slot;
}

} // namespace

/// The policies [first, last) of the request, all of one tier.
void Programs::add_tier(Assembly& assembly, const Request& request, std::size_t first,
                        std::size_t last) {
    const OrderedTier& tier = tiers_[places_[request.policies[first]].tier];
    Assembly::Part part;
    part.entries = assembly.head;
    if (!part.entries.empty())
        assembly.slots.emplace_back(failsafe_slot(policy::Action::Pass));
    bool all_staged = true;
    for (std::size_t i = first; i < last; ++i) {
        const std::uint32_t place = request.policies[i];
        const Rules& rules = rules_of(place, request.direction, request.family);
        assembly.blocks.push_back({place, static_cast<std::uint32_t>(assembly.parts.size()),
                                   static_cast<std::uint32_t>(part.entries.size()),
                                   static_cast<std::uint32_t>(rules.entries.size())});
        assembly.add(part, rules);
        all_staged = all_staged && policy::is_staged(places_[place].policy->kind);
    }
    const std::span places(request.policies.data() + first, last - first);
    for (const bool staged : {false, true})
        if (is_tier_in_doubt(places, staged)) {
            // Rules that are not there take no slot of their own.
            const policy::Policy& policy = *places_[places.back()].policy;
            part.entries.push_back(
                2 * tokens_.intern(
                        {unread_match({to_string(policy_name(policy))}, lowered_.predicates),
                         policy::Action::Pass, staged}) +
                1);
            break;
        }
    // Untracked and pre-DNAT policy never ends in the tier's default (felix event_sequencer.go).
    const bool passes = tier.default_action == policy::Action::Pass ||
                        request.hook == Hook::PreDnat || request.hook == Hook::Untracked;
    part.staged_end = passes ? StageEnd::Next : StageEnd::Deny;
    part.end = all_staged ? StageEnd::Next : part.staged_end;
    Slot slot;
    slot.kind = Slot::Kind::EndOfTier;
    slot.tier = tier.name;
    slot.action = passes ? policy::Action::Pass : policy::Action::Deny;
    slot.span = tier.span;
    assembly.slots.emplace_back(std::move(slot));
    assembly.parts.push_back(std::move(part));
}

/// Where Felix' configuration could not be read, any port may be among them.
void Programs::add_failsafes(Assembly& assembly, const Request& request) {
    const policy::FelixSettings& felix = *request.failsafes;
    const auto matches =
        felix.unread.known()
            ? std::vector{unread_match({"FelixConfiguration"}, lowered_.predicates)}
            : failsafe_matches(felix, request.direction, request.family, false,
                               lowered_.predicates);
    if (matches.empty())
        return;
    Assembly::Part part;
    for (const decision::Match& match : matches)
        part.entries.push_back(2 * tokens_.intern({match, policy::Action::Allow, false}) +
                               (part.entries.empty() ? 0 : 1));
    part.end = part.staged_end = StageEnd::Next;
    assembly.slots.emplace_back(failsafe_slot(policy::Action::Allow));
    assembly.slots.emplace_back(failsafe_slot(policy::Action::Pass)); // of what is none of them
    assembly.parts.push_back(std::move(part));
}

/// In the raw table, where there are no connections yet, answers from failsafe ports of the other
/// direction are past untracked policy, too. They stand at the head of each tier there.
void Programs::add_replies(Assembly& assembly, const Request& request) {
    const auto back = request.direction == policy::Direction::Ingress ? policy::Direction::Egress
                                                                      : policy::Direction::Ingress;
    for (const decision::Match& match :
         failsafe_matches(*request.failsafes, back, request.family, true, lowered_.predicates))
        assembly.head.push_back(2 * tokens_.intern({match, policy::Action::Pass, false}) +
                                (assembly.head.empty() ? 0 : 1));
}

/// Anything may govern it.
void Programs::add_unread(Assembly& assembly, const decision::Object& endpoint) {
    Assembly::Part part;
    const decision::Match match =
        unread_match(decision::unread_set_of(endpoint), lowered_.predicates);
    part.entries.push_back(2 * tokens_.intern({match, policy::Action::Allow, false}));
    part.entries.push_back(2 * tokens_.intern({match, policy::Action::Deny, false}) + 1);
    part.end = part.staged_end = StageEnd::Next;
    Slot slot;
    slot.kind = Slot::Kind::UnreadEndpoint;
    slot.policy = {endpoint.manifest_kind, "", endpoint.name};
    slot.tier = endpoint.unread_part;
    slot.span = endpoint.unread;
    assembly.slots.emplace_back(slot);
    slot.kind = Slot::Kind::EndOfTier;
    slot.tier = endpoint.unread_part.empty() ? "of an endpoint that could not be read"
                                             : "of an endpoint of which not all is known";
    slot.action = policy::Action::Pass;
    assembly.slots.emplace_back(std::move(slot));
    assembly.parts.push_back(std::move(part));
}

void Programs::add_profile(Assembly& assembly, const Request& request, const std::string& name) {
    Assembly::Part part;
    part.kind = Stage::Kind::Profile;
    const bool missing = !profiles_.contains(name);
    if (!missing) {
        const Rules& rules = rules_of_profile(name, request.direction, request.family);
        if (rules.entries.empty())
            return;
        assembly.add(part, rules);
    }
    // A profile that does not exist denies (felix active_rules_calculator.go).
    part.end = part.staged_end = missing ? StageEnd::Deny : StageEnd::Next;
    Slot slot;
    slot.kind = Slot::Kind::EndOfTier;
    slot.policy = profile_name(name);
    slot.action = missing ? policy::Action::Deny : policy::Action::Pass;
    assembly.slots.emplace_back(std::move(slot));
    assembly.parts.push_back(std::move(part));
}

decision::ProgramId Programs::intern_program(const Request& request, const Assembly& assembly,
                                             policy::Action otherwise) {
    const decision::ProgramId next{static_cast<std::uint32_t>(lowered_.programs.size())};
    const auto [place, added] = program_ids_.emplace(assembly.key(request), next);
    if (!added)
        return place->second;
    Program program;
    program.hook = request.hook;
    program.direction = request.direction;
    program.family = request.family;
    std::uint32_t slot = 0;
    for (const Assembly::Part& part : assembly.parts) {
        Stage stage;
        stage.kind = part.kind;
        stage.end = part.end;
        stage.staged_end = part.staged_end;
        stage.entries.reserve(part.entries.size());
        for (const std::uint32_t entry : part.entries) {
            const Token& token = tokens_[entry / 2];
            const SlotId id{entry % 2 == 1 ? slot - 1 : slot++};
            stage.entries.push_back(Entry{token.match, token.action, token.staged, id});
        }
        stage.end_slot = SlotId{slot++};
        program.stages.push_back(std::move(stage));
    }
    program.otherwise = otherwise;
    program.otherwise_slot = SlotId{slot};
    lowered_.programs.push_back(std::move(program));
    return next;
}

void Programs::add_tiers(Assembly& assembly, const Request& request) {
    const auto& policies = request.policies;
    for (std::size_t first = 0; first < policies.size();) {
        std::size_t last = first;
        while (last < policies.size() &&
               places_[policies[last]].tier == places_[policies[first]].tier)
            ++last;
        add_tier(assembly, request, first, last);
        first = last;
    }
}

decision::GroupProgram Programs::build(const Request& request) {
    Assembly assembly;
    if (request.failsafes != nullptr)
        add_failsafes(assembly, request);
    if (request.unread != nullptr)
        add_unread(assembly, *request.unread);
    for (const Request& each : request.before) {
        if (each.hook == Hook::Untracked && each.failsafes != nullptr && !each.policies.empty())
            add_replies(assembly, each);
        add_tiers(assembly, each);
        assembly.head.clear();
    }
    add_tiers(assembly, request);
    for (const std::string& name : request.profiles)
        add_profile(assembly, request, name);
    const policy::Action otherwise =
        request.hook == Hook::Normal ? policy::Action::Deny : policy::Action::Allow;
    Slot slot;
    slot.kind = Slot::Kind::EndOfProgram;
    slot.action = otherwise;
    assembly.slots.emplace_back(std::move(slot));
    const decision::ProgramId id = intern_program(request, assembly, otherwise);
    const auto [place, added] = attributions_.try_emplace(assembly.slots_key());
    if (added) {
        std::vector<decision::PolicyBlock> blocks;
        blocks.reserve(assembly.blocks.size());
        for (const Assembly::Block& each : assembly.blocks) {
            blocks.push_back(block_of(each.place));
            blocks.back().stage = each.stage;
            blocks.back().first = each.first;
            blocks.back().count = each.count;
        }
        place->second = assembly.attribution(std::move(blocks));
    }
    return {id, place->second};
}

} // namespace polecat::passes::lowering
