/// The connectivity of a whole cluster in one IP family: who may send what to whom, exactly, for
/// every endpoint and every outside address. Ends that no program can tell apart are one group.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "analyzer/algebra/set_store.h"
#include "analyzer/ends/end_groups.h"
#include "ir/decision/identity.h"
#include "ir/decision/lowered.h"

namespace polecat::analyzer {

class ConnectivityMap {
  public:
    /// Cluster and identities must outlive the map. `atoms`: those of several clusters where maps
    /// are compared; the cluster's own when absent.
    ConnectivityMap(const decision::LoweredCluster& cluster, const decision::Identities& identities,
                    net::Family family, std::optional<HttpAtoms> atoms = std::nullopt);
    ~ConnectivityMap();
    ConnectivityMap(ConnectivityMap&&) noexcept;

    const std::vector<EndGroup>& groups() const; ///< endpoints first
    /// What they are to programs. Its questions are not thread-safe.
    EndGroups& ends() const;
    /// The group of an endpoint; nullopt: it has no address of the family.
    std::optional<std::uint32_t> group_of(decision::ObjectId object) const;

    /// From one group to every group, by index: numbers of pairs, 0 where nothing is let through.
    /// Equal numbers, equal pairs.
    std::vector<std::uint32_t> row(std::uint32_t source) const;
    const SetBounds& pair(std::uint32_t number) const;
    SetBounds between(std::uint32_t source, std::uint32_t destination) const;
    /// Id 0 is the empty set. Equal ids, equal sets.
    const ConnectionSet& set(std::uint32_t id) const;
    /// What the requests in sets are.
    const HttpAtoms& http() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace polecat::analyzer
