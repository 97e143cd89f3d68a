/// Whether what a selector asks for is missing, or only kept elsewhere. For analyzer/lint only.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "analyzer/lint/context.h"
#include "support/diag/diagnostic.h"

namespace polecat::lint {

/// Few repositories have all of a namespace: pods that others install are asked for as often as
/// pods that nobody made. A warning needs a picture of the whole cluster, something that shows what
/// is wrong, or a pod that is nearly what is asked for. A Service shows that such pods are meant to
/// be, and are made elsewhere; labels of a chart, that nobody writes them by hand.
class Doubts {
  public:
    explicit Doubts(Context& context);

    /// Of a finding that nothing matches: a note that is only counted, or the reason to believe it.
    /// `explained`: it says what is wrong. `policy`: whose endpoints these are; nullptr: of peers.
    void weigh(diag::Diagnostic& diagnostic, const selector::Selector& selector, bool explained,
               const policy::Policy* policy);

    /// Workloads by all labels of their pods, in the cluster's order.
    const selector::LabelIndex& pods();

  private:
    struct Asked;

    selector::Labels effective(const selector::Labels& own, const std::string& space) const;
    Asked asked_by(const selector::Selector& selector);
    std::string nearly(const Asked& asked) const;
    std::string under_another_label(const Asked& asked) const;
    std::string left_open(const Asked& asked, const policy::Policy& policy);
    std::string label_of_chart(const selector::Selector& selector) const;
    bool is_governed(const std::string& space);
    bool has_pods_elsewhere(const std::string& space) const;

    Context& context_;
    /// Services with a selector, and what a pod has that they lead to.
    std::vector<const policy::Service*> services_;
    selector::LabelIndex served_;
    std::optional<selector::LabelIndex> pods_;      ///< by place in the cluster's workloads
    std::optional<std::set<std::string>> governed_; ///< namespaces of which policy selects pods
};

} // namespace polecat::lint
