#include "driver/compile/compilation.h"

#include <stdexcept>

#include <fmt/format.h>

#include "driver/compile/digests.h"
#include "driver/compile/folder.h"
#include "driver/input/input.h"
#include "support/listed.h"

namespace polecat::driver {

namespace {

/// What someone must know who loads the file by hand.
std::string load_ruleset(const backends::NodeImage& image) {
    return fmt::format(
        "# nft -D generation={:#010x} -f ruleset.nft, after nft -f ../../generations.nft; with "
        "every\n# other policy the next number ({:#010x}, ...). docs/nftables.md says why.\n",
        backends::Generation{1}.bits(image.flow_mark_bit),
        backends::Generation{2}.bits(image.flow_mark_bit));
}
const char* const kLoadFilters =
    "# ipset restore -file sets.ipset, then sed s/@G@/001/ rules.v4 | iptables-restore --noflush "
    "and\n"
    "# the same of rules.v6; once after a start of the node then iptables-restore --noflush\n"
    "# ../../hooks.iptables and ip6tables-restore the same, else no packet meets these rules;\n"
    "# with every other policy the next number (002, ... fff). docs/iptables.md says why.\n";

const char* const kLoadAroundTables = "# `polecat load` brings a node to tables.bpf and these; "
                                      "they ask programs that it pins first.\n"
                                      "# docs/bpf.md says how.\n";

const char* const kLoadHostHooks =
    "# After hooks.iptables, once after a start of the node. Where the node had no such file "
    "before:\n"
    "# rules.v4 and rules.v6 again after it, with the next number.\n";

template <class Rules> Rules rules_or_throw(Result<Rules> made, const std::string& node) {
    if (!made)
        throw std::runtime_error(
            "node " + node + ": what was compiled does not read back as the same policy (" +
            made.error() + "); nothing was written. This is a fault of polecat");
    return *std::move(made);
}

std::map<std::string, std::string> filter_files(const iptables::CompiledRules& rules,
                                                const char* how_to_load) {
    std::map<std::string, std::string> out{{"sets.ipset", rules.sets},
                                           {"rules.v4", how_to_load + rules.v4},
                                           {"rules.v6", how_to_load + rules.v6}};
    if (!rules.host_hooks.empty())
        out[kHostHooksFile] = kLoadHostHooks + rules.host_hooks;
    return out;
}

NodeFiles with_digests(const std::string& node, NodeFiles files) {
    files.texts[kDigestsFile] = digests_of(node, files.texts);
    return files;
}

} // namespace

std::string NodeFiles::summary() const {
    return fmt::format("{}, {}{}", counted(programs, "program"),
                       sets ? counted(*sets, "set") + ", " : "",
                       counted(addresses, "local address"));
}

Compilation::Compilation(const decision::LoweredCluster& cluster, const Sources& sources,
                         backends::Numbers base, const backends::NodeOptions& options)
    : cluster_(cluster), sources_(sources), identities_(std::in_place, cluster),
      images_(cluster, *identities_, std::move(base), options) {}

Compilation::Compilation(const decision::LoweredCluster& cluster, const Sources& sources,
                         backends::IdentityNumbers numbers, backends::OwnSides own,
                         backends::Numbers base, const backends::NodeOptions& options)
    : cluster_(cluster), sources_(sources),
      images_(cluster, std::move(numbers), std::move(own), std::move(base), options) {}

std::set<std::string> Compilation::nodes() const {
    std::set<std::string> out;
    for (const decision::Endpoint& endpoint : cluster_.endpoints)
        if (!endpoint.node.empty())
            out.insert(endpoint.node);
    return out;
}

void report_unplaced(const decision::LoweredCluster& cluster, diag::Diagnostics& diagnostics) {
    for (const decision::Endpoint& endpoint : cluster.endpoints) {
        const decision::Object& object = cluster.world.object(endpoint.object);
        if (endpoint.node.empty() && !endpoint.host_network && !endpoint.is_host_endpoint)
            diagnostics.report(diag::Code::EndpointNotPlaced, object.span, {object.name, "node"});
    }
}

std::optional<backends::NodeImage> Compilation::image(const std::string& node,
                                                      diag::Diagnostics& diagnostics) {
    return images_.of(node, diagnostics);
}

iptables::FilterImages& Compilation::filters() {
    if (!filters_)
        filters_.emplace(cluster_, images_);
    return *filters_;
}

std::optional<iptables::FilterImage> Compilation::filter_image(const std::string& node,
                                                               diag::Diagnostics& diagnostics) {
    return filters().of(node, diagnostics);
}

std::optional<bpf::Node> Compilation::bpf_node(const std::string& node,
                                               const backends::NodeImage& image,
                                               diag::Diagnostics& diagnostics) {
    return bpf::node_of(node, image, filters(), diagnostics);
}

backends::CompiledRules Compilation::rules(const std::string& node,
                                           const backends::NodeImage& image) {
    return rules_or_throw(backends::compile(image), node);
}

NodeFiles Compilation::files(const std::string& node, const backends::NodeImage& image) {
    return with_digests(node,
                        {{{"ruleset.nft", load_ruleset(image) + rules(node, image).text},
                          {"origins.json", origins_json(cluster_, images_, image, node, sources_)}},
                         image.programs.size(),
                         image.dispatch.size(),
                         {}});
}

NodeFiles Compilation::files(const std::string& node, const iptables::FilterImage& image) {
    const iptables::CompiledRules rules = rules_or_throw(iptables::compile(image), node);
    return with_digests(node, {filter_files(rules, kLoadFilters), image.programs.size(),
                               image.pods.size(), image.sets.size()});
}

std::optional<NodeFiles> Compilation::table_files(const std::string& node,
                                                  const backends::NodeImage& image,
                                                  diag::Diagnostics& diagnostics) {
    const auto made = bpf_node(node, image, diagnostics);
    const auto tables = made ? bpf::emit(made->image, node, diagnostics) : std::nullopt;
    if (!tables)
        return std::nullopt;
    const bpf::CompiledTables written = rules_or_throw(bpf::compile(*tables, *made), node);
    NodeFiles out{filter_files(written.rules, kLoadAroundTables),
                  made->image.programs.size() + made->host.programs.size(),
                  made->image.dispatch.size(),
                  {}};
    out.texts[kTablesFile] = written.tables;
    out.texts["origins.json"] = origins_json(cluster_, images_, made->image, node, sources_);
    return with_digests(node, std::move(out));
}

Origins Compilation::origins(const std::string& node, const backends::NodeImage& image) {
    const auto out = parse_origins(origins_json(cluster_, images_, image, node, sources_));
    return out ? *out : Origins{};
}

backends::Numbers Compilation::all_numbers() {
    for (const decision::Endpoint& each : cluster_.endpoints)
        if (!each.node.empty() && !each.host_network)
            for (const auto& [key, program] : cluster_.groups[each.group.value].programs)
                program_name(program.program);
    return numbers();
}

std::string Compilation::name_at(const net::Address& address) const {
    const auto held = decision::end_of(cluster_.world, address).objects;
    return held.empty() ? "" : name_of(cluster_, held.front());
}

} // namespace polecat::driver
