#include <fmt/format.h>

#include "cli/common/input.h"
#include "cli/polecat/commands.h"
#include "cli/polecat/map_render.h"

namespace polecat::cli {

namespace {

struct MapOptions {
    std::vector<std::string> paths{"."};
    std::string format = "text";
    std::string unknown_address = "depends";
    std::string family = "auto";
    bool expand = false;
};

/// IPv6 is shown where some endpoint has such an address.
bool speaks_v6(const decision::LoweredCluster& cluster) {
    for (const decision::Object& object : cluster.world.objects)
        for (const net::Address& address : object.addresses)
            if (address.family == net::Family::V6)
                return true;
    return false;
}

std::vector<net::Family> families_of(const MapOptions& options,
                                     const decision::LoweredCluster& cluster) {
    if (options.family == "4")
        return {net::Family::V4};
    if (options.family == "6")
        return {net::Family::V6};
    if (speaks_v6(cluster))
        return {net::Family::V4, net::Family::V6};
    return {net::Family::V4};
}

int run(const MapOptions& options) {
    const Input input = read_input(options.paths);
    if (print_errors(input, false))
        return kBadInput;
    diag::Diagnostics diagnostics;
    const auto cluster =
        passes::lower(input.cluster, diagnostics, lower_options(options.unknown_address));
    const decision::Identities identities(cluster);
    for (const net::Family family : families_of(options, cluster)) {
        const analyzer::ConnectivityMap map(cluster, identities, family);
        const MapRows rows = options.expand ? expanded_rows(cluster, map, family)
                                            : grouped_rows(cluster, map, family);
        const auto text = render_map(rows, map, options.format, options.expand);
        if (!text) {
            fmt::print(stderr, "polecat: {}\n", text.error());
            return kBadInput;
        }
        std::fwrite(text->data(), 1, text->size(), stdout);
    }
    if (options.unknown_address == "outside-blocks" && options.format == "text")
        fmt::print("(assumed: a pod without an address lies inside no CIDR)\n");
    return kGood;
}

} // namespace

void add_map(CLI::App& app, int& exit_code) {
    auto options = std::make_shared<MapOptions>();
    CLI::App* command = app.add_subcommand("map", "who may reach whom in the whole cluster");
    command->add_option("PATH", options->paths, "manifests: files, folders, or -");
    command->add_option("--format", options->format, "text, json, csv, md, dot or svg")
        ->check(CLI::IsMember({"text", "json", "csv", "md", "dot", "svg"}));
    command->add_flag("--expand", options->expand, "one row for each pair of ends");
    command->add_option("--family", options->family, "4, 6, or auto: those that are in use")
        ->check(CLI::IsMember({"4", "6", "auto"}));
    add_unknown_address(*command, options->unknown_address);
    command->footer("Examples:\n"
                    "  polecat map manifests/\n"
                    "  polecat map --expand --format csv manifests/ > map.csv\n"
                    "  polecat map --format svg --family 4 manifests/ > map.svg");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
