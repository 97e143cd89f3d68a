// polecat bgp accept
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "cli/polecat/bgp/bgp.h"
#include "driver/bgp/accept.h"

namespace polecat::cli {

using namespace driver;

namespace {

using nlohmann::json;
using Way = routing::Acceptance::Way;

struct AcceptOptions : BgpRouteOptions {
    std::string prefix, from;
};

class Accept {
  public:
    explicit Accept(const AcceptOptions& options)
        : options_(options), input_(read_input(options.paths, options.input)),
          routed_(read_routing(input_, options.flags, MeshSessions::LeftOut)) {}

    int run() {
        const auto prefix = net::parse_cidr(options_.prefix, net::CidrForm::OrAddress);
        if (!prefix)
            throw CLI::ValidationError("`" + options_.prefix + "` is no prefix or address");
        if (routed_.nodes.empty())
            return kBadInput;
        prefix_ = *prefix;
        const auto from = value_or_usage(bgp_neighbor(routed_, options_.from));
        std::optional<routing::NodeIndex> node;
        if (!options_.node.empty())
            node = value_or_usage(routed_.node(options_.node));
        rows_ = accept(routed_, prefix_, from, node, options_.trail());
        if (rows_.empty())
            throw CLI::ValidationError(fmt::format(
                "{} has no {} session with {}", node ? "node " + options_.node : "no node",
                net::to_string(prefix_.family()), options_.from));
        options_.format == "json" ? print_json() : print();
        const bool all = std::all_of(rows_.begin(), rows_.end(),
                                     [](const AcceptRow& row) { return row.enters; });
        return all && !routed_.refused ? kGood : kFindings;
    }

  private:
    void print() const {
        fmt::print("{} from {}\n", net::to_string(prefix_), options_.from);
        for (const AcceptRow& row : rows_) {
            const auto& session = row.first.session;
            fmt::print("\n{}, by {}\n",
                       row.nodes.size() == 1
                           ? "node " + row.nodes.front()
                           : fmt::format("{} nodes ({}, ...)", row.nodes.size(), row.nodes.front()),
                       session.kind == routing::SessionKind::Mesh
                           ? "the mesh"
                           : routed_.text_of(session.origin));
            if (!row.assumed.empty())
                fmt::print("  {}\n", row.assumed);
            fmt::print("  {}\n", row.taken);
            print_steps(row.first.taken);
            if (!row.written.empty())
                fmt::print("  {}\n", row.written);
            print_steps(row.first.written);
            if (!row.establishes)
                fmt::print("  but the session will not establish: polecat bgp sessions {}\n",
                           row.nodes.front());
        }
    }

    void print_steps(const routing::RouteVerdict& verdict) const {
        if (options_.explain)
            for (const routing::Step& step : verdict.trail)
                fmt::print("    {} {}\n", step.applied ? ">" : "-", text_of(routed_, step));
    }

    void print_json() const {
        json out{
            {"prefix", net::to_string(prefix_)}, {"from", options_.from}, {"nodes", json::array()}};
        for (const AcceptRow& row : rows_) {
            json item{
                {"nodes", row.nodes},
                {"by", routed_.json_of<json>(row.first.session.origin)},
                {"taken", !row.first.looped && row.first.taken.accepted()},
                {"kernel", row.enters},
                {"establishes", row.establishes},
                {"next_hop", net::to_string(row.first.next_hop)},
                {"device", row.first.way == Way::Tunnel ? json(std::string(routing::kTunnelDevice))
                                                        : json(nullptr)},
                {"reasons", row.written.empty() ? json{row.taken} : json{row.taken, row.written}},
                {"steps", json::array()}};
            for (const auto* verdict : {&row.first.taken, &row.first.written})
                for (const routing::Step& step : verdict->trail)
                    item["steps"].push_back(json_of<json>(routed_, step));
            out["nodes"].push_back(std::move(item));
        }
        fmt::print("{}\n", out.dump(1, ' ', false, json::error_handler_t::replace));
    }

    const AcceptOptions& options_;
    Input input_;
    RoutedInput routed_;
    net::Cidr prefix_;
    std::vector<AcceptRow> rows_;
};

} // namespace

void add_bgp_accept(CLI::App& bgp, int& exit_code) {
    auto options = std::make_shared<AcceptOptions>();
    CLI::App* command = bgp.add_subcommand(
        "accept", "does a prefix from a neighbour enter the kernel, and through which device");
    command->add_option("PREFIX", options->prefix, "a prefix or an address")->required();
    command
        ->add_option("--from", options->from,
                     "the neighbour: an address, a node, a router of the inventory, a BGPPeer")
        ->required();
    add_bgp_route_options(*command, *options, "on this node; otherwise on all that peer with it");
    command->footer("Exit codes: 0 it enters the kernel of all, 1 it does not, or something is "
                    "refused, 2 bad usage or nothing that can be read.\n"
                    "Examples:\n"
                    "  polecat bgp accept 10.42.6.0/26 --from tor-7 -f manifests/\n"
                    "  polecat bgp accept 0.0.0.0/0 --from 10.0.7.1 --node rack7-a -f manifests/ "
                    "--explain");
    command->callback([options, &exit_code] { exit_code = Accept(*options).run(); });
}

} // namespace polecat::cli
