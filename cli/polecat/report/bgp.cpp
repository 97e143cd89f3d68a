#include "cli/polecat/report/bgp.h"

#include <algorithm>

#include <fmt/format.h>

#include "backends/graph/graph.h"
#include "driver/bgp/session_text.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

constexpr std::size_t kMostSessions = 1000;

std::string markup(const std::string& text) {
    return backends::escape_markup(text);
}

std::string faults_html(const RoutedInput& routed, const routing::SessionReport& report) {
    if (report.faults.empty())
        return "<p>Nothing that the manifests say keeps a session from establishing.</p>\n";
    std::string out = "<ol class=\"faults\">\n";
    for (const routing::SessionFault& each : report.faults) {
        const FaultText text = describe(routed, each);
        out += fmt::format("<li><strong>{}</strong> {}: {}.<br>{}", text.what, markup(text.ends),
                           markup(text.reason), markup(text.here));
        if (!text.there.empty())
            out += "; " + markup(text.there);
        out += "</li>\n";
    }
    return out + "</ol>\n";
}

std::string sessions_html(const RoutedInput& routed, const routing::SessionReport& report) {
    std::string out = "<div class=\"scroll\"><table class=\"sessions\">\n<thead><tr><th "
                      "scope=\"col\">by</th><th scope=\"col\">nodes</th><th "
                      "scope=\"col\">with</th><th scope=\"col\">family</th><th "
                      "scope=\"col\">session</th><th scope=\"col\">filters</th></tr></thead>\n"
                      "<tbody>\n";
    for (std::size_t i = 0; i < std::min(kMostSessions, report.groups.size()); ++i) {
        const SessionText text = describe(routed, report.groups[i], false);
        const std::string filters = (text.takes.empty() ? "" : "takes by " + text.takes) +
                                    (text.takes.empty() || text.gives.empty() ? "" : "; ") +
                                    (text.gives.empty() ? "" : "gives by " + text.gives);
        out += fmt::format("<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}"
                           "</td></tr>\n",
                           markup(text.by), markup(text.who), markup(text.with),
                           net::to_string(report.groups[i].family), markup(text.what),
                           markup(filters));
    }
    return out + "</tbody></table></div>\n";
}

} // namespace

std::string bgp_section(const BgpReport& bgp) {
    return fmt::format("<section id=\"bgp\" aria-labelledby=\"bgp-title\">\n<h2 "
                       "id=\"bgp-title\">BGP</h2>\n<p>{}, {} that will not establish.</p>\n"
                       "<figure class=\"picture\" tabindex=\"0\" aria-label=\"the fabric; list and "
                       "table below say the same\">{}</figure>\n",
                       counted(bgp.sessions.sessions, "session"), bgp.sessions.broken,
                       bgp.svg.substr(bgp.svg.find("<svg"))) +
           faults_html(bgp.routed, bgp.sessions) + sessions_html(bgp.routed, bgp.sessions) +
           "</section>\n";
}

} // namespace polecat::cli
