/// What lint rules look at: the objects of manifests, what they mean, and answers that several
/// rules ask for, computed once.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "analyzer/effects/claim.h"
#include "analyzer/effects/effects.h"
#include "analyzer/flows/map.h"
#include "analyzer/flows/match_sets.h"
#include "analyzer/flows/program_view.h"
#include "ir/decision/identity.h"
#include "ir/decision/lowered.h"
#include "ir/decision/policy_rules.h"
#include "ir/policy/cluster.h"
#include "ir/policy/extent.h"
#include "ir/policy/order.h"
#include "ir/selector/index.h"
#include "support/listed.h"

namespace polecat::lint {

/// What enforces the policies. Auto: what the manifests say (FelixConfiguration, Installation).
enum class Dataplane { Auto, Iptables, Nftables, Bpf, Polecat };

/// What is computed once for one cluster.
struct Answers;

struct Settings {
    Dataplane dataplane = Dataplane::Auto;
    /// Calico's release, major * 100 + minor (3.32 is 332); absent: the newest that polecat knows.
    std::optional<int> calico_version;
    bool whole_cluster = false; ///< somebody says that the input is all of it
    /// A second engine that checks claims; true: it proved this one, false: it could not say. May
    /// be empty.
    std::function<bool(const analyzer::Claim&)> prove;
    /// Of another context over the same cluster; may be empty.
    std::shared_ptr<Answers> answers;
    /// For questions about endpoints that don't exist; nullptr: none are answered.
    const decision::PolicyRules* policy_rules = nullptr;
};

struct RuleView;

class Context {
  public:
    /// All must outlive this.
    Context(const policy::Cluster& cluster, const policy::OrderedPolicies& policies,
            const decision::LoweredCluster& lowered, const Settings& settings);
    ~Context();

    const policy::Cluster& cluster;
    const policy::OrderedPolicies& policies;
    const decision::LoweredCluster& lowered;
    const Settings settings;
    const policy::Extent extent; ///< "is everything known that this could match?"

    const decision::Identities& identities();
    const analyzer::Effects& effects();
    const analyzer::ConnectivityMap& map(net::Family family);
    analyzer::EndGroups& ends(net::Family family);
    /// For flows of programs, by number.
    analyzer::MatchSets& matches();
    /// How a program sees ends(), by numbers of matches(). Good until that of another program of
    /// the family is asked for.
    analyzer::ProgramView<analyzer::StoredFlows>& view(decision::ProgramId id);
    /// Endpoints and network sets that match.
    std::vector<decision::ObjectId> select(const selector::Selector& selector);
    /// Rules that never decide at any endpoint that could exist, and what takes their flows.
    const std::map<analyzer::RuleKey, std::vector<analyzer::RuleKey>>& covered_everywhere();
    /// How far a claim of the exact algebra holds, and who says so. `everywhere`: it holds for
    /// every endpoint that could exist.
    std::string proof_of(const analyzer::Claim& claim, bool everywhere = false) const;
    /// The same of the claim that a rule matches nothing, which holds for `holds_for`.
    std::string proof_of_no_match(const RuleView& rule, std::string holds_for) const;
    /// For another context over the same cluster.
    std::shared_ptr<Answers> answers() const { return answers_; }
    /// The dataplane, told or found out.
    Dataplane dataplane() const;
    /// Whether addresses and pools of the input are of this family; nullopt: it has none.
    std::optional<bool> uses(net::Family family) const;

    const decision::Object& object(decision::ObjectId id) const { return lowered.world.object(id); }

  private:
    std::shared_ptr<Answers> answers_;
};

/// act(tier, policy) for every policy in order of evaluation, staged ones included.
template <class Act> void each_policy(const Context& context, const Act& act) {
    for (const policy::OrderedTier& tier : context.policies.tiers)
        for (const policy::Policy* policy : tier.policies)
            act(tier, *policy);
}

/// One rule and where it stands.
struct RuleView {
    const policy::Policy& policy;
    const policy::Rule& rule;
    decision::Direction direction;
    std::size_t index; ///< in the list after conversion
};

/// act(RuleView) for every rule that could be read, of every policy.
template <class Act> void each_rule(const Context& context, const Act& act) {
    each_policy(context, [&](const policy::OrderedTier&, const policy::Policy& policy) {
        for (std::size_t i = 0; i < policy.ingress.size(); ++i)
            if (!policy.ingress[i].unread.known())
                act(RuleView{policy, policy.ingress[i], decision::Direction::Ingress, i});
        for (std::size_t i = 0; i < policy.egress.size(); ++i)
            if (!policy.egress[i].unread.known())
                act(RuleView{policy, policy.egress[i], decision::Direction::Egress, i});
    });
}

/// "NetworkPolicy shop/web".
std::string name_of(const policy::Policy& policy);
std::string rule_name(const RuleView& view); ///< "ingress[0]"
/// Every flow comes to an Allow rule that takes all, and nothing before it denies or passes.
bool allows_everything(const std::vector<policy::Rule>& rules);
/// What the cluster itself runs on: kube-system, and Calico's own.
bool is_system_namespace(std::string_view space);
/// A policy of Kubernetes, whose rules were converted.
bool is_kubernetes(const policy::Policy& policy);

} // namespace polecat::lint
