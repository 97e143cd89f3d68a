#include "driver/watch/live_bundle.h"

#include <algorithm>
#include <optional>

#include "driver/watch/bundle_change.h"
#include "passes/lower.h"

namespace polecat::driver {

using bundle::ContentId;
using decision::LoweredCluster;
using decision::PredicateId;
using Number = LiveEndpoints::Number;

namespace {

/// A cluster in which no change is compiled by itself; empty: it is none.
std::string why_never(const LiveCluster& live, const passes::Lowered& lowered,
                      const LiveEndpoints& endpoints) {
    const LoweredCluster& cluster = lowered.cluster;
    for (std::uint32_t i = 0; i < cluster.predicates.size(); ++i) {
        const decision::Predicate& predicate = cluster.predicates[PredicateId{i}];
        if (std::holds_alternative<decision::ServiceSet>(predicate))
            return "rules name services";
        if (depends_on_more(predicate))
            return "something could not be read";
    }
    for (const decision::Object& object : cluster.world.objects)
        if (object.unread.known())
            return object.name + " could not be read";
    for (const policy::OrderedTier& tier : lowered.policies.tiers)
        if (!tier.exists)
            return "tier " + tier.name + " is not there";
    for (const policy::Policy& policy : live.whole().policies)
        if (policy.place_unread)
            return "the place of " + to_string(policy_name(policy)) + " is not known";
    for (const policy::Workload& each : live.whole().workloads)
        if (has_profile_of_space(each.profiles))
            return each.meta.name + " has the profile of a namespace";
    for (const policy::HostEndpoint& each : live.whole().host_endpoints)
        if (has_profile_of_space(each.profiles))
            return each.meta.name + " has the profile of a namespace";
    if (live.has_doubles())
        return "two objects have one name";
    if (endpoints.any_share_addresses())
        return "endpoints share an address";
    return "";
}

std::vector<LiveIdentities::NetworkSet> sets_of(const decision::World& world) {
    std::vector<LiveIdentities::NetworkSet> out;
    for (const decision::ObjectId id : world.network_sets)
        out.push_back({world.object(id).labels, world.object(id).nets});
    return out;
}

} // namespace

bool depends_on_more(const decision::Predicate& predicate) {
    return std::holds_alternative<decision::ServiceSet>(predicate) ||
           std::holds_alternative<decision::UnreadSet>(predicate);
}

std::vector<LiveEndpoint> endpoints_of(const LoweredCluster& cluster,
                                       std::vector<bundle::PackedEndpoint> packed) {
    std::vector<LiveEndpoint> out;
    for (std::size_t i = 0; i < packed.size(); ++i) {
        const decision::Object& object = cluster.world.object(cluster.endpoints[i].object);
        out.push_back(
            {LiveEndpoints::key_of(object), std::move(packed[i]), object.selectable, true});
    }
    return out;
}

bool has_profile_of_space(const std::vector<At<std::string>>& profiles) {
    return std::any_of(profiles.begin(), profiles.end(), [](const At<std::string>& each) {
        return each->starts_with("kns.") || each->starts_with("ksa.");
    });
}

/// Identities that run its programs.
void LiveBundle::State::count(const bundle::PackedEndpoint& endpoint, int times) {
    if (endpoint.is_host() || !endpoint.record.other_sources.empty())
        programs->run_anywhere(*endpoint.group, times);
    for (const net::Address& address : endpoint.record.addresses)
        if (const auto number = contents.addresses.find(address);
            number != contents.addresses.end())
            programs->run(*endpoint.group, address.family, number->second, times);
}

void LiveBundle::State::index_predicates() {
    predicates.clear();
    for (const auto& [number, record] : contents.predicates)
        predicates[to_string(record.predicate)] = number;
}

LiveBundle::LiveBundle(policy::Cluster cluster, const Sources& sources, std::string compiler,
                       const bundle::Base& base)
    : sources_(&sources), parts_(std::move(compiler)) {
    first_ = compile(std::move(cluster), base);
}

LiveBundle::~LiveBundle() = default;

const policy::Cluster& LiveBundle::cluster() const {
    return state_->cluster.whole();
}

const bundle::Contents& LiveBundle::contents() const {
    return state_->contents;
}

bundle::Parts::Change LiveBundle::compile(policy::Cluster cluster, const bundle::Base& base) {
    state_ = std::make_unique<State>(std::move(cluster));
    State& state = *state_;
    const passes::Lowered lowered = passes::lower(state.cluster.whole());
    bundle::Packed packed =
        bundle::pack_all(lowered.cluster, decision::Identities(lowered.cluster), *sources_, base);
    state.contents = std::move(packed.contents);
    bundle::Parts::Change out = parts_.write_all(state.contents);
    LivePrograms::Uses uses;
    for (LiveEndpoint& each : endpoints_of(lowered.cluster, std::move(packed.endpoints))) {
        uses.add(*each.packed.group, 1);
        state.endpoints.add(std::move(each));
    }
    state.never = why_never(state.cluster, lowered, state.endpoints);
    if (!state.never.empty())
        return out;
    std::set<ContentId> pinned;
    for (const auto& [end, program] : lowered.cluster.behind_failsafes)
        pinned.insert(packed.programs[program.program.value]);
    state.programs.emplace(state.contents, std::move(packed.said), pinned);
    if (!state.programs->ask_all_predicates())
        state.never = "some predicates are asked by no program";
    bundle::Touched unused;
    state.programs->use(uses, unused);
    state.endpoints.each([&](Number number) { state.count(state.endpoints[number].packed, 1); });
    state.programs->finish(unused);
    state.identities.emplace(state.contents, state.endpoints, sets_of(lowered.cluster.world));
    state.index_predicates();
    return out;
}

LiveBundle::Step LiveBundle::whole(std::string why) {
    const bundle::Base base = bundle::base_of(state_->contents);
    return {std::move(why), compile(state_->cluster.whole(), base)};
}

LiveBundle::Step LiveBundle::replace(policy::Cluster cluster, const Sources& sources) {
    const bundle::Base base = bundle::base_of(state_->contents);
    sources_ = &sources;
    return {"other objects changed", compile(std::move(cluster), base)};
}

bool LiveBundle::has(const std::string& workload) const {
    return state_->cluster.find(workload) != nullptr;
}

bool LiveBundle::has(const policy::PolicyName& policy) const {
    return state_->cluster.has(policy);
}

LiveBundle::Step LiveBundle::apply(const ClusterChange& change) {
    Change step(*this, change);
    if (std::string why = step.run(); !why.empty())
        return whole(std::move(why));
    return {"", parts_.update(state_->contents, step.touched())};
}

} // namespace polecat::driver
