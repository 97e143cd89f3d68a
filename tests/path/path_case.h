/// A small cluster and questions about it. For the path tests.
#pragma once

#include <string>

#include <doctest/doctest.h>

#include "ir/path/path.h"
#include "tests/random_cluster.h"

namespace polecat::testing {

inline const std::string kCluster = R"(
{apiVersion: v1, kind: Node, metadata: {name: n1}, status: {addresses: [{type: InternalIP, address: 192.168.0.1}]}}
---
{apiVersion: v1, kind: Node, metadata: {name: n2}, status: {addresses: [{type: InternalIP, address: 192.168.0.2}]}}
---
{apiVersion: v1, kind: Namespace, metadata: {name: a}}
---
{apiVersion: v1, kind: Pod, metadata: {name: one, namespace: a, labels: {app: one}}, spec: {nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.1}}
---
{apiVersion: v1, kind: Pod, metadata: {name: two, namespace: a, labels: {app: two}}, spec: {nodeName: n1, containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.2}}
---
{apiVersion: v1, kind: Pod, metadata: {name: far, namespace: a, labels: {app: far}}, spec: {nodeName: n2, containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.3}}
---
{apiVersion: v1, kind: Pod, metadata: {name: agent, namespace: a, labels: {app: agent}}, spec: {nodeName: n1, hostNetwork: true, containers: [{name: c, image: i}]}, status: {podIP: 192.168.0.1}}
---
)";

inline const std::string kHost =
    "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: n1-eth0, labels: "
    "{host: n1}}, spec: {node: n1, interfaceName: eth0, expectedIPs: [192.168.0.1]}}\n---\n";
inline const std::string kAllInterfaces =
    "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: n1-all, labels: "
    "{host: n1}}, spec: {node: n1, interfaceName: '*', expectedIPs: [192.168.0.1]}}\n---\n";

inline std::string global_policy(const std::string& name, const std::string& selector,
                                 const std::string& spec) {
    return "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: " +
           name + "}, spec: {selector: \"" + selector + "\", " + spec + "}}\n---\n";
}

inline std::string felix(const std::string& spec) {
    return "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: "
           "default}, "
           "spec: {" +
           spec + "}}\n---\n";
}

struct Ask {
    std::string from, to;
    std::uint16_t port = 8080;
    net::Protocol protocol = net::kTcp;
    std::uint8_t icmp_type = 0;
};

inline ir::PathEnd end_of(const decision::LoweredCluster& cluster, const std::string& text) {
    ir::PathEnd end;
    if (text.starts_with("node:"))
        end.node = text.substr(5);
    else if (text.starts_with("service:"))
        end.service = text.substr(8);
    else if (const auto address = net::parse_address(text))
        end.address = *address;
    else
        end.endpoint = cluster.workloads_by_name.at("pod:" + text);
    return end;
}

inline ir::FlowVerdict judge(const std::string& manifests, const Ask& ask) {
    RandomCluster cluster;
    load_text(kCluster + manifests, cluster);
    for (const diag::Diagnostic& each : cluster.diagnostics.list())
        REQUIRE_MESSAGE(each.severity != diag::Severity::Error, each.message);
    ir::PathQuery query;
    query.source = end_of(cluster.lowered, ask.from);
    query.destination = end_of(cluster.lowered, ask.to);
    query.route = ir::Route::Wire;
    query.packet.protocol = ask.protocol;
    if (net::has_ports(ask.protocol)) {
        query.packet.destination_port = ask.port;
        query.packet.source_port = 40000;
    } else {
        query.packet.icmp_type = ask.icmp_type;
        query.packet.icmp_code = 0;
    }
    return ir::judge_flow(cluster.lowered, query);
}

inline decision::Verdict verdict(const std::string& manifests, const Ask& ask) {
    return judge(manifests, ask).verdict;
}

inline const std::string kOutside = "203.0.113.9";

} // namespace polecat::testing
