// What a change touches: endpoints that come, go or change, and those that a policy governs which
// does. They are lowered and packed by the functions that do it for all, in a cluster that has
// them and their policies alone; what comes of it takes the place of what was there.
#include "driver/watch/bundle_change.h"

#include <algorithm>

#include "ir/policy/scope.h"
#include "passes/lower.h"

namespace polecat::driver {

using bundle::ContentId;
using Number = LiveEndpoints::Number;

namespace {

std::set<std::string> keys_of(const std::vector<policy::Workload>& workloads) {
    std::set<std::string> out;
    for (const policy::Workload& each : workloads)
        out.insert(LiveCluster::key_of(each));
    return out;
}

/// More endpoints than these are compiled with all others.
std::size_t most_of(std::size_t endpoints) {
    constexpr std::size_t kFew = 64, kShare = 8;
    return kFew + endpoints / kShare;
}

} // namespace

std::string LiveBundle::Change::run() {
    const bool of_calico = has_calico_objects(state_.cluster.whole());
    before_ = state_.cluster.apply(change_);
    if (!state_.never.empty())
        return state_.never;
    if (!state_.cluster.whole().cluster_policies.empty() &&
        has_calico_objects(state_.cluster.whole()) != of_calico) // who enforces those
        return "the first of Calico's objects came, or the last went";
    std::string why = check_workloads();
    if (why.empty())
        why = find_endpoints();
    if (why.empty())
        why = lower();
    if (why.empty())
        why = plan();
    if (why.empty())
        commit();
    return why;
}

std::string LiveBundle::Change::check_workloads() {
    for (const std::vector<policy::Workload>* list :
         {&std::as_const(before_.workloads), &change_.workloads})
        for (const policy::Workload& each : *list) {
            if (each.kind != "Pod" && each.kind != "WorkloadEndpoint")
                return "a " + each.kind + " changed";
            if (!each.felix_environment.empty())
                return "a pod of calico-node changed";
            if (has_profile_of_space(each.profiles))
                return "a WorkloadEndpoint changed that has the profile of a namespace";
            if (state_.cluster.stands_for_workload(each))
                return "a pod changed that stands for a workload";
        }
    changed_ = keys_of(before_.workloads);
    changed_.merge(keys_of(change_.workloads));
    return "";
}

std::string LiveBundle::Change::find_endpoints() {
    workloads_ = changed_;
    policy::Cluster now;
    now.policies = change_.policies;
    now.kubernetes_policies = change_.kubernetes_policies;
    for (const policy::Cluster* policies :
         {&std::as_const(before_.policies), &std::as_const(now)}) {
        const policy::OrderedPolicies ordered = passes::order_policies(*policies);
        for (const policy::OrderedTier& tier : ordered.tiers)
            for (const policy::Policy* policy : tier.policies)
                for (const Number number :
                     state_.endpoints.with_labels(policy::subject_of(*policy))) {
                    if (state_.endpoints[number].packed.is_host())
                        return to_string(policy_name(*policy)) + " governs host endpoints";
                    workloads_.insert(state_.endpoints[number].key);
                }
        for (const policy::Policy& policy : policies->policies)
            if (policy.place_unread)
                return "the place of a policy is not known";
    }
    if (workloads_.size() > most_of(state_.endpoints.size()))
        return "it changes what " + std::to_string(workloads_.size()) + " endpoints run";
    return "";
}

std::string LiveBundle::Change::lower() {
    const policy::Cluster small = state_.cluster.with_only(workloads_);
    if (!small.cluster_policies.empty() &&
        has_calico_objects(small) != has_calico_objects(state_.cluster.whole()))
        return "it is not known who enforces policies";
    const passes::Lowered lowered = passes::lower(small);
    for (const policy::OrderedTier& tier : lowered.policies.tiers)
        if (!tier.exists)
            return "tier " + tier.name + " is not there";
    packed_ =
        bundle::pack_all(lowered.cluster, decision::Identities(lowered.cluster), *of_.sources_);
    fresh_ = endpoints_of(lowered.cluster, std::move(packed_.endpoints));
    for (const LiveEndpoint& each : fresh_)
        if (each.packed.record.unread)
            return each.key + " could not be read";
    return "";
}

std::string LiveBundle::Change::plan() {
    for (const std::string& key : workloads_)
        if (const auto number = state_.endpoints.find(key)) {
            old_.push_back(*number);
            taken_.add(*state_.endpoints[*number].packed.group, -1);
        }
    uses_ = taken_;
    for (const LiveEndpoint& each : fresh_)
        uses_.add(*each.packed.group, 1);
    std::set<std::uint32_t> asked;
    for (const auto& [number, record] : packed_.contents.predicates) {
        const std::string text = to_string(record.predicate);
        if (const auto known = state_.predicates.find(text); known != state_.predicates.end())
            asked.insert(known->second);
        else
            new_.emplace(text, number);
    }
    step_.gone = state_.programs->gone_predicates(state_.programs->gone_programs(uses_), asked);
    for (const auto& [text, number] : new_)
        if (decision::is_never_known(packed_.contents.predicates.at(number).predicate) ||
            depends_on_more(packed_.contents.predicates.at(number).predicate))
            return "rules ask more than labels, ports and addresses";
    for (const std::uint32_t number : step_.gone)
        if (decision::is_never_known(state_.contents.predicates.at(number).predicate))
            return "a rule with domains is gone";
    return check_places();
}

std::string LiveBundle::Change::check_places() {
    share_files();
    for (const auto& [id, spans] : packed_.contents.origins.slots) {
        const auto known = state_.contents.origins.slots.find(id);
        if (known != state_.contents.origins.slots.end() && known->second != spans &&
            state_.programs->others_have(id, taken_))
            return "a policy moved";
    }
    return check_addresses();
}

std::string LiveBundle::Change::check_addresses() {
    std::map<net::Address, std::pair<std::size_t, bool>> held; // by how many, and selectable
    for (const LiveEndpoint& each : fresh_)
        for (const net::Address& address :
             std::set(each.packed.record.addresses.begin(), each.packed.record.addresses.end())) {
            auto& [count, selectable] = held[address];
            ++count;
            selectable = selectable || each.selectable;
        }
    for (auto& [address, of] : held) {
        std::set<Number> others = state_.endpoints.holders(address);
        for (const Number number : old_)
            others.erase(number);
        const bool selectable =
            of.second || std::any_of(others.begin(), others.end(), [&](Number number) {
                return state_.endpoints[number].selectable;
            });
        if (of.first + others.size() > 1 && selectable)
            return "endpoints share an address";
    }
    return "";
}

void LiveBundle::Change::share_files() {
    bundle::Origins& origins = state_.contents.origins;
    if (origins.files == packed_.contents.origins.files)
        return;
    const auto& now = packed_.contents.origins.files;
    const auto renumber = [&](Span& span) {
        if (span.file.value >= origins.files.size())
            return;
        const std::string& path = origins.files[span.file.value];
        span.file.value = static_cast<std::uint32_t>(
            std::lower_bound(now.begin(), now.end(), path) - now.begin());
    };
    for (auto& [id, spans] : origins.slots)
        std::for_each(spans.begin(), spans.end(), renumber);
    for (auto& [node, spans] : origins.endpoints)
        std::for_each(spans.begin(), spans.end(), renumber);
    state_.endpoints.each([&](Number number) { renumber(state_.endpoints[number].packed.span); });
    origins.files = now;
}

} // namespace polecat::driver
