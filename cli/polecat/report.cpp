#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "analyzer/lint/fold.h"
#include "cli/polecat/commands.h"
#include "cli/polecat/map/render.h"
#include "cli/polecat/report/bgp.h"
#include "cli/polecat/report/page.h"
#include "driver/input/unread.h"
#include "driver/lint/run.h"
#include "driver/map/picture.h"
#include "passes/lower.h"
#include "support/diag/render.h"

namespace polecat::cli {

using namespace driver;

namespace {

constexpr std::size_t kMostFlows = 3000;

struct ReportCommand {
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::string out = "polecat-report.html", title = "Network policy report", group_by = "auto";
    LintOptions steering;
};

/// Endpoints of each policy, from the programs that hold it at any hook.
std::map<policy::PolicyName, std::set<std::string>>
governed(const decision::LoweredCluster& cluster) {
    std::map<policy::PolicyName, std::set<std::string>> out;
    for (const decision::Group& group : cluster.groups) {
        std::set<policy::PolicyName> keys;
        for (const auto& [key, program] : group.programs)
            for (const decision::PolicyBlock& block : program.slots.policies())
                keys.insert(block.policy);
        for (const policy::PolicyName& key : keys)
            for (const decision::ObjectId member : group.members)
                out[key].insert(name_of(cluster, member));
    }
    return out;
}

void add_policies(const policy::OrderedPolicies& ordered, const decision::LoweredCluster& cluster,
                  Report& report) {
    const auto endpoints = governed(cluster);
    report.tiers = ordered.tiers;
    for (const policy::OrderedTier& tier : ordered.tiers)
        for (const policy::Policy* policy : tier.policies) {
            ReportPolicy row{policy, tier.name, {}};
            const auto found = endpoints.find(policy_name(*policy));
            if (found != endpoints.end())
                row.endpoints.assign(found->second.begin(), found->second.end());
            report.policies.push_back(std::move(row));
        }
}

void add_family(const decision::LoweredCluster& cluster, const decision::Identities& identities,
                net::Family family, const Grouping& grouping, Report& report) {
    const std::string name(net::to_string(family));
    const analyzer::ConnectivityMap map(cluster, identities, family);
    const auto svg = backends::to_svg(picture_of(cluster, map, family, grouping));
    report.pictures.push_back({name, svg ? *svg : "", svg ? "" : svg.error()});
    const MapRows rows = grouped_rows(cluster, map, family);
    report.endpoints = std::max(report.endpoints, rows.endpoints);
    const std::size_t room = kMostFlows - std::min(kMostFlows, report.flows.size());
    for (MapLine& line : map_lines(rows, map, room))
        report.flows.push_back({name, std::move(line.from), std::move(line.to),
                                std::move(line.connections), std::move(line.ends), line.depends});
    report.ends.emplace_back(name, std::vector<std::string>());
    for (const MapEndText& end : rows.ends)
        report.ends.back().second.push_back(fmt::format("{}", fmt::join(end.members, " ")));
    report.flows_left_out += rows.rows.size() - std::min(room, rows.rows.size());
}

bool write_page(const std::string& path, const std::string& page) {
    if (path == "-")
        return std::fwrite(page.data(), 1, page.size(), stdout) == page.size();
    std::ofstream out(path, std::ios::binary);
    out << page;
    return static_cast<bool>(out.flush());
}

/// The folder polecat runs in by its name, as "." says nothing to who reads the page elsewhere.
std::vector<std::string> named(std::vector<std::string> paths) {
    std::error_code error;
    const std::string here = std::filesystem::current_path(error).filename().string();
    if (!here.empty())
        std::replace(paths.begin(), paths.end(), std::string("."), here);
    return paths;
}

int run(const ReportCommand& command) {
    const auto grouping = grouping_named(command.group_by);
    Sources config_sources;
    diag::Diagnostics config_problems;
    LintConfig config = read_lint_config(command.steering.config, config_sources, config_problems);
    fmt::print(stderr, "{}",
               diag::render_text(config_problems.list(), config_sources, {colour_on(true)}));
    const auto problem = apply_options(command.steering, config);
    if (!grouping || problem || config_problems.has_errors()) {
        if (!grouping || problem)
            fmt::print(stderr, "polecat: {}\n", problem ? *problem : grouping.error());
        return kBadInput;
    }
    std::size_t excluded = 0;
    InputOptions reading = command.input;
    reading.config = command.steering.config;
    Input input = read_input(command.paths, reading, [&](const std::string& path) {
        const bool out = config.excludes(path);
        excluded += out ? 1 : 0;
        return out;
    });
    const Checked checked = check_input(input, config);
    lint::fold(input.diagnostics);
    Report report{command.title,
                  POLECAT_VERSION,
                  named(command.paths),
                  input,
                  checked,
                  excluded,
                  {},
                  0,
                  {},
                  "",
                  {},
                  {},
                  0,
                  {},
                  {}};
    std::optional<passes::Lowered> lowered; // what the page shows points into its policies
    if (checked.ran) {
        lowered = passes::lower(input.cluster);
        const decision::LoweredCluster& cluster = lowered->cluster;
        const decision::Identities identities(cluster);
        for (const net::Family family : families_in_use(cluster))
            add_family(cluster, identities, family, *grouping, report);
        add_policies(lowered->policies, cluster, report);
        report.bgp = bgp_section(input);
        report.unread = unread_lines(input, endpoints_in_doubt(input, cluster));
    }
    const std::string page = report_page(report);
    if (!write_page(command.out, page)) {
        fmt::print(stderr, "polecat: {} cannot be written\n", command.out);
        return kBadInput;
    }
    const auto& all = input.diagnostics;
    fmt::print(stderr, "errors: {}, warnings: {}, notes: {} -> {} ({} KB)\n",
               all.count(diag::Severity::Error), all.count(diag::Severity::Warning),
               all.count(diag::Severity::Note), command.out, page.size() / 1024 + 1);
    if (is_unusable(input, false)) // what is broken is on the page
        return kBadInput;
    return lint::fails(config.choice, all) ? kFindings : kGood;
}

} // namespace

void add_report(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<ReportCommand>();
    CLI::App* command = app.add_subcommand(
        "report", "write findings, map, connections and policies as one HTML page");
    command->add_option("PATH", options->paths, kPathsHelp);
    add_input_options(*command, options->input);
    command->add_option("-o,--output", options->out,
                        "the page; polecat-report.html by default, - for standard output");
    command->add_option("--title", options->title, "heading of the page");
    command->add_option("--group-by", options->group_by,
                        "what a box of the map is: workload, namespace, label:KEY or auto");
    command->add_option("--config", options->steering.config,
                        "configuration of lint; else .polecat.yaml of this folder or one above");
    command->add_option("--fail-on", options->steering.fail_on,
                        "exit 1 from this severity on: error, warning (default), note or never");
    command->footer("The page needs no network and no other file. It is written also where the\n"
                    "manifests have errors, and then says what is missing.\n\nExamples:\n"
                    "  polecat report manifests/ -o report.html\n"
                    "  polecat report --fail-on never --title \"Shop, production\" manifests/\n"
                    "  kubectl kustomize . | polecat report - -o report.html");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
