// polecat bgp sessions
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analyzer/routing/sessions/sessions.h"
#include "cli/polecat/bgp/bgp.h"
#include "driver/bgp/picture.h"
#include "driver/bgp/session_text.h"
#include "driver/input/unread.h"
#include "support/json_text.h"
#include "support/listed.h"

namespace polecat::cli {

using namespace driver;

namespace {

using nlohmann::json;
using routing::SessionFault;
using routing::SessionGroup;

/// More faults or groups than this are left to --format json.
constexpr std::size_t kMostShown = 50;

struct SessionsOptions : BgpOptions {
    std::string node;
};

class SessionsPrinter {
  public:
    SessionsPrinter(const RoutedInput& routed, const routing::SessionReport& report, bool one_node)
        : routed_(routed), report_(report), one_node_(one_node) {}

    void text() const {
        fmt::print("{}, {} that will not establish\n", counted(report_.sessions, "session"),
                   report_.broken);
        print_all(by_certainty(report_.faults));
        print_all(report_.groups);
        if (const MeshAdvice advice = advice_on(report_.mesh); !advice.why.empty())
            fmt::print("\nadvice: {}\n  {}\n", advice.why, advice.how);
    }

    json as_json() const {
        json out{{"sessions", report_.sessions},
                 {"broken", report_.broken},
                 {"groups", json::array()},
                 {"faults", json::array()}};
        for (const SessionGroup& group : report_.groups)
            out["groups"].push_back(to_json(group));
        for (const SessionFault& fault : report_.faults)
            out["faults"].push_back(to_json(fault));
        if (const routing::MeshSize& mesh = report_.mesh; mesh.nodes != 0) {
            out["mesh"] = {{"family", net::to_string(mesh.family)},
                           {"nodes", mesh.nodes},
                           {"sessions", mesh.sessions}};
            if (mesh.advises_reflectors())
                out["mesh"]["with_reflectors"] = mesh.with_reflectors();
        }
        return out;
    }

  private:
    template <class Item> void print_all(const std::vector<Item>& list) const {
        for (std::size_t i = 0; i < std::min(kMostShown, list.size()); ++i)
            print(list[i]);
        if (list.size() > kMostShown)
            fmt::print("\nand {} more; --format json has all\n", list.size() - kMostShown);
    }

    void print(const SessionGroup& group) const {
        const SessionText text = describe(routed_, group, one_node_);
        fmt::print("\n{}\n  {} with {}, {}: {}\n", text.by, text.who, text.with,
                   net::to_string(group.family), text.what);
        if (!text.takes.empty())
            fmt::print("  takes routes by BGPFilter {}\n", text.takes);
        if (!text.gives.empty())
            fmt::print("  gives routes by BGPFilter {}\n", text.gives);
    }

    void print(const SessionFault& fault) const {
        const FaultText text = describe(routed_, fault);
        fmt::print("\n{}: node {}\n  {}\n  here:  {}\n", text.what, text.ends, text.reason,
                   text.here);
        if (!text.there.empty())
            fmt::print("  there: {}\n", text.there);
    }

    json to_json(const SessionFault& fault) const {
        return {{"kind", routing::to_string(fault.kind)},
                {"certain", fault.certain},
                {"node", fault.node},
                {"neighbor", fault.neighbor},
                {"sessions", fault.sessions},
                {"reason", fault.reason},
                {"here", routed_.json_of<json>(fault.here)},
                {"there", routed_.json_of<json>(fault.there)}};
    }

    json to_json(const SessionGroup& group) const {
        json out{{"kind", routing::to_string(group.kind)},
                 {"family", net::to_string(group.family)},
                 {"peers_back", group.implied},
                 {"local_as", group.local_as},
                 {"neighbor_as", group.neighbor_as},
                 {"as_pairs", group.as_pairs},
                 {"type", group.is_internal() ? "iBGP" : "eBGP"},
                 {"broken", group.dead},
                 {"to_reflector", group.to_reflector},
                 {"import_filters", group.import_filters},
                 {"export_filters", group.export_filters},
                 {"password", group.password},
                 {"ends", group.ends},
                 {"passive", group.passive},
                 {"hidden", group.hidden},
                 {"nodes", group.nodes},
                 {"neighbors", group.neighbors},
                 {"node", group.node},
                 {"neighbor", group.neighbor},
                 {"by", routed_.json_of<json>(group.origin)}};
        if (group.reflector_cluster)
            out["reflector_cluster"] = net::to_string(*group.reflector_cluster);
        if (group.ttl_security_hops)
            out["ttl_security"] = *group.ttl_security_hops;
        return out;
    }

    const RoutedInput& routed_;
    const routing::SessionReport& report_;
    const bool one_node_;
};

int run(const SessionsOptions& options) {
    Input input = read_input(options.paths, options.input);
    const RoutedInput routed = read_routing(input, options.flags, MeshSessions::LeftOut);
    if (routed.nodes.empty())
        return kBadInput;
    std::optional<routing::NodeIndex> only;
    if (!options.node.empty())
        only = value_or_usage(routed.node(options.node));
    const auto report = routing::sessions(routed.input.cluster, routed.routing, routed.nodes, only);
    if (only && options.format == "svg")
        throw CLI::ValidationError("--format svg draws all nodes; leave NODE out");
    const SessionsPrinter printer(routed, report, only.has_value());
    if (options.format == "json")
        fmt::print("{}", json_text(printer.as_json()));
    else if (options.format == "svg")
        fmt::print("{}", backends::to_svg(fabric_picture(routed, report)));
    else
        printer.text();
    return routed.refused || report.broken != 0 ? kFindings : kGood;
}

} // namespace

void add_bgp_sessions(CLI::App& bgp, int& exit_code) {
    auto options = std::make_shared<SessionsOptions>();
    CLI::App* command = bgp.add_subcommand(
        "sessions", "who peers with whom, and which sessions will not establish, and why");
    command->add_option("NODE", options->node, "the sessions of this node, each by itself");
    add_bgp_options(*command, *options, {"text", "json", "svg"});
    command->footer("Exit codes: 0 all can establish, 1 some will not, or something is refused, 2 "
                    "nothing that can be read.\n"
                    "Examples:\n"
                    "  polecat bgp sessions -f manifests/\n"
                    "  polecat bgp sessions rack7-a -f manifests/ --format json\n"
                    "  polecat bgp sessions -f manifests/ --format svg > fabric.svg");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
