// Sets of named ports hold endpoints whose address Calico knows, and nothing of hosts that no
// manifest gives one.
#include "analyzer/flows/map.h"
#include "tests/path/path_case.h"

using namespace polecat;
using decision::Verdict;

namespace {

const std::string kDaemons =
    "{apiVersion: apps/v1, kind: DaemonSet, metadata: {name: exp, namespace: a}, spec: {selector: "
    "{matchLabels: {app: exp}}, template: {metadata: {labels: {app: exp}}, spec: {hostNetwork: "
    "true, containers: [{name: c, image: i, ports: [{name: grpc, containerPort: "
    "9100}]}]}}}}\n---\n";

std::string deployment(const std::string& name, const std::string& port) {
    return "{apiVersion: apps/v1, kind: Deployment, metadata: {name: " + name +
           ", namespace: a}, spec: {selector: {matchLabels: {app: " + name +
           "}}, template: {metadata: {labels: {app: " + name +
           "}}, spec: {containers: [{name: c, image: i, ports: [" + port + "]}]}}}}\n---\n";
}

std::string to_named(const std::string& peer) {
    return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: one, "
           "namespace: a}, spec: {podSelector: {matchLabels: {app: one}}, policyTypes: [Egress], "
           "egress: [{to: [" +
           peer + "], ports: [{port: grpc, protocol: TCP}]}]}}\n---\n";
}

std::string host_with_port(const std::string& addresses) {
    return "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: n1-eth1, "
           "labels: {app: exp}, }, spec: {node: n1, interfaceName: eth1, " +
           addresses +
           "profiles: [projectcalico-default-allow], ports: [{name: grpc, protocol: "
           "TCP, port: 9100}]}}\n---\n";
}

/// What pod a/one may send there: allowed, and allowed or depends.
std::pair<std::string, std::string> sends(const std::string& manifests, const std::string& to) {
    testing::RandomCluster cluster;
    testing::load_text(testing::kCluster + manifests, cluster);
    const decision::Identities identities(cluster.lowered);
    const analyzer::ConnectivityMap map(cluster.lowered, identities, net::Family::V4);
    const auto& names = cluster.lowered.workloads_by_name;
    const auto& hosts = cluster.lowered.host_endpoints_by_name;
    const auto found = hosts.find(to);
    const auto pair =
        map.between(*map.group_of(names.at("pod:a/one")),
                    *map.group_of(found != hosts.end() ? found->second : names.at(to)));
    return {map.set(pair.sure).describe(), map.set(pair.may).describe()};
}

const std::string kNothing = "none";

} // namespace

TEST_CASE("a pod on the network of its host is in no set of named ports") {
    const std::string any = "{podSelector: {}}";
    CHECK(sends(kDaemons + to_named(any), "daemonset:a/exp") == std::pair(kNothing, kNothing));
    CHECK(testing::verdict(to_named(any), {"a/one", "node:n2", 9100}) == Verdict::Deny);
    // A node of which no address is known is a host all the same.
    const std::string bare = "{apiVersion: v1, kind: Node, metadata: {name: n9}}\n---\n";
    CHECK(testing::verdict(bare + to_named(any), {"a/one", "node:n9", 9100}) == Verdict::Deny);
}

TEST_CASE("a pod without known address is in a set if it declares the port") {
    const std::string with = deployment("with", "{name: grpc, containerPort: 7000}"),
                      without = deployment("without", "{name: http, containerPort: 7000}"),
                      other =
                          deployment("other", "{name: grpc, containerPort: 7000, protocol: UDP}");
    const std::string policy = to_named("{podSelector: {}}");
    CHECK(sends(with + policy, "deployment:a/with").first == "TCP 7000");
    for (const char* name : {"deployment:a/without", "deployment:a/other"})
        CHECK(sends(without + other + policy, name) == std::pair(kNothing, kNothing));
    CHECK(sends(with + to_named("{podSelector: {matchLabels: {app: x}}}"), "deployment:a/with") ==
          std::pair(kNothing, kNothing));
}

TEST_CASE("an address of a host may be that of a host endpoint which declares the port") {
    const std::string policy =
        "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: out}, "
        "spec: {selector: app == 'one', types: [Egress], egress: [{action: Allow, protocol: TCP, "
        "destination: {selector: app == 'exp', ports: [grpc]}}]}}\n---\n";
    const std::string known = host_with_port("expectedIPs: [192.168.0.77], "),
                      unknown = host_with_port("");
    CHECK(sends(known + policy, "n1-eth1").first == "TCP 9100");
    // Calico knows no address of it, so the set does not hold it.
    CHECK(sends(unknown + policy, "n1-eth1") == std::pair(kNothing, kNothing));
    CHECK(sends(kDaemons + unknown + policy, "daemonset:a/exp").second == kNothing);
    CHECK(sends(kDaemons + known + policy, "daemonset:a/exp").first == kNothing);
    CHECK(sends(kDaemons + known + policy, "daemonset:a/exp").second != kNothing);
}
