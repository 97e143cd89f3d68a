#include "cli/polecat/report/page.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "backends/graph/graph.h"
#include "cli/polecat/program/pages.h"
#include "cli/polecat/report/bgp.h"
#include "support/diag/render.h"
#include "support/listed.h"
#include "support/sha2.h"

namespace polecat::cli {

using namespace driver;

namespace {

constexpr std::size_t kMostFindings = 2000;
constexpr std::size_t kMostPolicies = 2000;
constexpr std::size_t kMostEndpoints = 12; ///< named for each policy

std::string escaped(const std::string& text) {
    return backends::escape_markup(text);
}

/// What the page may run and look like: this text and no other.
std::string allowed_hash(std::string_view text) {
    const auto digest = sha256(text);
    std::string out = base64url(digest.data(), digest.size()) + "=";
    std::replace(out.begin(), out.end(), '-', '+');
    std::replace(out.begin(), out.end(), '_', '/');
    return "'sha256-" + out + "'";
}

/// Without the XML declaration, and without ids, which would stand twice in a page with two.
std::string inline_svg(const std::string& svg) {
    std::string out = svg.substr(svg.find("<svg"));
    for (std::size_t at = 0; (at = out.find("<g id=\"", at)) != std::string::npos; ++at)
        out.erase(at + 2, out.find('"', at + 7) + 1 - (at + 2));
    return out;
}

/// Kinds and fields that were met and not used.
bool not_understood(diag::Code code) {
    return code == diag::Code::UnreadKind || code == diag::Code::UnknownKind ||
           code == diag::Code::UnknownField || code == diag::Code::UnreadableFile ||
           code == diag::Code::UnrenderedTemplate || code == diag::Code::PlaceholderLeft;
}

class Page {
  public:
    explicit Page(const Report& report) : report_(report), list_(report.input.diagnostics.list()) {}

    std::string run() {
        head();
        summary();
        findings();
        if (report_.checked.ran) {
            pictures();
            flows();
            policies();
            out_ += report_.bgp ? bgp_section(*report_.bgp) : "";
        }
        gaps();
        explanations();
        out_ +=
            "</main>\n<script>" + std::string(report_script()) + "</script>\n</body>\n</html>\n";
        return std::move(out_);
    }

  private:
    void head() {
        out_ += fmt::format(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
            "script-src {}; style-src {}; base-uri 'none'; form-action 'none'\">\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
            "<meta name=\"referrer\" content=\"no-referrer\">\n"
            "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n"
            "<a class=\"skip\" href=\"#findings\">to the findings</a>\n",
            allowed_hash(report_script()), allowed_hash(report_style()), escaped(report_.title),
            report_style());
        out_ += "<header><h1>" + escaped(report_.title) + "</h1>\n<p>polecat " +
                escaped(report_.version) + ", read from";
        for (const std::string& path : report_.paths)
            out_ += " <code>" + escaped(path) + "</code>";
        out_ += "</p>\n<nav aria-label=\"sections\"><ul>\n<li><a "
                "href=\"#findings\">Findings</a></li>\n";
        if (report_.checked.ran)
            out_ +=
                "<li><a href=\"#map\">Map</a></li>\n<li><a href=\"#flows\">Connections</a></li>\n"
                "<li><a href=\"#policies\">Policies</a></li>\n";
        if (report_.bgp)
            out_ += "<li><a href=\"#bgp\">BGP</a></li>\n";
        out_ +=
            "<li><a href=\"#gaps\">Not understood</a></li>\n"
            "<li><a href=\"#explanations\">Explanations</a></li>\n</ul></nav></header>\n<main>\n";
    }

    void fact(const char* name, std::size_t value) {
        out_ += fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", name, value);
    }

    void summary() {
        const diag::Diagnostics& all = report_.input.diagnostics;
        out_ += "<section id=\"summary\" aria-label=\"summary\">\n<dl class=\"facts\">\n";
        fact("errors", all.count(diag::Severity::Error));
        fact("warnings", all.count(diag::Severity::Warning));
        fact("notes", all.count(diag::Severity::Note));
        fact("suppressed", report_.checked.suppressed);
        fact("files", report_.input.sources.size());
        if (report_.checked.ran) {
            fact("endpoints", report_.endpoints);
            fact("policies", report_.policies.size());
        }
        out_ += "</dl>\n";
        if (!report_.checked.ran)
            left_out("There is nothing to read. Nothing is said about what policies mean.");
        for (const std::string& line : report_.unread)
            left_out(line);
        if (report_.excluded != 0)
            left_out(counted(report_.excluded, "file") + " excluded by the configuration.");
        out_ += "</section>\n";
    }

    void left_out(const std::string& text) {
        out_ += "<p class=\"left-out\">" + escaped(text) + "</p>\n";
    }

    void choice(const char* name, const char* label, const std::set<std::string>& values) {
        out_ += fmt::format("<label>{}<select name=\"{}\"><option value=\"\">all</option>", label,
                            name);
        for (const std::string& value : values)
            out_ += "<option>" + escaped(value) + "</option>";
        out_ += "</select></label>\n";
    }

    void open_filter(const char* what) {
        out_ += fmt::format("<form class=\"filter\" aria-label=\"filter {}\">\n", what);
    }
    void close_filter() {
        out_ += "<label>text<input name=\"text\" type=\"search\"></label>\n"
                "<button type=\"reset\">show all</button>\n<output aria-live=\"polite\"></output>\n"
                "</form>\n";
    }

    void findings() {
        out_ += "<section id=\"findings\" aria-labelledby=\"findings-title\">\n"
                "<h2 id=\"findings-title\">Findings</h2>\n";
        if (list_.empty())
            out_ += "<p>Nothing was found.</p>\n";
        else
            finding_table();
        out_ += "</section>\n";
    }

    void finding_table() {
        std::vector<const diag::Diagnostic*> sorted;
        std::set<std::string> severities, codes;
        for (const diag::Diagnostic& each : list_) {
            sorted.push_back(&each);
            severities.insert(std::string(diag::to_string(each.severity)));
            codes.insert(diag::label(each.code));
        }
        std::stable_sort(sorted.begin(), sorted.end(),
                         [](const auto* a, const auto* b) { return a->severity > b->severity; });
        open_filter("findings");
        choice("severity", "severity", severities);
        choice("code", "code", codes);
        close_filter();
        if (sorted.size() > kMostFindings) {
            left_out(fmt::format("{} of {} findings are below, errors first; `polecat lint` prints "
                                 "all.",
                                 kMostFindings, sorted.size()));
            sorted.resize(kMostFindings);
        }
        out_ += "<div class=\"scroll\"><table class=\"findings\">\n<thead><tr><th "
                "scope=\"col\">severity</th><th "
                "scope=\"col\">code</th><th scope=\"col\">finding</th><th "
                "scope=\"col\">place</th></tr></thead>\n<tbody>\n";
        for (const diag::Diagnostic* each : sorted)
            finding_row(*each);
        out_ += "</tbody></table></div>\n";
    }

    void finding_row(const diag::Diagnostic& finding) {
        const std::string code = diag::label(finding.code);
        const std::string severity(diag::to_string(finding.severity));
        explained_.insert(code);
        const std::string text =
            diag::render_text({&finding, 1}, report_.input.sources, diag::TextOptions{false});
        out_ +=
            fmt::format("<tr data-severity=\"{0}\" data-code=\"{1}\"><td class=\"{0}\">{0}</td>"
                        "<td class=\"code\"><a href=\"#{1}\">{1}</a><br>{2}</td><td>{3}",
                        severity, code, diag::info(finding.code).slug, escaped(finding.message));
        if (!finding.object.empty())
            out_ += "<br>in " + escaped(finding.object);
        if (finding.hint)
            out_ += "<br>hint: " + escaped(*finding.hint);
        out_ +=
            "<details><summary>excerpt</summary><pre>" + escaped(text) + "</pre></details></td>";
        const std::string place =
            finding.span.known() ? report_.input.sources.describe(finding.span) : "";
        out_ += "<td class=\"place\"><code>" + escaped(place) + "</code></td></tr>\n";
    }

    void pictures() {
        out_ +=
            "<section id=\"map\" aria-labelledby=\"map-title\">\n<h2 id=\"map-title\">Map</h2>\n";
        for (const ReportPicture& picture : report_.pictures) {
            if (picture.svg.empty())
                left_out("No picture for " + picture.title + ": " + picture.reason + ".");
            else
                out_ +=
                    fmt::format("<figure class=\"picture\" tabindex=\"0\" aria-label=\"map, {}; "
                                "the table of connections says the same\">{}</figure>\n",
                                escaped(picture.title), inline_svg(picture.svg));
        }
        out_ += "</section>\n";
    }

    void flows() {
        out_ +=
            "<section id=\"flows\" aria-labelledby=\"flows-title\">\n<h2 "
            "id=\"flows-title\">Connections</h2>\n<p>Endpoints that no policy tells apart stand "
            "together; the text filter finds each of them, also those that a row does not "
            "show.</p>\n";
        if (report_.flows.empty()) {
            out_ += "<p>Nothing is allowed.</p>\n</section>\n";
            return;
        }
        std::set<std::string> families;
        for (const ReportFlow& flow : report_.flows)
            families.insert(flow.family);
        open_filter("connections");
        choice("family", "family", families);
        choice("certain", "certain", {"depends", "yes"});
        close_filter();
        if (report_.flows_left_out != 0)
            left_out(fmt::format("The first {} of {} rows; `polecat map` prints all.",
                                 report_.flows.size(),
                                 report_.flows.size() + report_.flows_left_out));
        out_ += "<div class=\"scroll\"><table class=\"flows\">\n<thead><tr><th "
                "scope=\"col\">from</th><th "
                "scope=\"col\">to</th><th scope=\"col\">allowed</th><th "
                "scope=\"col\">family</th></tr></thead>\n<tbody>\n";
        for (const ReportFlow& flow : report_.flows)
            out_ += fmt::format(
                "<tr data-family=\"{0}\" data-certain=\"{1}\" data-ends=\"{2}\"><td>{3}</td>"
                "<td>{4}</td><td>{5}</td><td>{0}</td></tr>\n",
                flow.family, flow.depends ? "depends" : "yes", flow.ends, escaped(flow.from),
                escaped(flow.to), escaped(flow.connections));
        out_ += "</tbody></table></div>\n";
        for (const auto& [family, ends] : report_.ends) {
            out_ += "<ul hidden data-ends-of=\"" + family + "\">\n";
            for (const std::string& names : ends)
                out_ += "<li>" + escaped(names) + "</li>\n";
            out_ += "</ul>\n";
        }
        out_ += "</section>\n";
    }

    void policies() {
        out_ += "<section id=\"policies\" aria-labelledby=\"policies-title\">\n<h2 "
                "id=\"policies-title\">Policies in order</h2>\n";
        if (report_.policies.empty()) {
            out_ += "<p>There is no policy: everything is allowed.</p>\n</section>\n";
            return;
        }
        out_ += fmt::format("<p>Of many endpoints {} are named; the text filter sees what is "
                            "named.</p>\n",
                            kMostEndpoints);
        std::set<std::string> tiers;
        for (const policy::OrderedTier& tier : report_.tiers)
            tiers.insert(tier.name);
        open_filter("policies");
        choice("tier", "tier", tiers);
        close_filter();
        if (report_.policies.size() > kMostPolicies)
            left_out(fmt::format("The first {} of {} policies.", kMostPolicies,
                                 report_.policies.size()));
        out_ += "<div class=\"scroll\"><table class=\"policies\">\n<thead><tr><th "
                "scope=\"col\">place</th><th "
                "scope=\"col\">tier</th><th scope=\"col\">policy</th><th "
                "scope=\"col\">rules</th><th scope=\"col\">governs</th></tr></thead>\n<tbody>\n";
        for (std::size_t i = 0; i < report_.policies.size() && i < kMostPolicies; ++i)
            policy_row(i + 1, report_.policies[i]);
        out_ += "</tbody></table></div>\n</section>\n";
    }

    void policy_row(std::size_t number, const ReportPolicy& each) {
        const policy::Policy& policy = *each.policy;
        const auto tier = std::find_if(report_.tiers.begin(), report_.tiers.end(),
                                       [&](const auto& one) { return one.name == each.tier; });
        const bool passes =
            tier != report_.tiers.end() && tier->default_action == policy::Action::Pass;
        std::string rules;
        if (policy.ingress_type)
            rules = counted(policy.ingress.size(), "ingress rule");
        if (policy.egress_type)
            rules += (rules.empty() ? "" : ", ") + counted(policy.egress.size(), "egress rule");
        std::string endpoints;
        for (std::size_t i = 0; i < each.endpoints.size() && i < kMostEndpoints; ++i)
            endpoints += (i == 0 ? "" : ", ") + each.endpoints[i];
        if (each.endpoints.size() > kMostEndpoints)
            endpoints += fmt::format(" and {} more", each.endpoints.size() - kMostEndpoints);
        out_ += fmt::format("<tr data-tier=\"{0}\"><td>{1}</td><td>{0}<br>ends in {2}</td><td>{3} "
                            "<strong>{4}</strong>{5}</td><td>{6}</td><td>{7}: {8}</td></tr>\n",
                            escaped(each.tier), number, passes ? "Pass" : "Deny",
                            escaped(policy.manifest_kind), escaped(full_name(policy.meta)),
                            policy.staged_action.empty() ? "" : " (staged: not enforced)", rules,
                            counted(each.endpoints.size(), "endpoint"),
                            escaped(endpoints.empty() ? "nothing" : endpoints));
    }

    void gaps() {
        out_ += "<section id=\"gaps\" aria-labelledby=\"gaps-title\">\n<h2 id=\"gaps-title\">Not "
                "understood</h2>\n<ul>\n";
        std::size_t count = 0;
        for (const diag::Diagnostic& each : list_)
            if (not_understood(each.code) && count++ < kMostFindings)
                out_ += fmt::format(
                    "<li>{} <code>{}</code></li>\n", escaped(each.message),
                    each.span.known() ? escaped(report_.input.sources.describe(each.span)) : "");
        out_ += "</ul>\n";
        if (count > kMostFindings)
            left_out(fmt::format("{} of {} are listed.", kMostFindings, count));
        if (count == 0)
            out_ += "<p>Every object and field that was met is understood, or a finding says "
                    "otherwise.</p>\n";
        const auto depends = std::count_if(report_.flows.begin(), report_.flows.end(),
                                           [](const ReportFlow& flow) { return flow.depends; });
        if (depends != 0)
            out_ +=
                fmt::format("<p>{} of connections depend on what the manifests do not say, such "
                            "as addresses of pods or what domains resolve to: "
                            "<a href=\"#flows?certain=depends\">show them</a>.</p>\n",
                            counted(static_cast<std::size_t>(depends), "row"));
        out_ += "</section>\n";
    }

    void explanations() {
        out_ += "<section id=\"explanations\" aria-labelledby=\"explanations-title\">\n<h2 "
                "id=\"explanations-title\">Explanations</h2>\n";
        for (const std::string& label : explained_) {
            const auto code = diag::find_code(label);
            out_ +=
                fmt::format("<article id=\"{0}\"><h3>{0} {1}</h3>\n{2}<p><a "
                            "href=\"#findings?code={0}\">findings with this code</a></p>"
                            "</article>\n",
                            label, code ? diag::info(*code).slug : "", page_html(page_of(label)));
        }
        if (explained_.empty())
            out_ += "<p>No finding, nothing to explain.</p>\n";
        out_ += "</section>\n";
    }

    const Report& report_;
    const std::vector<diag::Diagnostic>& list_;
    std::set<std::string> explained_;
    std::string out_;
};

} // namespace

std::string report_page(const Report& report) {
    return Page(report).run();
}

} // namespace polecat::cli
