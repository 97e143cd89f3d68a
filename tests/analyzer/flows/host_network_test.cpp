// Pods with hostNetwork are governed by the host endpoints of their node.
#include <doctest/doctest.h>

#include "analyzer/diff/diff.h"
#include "analyzer/flows/map.h"
#include "analyzer/flows/program_flows.h"
#include "ir/path/host_network.h"
#include "tests/random_cluster.h"

using namespace polecat;
using namespace polecat::analyzer;

namespace {

const std::string kPods = R"(
apiVersion: v1
kind: Namespace
metadata: {name: web}
---
apiVersion: v1
kind: Node
metadata: {name: node1}
status: {addresses: [{type: InternalIP, address: 10.0.0.1}]}
---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: web}
spec:
  hostNetwork: true
  NODE
  containers: [{name: agent, image: agent}]
---
apiVersion: v1
kind: Pod
metadata: {name: shop, namespace: web}
spec: {nodeName: node2, containers: [{name: shop, image: shop}]}
status: {podIP: 10.1.0.7}
---
apiVersion: projectcalico.org/v3
kind: GlobalNetworkPolicy
metadata: {name: hosts}
spec:
  selector: role == 'node'
  types: [Ingress]
  ingress:
  - action: Allow
    protocol: TCP
    destination: {ports: [9100]}
)";

std::string host_endpoint(const std::string& name, const std::string& interface,
                          const std::string& role) {
    return "---\napiVersion: projectcalico.org/v3\nkind: HostEndpoint\nmetadata: {name: " + name +
           ", labels: {role: " + role + "}}\nspec: {node: node1, interfaceName: " + interface +
           "}\n";
}

struct Loaded {
    Loaded(const std::string& node, const std::string& host_endpoints) {
        std::string text = kPods;
        text.replace(text.find("NODE"), 4, node);
        testing::load_text(text + host_endpoints, cluster);
        for (const auto& each : cluster.diagnostics.list())
            CHECK_MESSAGE(each.severity != diag::Severity::Error, each.message);
    }
    decision::ObjectId pod(const char* name) const {
        return cluster.lowered.workloads_by_name.at(std::string("pod:") + name);
    }
    /// What the other pod may send the one on the host.
    Bounds<ConnectionSet> to_agent() const {
        const decision::Identities identities(cluster.lowered);
        const ConnectivityMap map(cluster.lowered, identities, net::Family::V4);
        const auto pair =
            map.between(*map.group_of(pod("web/shop")), *map.group_of(pod("web/agent")));
        return {map.set(pair.sure), map.set(pair.may)};
    }
    testing::RandomCluster cluster;
};

const std::string kOnNode = "nodeName: node1";
/// With the failsafe ports, which every host has.
const std::string kOpen = "TCP 22,179,2379-2380,5473,6443,6666-6667,9100; UDP 68";

} // namespace

TEST_CASE("without host endpoints nothing governs a pod with hostNetwork") {
    const Loaded loaded(kOnNode, "");
    CHECK(loaded.to_agent().sure == ConnectionSet::all());
}

TEST_CASE("the one host endpoint of the node governs it") {
    for (const char* interface : {"eth0", "'*'"}) {
        const Loaded loaded(kOnNode, host_endpoint("node1", interface, "node"));
        CHECK(loaded.to_agent().sure.describe() == kOpen);
        CHECK(loaded.to_agent().may.describe() == kOpen);
    }
    const Loaded alike(kOnNode,
                       host_endpoint("a", "eth0", "node") + host_endpoint("b", "eth1", "node"));
    CHECK(alike.to_agent().may.describe() == kOpen);
}

TEST_CASE("it depends where the host endpoints of the node differ, or the node is not known") {
    const Loaded two(kOnNode,
                     host_endpoint("a", "eth0", "node") + host_endpoint("b", "eth1", "other"));
    const Loaded unplaced("restartPolicy: Always", host_endpoint("node1", "eth0", "node"));
    for (const Loaded* each : {&two, &unplaced}) {
        CHECK(each->to_agent().sure.empty());
        CHECK(each->to_agent().may == ConnectionSet::all());
        const auto governor =
            ir::HostNetwork(each->cluster.lowered)
                .governor(each->pod("web/agent"), decision::Direction::Ingress, net::Family::V4);
        CHECK(governor.unsure);
        CHECK(governor.program == nullptr);
    }
}

TEST_CASE("a host endpoint that is added closes the pods on its node") {
    const Loaded before(kOnNode, ""), now(kOnNode, host_endpoint("node1", "eth0", "node"));
    const Diff found = diff(before.cluster.lowered, now.cluster.lowered);
    CHECK(found.has(ChangeKind::Closed));
    CHECK_FALSE(found.has(ChangeKind::Opened));
}
