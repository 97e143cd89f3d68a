// polecat bgp announce
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/polecat/bgp/bgp.h"
#include "driver/bgp/announce.h"
#include "driver/bgp/session_text.h"

namespace polecat::cli {

using namespace driver;

namespace {

using nlohmann::json;

struct AnnounceOptions : BgpRouteOptions {
    std::string target, to;
};

class Announce {
  public:
    explicit Announce(const AnnounceOptions& options)
        : options_(options), input_(read_input(options.paths, options.input)),
          routed_(read_routing(input_, options.flags, MeshSessions::LeftOut)) {}

    int run() {
        if (routed_.nodes.empty())
            return kBadInput;
        std::optional<routing::NodeIndex> node;
        if (!options_.node.empty())
            node = value_or_usage(routed_.node(options_.node));
        std::optional<BgpNeighbor> to;
        if (!options_.to.empty())
            to = value_or_usage(bgp_neighbor(routed_, options_.to));
        bool announced = false;
        json out = json::array();
        for (const BgpTarget& target :
             value_or_usage(bgp_targets(routed_.input, options_.target))) {
            const AnnounceAnswer answer = announce(routed_, target, to, node, options_.trail());
            announced = announced || answer.announced;
            options_.format == "json" ? push_json(answer, out) : print(answer);
        }
        if (options_.format == "json")
            fmt::print("{}\n", out.dump(1, ' ', false, json::error_handler_t::replace));
        return announced && !routed_.refused ? kGood : kFindings;
    }

  private:
    std::string origin_text(const AnnouncedPrefix& of) const {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < std::min<std::size_t>(3, of.origins.size()); ++i)
            names.push_back(routed_.routing.nodes[of.origins[i]].name);
        std::string out = fmt::format("originated by node{} {}", of.origins.size() == 1 ? "" : "s",
                                      fmt::join(names, ", "));
        if (of.origins.size() > names.size())
            out += fmt::format(" and {} more", of.origins.size() - names.size());
        if (of.block)
            out += " (" + assumed_block_text(routed_, *of.block) + ")";
        if (of.assumed_service)
            out += " (assumed: the input has no EndpointSlice of it, so the pods that it selects "
                   "are taken)";
        return out;
    }

    void print(const AnnounceAnswer& answer) const {
        const BgpTarget& target = answer.target;
        if (answer.prefixes.empty())
            fmt::print("{}: no node originates it\n  {}\n", answer.title(), answer.hint);
        for (const AnnouncedPrefix& each : answer.prefixes) {
            if (target.address && each.prefix != target.prefix)
                fmt::print("{} lies in {}, {}\n", answer.title(), net::to_string(each.prefix),
                           origin_text(each));
            else
                fmt::print("{}, {}\n", answer.title(), origin_text(each));
            if (each.rows.empty())
                fmt::print("  {}\n", each.known ? "no session with such a neighbour"
                                                : "the node has no route to it, or no session");
            for (const AnnounceRow& row : each.rows)
                print(row);
        }
    }

    void print(const AnnounceRow& row) const {
        const routing::Announcement& each = row.first;
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

    void push_json(const AnnounceAnswer& answer, json& out) const {
        if (answer.prefixes.empty())
            out.push_back({{"asked", answer.title()},
                           {"prefix", nullptr},
                           {"reason", answer.hint},
                           {"announcements", json::array()}});
        for (const AnnouncedPrefix& of : answer.prefixes) {
            json entry{{"asked", answer.title()},
                       {"prefix", net::to_string(of.prefix)},
                       {"assumed", of.block.has_value() || of.assumed_service},
                       {"origins", json::array()},
                       {"announcements", json::array()}};
            for (const routing::NodeIndex each : of.origins)
                entry["origins"].push_back(routed_.routing.nodes[each].name);
            for (const AnnounceRow& row : of.rows)
                entry["announcements"].push_back(row_json(row));
            out.push_back(std::move(entry));
        }
    }

    json row_json(const AnnounceRow& row) const {
        const routing::Announcement& each = row.first;
        json out{{"nodes", row.nodes},
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
            out["steps"].push_back(json_of<json>(routed_, step));
        return out;
    }

    const AnnounceOptions& options_;
    Input input_;
    RoutedInput routed_;
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
