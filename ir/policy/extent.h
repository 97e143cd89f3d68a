/// What of a cluster the input shows. A repository is a part of a cluster: "nothing matches" can be
/// said only where everything that could match is in the input.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "ir/policy/cluster.h"
#include "ir/selector/selector.h"

namespace polecat::policy {

/// What a selector is asked for.
enum class Ends {
    Endpoints, ///< those that a policy governs
    Peers,     ///< endpoints and network sets
};

class Extent {
  public:
    /// `told_whole`: somebody says that the input is the whole cluster. `cluster` need not outlive
    /// this.
    explicit Extent(const Cluster& cluster, bool told_whole = false);

    /// Is everything known that this could match? If so, what that takes for granted: "every pod of
    /// namespace shop is in the input". nullopt: something that the input does not show may match.
    std::optional<std::string> known(const selector::Selector& selector, Ends ends) const;
    /// The same of the endpoints that a policy governs: host endpoints only, if it acts before
    /// translation or on untracked packets.
    std::optional<std::string> known_endpoints_of(const Policy& policy) const;
    /// The same of the pods of one namespace.
    std::optional<std::string> known_pods_of(const std::string& space) const;
    /// A namespace of which the input has an object or a workload.
    bool has_namespace(const std::string& space) const { return spaces_.contains(space); }
    /// The labels of a namespace whose object is in the input; nullptr: it is not.
    const Labels* labels_of_namespace(const std::string& space) const;
    /// The input has the pods that answer the cluster's DNS, or nodes and no pods: nobody keeps
    /// these elsewhere than in a picture of all of it.
    bool is_whole() const { return whole_; }

  private:
    struct Space {
        std::optional<Labels> labels; ///< of its object
        bool has_workloads = false;
        bool in_part = false; ///< something in it makes pods that no manifest shows
    };
    std::optional<std::string> known_in_whole(const selector::Selector& selector) const;

    std::map<std::string, Space> spaces_;
    bool told_whole_ = false;
    bool whole_ = false;
    bool hosts_ = false; ///< host endpoints are in the input, and nobody makes more
    bool global_sets_ = false;
    bool global_in_part_ = false; ///< labels of a host endpoint or global set could not be read
};

/// Calico makes a host endpoint of each node by itself.
bool has_automatic_host_endpoints(const Cluster& cluster);

} // namespace polecat::policy
