#include "analyzer/lint/context.h"

#include <algorithm>
#include <memory>
#include <string>
#include <unordered_map>

#include <fmt/format.h>

#include "analyzer/effects/every_endpoint.h"
#include "analyzer/lint/pools.h"
#include "ir/policy/felix.h"

namespace polecat::lint {

using analyzer::Claim;

namespace {

constexpr const char* kProved = "; proved by Z3 as well";
constexpr const char* kNoAnswer = "; Z3 gave no answer";

} // namespace

/// What programs match and let through, by number: for all rules of lint.
struct Flows {
    explicit Flows(const decision::LoweredCluster& lowered) : atoms({&lowered}) {}
    analyzer::HttpAtoms atoms;
    analyzer::SetStore store;
    analyzer::MatchSets matches{atoms, store};
};

struct Answers {
    std::optional<decision::Identities> identities;
    std::optional<analyzer::Effects> effects;
    std::optional<std::map<analyzer::RuleKey, std::vector<analyzer::RuleKey>>> covered;
    std::map<net::Family, analyzer::ConnectivityMap> maps;
    std::map<net::Family, analyzer::EndGroups> ends;
    std::optional<selector::LabelIndex> index;
    std::vector<decision::ObjectId> indexed; ///< by number in the index
    /// By canonical text, as long as there is room for more.
    std::unordered_map<std::string, std::vector<decision::ObjectId>> selected;
    std::size_t room = std::size_t{4} << 20; ///< objects
    std::unique_ptr<Flows> flows;
    std::map<net::Family, analyzer::StoredViews> views; ///< of `ends` by `flows`
};

Context::Context(const policy::Cluster& of, const policy::OrderedPolicies& ordered,
                 const decision::LoweredCluster& meaning, const Settings& given)
    : cluster(of), policies(ordered), lowered(meaning), settings(given),
      extent(of, given.whole_cluster),
      answers_(given.answers ? given.answers : std::make_shared<Answers>()) {}
Context::~Context() = default;

const decision::Identities& Context::identities() {
    if (!answers_->identities)
        answers_->identities.emplace(lowered);
    return *answers_->identities;
}

const analyzer::Effects& Context::effects() {
    if (!answers_->effects)
        answers_->effects = analyzer::effects_of(lowered, identities());
    return *answers_->effects;
}

const analyzer::ConnectivityMap& Context::map(net::Family family) {
    const auto found = answers_->maps.find(family);
    if (found != answers_->maps.end())
        return found->second;
    return answers_->maps.emplace(family, analyzer::ConnectivityMap(lowered, identities(), family))
        .first->second;
}

analyzer::EndGroups& Context::ends(net::Family family) {
    const auto found = answers_->ends.find(family);
    if (found != answers_->ends.end())
        return found->second;
    return answers_->ends
        .emplace(family, analyzer::EndGroups(lowered, identities(), family, {.by_node = false}))
        .first->second;
}

analyzer::MatchSets& Context::matches() {
    if (!answers_->flows)
        answers_->flows = std::make_unique<Flows>(lowered);
    return answers_->flows->matches;
}

analyzer::ProgramView<analyzer::StoredFlows>& Context::view(decision::ProgramId id) {
    const net::Family family = lowered.program(id).family;
    return answers_->views.try_emplace(family, lowered, matches(), ends(family))
        .first->second.of(id);
}

std::vector<decision::ObjectId> Context::select(const selector::Selector& selector) {
    if (!answers_->index) {
        answers_->index.emplace();
        for (std::uint32_t i = 0; i < lowered.world.objects.size(); ++i)
            if (lowered.world.objects[i].selectable) {
                answers_->index->add(lowered.world.objects[i].labels);
                answers_->indexed.push_back(decision::ObjectId{i});
            }
    }
    std::string text = selector.canonical();
    const auto known = answers_->selected.find(text);
    if (known != answers_->selected.end())
        return known->second;
    std::vector<decision::ObjectId> out;
    for (const std::uint32_t number : answers_->index->select(selector))
        out.push_back(answers_->indexed[number]);
    if (out.size() <= answers_->room) {
        answers_->room -= out.size();
        answers_->selected.emplace(std::move(text), out);
    }
    return out;
}

const std::map<analyzer::RuleKey, std::vector<analyzer::RuleKey>>& Context::covered_everywhere() {
    if (!answers_->covered) {
        answers_->covered.emplace();
        if (settings.policy_rules != nullptr)
            *answers_->covered = analyzer::covered_everywhere(*settings.policy_rules);
    }
    return *answers_->covered;
}

std::string Context::proof_of(const Claim& claim, bool everywhere) const {
    const Claim about_all{Claim::What::NeverAnywhere, claim.about};
    everywhere = everywhere || claim == about_all;
    std::string text = everywhere
                           ? "for every endpoint that could exist and every address, exactly"
                           : "for the endpoints that exist and every outside address, exactly";
    if (!settings.prove)
        return text;
    const bool all = everywhere && settings.prove(about_all);
    const bool existing = claim != about_all && settings.prove(claim);
    if (all || (existing && !everywhere))
        text += kProved;
    else if (existing)
        text += "; for the endpoints that exist proved by Z3 as well";
    else
        text += kNoAnswer;
    return text;
}

std::string Context::proof_of_no_match(const RuleView& view, std::string holds_for) const {
    if (!settings.prove || settings.policy_rules == nullptr)
        return holds_for;
    // The second engine has the rules of policy at the normal hook, and knows them by their place.
    const auto& list = settings.policy_rules->list;
    const bool has_policy = std::any_of(
        list.begin(), list.end(), [&](const auto& each) { return each.policy == &view.policy; });
    const auto& rules =
        view.direction == decision::Direction::Ingress ? view.policy.ingress : view.policy.egress;
    const auto at_place = std::count_if(rules.begin(), rules.end(), [&](const policy::Rule& each) {
        return each.manifest_index == view.rule.manifest_index;
    });
    if (!has_policy || at_place != 1)
        return holds_for;
    const analyzer::RuleKey key{policy_name(view.policy), view.direction, view.rule.manifest_index};
    return holds_for + (settings.prove({Claim::What::NeverMatches, key}) ? kProved : kNoAnswer);
}

Dataplane Context::dataplane() const {
    if (settings.dataplane != Dataplane::Auto)
        return settings.dataplane;
    if (const policy::OtherObject* felix = policy::default_felix(cluster)) {
        if (felix->spec.is_true("bpfEnabled"))
            return Dataplane::Bpf;
        if (felix->spec.is("nftablesMode", "Enabled"))
            return Dataplane::Nftables;
    }
    for (const policy::OtherObject& each : cluster.others) {
        if (each.kind == "Installation" && each.spec.is("linuxDataplane", "BPF"))
            return Dataplane::Bpf;
        if (each.kind == "Installation" && each.spec.is("linuxDataplane", "Nftables"))
            return Dataplane::Nftables;
    }
    return Dataplane::Auto;
}

std::optional<bool> Context::uses(net::Family family) const {
    std::optional<bool> out;
    const auto add = [&](net::Family each) { out = out.value_or(false) || each == family; };
    for (const Pool& pool : pools_of(cluster))
        if (pool.for_pods && !pool.disabled)
            add(pool.cidr.family());
    for (const decision::Endpoint& endpoint : lowered.endpoints)
        for (const net::Address& address : object(endpoint.object).addresses)
            add(address.family);
    return out;
}

std::string name_of(const policy::Policy& policy) {
    return policy::to_string(policy_name(policy));
}

std::string rule_name(const RuleView& view) {
    return fmt::format("{}[{}]", decision::to_string(view.direction), view.rule.manifest_index);
}

bool allows_everything(const std::vector<policy::Rule>& rules) {
    for (const policy::Rule& rule : rules) {
        if (rule.action == policy::Action::Deny || rule.action == policy::Action::Pass)
            return false;
        if (rule.action == policy::Action::Allow && policy::asks_nothing(rule))
            return true;
    }
    return false;
}

bool is_system_namespace(std::string_view space) {
    return space == "kube-system" || space == "calico-system" || space == "calico-apiserver" ||
           space == "tigera-operator";
}

bool is_kubernetes(const policy::Policy& policy) {
    return policy.kind == policy::PolicyKind::KubernetesNetworkPolicy ||
           policy.kind == policy::PolicyKind::KubernetesClusterNetworkPolicy ||
           policy.kind == policy::PolicyKind::StagedKubernetesNetworkPolicy;
}

} // namespace polecat::lint
