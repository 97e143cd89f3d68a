/// What stays loaded of a bundle, and a change of it. For driver/watch only.
#pragma once

#include <optional>

#include "driver/watch/live_bundle.h"
#include "driver/watch/live_endpoints.h"
#include "driver/watch/live_identities.h"
#include "driver/watch/live_programs.h"

namespace polecat::driver {

/// Whether what holds of an end is more than its labels, ports and address say.
bool depends_on_more(const decision::Predicate& predicate);
/// Whether an endpoint says itself that it has one: that is there when its namespace is, or some
/// endpoint in it.
bool has_profile_of_space(const std::vector<At<std::string>>& profiles);
/// Endpoints of a lowered and packed cluster.
std::vector<LiveEndpoint> endpoints_of(const decision::LoweredCluster& cluster,
                                       std::vector<bundle::PackedEndpoint> packed);

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

/// One change that is compiled by itself.
class LiveBundle::Change {
  public:
    Change(LiveBundle& of, const ClusterChange& change)
        : of_(of), state_(*of.state_), change_(change) {}
    /// Why it can't be; the cluster has the change all the same. Until then nothing else has.
    std::string run();
    const bundle::Touched& touched() const { return touched_; }

  private:
    std::string check_workloads();
    std::string find_endpoints();
    std::string lower();
    /// What comes and goes.
    std::string plan();
    /// One place of slots that others have as well counts for them all.
    std::string check_places();
    /// Of an address that two have, one of which may be selected, neither says all.
    std::string check_addresses();
    /// Numbers of files are those of the sources that there are by now.
    void share_files();
    void commit();
    void note(const bundle::PackedEndpoint& endpoint);
    void take_old();
    /// In the order of their texts, as all of a bundle.
    void add_predicates();
    void add_programs();
    void add_slots();
    void add_endpoints();
    void move_addresses();
    void put_node(const std::string& node);
    void put_templates(const std::string& space);

    LiveBundle& of_;
    State& state_;
    const ClusterChange& change_;
    LiveCluster::Before before_;
    std::set<std::string> changed_;   ///< workloads, by key
    std::set<std::string> workloads_; ///< and those whose policies change
    bundle::Packed packed_;
    std::vector<LiveEndpoint> fresh_;        ///< the workloads as they are now
    std::vector<LiveEndpoints::Number> old_; ///< as they were
    std::set<LiveEndpoints::Number> come_;
    LivePrograms::Uses taken_, uses_;
    std::map<std::string, std::uint32_t> new_;       ///< predicates by text: their small numbers
    std::map<std::uint32_t, std::uint32_t> numbers_; ///< of predicates by the small ones
    LiveIdentities::Step step_;
    bundle::Touched touched_;
};

} // namespace polecat::driver
