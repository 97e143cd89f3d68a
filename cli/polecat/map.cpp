#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "cli/polecat/commands.h"
#include "cli/polecat/map/render.h"
#include "cli/polecat/map/sides.h"
#include "driver/input/answer_notes.h"
#include "driver/input/input.h"
#include "driver/input/unread.h"
#include "driver/map/picture.h"
#include "driver/routing/flow_routes.h"
#include "driver/session.h"
#include "support/kept.h"

namespace polecat::cli {

using namespace driver;

using decision::Direction;

namespace {

struct MapOptions {
    std::vector<std::string> paths{"."};
    InputOptions input;
    std::string format = "text";
    std::string unknown_address = "depends";
    std::string family = "auto", group_by = "auto", rows = "auto";
    bool expand = false;
};

std::vector<net::Family> families_of(const MapOptions& options,
                                     const decision::LoweredCluster& cluster) {
    if (options.family == "4")
        return {net::Family::V4};
    if (options.family == "6")
        return {net::Family::V6};
    return families_in_use(cluster);
}

/// With more endpoints than this, text is written by side: pairs would be more than a person or
/// the memory takes.
constexpr std::size_t kPairedEndpoints = 20'000;

bool is_picture(const MapOptions& options) {
    return options.format == "dot" || options.format == "svg";
}

/// What no format shows, or nullopt.
std::optional<std::string> contradiction(const MapOptions& options) {
    if (options.rows == "sides" && options.expand)
        return "--expand shows pairs of ends, --rows sides none; leave one of them out";
    if (options.rows == "sides" && options.format != "text" && options.format != "json")
        return "--rows sides is written as text or json, not " + options.format;
    return std::nullopt;
}

bool by_side(const MapOptions& options, const decision::LoweredCluster& cluster) {
    if (options.rows != "auto" || options.format != "text" || options.expand)
        return options.rows == "sides";
    if (cluster.endpoints.size() <= kPairedEndpoints)
        return false;
    fmt::print(stderr,
               "note: by side, since rows of pairs of {} endpoints are too many; --rows pairs "
               "writes them\n",
               cluster.endpoints.size());
    return true;
}

void render(const MapOptions& options, Session& session, net::Family family, Hanging* hanging,
            const TextSink& sink) {
    const decision::LoweredCluster& cluster = session.cluster();
    const analyzer::ConnectivityMap& map = session.map(family);
    MapRows rows =
        options.expand ? expanded_rows(cluster, map, family) : grouped_rows(cluster, map, family);
    session.routes().mark(rows);
    if (rows.cut)
        fmt::print(stderr, "note: routes were looked for between the first 20,000 pairs of a row; "
                           "there may be more pairs without one\n");
    Hanging here;
    if (hanging != nullptr) {
        here = mark_hanging(cluster, map, rows);
        hanging->some += here.some;
        hanging->all += here.all;
    }
    if (options.format == "json")
        rows.unread = unread_lines(session.input(), here);
    render_map(rows, map, options.format, options.expand, sink);
}

/// What was put together, and why a picture is a table, is said beside the picture as well.
Result<std::string> draw(const MapOptions& options, Session& session, net::Family family,
                         const Grouping& grouping) {
    const backends::Graph graph =
        picture_of(session.cluster(), session.map(family), family, grouping);
    for (const std::string& note : graph.notes)
        fmt::print(stderr, "note: {}\n", note);
    if (options.format == "dot")
        return backends::to_dot(graph);
    if (backends::drawing_of(graph) == backends::Drawing::Table)
        fmt::print(stderr, "note: a table, since more than {} arrows or boxes are hard to follow\n",
                   backends::kMostArrows);
    return backends::to_svg(graph);
}

void write(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
}

/// What a reader has to know beside it. A picture says it itself.
void print_footnotes(const MapOptions& options, const decision::LoweredCluster& cluster) {
    const bool is_prose = options.format == "text" || options.format == "md";
    const char* line = options.format == "md" ? "\n({})\n" : "({})\n";
    if (options.format == "text" && options.unknown_address == "outside-blocks")
        fmt::print("(assumed: a pod without an address lies inside no CIDR)\n");
    if (!is_prose || (options.format == "md" && cluster.endpoints.empty()))
        return tell_notes(cluster);
    for (const std::string& note : answer_notes(cluster))
        fmt::print(fmt::runtime(line), note);
}

/// An SVG file holds one picture.
std::vector<net::Family> first_of(std::vector<net::Family> families) {
    if (families.size() > 1)
        fmt::print(stderr, "note: the picture shows IPv4; --family 6 draws the other\n");
    families.resize(1);
    return families;
}

int run(const MapOptions& options) {
    if (const auto problem = contradiction(options)) {
        fmt::print(stderr, "polecat: {}\n", *problem);
        return kBadInput;
    }
    const bool picture = is_picture(options);
    const auto grouping = grouping_named(options.group_by);
    if (!grouping) {
        fmt::print(stderr, "polecat: {}\n", grouping.error());
        return kBadInput;
    }
    Input& input = kept(read_input(options.paths, options.input));
    if (is_unusable(input))
        return kBadInput;
    Session& session =
        *kept(std::make_unique<Session>(input, lower_options(options.unknown_address)));
    const decision::LoweredCluster& cluster = session.cluster();
    if (picture && options.expand)
        fmt::print(stderr,
                   "note: --expand is for rows; --group-by workload is the finest picture\n");
    if (picture && session.routes().are_known())
        fmt::print(stderr, "note: the picture shows what policy allows; rows (--format text) say "
                           "where no route carries it\n");
    const auto families = families_of(options, cluster);
    const bool sides = !picture && by_side(options, cluster);
    const bool by_rows = is_partly_unread(input) && !picture && !sides;
    Hanging hanging;
    std::string held_back; // what was not read is told first
    if (!by_rows)
        tell_unread(input, endpoints_in_doubt(input, cluster));
    for (const net::Family family : picture ? first_of(families) : families) {
        if (sides) {
            write(render_sides(cluster, analyzer::Sides(cluster, session.identities(), family),
                               family, options.format,
                               unread_lines(input, endpoints_in_doubt(input, cluster))));
            continue;
        }
        if (!picture) {
            render(
                options, session, family, by_rows ? &hanging : nullptr,
                [&](const std::string& text) { by_rows ? void(held_back += text) : write(text); });
            continue;
        }
        const auto text = draw(options, session, family, *grouping);
        if (!text) {
            fmt::print(stderr, "polecat: {}\n", text.error());
            return kBadInput;
        }
        write(*text);
    }
    if (by_rows)
        tell_unread(input, hanging);
    write(held_back);
    if (!picture)
        print_footnotes(options, cluster);
    return kGood;
}

} // namespace

void add_map(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<MapOptions>();
    CLI::App* command = app.add_subcommand("map", "who may reach whom in the whole cluster");
    command->add_option("PATH", options->paths, kPathsHelp);
    add_input_options(*command, options->input);
    command->add_option("--format", options->format, "text, json, csv, md, dot or svg")
        ->check(CLI::IsMember({"text", "json", "csv", "md", "dot", "svg"}));
    command->add_flag("--expand", options->expand, "one row for each pair of ends");
    command
        ->add_option("--rows", options->rows,
                     "pairs: who reaches whom; sides: what each end sends and accepts, which stays "
                     "small in large clusters; auto: sides as text of more than 20,000 endpoints")
        ->check(CLI::IsMember({"pairs", "sides", "auto"}));
    command->add_option("--group-by", options->group_by,
                        "what a box of a picture is: workload, namespace, label:KEY, or auto: by "
                        "namespace where there are more than 200 groups of workloads");
    command->add_option("--family", options->family, "4, 6, or auto: those that are in use")
        ->check(CLI::IsMember({"4", "6", "auto"}));
    add_unknown_address(*command, options->unknown_address);
    command->footer("Examples:\n"
                    "  polecat map manifests/\n"
                    "  polecat map --expand --format csv manifests/ > map.csv\n"
                    "  polecat map --format svg manifests/ > map.svg\n"
                    "  polecat map --format svg --group-by label:tier manifests/ > map.svg");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
