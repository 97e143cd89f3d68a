/// `polecat report`: one HTML page that needs nothing but itself.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "driver/input/input.h"
#include "driver/lint/run.h"
#include "ir/policy/order.h"

namespace polecat::cli {

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

struct Report {
    std::string title, version;
    std::vector<std::string> paths; ///< as given
    const driver::Input& input;
    driver::Checked checked;
    std::size_t excluded = 0;        ///< files
    std::vector<std::string> unread; ///< what was not read, a line each
    std::size_t endpoints = 0;
    std::vector<ReportPicture> pictures;
    std::string bgp; ///< its section; empty: there is none
    std::vector<ReportFlow> flows;
    /// Every name or CIDR of each end, by family: the filter finds those that rows do not show.
    std::vector<std::pair<std::string, std::vector<std::string>>> ends;
    std::size_t flows_left_out = 0;
    std::vector<ReportPolicy> policies;
    std::vector<policy::OrderedTier> tiers; ///< those of the policies, in order
};

std::string report_page(const Report& report);

/// A page of docs/diagnostics as HTML: headings, paragraphs, lists, code.
std::string page_html(std::string_view markdown);

/// What the page is styled with and the script that filters its tables.
std::string_view report_style();
std::string_view report_script();

} // namespace polecat::cli
