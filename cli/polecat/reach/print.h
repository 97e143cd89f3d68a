/// Answers of `polecat reach` as text and as JSON (docs/json.md).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/polecat/map/flow_routes.h"
#include "driver/reach/suggest.h"
#include "ir/expectation.h"
#include "ir/path/path.h"
#include "support/source.h"

namespace polecat::cli {

struct ReachAnswer {
    expectation::Traffic traffic;
    ir::FlowVerdict verdict;
    std::optional<Suggestion> suggestion;          ///< where one was asked for and it is denied
    std::optional<routing::MissingRoute> no_route; ///< where it is not denied
};

class ReachPrinter {
  public:
    /// References must outlive the printer. `all_rules`: rules that do not match, too.
    ReachPrinter(const decision::LoweredCluster& cluster, const Sources& sources, std::string from,
                 std::string to, bool all_rules, FlowRoutes& routes)
        : cluster_(cluster), sources_(sources), from_(std::move(from)), to_(std::move(to)),
          all_rules_(all_rules), routes_(routes) {}

    std::string text(const std::vector<ReachAnswer>& answers) const;
    /// `unread`: what of the input was not read, which each entry names.
    std::string json(const std::vector<ReachAnswer>& answers,
                     const std::vector<std::string>& unread) const;
    /// Everything that the policies of both ends allow, as connection sets.
    std::string summary_text(const ir::PathQuery& query) const;
    std::string summary_json(const ir::PathQuery& query, const std::vector<std::string>& unread,
                             bool hangs_on_unread) const;

  private:
    struct Summary {
        net::Family family;
        std::string allowed, depends;
        std::optional<routing::MissingRoute> no_route;
    };
    std::vector<Summary> summary(const ir::PathQuery& query) const;
    std::string suggestion_text(const Suggestion& suggestion) const;
    std::string hop_text(const ir::HopVerdict& hop, std::size_t number) const;

    const decision::LoweredCluster& cluster_;
    const Sources& sources_;
    std::string from_, to_;
    bool all_rules_;
    FlowRoutes& routes_;
};

} // namespace polecat::cli
