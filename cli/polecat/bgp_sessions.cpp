// polecat bgp sessions
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "analyzer/routing/sessions.h"
#include "cli/polecat/bgp.h"

namespace polecat::cli {

namespace {

using analyzer::SessionFault;
using analyzer::SessionGroup;
using nlohmann::json;

struct SessionsOptions : BgpOptions {
    std::string node;
};

class SessionsPrinter {
  public:
    SessionsPrinter(const RoutedInput& routed, const analyzer::SessionReport& report, bool one_node)
        : routed_(routed), report_(report), one_node_(one_node) {}

    void text() const {
        fmt::print("{} session{}, {} that will not establish\n", report_.sessions,
                   report_.sessions == 1 ? "" : "s", broken());
        for (const SessionGroup& group : report_.groups)
            print(group);
        for (const SessionFault& fault : report_.faults)
            print(fault);
        if (report_.advises_reflectors())
            fmt::print("\nadvice: the mesh joins {} nodes by {} sessions; three route reflectors "
                       "need {}\n",
                       report_.mesh_nodes, report_.mesh_sessions, report_.with_reflectors());
    }

    void as_json() const {
        json out{{"sessions", report_.sessions},
                 {"broken", broken()},
                 {"groups", json::array()},
                 {"faults", json::array()}};
        for (const SessionGroup& group : report_.groups)
            out["groups"].push_back(to_json(group));
        for (const SessionFault& fault : report_.faults)
            out["faults"].push_back({{"kind", analyzer::to_string(fault.kind)},
                                     {"node", fault.node},
                                     {"neighbor", fault.neighbor},
                                     {"sessions", fault.sessions},
                                     {"reason", fault.reason},
                                     {"here", to_json(fault.here)},
                                     {"there", to_json(fault.there)}});
        if (report_.mesh_nodes != 0)
            out["mesh"] = {{"nodes", report_.mesh_nodes}, {"sessions", report_.mesh_sessions}};
        if (report_.advises_reflectors())
            out["mesh"]["with_three_reflectors"] = report_.with_reflectors();
        fmt::print("{}\n", out.dump(1, ' ', false, json::error_handler_t::replace));
    }

  private:
    std::uint64_t broken() const {
        std::uint64_t out = 0;
        for (const SessionFault& fault : report_.faults)
            out += fault.sessions;
        return std::min(out, report_.sessions); // one may have two faults
    }

    static std::string role_of(const SessionGroup& group) {
        if (group.reflector_cluster)
            return fmt::format(", reflects for them (cluster {})",
                               net::to_string(*group.reflector_cluster));
        return group.to_reflector ? ", with a route reflector" : "";
    }

    static std::string passive_of(const SessionGroup& group) {
        if (group.passive == 0)
            return "";
        return group.passive == group.sessions
                   ? ", the neighbour calls"
                   : fmt::format(", in {} the neighbour calls", group.passive);
    }

    void print(const SessionGroup& group) const {
        fmt::print("\n{} {} {}, AS {} with AS {} ({}){}{}{}{}\n",
                   one_node_ ? group.neighbor : fmt::format("{} nodes", group.nodes),
                   routing::to_string(group.kind), net::to_string(group.family), group.local_as,
                   group.neighbor_as, group.is_internal() ? "iBGP" : "eBGP", role_of(group),
                   passive_of(group),
                   group.ttl_security_hops
                       ? fmt::format(", TTL checked ({} hops)", *group.ttl_security_hops)
                       : "",
                   group.password ? ", password" : "");
        if (!one_node_)
            fmt::print("  {} with {}{}\n", group.node, group.neighbor,
                       group.sessions > 1 ? fmt::format(" and {} more ends", group.sessions - 1)
                                          : "");
        if (!group.import_filters.empty())
            fmt::print("  takes routes by {}\n", fmt::join(group.import_filters, ", "));
        if (!group.export_filters.empty())
            fmt::print("  gives routes by {}\n", fmt::join(group.export_filters, ", "));
        fmt::print("  {}by {}\n", group.implied ? "peers back, " : "",
                   routed_.text_of(group.origin));
    }

    void print(const SessionFault& fault) const {
        fmt::print("\nwill not establish: node {} with {}{}: {}\n  {}\n", fault.node,
                   fault.neighbor,
                   fault.sessions > 1 ? fmt::format(" and {} more", fault.sessions - 1) : "",
                   fault.reason, routed_.text_of(fault.here));
        fmt::print("  {}\n", routed_.text_of(fault.there));
    }

    json to_json(const routing::Origin& origin) const {
        if (origin.object.empty())
            return nullptr;
        json out{{"object", origin.object}};
        if (origin.span.known())
            out["at"] = routed_.input.sources.describe(origin.span);
        return out;
    }

    json to_json(const SessionGroup& group) const {
        json out{{"kind", routing::to_string(group.kind)},
                 {"family", net::to_string(group.family)},
                 {"peers_back", group.implied},
                 {"local_as", group.local_as},
                 {"neighbor_as", group.neighbor_as},
                 {"type", group.is_internal() ? "iBGP" : "eBGP"},
                 {"to_reflector", group.to_reflector},
                 {"import_filters", group.import_filters},
                 {"export_filters", group.export_filters},
                 {"password", group.password},
                 {"ends", group.sessions},
                 {"passive", group.passive},
                 {"nodes", group.nodes},
                 {"node", group.node},
                 {"neighbor", group.neighbor},
                 {"by", to_json(group.origin)}};
        if (group.reflector_cluster)
            out["reflector_cluster"] = net::to_string(*group.reflector_cluster);
        if (group.ttl_security_hops)
            out["ttl_security"] = *group.ttl_security_hops;
        return out;
    }

    const RoutedInput& routed_;
    const analyzer::SessionReport& report_;
    const bool one_node_;
};

int run(const SessionsOptions& options) {
    const RoutedInput routed = read_routing(options, false);
    if (routed.nodes.empty())
        return kBadInput;
    std::optional<routing::NodeIndex> only;
    if (!options.node.empty())
        only = routed.node(options.node);
    const auto report =
        analyzer::sessions(routed.input.cluster, routed.routing, routed.nodes, only);
    const SessionsPrinter printer(routed, report, only.has_value());
    options.format == "json" ? printer.as_json() : printer.text();
    return routed.refused || routed.input.diagnostics.has_errors() || !report.faults.empty()
               ? kFindings
               : kGood;
}

} // namespace

void add_bgp_sessions(CLI::App& bgp, int& exit_code) {
    auto options = std::make_shared<SessionsOptions>();
    CLI::App* command = bgp.add_subcommand(
        "sessions", "who peers with whom, and which sessions will not establish, and why");
    command->add_option("NODE", options->node, "the sessions of this node, each by itself");
    add_bgp_options(*command, *options);
    command->footer("Exit codes: 0 all can establish, 1 some will not, or something is refused, 2 "
                    "nothing that can be read.\n"
                    "Examples:\n"
                    "  polecat bgp sessions -f manifests/\n"
                    "  polecat bgp sessions rack7-a -f manifests/ --format json");
    command->callback([options, &exit_code] { exit_code = run(*options); });
}

} // namespace polecat::cli
