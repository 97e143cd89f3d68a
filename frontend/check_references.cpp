/// Checks between objects: a tier that is not there, profiles and services that nobody defines.
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "frontend/check_ports.h"
#include "frontend/kinds/unread.h"
#include "frontend/load.h"
#include "ir/policy/extent.h"
#include "ir/policy/order.h"

namespace polecat::frontend {

namespace {

using policy::Cluster;
using policy::Policy;

// --- tiers ---------------------------------------------------------------------------------------

void check_tiers(Cluster& cluster, diag::Diagnostics& diagnostics) {
    std::vector<std::string_view> tiers;
    for (const policy::BuiltInTier& tier : policy::kBuiltInTiers)
        tiers.push_back(tier.name);
    for (const policy::Tier& tier : cluster.tiers)
        tiers.push_back(tier.meta.name);
    const std::set<std::string_view> known(tiers.begin(), tiers.end());
    for (Policy& each : cluster.policies) {
        if (each.place_unread || known.count(each.tier.value) != 0)
            continue;
        each.place_unread = true;
        forget_rules(each, each.tier.span, true);
        auto& diagnostic =
            diagnostics.report(diag::Code::MissingTier, each.tier.span, {each.tier.value});
        diagnostic.about(to_string(policy_name(each)))
            .with_note("Calico puts such a policy behind all other tiers, and denies what it does "
                       "not match");
        if (const auto near = diag::nearest(each.tier.value, tiers))
            diagnostic.with_hint("did you mean `" + *near + "`?");
        else
            diagnostic.with_hint("add the Tier object to the input");
    }
}

// --- what rules and endpoints refer to -----------------------------------------------------------

void check_profiles(const Cluster& cluster, const policy::Extent& extent,
                    diag::Diagnostics& diagnostics) {
    std::set<std::string> known{"projectcalico-default-allow"};
    for (const auto& each : cluster.profiles)
        known.insert(each.meta.name);
    for (const auto& each : cluster.namespaces)
        known.insert("kns." + each.meta.name);
    for (const auto& each : cluster.service_accounts)
        known.insert("ksa." + each.meta.space + "." + each.meta.name);
    const auto check = [&](const std::vector<At<std::string>>& profiles,
                           const std::string& object) {
        for (const At<std::string>& each : profiles)
            if (known.count(each.value) == 0 && !each.value.starts_with("kns.") &&
                !each.value.starts_with("ksa.")) {
                auto& diagnostic =
                    diagnostics.report(diag::Code::MissingProfile, each.span, {each.value});
                diagnostic.about(object).with_note("assumes that every Profile is in the input");
                if (cluster.profiles.empty() && !extent.is_whole())
                    diagnostic.severity = diag::Severity::Note;
            }
    };
    for (const auto& each : cluster.workloads)
        check(each.profiles, each.kind + " " + full_name(each.meta));
    for (const auto& each : cluster.host_endpoints)
        check(each.profiles, "HostEndpoint " + each.meta.name);
}

void check_services(const Cluster& cluster, const policy::Extent& extent,
                    diag::Diagnostics& diagnostics) {
    std::set<std::pair<std::string, std::string>> known{{"default", "kubernetes"}};
    for (const auto& each : cluster.services)
        known.emplace(each.meta.space, each.meta.name);
    for (const auto& each : cluster.service_endpoints)
        known.emplace(each.meta.space, each.service);
    for (const Policy& each : cluster.policies)
        for (const auto* rules : {&each.ingress, &each.egress})
            for (const policy::Rule& rule : *rules)
                for (const auto* services : {&rule.source.services, &rule.destination.services}) {
                    if (!*services || known.count({(*services)->space, (*services)->name}) != 0)
                        continue;
                    const auto assumed = extent.known_pods_of((*services)->space);
                    if (!assumed && !(*services)->space.empty())
                        continue; // that namespace is not in the input
                    auto& diagnostic =
                        diagnostics
                            .report(diag::Code::MissingService, (*services)->span,
                                    {(*services)->space + "/" + (*services)->name})
                            .about(to_string(policy_name(each)))
                            .with_hint((*services)->space.empty()
                                           ? "Calico does not fill in the namespace; write it"
                                           : "the rule matches nothing until the service is there");
                    if (assumed)
                        diagnostic.with_note("assumes that " + *assumed + ", and its services");
                }
}

/// The API leaves open which of two policies of one priority comes first.
void check_priorities(const Cluster& cluster, diag::Diagnostics& diagnostics) {
    std::map<std::tuple<int, double>, const policy::ClusterNetworkPolicy*> seen;
    for (const auto& each : cluster.cluster_policies) {
        const auto [first, fresh] =
            seen.emplace(std::tuple(static_cast<int>(each.tier), *each.priority), &each);
        if (!fresh)
            diagnostics
                .report(diag::Code::EqualPriority, each.meta.span,
                        {each.meta.name, first->second->meta.name,
                         std::to_string(static_cast<int>(*each.priority))})
                .about(each.kind + " " + each.meta.name)
                .with_label(first->second->meta.span, "the other one")
                .with_hint(
                    "the API does not say which comes first; give them different priorities");
    }
}

} // namespace

void check_references(policy::Cluster& cluster, diag::Diagnostics& diagnostics) {
    const policy::Extent extent(cluster);
    settle_tiers(cluster);
    check_tiers(cluster, diagnostics);
    check_profiles(cluster, extent, diagnostics);
    check_services(cluster, extent, diagnostics);
    check_priorities(cluster, diagnostics);
    check_port_names(cluster, extent, diagnostics);
}

} // namespace polecat::frontend
