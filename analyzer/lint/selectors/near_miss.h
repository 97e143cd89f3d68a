/// Labels and values that the input has, for slips of the pen in selectors. For analyzer/lint only.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "analyzer/lint/context.h"

namespace polecat::lint {

/// Labels of pods are compared with those of pods, of namespaces with those of namespaces.
class Vocabulary {
  public:
    explicit Vocabulary(const Context& context);

    /// What a selector asks for that nothing has, and something nearly has: "there is `app` =
    /// `front-end`, not `frontend`". `of_pods`: network sets and host endpoints aren't meant.
    /// `certain`: everything that could match is known, so that a hint is no reproach.
    std::optional<std::string> slip(const selector::Selector& selector, bool of_pods,
                                    bool certain) const;
    /// A label of pods that the selector asks for and that only namespaces have: what to say of it.
    std::optional<std::string> only_on_namespaces(const selector::Selector& selector) const;

  private:
    using Values = std::map<std::string, std::set<std::string>, std::less<>>;
    struct Asked; ///< a label as a selector names it

    std::optional<std::string> slip_of_term(const selector::Term& term, bool of_pods,
                                            bool certain) const;
    std::optional<std::string> slip_of_value(const Asked& asked, const std::set<std::string>& known,
                                             bool certain) const;
    std::optional<std::string> slip_of_label(const Asked& asked, bool certain) const;
    std::optional<std::string> label_of_others(const Asked& asked, bool certain) const;

    Values pods_, sets_, spaces_, accounts_;
    Values of_told_spaces_; ///< labels of pods whose namespace's own labels are in the input
};

/// `word` is `meant` but for a letter or two: no abbreviation of it, and no other member of a
/// series (`web-1`, `web-2`; `team-a`, `team-b`).
bool is_slip(std::string_view word, std::string_view meant, bool certain);

} // namespace polecat::lint
