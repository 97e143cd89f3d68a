// What a change touches: endpoints that come, go or change, and those that a policy governs which
// does. They are lowered and packed by the functions that do it for all, in a cluster that has
// them and their policies alone; what comes of it takes the place of what was there.
#include "driver/watch/live_bundle.h"

#include <algorithm>
#include <optional>

#include "driver/watch/live_endpoints.h"
#include "driver/watch/live_identities.h"
#include "driver/watch/live_programs.h"
#include "ir/policy/scope.h"
#include "passes/lower.h"

namespace polecat::driver {

using bundle::ContentId;
using decision::LoweredCluster;
using decision::PredicateId;
using Number = LiveEndpoints::Number;

namespace {

/// Whether what holds of an end is more than its labels, ports and address say.
bool depends_on_more(const decision::Predicate& predicate) {
    return std::holds_alternative<decision::ServiceSet>(predicate) ||
           std::holds_alternative<decision::UnreadSet>(predicate);
}

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

std::set<std::string> keys_of(const std::vector<policy::Workload>& workloads) {
    std::set<std::string> out;
    for (const policy::Workload& each : workloads)
        out.insert(LiveCluster::key_of(each));
    return out;
}

/// Endpoints of a lowered and packed cluster.
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

/// More endpoints than these are compiled with all others.
std::size_t most_of(std::size_t endpoints) {
    constexpr std::size_t kFew = 64, kShare = 8;
    return kFew + endpoints / kShare;
}

} // namespace

struct LiveBundle::State {
    explicit State(policy::Cluster of) : cluster(std::move(of)) {}

    LiveCluster cluster;
    bundle::Contents contents;
    LiveEndpoints endpoints;
    std::optional<LivePrograms> programs;
    std::optional<LiveIdentities> identities;
    std::map<std::string, std::uint32_t> predicates; ///< by text
    std::string never;                               ///< why no change is compiled by itself

    void count(const bundle::PackedEndpoint& endpoint, int times);
    void index_predicates();
};

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
    : sources_(sources), parts_(std::move(compiler)) {
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
        bundle::pack_all(lowered.cluster, decision::Identities(lowered.cluster), sources_, base);
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

LiveBundle::Step LiveBundle::replace(policy::Cluster cluster) {
    const bundle::Base base = bundle::base_of(state_->contents);
    return {"other objects changed", compile(std::move(cluster), base)};
}

/// One change that is compiled by itself.
class LiveBundle::Change {
  public:
    Change(LiveBundle& of, const ClusterChange& change)
        : of_(of), state_(*of.state_), change_(change) {}

    /// Why it can't be; the cluster has the change all the same. Until then nothing else has.
    std::string run() {
        before_ = state_.cluster.apply(change_);
        if (!state_.never.empty())
            return state_.never;
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
    const bundle::Touched& touched() const { return touched_; }

  private:
    std::string check_workloads() {
        for (const std::vector<policy::Workload>* list :
             {&std::as_const(before_.workloads), &change_.workloads})
            for (const policy::Workload& each : *list) {
                if (each.kind != "Pod" && each.kind != "WorkloadEndpoint")
                    return "a " + each.kind + " changed";
                if (!each.felix_environment.empty())
                    return "a pod of calico-node changed";
                if (state_.cluster.stands_for_workload(each))
                    return "a pod changed that stands for a workload";
            }
        changed_ = keys_of(before_.workloads);
        changed_.merge(keys_of(change_.workloads));
        return "";
    }

    std::string find_endpoints() {
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
        for (const std::string& key : workloads_)
            if (const policy::Workload* workload = state_.cluster.find(key))
                for (const At<std::string>& profile : workload->profiles)
                    if (profile->starts_with("kns.") || profile->starts_with("ksa."))
                        return "a WorkloadEndpoint has the profile of a namespace";
        return "";
    }

    std::string lower() {
        const policy::Cluster small = state_.cluster.with_only(workloads_);
        if (!small.cluster_policies.empty() &&
            has_calico_objects(small) != has_calico_objects(state_.cluster.whole()))
            return "it is not known who enforces policies";
        const passes::Lowered lowered = passes::lower(small);
        for (const policy::OrderedTier& tier : lowered.policies.tiers)
            if (!tier.exists)
                return "tier " + tier.name + " is not there";
        packed_ =
            bundle::pack_all(lowered.cluster, decision::Identities(lowered.cluster), of_.sources_);
        fresh_ = endpoints_of(lowered.cluster, std::move(packed_.endpoints));
        for (const LiveEndpoint& each : fresh_)
            if (each.packed.record.unread)
                return each.key + " could not be read";
        return "";
    }

    /// What comes and goes.
    std::string plan() {
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

    /// One place of slots that others have as well counts for them all.
    std::string check_places() {
        share_files();
        for (const auto& [id, spans] : packed_.contents.origins.slots) {
            const auto known = state_.contents.origins.slots.find(id);
            if (known != state_.contents.origins.slots.end() && known->second != spans &&
                state_.programs->others_have(id, taken_))
                return "a policy moved";
        }
        return check_addresses();
    }

    /// Of an address that two have, one of which may be selected, neither says all.
    std::string check_addresses() {
        std::map<net::Address, std::pair<std::size_t, bool>> held; // by how many, and selectable
        for (const LiveEndpoint& each : fresh_)
            for (const net::Address& address : std::set(each.packed.record.addresses.begin(),
                                                        each.packed.record.addresses.end())) {
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

    /// Numbers of files are those of the sources that there are by now.
    void share_files() {
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
        state_.endpoints.each(
            [&](Number number) { renumber(state_.endpoints[number].packed.span); });
        origins.files = now;
    }

    void commit() {
        take_old();
        add_predicates();
        add_programs();
        state_.programs->use(uses_, touched_);
        add_endpoints();
        move_addresses();
        add_slots();
        state_.programs->finish(touched_);
        for (const std::string& node : touched_.nodes)
            put_node(node);
        for (const std::string& space : touched_.spaces)
            put_templates(space);
        if (!step_.gone.empty())
            std::erase_if(state_.predicates,
                          [&](const auto& each) { return step_.gone.contains(each.second); });
    }

    void note(const bundle::PackedEndpoint& endpoint) {
        if (endpoint.is_placed())
            touched_.nodes.insert(endpoint.node);
        touched_.spaces.insert(endpoint.space());
    }

    void take_old() {
        for (const Number number : old_) {
            const LiveEndpoint& endpoint = state_.endpoints[number];
            state_.count(endpoint.packed, -1);
            note(endpoint.packed);
            if (endpoint.selectable && changed_.contains(endpoint.key))
                for (const net::Address& address : endpoint.packed.record.addresses)
                    step_.left.insert(address);
        }
    }

    /// In the order of their texts, as all of a bundle.
    void add_predicates() {
        backends::FreeNumbers free;
        if (!new_.empty())
            for (const auto& [number, record] : state_.contents.predicates)
                free.take(number);
        for (const auto& [text, small] : new_) {
            const std::uint32_t number = free.next();
            state_.contents.predicates[number].predicate =
                packed_.contents.predicates.at(small).predicate;
            state_.predicates[text] = number;
            step_.come.insert(number);
        }
        for (const auto& [small, record] : packed_.contents.predicates)
            numbers_[small] = state_.predicates.at(to_string(record.predicate));
    }

    void add_programs() {
        for (auto& [id, record] : packed_.contents.programs) {
            if (state_.contents.programs.contains(id))
                continue;
            bundle::replace_predicates(record.program, [&](PredicateId each) {
                return PredicateId{numbers_.at(each.value)};
            });
            state_.programs->add(id, {std::move(record.program), {}, false}, packed_.said.at(id));
            touched_.programs.insert(id);
        }
    }

    void add_slots() {
        for (auto& [id, record] : packed_.contents.slots) {
            const std::vector<Span>& spans = packed_.contents.origins.slots.at(id);
            std::vector<Span>& place = state_.contents.origins.slots[id];
            if (state_.contents.slots.emplace(id, std::move(record)).second || place != spans)
                touched_.slots.insert(id);
            place = spans;
        }
    }

    void add_endpoints() {
        for (const Number number : old_)
            state_.endpoints.remove(number);
        for (LiveEndpoint& each : fresh_) {
            note(each.packed);
            if (each.selectable && changed_.contains(each.key))
                for (const net::Address& address : each.packed.record.addresses) {
                    step_.renewed.insert(address);
                    step_.left.erase(address);
                }
            come_.insert(state_.endpoints.add(std::move(each)));
        }
    }

    void move_addresses() {
        for (const LiveIdentities::Moved& each : state_.identities->apply(step_, touched_)) {
            const auto holder = state_.endpoints.at(each.address);
            if (!holder || come_.contains(*holder))
                continue;
            const bundle::GroupRecord& group = *state_.endpoints[*holder].packed.group;
            if (each.before)
                state_.programs->run(group, each.address.family, *each.before, -1);
            if (each.now)
                state_.programs->run(group, each.address.family, *each.now, 1);
        }
        for (const Number number : come_)
            state_.count(state_.endpoints[number].packed, 1);
    }

    void put_node(const std::string& node) {
        const auto list = state_.endpoints.on_node(node);
        bundle::Contents& contents = state_.contents;
        if (list.empty()) {
            contents.nodes.erase(node);
            contents.origins.endpoints.erase(node);
        } else
            contents.nodes[node] = bundle::node_record(list, contents.origins.endpoints[node]);
    }

    void put_templates(const std::string& space) {
        std::vector<bundle::TemplateRecord>& all = state_.contents.templates;
        const auto [first, last] = std::equal_range(all.begin(), all.end(), space, SpaceLess{});
        const auto place = all.erase(first, last);
        std::vector<bundle::TemplateRecord> now =
            bundle::templates_of(state_.endpoints.in_space(space));
        all.insert(place, std::make_move_iterator(now.begin()), std::make_move_iterator(now.end()));
    }
    struct SpaceLess {
        bool operator()(const bundle::TemplateRecord& a, const std::string& b) const {
            return a.space < b;
        }
        bool operator()(const std::string& a, const bundle::TemplateRecord& b) const {
            return a < b.space;
        }
    };

    LiveBundle& of_;
    State& state_;
    const ClusterChange& change_;
    LiveCluster::Before before_;
    std::set<std::string> changed_;   ///< workloads, by key
    std::set<std::string> workloads_; ///< and those whose policies change
    bundle::Packed packed_;
    std::vector<LiveEndpoint> fresh_; ///< the workloads as they are now
    std::vector<Number> old_;         ///< as they were
    std::set<Number> come_;
    LivePrograms::Uses taken_, uses_;
    std::map<std::string, std::uint32_t> new_;       ///< predicates by text: their small numbers
    std::map<std::uint32_t, std::uint32_t> numbers_; ///< of predicates by the small ones
    LiveIdentities::Step step_;
    bundle::Touched touched_;
};

LiveBundle::Step LiveBundle::apply(const ClusterChange& change) {
    Change step(*this, change);
    if (std::string why = step.run(); !why.empty())
        return whole(std::move(why));
    return {"", parts_.update(state_->contents, step.touched())};
}

} // namespace polecat::driver
