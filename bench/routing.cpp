#include "bench/routing.h"

#include <cstdlib>
#include <utility>

#include <fmt/format.h>

#include "analyzer/routing/diff/routing_diff.h"
#include "analyzer/routing/propagation/propagation_classes.h"
#include "analyzer/routing/routes/kernel_route.h"
#include "analyzer/routing/sessions/sessions.h"
#include "backends/bird/bird.h"
#include "bench/measure.h"
#include "passes/routing/routing.h"

namespace polecat::bench {

std::string routing_manifests(std::size_t nodes, std::size_t reflectors, unsigned fabric_as) {
    constexpr const char* kObject = "---\napiVersion: projectcalico.org/v3\nkind: {}\nmetadata: "
                                    "{{name: {}{}}}\nspec: {{{}}}\n";
    const auto object = [&](const char* kind, const std::string& name, const std::string& labels,
                            const std::string& spec) {
        return fmt::format(kObject, kind, name, labels.empty() ? "" : ", labels: {" + labels + "}",
                           spec);
    };
    std::string out = object("BGPConfiguration", "default", "",
                             "nodeToNodeMeshEnabled: false, asNumber: 64512, serviceClusterIPs: "
                             "[{cidr: 10.96.0.0/12}]") +
                      object("IPPool", "pods", "", "cidr: 10.128.0.0/10, vxlanMode: Never") +
                      object("BGPPeer", "clients", "",
                             "nodeSelector: '!has(reflector)', peerSelector: has(reflector)") +
                      object("BGPPeer", "reflectors", "",
                             "nodeSelector: has(reflector), peerSelector: has(reflector)") +
                      object("BGPFilter", "fabric", "",
                             "exportV4: [{action: Reject, cidr: 10.128.0.0/10, matchOperator: In, "
                             "prefixLength: {min: 27}}]") +
                      object("BGPPeer", "fabric", "",
                             fmt::format("nodeSelector: has(reflector), peerIP: 10.255.0.1, "
                                         "asNumber: {}, filters: [fabric]",
                                         fabric_as)) +
                      "---\napiVersion: polecat/v1\nkind: FabricInventory\nmetadata: {name: "
                      "hall}\nspec: {routers: [{name: spine, address: 10.255.0.1, asNumber: "
                      "65001}]}\n";
    for (std::size_t i = 0; i < nodes; ++i) {
        const std::string name = fmt::format("node-{:05}", i);
        const bool reflects = i < reflectors;
        out += object(
            "Node", name, fmt::format("rack: r{}{}", i / 20, reflects ? ", reflector: x" : ""),
            fmt::format("bgp: {{ipv4Address: 10.{}.{}.{}/16{}}}", 16 + i / 60'000, i / 250 % 250,
                        1 + i % 250, reflects ? ", routeReflectorClusterID: 10.0.0.1" : ""));
        out += object("BlockAffinity", name + "-1", "",
                      fmt::format("cidr: 10.{}.{}.{}/26, node: {}, state: confirmed, deleted: "
                                  "false",
                                  128 + i / 1024, i / 4 % 256, i % 4 * 64, name));
    }
    return out;
}

void bird_of(const std::string& name, const policy::Cluster& cluster) {
    Phases phases;
    diag::Diagnostics diagnostics;
    const auto routing = passes::lower_routing(cluster, {}, diagnostics);
    phases.done("cluster");
    std::vector<routing::NodeRouting> nodes;
    std::size_t sessions = 0, bytes = 0;
    for (routing::NodeIndex i = 0; i < routing.nodes.size(); ++i)
        if (auto node = passes::node_routing(routing, i, diagnostics)) {
            sessions += node->v4.sessions.size();
            nodes.push_back(std::move(*node));
        }
    phases.done("nodes");
    std::vector<std::string> texts;
    for (const routing::NodeRouting& node : nodes) {
        texts.push_back(bird::emit(node));
        bytes += texts.back().size();
    }
    phases.done("emit");
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const auto again = bird::read_back(texts[i]);
        if (!again || *again != bird::comparable(nodes[i]))
            std::abort();
    }
    phases.done("read back");
    // One node, and the largest: a reflector.
    for (const std::size_t one : {nodes.size() - 1, std::size_t{0}}) {
        const auto node =
            passes::node_routing(routing, static_cast<routing::NodeIndex>(one), diagnostics);
        const auto again = bird::read_back(bird::emit(*node));
        if (!again || *again != bird::comparable(*node))
            std::abort();
        phases.done(one == 0 ? "one reflector" : "one client");
    }
    phases.print(fmt::format("{} ({} nodes, {} sessions, {} MB)", name, nodes.size(), sessions,
                             bytes >> 20));
}

void propagation_of(const std::string& name, const policy::Cluster& cluster) {
    Phases phases;
    diag::Diagnostics diagnostics;
    const auto routing = passes::lower_routing(cluster, {}, diagnostics);
    phases.done("cluster");
    const auto lower = [&](const routing::ClusterRouting& of, routing::NodeIndex node) {
        return passes::node_routing(of, node, diagnostics);
    };
    routing::Propagation model(routing, {}, net::Family::V4, lower);
    const auto prefixes = model.prefixes();
    for (const net::Cidr& prefix : prefixes)
        if (!model.run(prefix).spread.settled)
            std::abort();
    phases.done("every prefix");
    std::size_t routes = 0;
    for (const std::size_t one : {routing.nodes.size() - 1, std::size_t{0}}) {
        const auto node = static_cast<routing::NodeIndex>(one);
        const auto form = lower(routing, node);
        for (const net::Cidr& prefix : prefixes)
            if (routing::kernel_route(form->v4, model.learnt(node, prefix).paths))
                ++routes;
        phases.done(one == 0 ? "one reflector" : "one client");
    }
    phases.print(fmt::format("{} ({} classes, {} prefixes, {} kernel routes of two nodes)", name,
                             model.classes().members.size(), prefixes.size(), routes));
}

void routing_diff_of(const std::string& name, const policy::Cluster& before,
                     const policy::Cluster& now) {
    Phases phases;
    const auto version = [](const policy::Cluster& cluster) {
        diag::Diagnostics diagnostics;
        auto routing = passes::lower_routing(cluster, {}, diagnostics);
        std::vector<routing::NodeRouting> nodes;
        for (routing::NodeIndex i = 0; i < routing.nodes.size(); ++i)
            nodes.push_back(*passes::node_routing(routing, i, diagnostics));
        return std::pair(std::move(routing), std::move(nodes));
    };
    const auto lower = [](const routing::ClusterRouting& of, routing::NodeIndex node) {
        diag::Diagnostics told;
        return passes::node_routing(of, node, told);
    };
    const auto old = version(before), fresh = version(now);
    phases.done("nodes");
    const auto diff = routing::routing_diff({before, old.first, old.second, lower},
                                            {now, fresh.first, fresh.second, lower});
    if (diff.breaks.empty() || diff.announcements.empty())
        std::abort();
    phases.done("diff");
    phases.print(fmt::format("{} ({} sessions, {} announcements, {} routes)", name,
                             diff.sessions.size(), diff.announcements.size(), diff.routes.size()));
}

std::string mesh_manifests(std::size_t nodes) {
    std::string out;
    for (std::size_t i = 0; i < nodes; ++i)
        out += fmt::format("---\napiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {{name: "
                           "node-{:05}}}\nspec: {{bgp: {{ipv4Address: 10.{}.{}.{}/16}}}}\n",
                           i, 16 + i / 60'000, i / 250 % 250, 1 + i % 250);
    return out;
}

void sessions_of(const std::string& name, const policy::Cluster& cluster) {
    Phases phases;
    diag::Diagnostics diagnostics;
    auto routing = passes::lower_routing(cluster, {}, diagnostics);
    phases.done("cluster");
    const bool mesh = std::exchange(routing.mesh, false);
    std::vector<routing::NodeRouting> forms;
    for (routing::NodeIndex i = 0; i < routing.nodes.size(); ++i)
        if (auto form = passes::node_routing(routing, i, diagnostics))
            forms.push_back(std::move(*form));
    routing.mesh = mesh;
    phases.done("nodes");
    const auto report = routing::sessions(cluster, routing, forms);
    phases.done("sessions");
    phases.print(fmt::format("{} ({} sessions, {} groups, {} will not establish)", name,
                             report.sessions, report.groups.size(), report.broken));
}

} // namespace polecat::bench
