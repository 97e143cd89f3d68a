#include "bgp_clusters.h"

#include <algorithm>

#include <fmt/format.h>

namespace polecat::testing {

std::string BgpCluster::text() const {
    std::string out;
    for (const std::string& each : objects)
        out += each + "\n---\n";
    return out;
}

std::vector<std::size_t> BgpCluster::with(const std::vector<std::string>& words) const {
    std::vector<std::size_t> out;
    for (std::size_t i = 0; i < objects.size(); ++i)
        if (std::all_of(words.begin(), words.end(), [&](const std::string& word) {
                return objects[i].find(word) != std::string::npos;
            }))
            out.push_back(i);
    return out;
}

namespace {

class BgpWriter {
  public:
    BgpWriter(std::string shape, Random& random) : random_(random) {
        out_.shape = std::move(shape);
    }

    BgpCluster write() {
        common();
        if (out_.shape == "mesh")
            mesh();
        else if (out_.shape == "reflectors")
            reflectors();
        else if (out_.shape == "racks")
            racks();
        else
            peers();
        return std::move(out_);
    }

  private:
    void add(const std::string& kind, const std::string& name, const std::string& spec,
             const std::string& labels = "") {
        out_.objects.push_back(
            fmt::format("{{apiVersion: projectcalico.org/v3, kind: {}, metadata: {{name: {}{}}}, "
                        "spec: {{{}}}}}",
                        kind, name, labels.empty() ? "" : ", labels: {" + labels + "}", spec));
    }
    void node(int rack, int number, const std::string& labels, const std::string& bgp) {
        const std::string name = fmt::format("n{}{}", rack, number);
        add("Node", name, fmt::format("bgp: {{ipv4Address: 10.9.{}.{}/24{}}}", rack, number, bgp),
            fmt::format("rack: r{}{}", rack, labels));
        add("BlockAffinity", name + "-b",
            fmt::format("cidr: 10.64.{}.{}/26, node: {}, state: confirmed, deleted: false",
                        4 * rack + number / 4, 64 * number % 256, name));
    }
    void configuration(const std::string& more) {
        add("BGPConfiguration", "default",
            fmt::format("asNumber: 64512, serviceClusterIPs: [{{cidr: 10.96.0.0/16}}], "
                        "serviceExternalIPs: [{{cidr: 203.0.113.0/28}}], {}",
                        more));
    }
    void inventory(const std::string& routers, const std::string& racks) {
        out_.objects.push_back(fmt::format(
            "{{apiVersion: polecat/v1, kind: FabricInventory, metadata: {{name: hall}}, "
            "spec: {{routers: [{}], racks: [{}]}}}}",
            routers, racks));
    }
    void common() {
        add("IPPool", "pods",
            "cidr: 10.64.0.0/16, vxlanMode: Never, ipipMode: Never, natOutgoing: "
            "true, blockSize: 26");
        add("BGPFilter", "out",
            fmt::format("exportV4: [{{action: Accept, cidr: 10.64.0.0/16, matchOperator: In, "
                        "prefixLength: {{min: {}, max: 32}}, operations: [{{addCommunity: {{value: "
                        "'64512:{}'}}}}]}}, {{action: Accept, cidr: 10.96.0.0/16, matchOperator: "
                        "Equal}}, {{action: Accept, cidr: 203.0.113.0/28, matchOperator: In}}, "
                        "{{action: Reject}}], importV4: [{{action: Reject, cidr: 10.64.0.0/16, "
                        "matchOperator: In, prefixLength: {{min: 27}}}}, {{action: Accept}}]",
                        24 + random_.below(3), 100 + random_.below(50)));
        out_.objects.push_back(
            "{apiVersion: v1, kind: Secret, metadata: {name: bgp, namespace: kube-system}, "
            "stringData: {fabric: aaaa, nodes: bbbb}}");
        out_.objects.push_back(
            "{apiVersion: v1, kind: Service, metadata: {name: shop, namespace: web}, spec: {type: "
            "LoadBalancer, clusterIP: 10.96.3.4, externalIPs: [203.0.113.5], "
            "externalTrafficPolicy: Local, ports: [{port: 80}]}}");
        out_.objects.push_back(
            "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: shop-1, "
            "namespace: web, labels: {kubernetes.io/service-name: shop}}, addressType: IPv4, "
            "endpoints: [{addresses: [10.64.4.70], nodeName: n11, conditions: {ready: true}}], "
            "ports: [{port: 80}]}");
    }
    static std::string nodes_password() {
        return ", password: {secretKeyRef: {name: bgp, key: nodes}}";
    }
    static std::string fabric_password() {
        return ", password: {secretKeyRef: {name: bgp, key: fabric}}";
    }
    std::string ttl() { return random_.chance(50) ? ", ttlSecurity: 1" : ""; }

    /// Nodes in one mesh, and two routers that every node peers with.
    void mesh() {
        configuration("nodeToNodeMeshEnabled: true, nodeMeshPassword: {secretKeyRef: {name: bgp, "
                      "key: nodes}}, communities: [{name: rack, value: '64512:7'}], "
                      "prefixAdvertisements: [{cidr: 10.64.0.0/16, communities: [rack]}]");
        const int nodes = 3 + static_cast<int>(random_.below(4));
        for (int i = 1; i <= nodes; ++i)
            node(1, i, "", "");
        for (int i = 1; i <= 2; ++i)
            add("BGPPeer", fmt::format("spine{}", i),
                fmt::format("peerIP: 10.9.1.{}, asNumber: 6500{}, filters: [out]{}{}", 250 + i, i,
                            fabric_password(), i == 1 ? ttl() : ""));
        inventory("{name: spine1, address: 10.9.1.251, asNumber: 65001, nodeASNumber: 64512}, "
                  "{name: spine2, address: 10.9.1.252, asNumber: 65002, nodeASNumber: 64512}",
                  "{name: r1, nodeSelector: rack == 'r1', nodeASNumber: 64512}");
    }

    void reflectors() {
        configuration("nodeToNodeMeshEnabled: false");
        const int nodes = 3 + static_cast<int>(random_.below(4));
        for (int i = 1; i <= nodes; ++i)
            node(1, i, "", "");
        for (int i = 8; i <= 9; ++i)
            node(1, i, ", reflector: x", ", routeReflectorClusterID: 244.0.0.1");
        add("BGPPeer", "clients",
            "nodeSelector: '!has(reflector)', peerSelector: has(reflector)" + ttl() +
                nodes_password());
        add("BGPPeer", "reflectors",
            "nodeSelector: has(reflector), peerSelector: has(reflector)" + nodes_password());
        add("BGPPeer", "spine",
            "nodeSelector: has(reflector), peerIP: 10.9.1.254, asNumber: 65001, filters: [out]" +
                fabric_password());
        inventory("{name: spine, address: 10.9.1.254, asNumber: 65001, nodeASNumber: 64512}",
                  "{name: r1, nodeSelector: rack == 'r1', nodeASNumber: 64512}");
    }

    /// A number for each rack, whose nodes speak with the rack's router only.
    void racks() {
        configuration("nodeToNodeMeshEnabled: false");
        std::string routers, racks;
        for (int rack = 1; rack <= 3; ++rack) {
            for (int i = 1; i <= 2; ++i)
                node(rack, i, "", fmt::format(", asNumber: 6510{}", rack));
            add("BGPPeer", fmt::format("tor{}", rack),
                fmt::format(
                    "nodeSelector: rack == 'r{0}', peerIP: 10.9.{0}.254, asNumber: 6500{0}, "
                    "filters: [out], keepOriginalNextHop: true, numAllowedLocalASNumbers: "
                    "1{1}",
                    rack, fabric_password()));
            routers += fmt::format("{1}{{name: tor{0}, address: 10.9.{0}.254, asNumber: 6500{0}, "
                                   "rack: r{0}, nodeASNumber: 6510{0}}}",
                                   rack, routers.empty() ? "" : ", ");
            racks += fmt::format("{1}{{name: r{0}, nodeSelector: rack == 'r{0}', nodeASNumber: "
                                 "6510{0}}}",
                                 rack, racks.empty() ? "" : ", ");
        }
        inventory(routers, racks);
    }

    /// By hand: each node with one hub, by address; the hub with a router; a route server for all.
    void peers() {
        configuration("nodeToNodeMeshEnabled: false");
        const int nodes = 3 + static_cast<int>(random_.below(3));
        for (int i = 1; i <= nodes; ++i) {
            node(1, i, "", "");
            add("BGPPeer", fmt::format("to-hub{}", i),
                fmt::format("node: n1{}, peerIP: 10.9.1.9, asNumber: 64512{}", i,
                            nodes_password()));
        }
        node(1, 9, ", hub: x", ", routeReflectorClusterID: 244.0.0.9");
        add("BGPPeer", "router",
            "node: n19, peerIP: 10.9.1.254, asNumber: 65001, filters: [out], nextHopMode: Self" +
                ttl() + fabric_password());
        add("BGPPeer", "server",
            "peerIP: 10.9.1.253, asNumber: 65003, filters: [out], sourceAddress: UseNodeIP" +
                fabric_password());
        inventory("{name: router, address: 10.9.1.254, asNumber: 65001, nodeASNumber: 64512}, "
                  "{name: server, address: 10.9.1.253, asNumber: 65003, nodeASNumber: 64512}",
                  "{name: r1, nodeSelector: rack == 'r1', nodeASNumber: 64512}");
    }

    Random& random_;
    BgpCluster out_;
};

} // namespace

BgpCluster bgp_cluster(const std::string& shape, Random& random) {
    return BgpWriter(shape, random).write();
}

} // namespace polecat::testing
