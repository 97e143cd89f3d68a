/// What an endpoint lets in from pods that do not exist yet.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "analyzer/ends/hypothetical.h"
#include "analyzer/flows/program_flows.h"
#include "analyzer/flows/program_view.h"
#include "analyzer/labels/label_space.h"

namespace polecat::analyzer {

/// A pod that could be made, and all that it would reach.
struct NewPod {
    std::string space;       ///< its namespace; empty: any that does not exist yet
    selector::Labels labels; ///< its own and its namespace's (pcns.), as far as they count
    Bounds<ConnectionSet> connections;
};

class NewPods {
  public:
    /// Both must outlive this.
    NewPods(const decision::LoweredCluster& cluster,
            const std::vector<policy::Namespace>& namespaces);

    /// First, if it reaches anything, a pod without labels in a new namespace; then for each rule
    /// that allows, a pod with labels that the rule's selectors ask for, unless fewer of its labels
    /// reach as much. Each is asked of the whole program, so nothing is claimed that would not
    /// hold; a pod that a rule lets in only with labels that were not tried is not found.
    std::vector<NewPod> reaching(ProgramView<ProgramFlows>& ingress, const decision::Identity& own);

  private:
    struct Pod {
        std::string space;
        selector::Labels labels;
        std::size_t number = 0; ///< of pods_
    };
    const Pod& pod_of(const selector::Labels& wanted);
    const LabelAnswer& labels_for(const std::vector<decision::PredicateId>& wanted,
                                  const std::vector<decision::PredicateId>& excluded);
    std::vector<const Pod*> candidates(const decision::Program& ingress);

    const decision::LoweredCluster& cluster_;
    std::map<std::string, selector::Labels> namespaces_; ///< those that exist, as pcns. labels
    Hypothetical pods_;
    using Question =
        std::pair<std::vector<decision::PredicateId>, std::vector<decision::PredicateId>>;
    std::map<Question, LabelAnswer> answers_;
    std::map<std::vector<std::pair<std::string, std::string>>, Pod> known_;
};

} // namespace polecat::analyzer
