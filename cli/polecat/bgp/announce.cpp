// polecat bgp announce
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analyzer/routing/routes/assumed_blocks.h"
#include "cli/polecat/bgp/bgp.h"
#include "cli/polecat/bgp/ends.h"
#include "cli/polecat/bgp/print.h"

namespace polecat::cli {

using namespace driver;

namespace {

using nlohmann::json;
using routing::Announcement;
using routing::Withheld;

struct AnnounceOptions : BgpRouteOptions {
    std::string target, to;
};

/// Announcements that are alike.
struct AnnounceRow {
    Announcement first;
    std::vector<std::string> nodes; ///< those that were looked at
    std::size_t all_nodes = 0;      ///< with those that are like them
    std::size_t neighbors = 0;      ///< of `nodes`
    std::string text;               ///< what happens, and why
};

class Announce {
  public:
    explicit Announce(const AnnounceOptions& options)
        : options_(options), input_(read_input(options.paths, options.input)),
          routed_(read_routing(input_, options.flags, MeshSessions::LeftOut)) {}

    int run() {
        if (routed_.nodes.empty())
            return kBadInput;
        if (!options_.node.empty())
            node_ = value_or_usage(routed_.node(options_.node));
        if (!options_.to.empty())
            to_ = bgp_neighbor(routed_, options_.to);
        for (const BgpTarget& target : bgp_targets(routed_.input, options_.target))
            answer(target);
        if (options_.format == "json")
            fmt::print("{}\n", out_.dump(1, ' ', false, json::error_handler_t::replace));
        return announced_ && !routed_.refused ? kGood : kFindings;
    }

  private:
    void answer(const BgpTarget& target) {
        assume_block(target);
        routing::Announcements model(routed_.routing, fabric_routers(routed_.input.cluster),
                                     target.prefix.family(), quiet_lowering());
        std::vector<net::Cidr> prefixes{target.prefix};
        if (target.address)
            prefixes = model.holding(target.prefix.base);
        if (prefixes.empty() || (!target.address && model.origins(target.prefix).empty()))
            return nobody(target, model);
        for (const net::Cidr& prefix : prefixes)
            answer(target, prefix, model);
    }

    /// Manifests seldom hold BlockAffinities. Of a pod, or with --node, it is known whose block it
    /// would be.
    void assume_block(const BgpTarget& target) {
        const auto node = !target.node.empty() ? routed_.routing.find(target.node) : node_;
        assumed_.reset();
        if (!node)
            return;
        for (const routing::BgpNode& each : routed_.routing.nodes)
            for (const routing::Block& block : each.blocks)
                if (block.cidr.contains(target.prefix.base))
                    return;
        assumed_ = routing::block_of_pool(routed_.input.cluster, target.prefix.base);
        if (assumed_ && !target.address && assumed_->cidr != target.prefix)
            assumed_.reset();
        if (assumed_)
            routed_.routing.nodes[*node].blocks.push_back(*assumed_);
    }

    static std::string title(const BgpTarget& target) {
        const std::string text =
            target.address ? net::to_string(target.prefix.base) : net::to_string(target.prefix);
        return target.about.empty() ? text : fmt::format("{} ({})", text, target.about);
    }

    void nobody(const BgpTarget& target, const routing::Announcements& model) {
        const auto inside = model.inside(target.prefix);
        const auto block = routing::block_of_pool(routed_.input.cluster, target.prefix.base);
        const std::string hint =
            !inside.empty()
                ? fmt::format("nodes announce {} prefix{} inside it, {} the first", inside.size(),
                              inside.size() == 1 ? "" : "es", net::to_string(inside.front()))
            : block && !target.address && block->cidr != target.prefix
                ? fmt::format("blocks of {} are /{}: ask about {}", routed_.text_of(block->origin),
                              block->cidr.prefix, net::to_string(block->cidr))
            : block ? "the input has no BlockAffinity for it (kubectl get blockaffinities -o "
                      "yaml); --node takes it for a block of that node"
                    : "no block of a node and no announced range of services holds it";
        if (options_.format == "json")
            out_.push_back({{"asked", title(target)},
                            {"prefix", nullptr},
                            {"reason", hint},
                            {"announcements", json::array()}});
        else
            fmt::print("{}: no node originates it\n  {}\n", title(target), hint);
    }

    // --- one prefix ------------------------------------------------------------------------------

    void answer(const BgpTarget& target, const net::Cidr& prefix, routing::Announcements& model) {
        const auto origins = model.origins(prefix);
        auto nodes = model.alike(prefix, to_ ? to_->node : std::nullopt);
        if (node_) {
            const bool own = std::binary_search(origins.begin(), origins.end(), *node_);
            nodes = {{*node_, 1, own}};
        }
        std::vector<AnnounceRow> rows;
        bool known = false, any = false;
        for (const auto& [node, count, own] : nodes)
            for (const Announcement& each : model.of(node, prefix, options_.trail())) {
                known = true;
                if ((to_ && !to_->matches(each.session)) ||
                    (!own && !node_ && !each.announced())) // those that pass nothing on
                    continue;
                any = any || (each.announced() && each.establishes);
                add(each, count, rows);
            }
        announced_ = announced_ || any;
        options_.format == "json" ? push_json(target, prefix, origins, rows)
                                  : print(target, prefix, origins, rows, known);
    }

    void add(const Announcement& each, std::size_t count, std::vector<AnnounceRow>& rows) const {
        std::string text = each.withheld != Withheld::No
                               ? fmt::format("not announced: {}", routing::to_string(each.withheld))
                               : fmt::format("{}: {}",
                                             each.announced() ? "announced"
                                                              : "not "
                                                                "announced",
                                             text_of(routed_, each.verdict.trail.back()));
        const auto alike = [&](const AnnounceRow& row) {
            return row.text == text && row.first.establishes == each.establishes &&
                   row.first.own == each.own && row.first.session.kind == each.session.kind &&
                   (each.session.kind == routing::SessionKind::Mesh ||
                    row.first.session.origin.object == each.session.origin.object);
        };
        auto row = std::find_if(rows.begin(), rows.end(), alike);
        if (row == rows.end() || options_.explain) // with its own steps
            row = rows.insert(rows.end(), {each, {}, 0, 0, std::move(text)});
        const std::string& node = routed_.routing.nodes[each.node].name;
        if (row->nodes.empty() || row->nodes.back() != node) {
            row->nodes.push_back(node);
            row->all_nodes += count;
        }
        ++row->neighbors;
    }

    std::string origin_text(const BgpTarget& target, const net::Cidr& prefix,
                            const std::vector<routing::NodeIndex>& origins) const {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < std::min<std::size_t>(3, origins.size()); ++i)
            names.push_back(routed_.routing.nodes[origins[i]].name);
        std::string out = fmt::format("originated by node{} {}", origins.size() == 1 ? "" : "s",
                                      fmt::join(names, ", "));
        if (origins.size() > names.size())
            out += fmt::format(" and {} more", origins.size() - names.size());
        if (assumed_ && assumed_->cidr == prefix)
            out += " (" + assumed_block_text(routed_, *assumed_) + ")";
        if (target.assumed && prefix == target.prefix)
            out += " (assumed: the input has no EndpointSlice of it, so the pods that it selects "
                   "are taken)";
        return out;
    }

    void print(const BgpTarget& target, const net::Cidr& prefix,
               const std::vector<routing::NodeIndex>& origins, const std::vector<AnnounceRow>& rows,
               bool known) const {
        if (target.address && prefix != target.prefix)
            fmt::print("{} lies in {}, {}\n", title(target), net::to_string(prefix),
                       origin_text(target, prefix, origins));
        else
            fmt::print("{}, {}\n", title(target), origin_text(target, prefix, origins));
        if (rows.empty())
            fmt::print("  {}\n", known ? "no session with such a neighbour"
                                       : "the node has no route to it, or no session");
        for (const AnnounceRow& row : rows)
            print(row);
    }

    void print(const AnnounceRow& row) const {
        const Announcement& each = row.first;
        const std::string who = row.all_nodes == 1 ? "node " + row.nodes.front()
                                                   : fmt::format("{} nodes ({}, ...)",
                                                                 row.all_nodes, row.nodes.front());
        const std::string whom =
            row.neighbors <= row.nodes.size()
                ? each.neighbor
                : fmt::format("{} and {} more", each.neighbor, row.neighbors - row.nodes.size());
        const std::string by = each.session.kind == routing::SessionKind::Mesh
                                   ? "the mesh"
                                   : routed_.text_of(each.session.origin);
        fmt::print("\n{}{} to {}, by {}\n  {}\n", who, each.own ? "" : " (passing it on)", whom, by,
                   row.text);
        if (!each.establishes)
            fmt::print("  but the session will not establish: polecat bgp sessions {}\n",
                       row.nodes.front());
        if (options_.explain)
            for (const routing::Step& step : each.verdict.trail)
                fmt::print("    {} {}\n", step.applied ? ">" : "-", text_of(routed_, step));
    }

    void push_json(const BgpTarget& target, const net::Cidr& prefix,
                   const std::vector<routing::NodeIndex>& origins,
                   const std::vector<AnnounceRow>& rows) {
        json entry{{"asked", title(target)},
                   {"prefix", net::to_string(prefix)},
                   {"assumed", (assumed_ && assumed_->cidr == prefix) ||
                                   (target.assumed && prefix == target.prefix)},
                   {"origins", json::array()},
                   {"announcements", json::array()}};
        for (const routing::NodeIndex each : origins)
            entry["origins"].push_back(routed_.routing.nodes[each].name);
        for (const AnnounceRow& row : rows) {
            const Announcement& each = row.first;
            json item{{"nodes", row.nodes},
                      {"all_nodes", row.all_nodes},
                      {"neighbor", each.neighbor},
                      {"neighbors", row.neighbors},
                      {"by", routed_.json_of<json>(each.session.origin)},
                      {"announced", each.announced()},
                      {"establishes", each.establishes},
                      {"passed_on", !each.own},
                      {"reason", row.text},
                      {"steps", json::array()}};
            for (const routing::Step& step : each.verdict.trail)
                item["steps"].push_back(json_of<json>(routed_, step));
            entry["announcements"].push_back(std::move(item));
        }
        out_.push_back(std::move(entry));
    }

    const AnnounceOptions& options_;
    Input input_;
    RoutedInput routed_;
    std::optional<routing::NodeIndex> node_;
    std::optional<BgpNeighbor> to_;
    std::optional<routing::Block> assumed_;
    json out_ = json::array();
    bool announced_ = false;
};

} // namespace

void add_bgp_announce(CLI::App& bgp, int& exit_code) {
    auto options = std::make_shared<AnnounceOptions>();
    CLI::App* command = bgp.add_subcommand(
        "announce", "is a prefix, pod or service announced, to whom, and which line decides");
    command
        ->add_option("WHAT", options->target,
                     "a prefix, an address, NAMESPACE/NAME of a pod, or service:NAMESPACE/NAME")
        ->required();
    add_bgp_route_options(*command, *options, "what this node announces");
    command->add_option("--to", options->to,
                        "to this neighbour: an address, a node, a router of the inventory, a "
                        "BGPPeer");
    command->footer("Exit codes: 0 somebody is told, 1 nobody is, or something is refused, 2 bad "
                    "usage or nothing that can be read.\n"
                    "Examples:\n"
                    "  polecat bgp announce 10.42.7.0/26 -f manifests/\n"
                    "  polecat bgp announce service:web/shop --to tor-7 -f manifests/ --explain");
    command->callback([options, &exit_code] { exit_code = Announce(*options).run(); });
}

} // namespace polecat::cli
