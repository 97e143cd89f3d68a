/// Answers of `polecat reach` as text and as JSON (docs/json.md).
#pragma once

#include <string>
#include <vector>

#include "driver/reach/answers.h"
#include "support/source.h"

namespace polecat::cli {

class ReachPrinter {
  public:
    /// References must outlive the printer. `all_rules`: rules that do not match, too.
    ReachPrinter(const decision::LoweredCluster& cluster, const Sources& sources, std::string from,
                 std::string to, bool all_rules, driver::FlowRoutes& routes)
        : cluster_(cluster), sources_(sources), from_(std::move(from)), to_(std::move(to)),
          all_rules_(all_rules), routes_(routes) {}

    std::string text(const std::vector<driver::ReachAnswer>& answers) const;
    /// `unread`: what of the input was not read, which each entry names.
    std::string json(const std::vector<driver::ReachAnswer>& answers,
                     const std::vector<std::string>& unread) const;
    /// Everything that the policies of both ends allow, as connection sets.
    std::string summary_text(const std::vector<driver::ReachSummary>& found) const;
    std::string summary_json(const std::vector<driver::ReachSummary>& found,
                             const std::vector<std::string>& unread, bool hangs_on_unread) const;

  private:
    std::string suggestion_text(const driver::Suggestion& suggestion) const;
    std::string ways_text(const ir::FlowVerdict& verdict) const;
    std::string hop_text(const ir::HopVerdict& hop, std::size_t number) const;

    const decision::LoweredCluster& cluster_;
    const Sources& sources_;
    std::string from_, to_;
    bool all_rules_;
    driver::FlowRoutes& routes_;
};

} // namespace polecat::cli
