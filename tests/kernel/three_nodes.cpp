#include "tests/kernel/three_nodes.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "ir/path/path.h"
#include "tests/kernel/node.h"

namespace polecat::kernel_test {

namespace {

constexpr const char *kWeb = "10.244.1.10", *kNearPod = "10.244.1.11", *kFarPod = "10.244.2.10",
                     *kOutside = "203.0.113.9", *kPodRange = "10.244.0.0/16";

std::string node_address(int number) {
    return fmt::format("192.0.2.{}", 10 + number);
}

template <class T> T need(Result<T> result) {
    REQUIRE_MESSAGE(result.ok(), (result ? "" : result.error()));
    return std::move(*result);
}

/// KUBE-SVC and KUBE-SEP with one backend. Only the backend that asks itself is masqueraded here.
std::string backend_chains(const std::string& name, const std::string& address, int port) {
    return fmt::format(R"(    chain svc-{0} {{
        ip saddr {1} meta mark set meta mark or 0x4000
        ip protocol udp dnat to {1}:{2}
    }}
)",
                       name, address, port);
}

/// KUBE-EXT: what asks from outside of the cluster, or as if from there.
std::string external_chain(const std::string& name, const Setting& setting, bool has_pod) {
    std::string out = "    chain ext-" + name + " {\n";
    if (setting.external != "Local") {
        out += "        meta mark set meta mark or 0x4000\n        goto svc-" + name + "\n";
    } else {
        if (setting.knows_pods)
            out += fmt::format("        ip saddr {} goto svc-{}\n", kPodRange, name);
        out += "        fib saddr type local meta mark set meta mark or 0x4000\n"
               "        fib saddr type local goto svc-" +
               name + "\n        " + (has_pod ? "goto svc-" + name : "drop") + "\n";
    }
    return out + "    }\n";
}

/// In KUBE-SVC: for the cluster's address, what does not come from a pod is masqueraded.
std::string cluster_chain(const std::string& name, const Setting& setting, bool has_pod) {
    std::string out = "    chain cluster-" + name + " {\n";
    if (setting.knows_pods)
        out += fmt::format("        ip saddr != {} meta mark set meta mark or 0x4000\n", kPodRange);
    const bool dropped = setting.internal == "Local" && !has_pod;
    return out + "        " + (dropped ? "drop" : "goto svc-" + name) + "\n    }\n";
}

std::string proxy_rules(const Setting& setting, bool has_pod) {
    std::string out = "table ip kube-proxy {\n" + backend_chains("web", kWeb, 8080) +
                      backend_chains("host", node_address(1), 9090);
    for (const char* name : {"web", "host"})
        out += external_chain(name, setting, has_pod) + cluster_chain(name, setting, has_pod);
    out += "    chain services {\n";
    out += fmt::format("        ip daddr {} udp dport 80 goto cluster-web\n", kClusterAddress);
    out += fmt::format("        ip daddr {} udp dport 90 goto cluster-host\n", kHostClusterAddress);
    for (const std::string& address : {kExternalAddress, kBalancerAddress})
        out += fmt::format("        ip daddr {} udp dport 80 goto ext-web\n", address);
    return out + R"(        fib daddr type local udp dport 30080 goto ext-web
        fib daddr type local udp dport 30090 goto ext-host
    }
    chain prerouting {
        type nat hook prerouting priority -100;
        jump services
    }
    chain output {
        type nat hook output priority -100;
        jump services
    }
    chain postrouting {
        type nat hook postrouting priority 100;
        meta mark and 0x4000 == 0x4000 masquerade
    }
}
)";
}

/// cali-nat-outgoing of Felix.
std::string outgoing_rules() {
    return fmt::format(R"(table ip felix {{
    chain postrouting {{
        type nat hook postrouting priority 99;
        ip saddr {0} ip daddr != {0} masquerade
    }}
}}
)",
                       kPodRange);
}

ir::PathEnd end_of(const decision::LoweredCluster& cluster, const std::string& name) {
    ir::PathEnd end;
    if (const auto parsed = net::parse_address(name))
        end.address = *parsed;
    else if (name.starts_with("n") && name.size() == 2)
        end.node = name;
    else if (name == "outside")
        end.address = address(kOutside);
    else
        end.endpoint = cluster.workloads_by_name.at("pod:shop/" + name);
    return end;
}

} // namespace

bool ThreeNodes::is_for_host(std::uint16_t port) {
    return port == 90 || port == 30090 || port == 9090;
}

ThreeNodes::ThreeNodes(const Setting& setting) : setting_(setting) {
    for (int i = 1; i <= 3; ++i)
        machines_[fmt::format("n{}", i)] = need(fabric_.add_machine(node_address(i) + "/24"));
    machines_["outside"] = need(fabric_.add_machine(std::string(kOutside) + "/32"));
    machines_["web"] = need(fabric_.add_pod(machines_["n1"], kWeb));
    machines_["near"] = need(fabric_.add_pod(machines_["n1"], kNearPod));
    machines_["far"] = need(fabric_.add_pod(machines_["n2"], kFarPod));
    need(fabric_.route(machines_["outside"], {"192.0.2.0/24", "dev", "eth0"}));
    for (int i = 1; i <= 3; ++i) {
        const auto node = machines_[fmt::format("n{}", i)];
        if (setting.tunnel)
            need(fabric_.add_tunnel(node, fmt::format("10.244.{}.1", i)));
        need(fabric_.route(node, {"default", "dev", "eth0"})); // the host asks services, too
        need(fabric_.watch(node));
        load_rules(node);
    }
    for (int i = 1; i <= 3; ++i)
        for (int to = 1; to <= 2; ++to) {
            if (i == to)
                continue;
            const std::string block = fmt::format("10.244.{}.0/24", to);
            const std::string by =
                setting.tunnel ? fmt::format("10.244.{}.1", to) : node_address(to);
            need(fabric_.route(
                machines_[fmt::format("n{}", i)],
                {block, "via", by, "dev", setting.tunnel ? "tun0" : "eth0", "onlink"}));
        }
    enter_at("n1");
}

void ThreeNodes::load_rules(std::size_t node) {
    need(fabric_.load(node, proxy_rules(setting_, node == machines_["n1"])));
    if (setting_.nat_outgoing)
        need(fabric_.load(node, outgoing_rules()));
}

void ThreeNodes::enter_at(const std::string& node) {
    const std::string gateway = node_address(node.back() - '0');
    need(fabric_.route(machines_["outside"], {"default", "via", gateway, "dev", "eth0"}));
}

std::string ThreeNodes::sees(const std::string& from, const std::string& to, std::uint16_t port) {
    const std::string server = is_for_host(port) ? node_address(1) : kWeb;
    const std::string target = to.size() == 2 ? node_address(to.back() - '0') : to;
    fabric_.send(machines_.at(from), target, port);
    const auto packets = fabric_.seen(machines_.at("n1"), server, 150);
    CHECK(packets.size() <= 1);
    if (packets.empty())
        return "";
    const auto& [source, destination, number] = packets.front();
    return fmt::format("{} {} {}", source, destination, number);
}

decision::Verdict ThreeNodes::judged(const std::string& from, const std::string& to,
                                     std::uint16_t port, const std::string& rules,
                                     const std::string& more, net::Protocol protocol) const {
    testing::RandomCluster cluster;
    load_text(manifests() + more +
                  fmt::format("{{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, "
                              "metadata: {{name: probe}}, spec: {{selector: \"{}\", types: "
                              "[Ingress], ingress: [{}]}}}}\n",
                              is_for_host(port) ? "host == 'n1'" : "app == 'web'", rules),
              cluster);
    for (const diag::Diagnostic& each : cluster.diagnostics.list())
        REQUIRE_MESSAGE(each.severity != diag::Severity::Error, each.message);
    ir::PathQuery query;
    query.source = end_of(cluster.lowered, from);
    query.destination = end_of(cluster.lowered, to);
    query.route = ir::Route::Wire;
    query.packet.protocol = protocol;
    query.packet.destination_port = port;
    return ir::judge_flow(cluster.lowered, query).verdict;
}

bool ThreeNodes::connects_to_web(const std::string& node, const std::string& rules) {
    need(fabric_.load(machines_.at(node), rules));
    return fabric_.connects(machines_.at("outside"), machines_.at("web"), kWeb, 8080, 300);
}

std::string ThreeNodes::manifests() const {
    std::string out = "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n---\n"
                      "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: "
                      "{name: default}, spec: {defaultEndpointToHostAction: Accept}}\n---\n";
    out +=
        fmt::format("{{apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {{name: pods}}, "
                    "spec: {{cidr: {}, vxlanMode: {}, natOutgoing: {}}}}}\n---\n",
                    kPodRange, setting_.tunnel ? "Always" : "Never", setting_.nat_outgoing);
    for (int i = 1; i <= 3; ++i) {
        const std::string ip = node_address(i);
        out += fmt::format(
            "{{apiVersion: v1, kind: Node, metadata: {{name: n{0}}}, status: {{addresses: [{{type: "
            "InternalIP, address: {1}}}]}}}}\n---\n"
            "{{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {{name: n{0}-eth0, "
            "labels: {{host: n{0}}}}}, spec: {{node: n{0}, interfaceName: eth0, expectedIPs: "
            "[{1}], profiles: [projectcalico-default-allow]}}}}\n---\n",
            i, ip);
        if (setting_.tunnel)
            out += fmt::format("{{apiVersion: projectcalico.org/v3, kind: Node, metadata: {{name: "
                               "n{0}}}, spec: {{ipv4VXLANTunnelAddr: 10.244.{0}.1, bgp: "
                               "{{ipv4Address: {1}/24}}}}}}\n---\n",
                               i, ip);
    }
    const auto pod = [&](const char* name, const char* node, const std::string& ip, bool host) {
        out += fmt::format("{{apiVersion: v1, kind: Pod, metadata: {{name: {0}, namespace: shop, "
                           "labels: {{app: {0}}}}}, spec: {{nodeName: {1}, hostNetwork: {3}, "
                           "containers: [{{name: c, image: i}}]}}, status: {{podIP: {2}}}}}\n---\n",
                           name, node, ip, host);
    };
    pod("web", "n1", kWeb, false);
    pod("near", "n1", kNearPod, false);
    pod("far", "n2", kFarPod, false);
    pod("host", "n1", node_address(1), true);
    const std::string policies = fmt::format("externalTrafficPolicy: {}, internalTrafficPolicy: {}",
                                             setting_.external, setting_.internal);
    out += fmt::format(
        "{{apiVersion: v1, kind: Service, metadata: {{name: web, namespace: shop}}, spec: {{type: "
        "LoadBalancer, clusterIP: {}, externalIPs: [{}], selector: {{app: web}}, ports: "
        "[{{protocol: UDP, port: 80, targetPort: 8080, nodePort: 30080}}], {}}}, status: "
        "{{loadBalancer: {{ingress: [{{ip: {}}}]}}}}}}\n---\n"
        "{{apiVersion: v1, kind: Service, metadata: {{name: host, namespace: shop}}, spec: {{type: "
        "NodePort, clusterIP: {}, selector: {{app: host}}, ports: [{{protocol: UDP, port: 90, "
        "targetPort: 9090, nodePort: 30090}}], {}}}}}\n---\n",
        kClusterAddress, kExternalAddress, policies, kBalancerAddress, kHostClusterAddress,
        policies);
    return out;
}

} // namespace polecat::kernel_test
