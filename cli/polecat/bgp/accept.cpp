// polecat bgp accept
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analyzer/routing/propagation/acceptance.h"
#include "analyzer/routing/routes/assumed_blocks.h"
#include "cli/polecat/bgp/bgp.h"
#include "cli/polecat/bgp/ends.h"
#include "cli/polecat/bgp/print.h"

namespace polecat::cli {

using namespace driver;

namespace {

using nlohmann::json;
using routing::Acceptance;
using Way = Acceptance::Way;

struct AcceptOptions : BgpRouteOptions {
    std::string prefix, from;
};

/// Nodes that do the same.
struct AcceptRow {
    Acceptance first;
    std::vector<std::string> nodes;
    std::string assumed;        ///< empty: nothing
    std::string taken, written; ///< what happens, and why
    bool establishes = true;    ///< the session; without one nothing enters
    bool enters = false;
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
        from_ = bgp_neighbor(routed_, options_.from);
        if (!options_.node.empty())
            node_ = value_or_usage(routed_.node(options_.node));
        ask();
        if (rows_.empty())
            throw CLI::ValidationError(fmt::format(
                "{} has no {} session with {}", node_ ? "node " + options_.node : "no node",
                net::to_string(prefix_.family()), options_.from));
        options_.format == "json" ? print_json() : print();
        const bool all = std::all_of(rows_.begin(), rows_.end(),
                                     [](const AcceptRow& row) { return row.enters; });
        return all && !routed_.refused ? kGood : kFindings;
    }

  private:
    void ask() {
        if (from_.node)
            assume_block();
        const routing::LowerNode lower = quiet_lowering();
        routing::Announcements model(routed_.routing, fabric_routers(routed_.input.cluster),
                                     prefix_.family(), lower);
        if (from_.node)
            sent_by_node(model);
        routing::ClusterRouting bare = routed_.routing; // one session of the mesh is enough
        bare.mesh = false;
        for (routing::NodeIndex i = 0; i < bare.nodes.size(); ++i) {
            if ((node_ && i != *node_) || i == from_.node)
                continue;
            const auto form = lower(bare, i);
            const auto session = form ? session_of(i, *form) : std::nullopt;
            if (!session)
                continue;
            const auto sent = sent_.find(*form->of(prefix_.family()).address);
            add(routing::accept(routed_.routing, i, *form, *session,
                                sent != sent_.end() ? sent->second
                                                    : routing::told_by(*session, prefix_),
                                options_.trail()),
                model.establishes(i, *form, *session));
        }
    }

    /// Two nodes have one session: the first in BIRD's order.
    std::optional<routing::Session> session_of(routing::NodeIndex index,
                                               const routing::NodeRouting& form) const {
        const net::Family family = prefix_.family();
        std::optional<routing::Session> out;
        for (const routing::Session& each : form.of(family).sessions)
            if (from_.matches(each) && (!out || each.kind < out->kind))
                out = each;
        if (!routed_.routing.mesh || !from_.node)
            return out;
        const routing::BgpNode &here = routed_.routing.nodes[index],
                               &there = routed_.routing.nodes[*from_.node];
        if (here.of(family) && there.of(family) && !here.cluster_id && !there.cluster_id &&
            (!out || routing::SessionKind::Mesh < out->kind))
            out = routing::mesh_session(routed_.routing, here, there, family);
        return out;
    }

    /// As everywhere, a pod of the neighbour stands for a block of its pool.
    void assume_block() {
        routing::ClusterRouting with = routed_.routing;
        routing::assume_blocks(routed_.input.cluster, with);
        auto& known = routed_.routing.nodes[*from_.node].blocks;
        const auto& all = with.nodes[*from_.node].blocks;
        for (std::size_t i = known.size(); i < all.size() && !assumed_; ++i)
            if (all[i].cidr == prefix_)
                assumed_ = all[i];
        if (assumed_)
            known.push_back(*assumed_);
    }

    /// A node of the cluster says what its own filters make of the prefix.
    void sent_by_node(routing::Announcements& model) {
        for (const auto& each : model.of(*from_.node, prefix_, routing::Trail::Applied)) {
            has_route_ = true;
            if (each.announced())
                sent_.emplace(each.session.neighbor, each.sent);
        }
    }

    /// What is not so, and asked about all the same.
    std::string assumption(const Acceptance& each) const {
        const auto& address = routed_.routing.nodes[each.node].of(prefix_.family());
        if (from_.node && assumed_ && sent_.contains(address->address))
            return assumed_block_text(routed_, *assumed_);
        if (!from_.node || sent_.contains(address->address))
            return "";
        return fmt::format("node {} {}; asked all the same",
                           routed_.routing.nodes[*from_.node].name,
                           has_route_ ? "does not announce it here" : "has no route to it");
    }

    static std::string decided(const routing::RouteVerdict& verdict, const RoutedInput& routed) {
        return verdict.trail.empty() ? "nothing rejects it" : text_of(routed, verdict.trail.back());
    }

    void add(Acceptance each, bool establishes) {
        AcceptRow row;
        row.establishes = establishes;
        row.assumed = assumption(each);
        row.taken = each.looped
                        ? "not taken: the path has the node's own AS number "
                          "(numAllowedLocalASNumbers)"
                        : fmt::format("{}: {}", each.taken.accepted() ? "taken" : "not taken",
                                      decided(each.taken, routed_));
        row.enters = establishes && (each.way == Way::Tunnel || each.way == Way::Link ||
                                     each.way == Way::Recursive);
        if (!each.looped && each.taken.accepted())
            row.written = written(each);
        const std::string node = routed_.routing.nodes[each.node].name;
        const auto same = std::find_if(rows_.begin(), rows_.end(), [&](const AcceptRow& other) {
            return !options_.explain && other.assumed == row.assumed && other.taken == row.taken &&
                   other.written == row.written && other.establishes == row.establishes &&
                   other.first.session.kind == each.session.kind &&
                   (each.session.kind == routing::SessionKind::Mesh ||
                    other.first.session.origin.object == each.session.origin.object);
        });
        if (same != rows_.end())
            return same->nodes.push_back(node);
        row.first = std::move(each);
        row.nodes.push_back(node);
        rows_.push_back(std::move(row));
    }

    std::string written(const Acceptance& each) const {
        const std::string hop = net::to_string(each.next_hop);
        switch (each.way) {
        case Way::Own:
            return "not into the kernel: the node has the prefix itself, which comes first";
        case Way::None:
            return "not into the kernel: " + decided(each.written, routed_);
        case Way::Tunnel:
            return fmt::format("into the kernel through {} to {}: {}", routing::kTunnelDevice, hop,
                               decided(each.written, routed_));
        case Way::Link:
            return fmt::format("into the kernel through the device of the node's own network, to "
                               "{}: {}",
                               hop, decided(each.written, routed_));
        case Way::Recursive:
            return fmt::format("into the kernel through the device that leads to {}, outside of "
                               "the node's own network: {}",
                               hop, decided(each.written, routed_));
        }
        return "";
    }

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
    BgpNeighbor from_;
    std::optional<routing::NodeIndex> node_;
    std::map<net::Address, routing::Route> sent_; ///< by whom they are sent to
    bool has_route_ = false;                      ///< the node that is asked about
    std::optional<routing::Block> assumed_;       ///< of the node that is asked about
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
