/// `polecat report`: what its page shows of findings, map, policies and BGP.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "analyzer/routing/sessions/sessions.h"
#include "driver/input/input.h"
#include "driver/lint/run.h"
#include "driver/map/picture.h"
#include "driver/routing/routed_input.h"
#include "ir/policy/order.h"

namespace polecat::driver {

/// A row of the connectivity table.
struct ReportFlow {
    std::string family, from, to, connections;
    std::string ends; ///< numbers of its ends in Report::ends of the family: "0-3 7"
    bool depends = false;
};

struct ReportPolicy {
    const policy::Policy* policy = nullptr;
    std::string tier;
    std::vector<std::string> endpoints; ///< that it governs, by name
};

struct ReportPicture {
    std::string title;
    std::string svg;    ///< empty: there is none,
    std::string reason; ///< for this reason
};

struct BgpReport {
    RoutedInput routed;
    routing::SessionReport sessions;
    std::string svg; ///< the fabric
};

struct Report {
    std::string title, version;     ///< of the page
    std::vector<std::string> paths; ///< as given
    std::size_t excluded = 0;       ///< files

    // The rest is make_report()'s.
    const Input& input;
    Checked checked;
    std::vector<std::string> unread; ///< what was not read, a line each
    std::size_t endpoints = 0;
    std::vector<ReportPicture> pictures;
    std::optional<BgpReport> bgp; ///< nullopt: the manifests have nothing of it, or no node
    std::vector<ReportFlow> flows;
    /// Every name or CIDR of each end, by family: the filter finds those that rows do not show.
    std::vector<std::pair<std::string, std::vector<std::string>>> ends;
    std::size_t flows_left_out = 0;
    std::vector<ReportPolicy> policies;
    std::optional<passes::Lowered> lowered; ///< what is shown of policies points into it
    std::vector<policy::OrderedTier> tiers; ///< those of the policies, in order
};

/// Of manifests that were checked; where that was impossible, of them alone. `input` must outlive
/// it.
Report make_report(Input& input, Checked checked, const Grouping& grouping);

} // namespace polecat::driver
