/// A bundle of a cluster that stays loaded: a change is compiled with what it touches, and gives
/// the bytes of a compile of all with the bundle of before as its base.
#pragma once

#include <memory>
#include <string>

#include "artefact/bundle/bundle.h"
#include "backends/bundle/pack.h"
#include "driver/watch/live_cluster.h"
#include "support/source.h"

namespace polecat::driver {

class LiveBundle {
  public:
    /// `sources` must outlive it; files may be added to it.
    LiveBundle(policy::Cluster cluster, const Sources& sources, std::string compiler,
               const bundle::Base& base = {});
    ~LiveBundle();

    struct Step {
        std::string whole; ///< why all was compiled; empty: it was not
        bundle::Parts::Change parts;
    };
    /// The parts of the beginning.
    const bundle::Parts::Change& first() const { return first_; }
    Step apply(const ClusterChange& change);
    /// With another cluster.
    Step replace(policy::Cluster cluster, const Sources& sources);
    /// Whether the cluster has a workload, by its key, or a policy of the name.
    bool has(const std::string& workload) const;
    bool has(const policy::PolicyName& policy) const;

    const policy::Cluster& cluster() const;
    const bundle::Contents& contents() const;
    std::string manifest() const { return parts_.manifest(); }

  private:
    struct State;
    class Change;
    bundle::Parts::Change compile(policy::Cluster cluster, const bundle::Base& base);
    Step whole(std::string why);

    const Sources* sources_;
    bundle::Parts parts_;
    std::unique_ptr<State> state_;
    bundle::Parts::Change first_;
};

} // namespace polecat::driver
