// Every form prints as text and reads back: policy IR as manifests, programs, tables.
#include <algorithm>
#include <filesystem>

#include <doctest/doctest.h>

#include "backends/manifests/manifests.h"
#include "frontend/selector/parse.h"
#include "ir/decision/identity.h"
#include "ir/decision/print.h"
#include "tests/paths.h"
#include "tests/random_cluster.h"

using namespace polecat;
namespace fs = std::filesystem;

namespace {

const decision::SelectorReader kReadSelector = [](std::string_view text) {
    return frontend::parse_selector(text);
};

std::string programs_text(const decision::LoweredCluster& cluster) {
    std::string out;
    for (const decision::Program& each : cluster.programs)
        out += decision::to_text(each, cluster.predicates);
    return out;
}

std::string errors_of(const diag::Diagnostics& diagnostics) {
    std::string out;
    for (const diag::Diagnostic& each : diagnostics.list())
        if (each.severity == diag::Severity::Error)
            out += each.message + " (" + each.object + ")\n";
    return out;
}

bool has_variants(const diag::Diagnostics& diagnostics) {
    return std::any_of(diagnostics.list().begin(), diagnostics.list().end(),
                       [](const auto& each) { return each.code == diag::Code::SeveralVariants; });
}

void check_policy_ir(const policy::Cluster& cluster, const std::string& programs) {
    const std::string text = backends::to_yaml(cluster);
    testing::RandomCluster again;
    testing::load_text(text, again);
    CHECK(errors_of(again.diagnostics) == "");
    CHECK(backends::to_yaml(again.policy) == text);
    CHECK(programs_text(again.lowered) == programs);
}

void check_programs(const decision::LoweredCluster& cluster, const std::string& text) {
    decision::PredicateStore same = cluster.predicates, fresh;
    const auto read = decision::parse_programs(text, same, kReadSelector);
    REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
    CHECK(*read == cluster.programs);
    const auto apart = decision::parse_programs(text, fresh, kReadSelector);
    REQUIRE(apart.ok());
    std::string printed;
    for (const decision::Program& each : *apart)
        printed += decision::to_text(each, fresh);
    CHECK(printed == text);
}

void check_tables(const decision::LoweredCluster& cluster) {
    const decision::Identities identities(cluster);
    std::vector<decision::Table> tables;
    std::string text = decision::to_text(cluster.predicates);
    for (const decision::Program& program : cluster.programs) {
        std::vector<decision::Identity> ends;
        for (const auto& [address, id] : identities.endpoint_addresses(program.family))
            ends.push_back(identities[id]);
        for (const auto& [nets, id] : identities.outside(program.family))
            ends.push_back(identities[id]);
        auto table = decision::flatten(program, cluster.predicates, ends, ends);
        REQUIRE(table.ok());
        text += decision::to_text(*table);
        tables.push_back(std::move(*table));
    }
    decision::PredicateStore fresh;
    const auto read = decision::parse_tables(text, fresh, kReadSelector);
    REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
    CHECK(*read == tables);
}

} // namespace

TEST_CASE("random clusters read back from every form") {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        INFO("seed ", seed);
        testing::ClusterShape shape;
        shape.host_endpoints = true;
        testing::RandomCluster cluster;
        testing::load_text(testing::ClusterWriter(seed, shape).write(), cluster);
        REQUIRE(errors_of(cluster.diagnostics) == "");
        const std::string programs = programs_text(cluster.lowered);
        check_policy_ir(cluster.policy, programs);
        check_programs(cluster.lowered, programs);
        check_tables(cluster.lowered);
    }
}

TEST_CASE("what random clusters lack reads back: HTTP, domains, odd names, settings") {
    testing::RandomCluster cluster;
    testing::load_text(R"(
{apiVersion: v1, kind: Namespace, metadata: {name: "1e3", labels: {a: "yes", b: "", c: "0x1F"}}}
---
{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: a.b, namespace: "1e3", annotations: {note: "two\nlines: {}"}},
 spec: {order: 0.1, selector: "a == 'yes' || b == \"it's\"", ingress: [{action: Allow, protocol: TCP, http: {methods: [GET, "*"],
   paths: [{exact: "/a\"b\"\\c"}, {prefix: /d}]}}], egress: [{action: Allow, destination: {domains: ["*.example.com", example.org]}}]}}
---
{apiVersion: projectcalico.org/v3, kind: BGPFilter, metadata: {name: f}, spec: {exportV4: [{action: Accept, cidr: 10.0.0.0/8,
   matchOperator: In, prefixLength: {min: 8, max: 24}}, {action: Reject}], importV6: [{action: Reject}]}}
---
{apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: {name: p}, spec: {nodeSelector: "rack == 'r1'", peerIP: "192.0.2.1:179",
   asNumber: 64512, filters: [f], password: {secretKeyRef: {name: s, key: k}}}}
---
{apiVersion: operator.tigera.io/v1, kind: Installation, metadata: {name: default}, spec: {kubernetesProvider: AKS,
   serviceCIDRs: [10.96.0.0/12], cni: {type: Calico, ipam: {type: Calico}}, calicoNetwork: {bgp: Enabled,
   ipPools: [{cidr: 10.244.0.0/16, natOutgoing: Enabled}, {cidr: 'fd00::/64', blockSize: 122}]}}}
---
{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: {name: c}, spec: {tier: Baseline, priority: 7,
   subject: {namespaces: {}}, ingress: [{name: "n", action: Deny, from: [{pods: {namespaceSelector: {}, podSelector: {matchLabels: {x: "1"}}}}],
   protocols: [{tcp: {destinationPort: {range: {start: 1, end: 9}}}}, {udp: {}}]}], egress: [{action: Accept, to: [{networks: [10.0.0.0/8]},
   {domainNames: ["*.x.org"]}, {nodes: {matchExpressions: [{key: k, operator: NotIn, values: [a, b]}]}}]}]}}
---
{apiVersion: batch/v1, kind: CronJob, metadata: {name: j, namespace: "1e3"}, spec: {jobTemplate: {spec: {template: {metadata: {labels: {a: "on"}},
   spec: {serviceAccountName: sa, containers: [{name: c, ports: [{name: http, containerPort: 80}]}]}}}}}}
)",
                       cluster);
    REQUIRE(errors_of(cluster.diagnostics) == "");
    CHECK(cluster.policy.others.size() == 3);
    const std::string programs = programs_text(cluster.lowered);
    check_policy_ir(cluster.policy, programs);
    check_programs(cluster.lowered, programs);
}

TEST_CASE("services, host ports and inventories read back word for word") {
    testing::RandomCluster cluster, again;
    testing::load_text(R"(
{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {type: LoadBalancer, clusterIP: None,
 externalTrafficPolicy: Local, loadBalancerSourceRanges: [10.0.0.0/8], ports: [{port: 80}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: a}, spec: {nodeName: n1, containers: [{name: c, image: i, ports: [
 {containerPort: 80, hostPort: 8080}, {name: x, containerPort: 81}]}]}}
---
{apiVersion: v1, kind: Endpoints, metadata: {name: s, namespace: a}, subsets: [{addresses: [{ip: 10.0.0.1}],
 ports: [{port: 1}]}, {addresses: [{ip: 10.0.0.2}], ports: [{port: 2}]}]}
---
{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {racks: [{name: a, nodeSelector: "rack == 'a'",
 nodeASNumber: 64512}], routers: [{name: r, address: 10.0.0.1, asNumber: 65000, rack: a}]}}
)",
                       cluster);
    REQUIRE(errors_of(cluster.diagnostics) == "");
    const std::string text = backends::to_yaml(cluster.policy);
    for (const char* part : {"hostPort: 8080", "clusterIP: None", "10.0.0.0/8", "nodeASNumber",
                             "name: s-1", "externalTrafficPolicy: Local"})
        CHECK_MESSAGE(text.find(part) != std::string::npos, part);
    testing::load_text(text, again);
    CHECK(errors_of(again.diagnostics) == "");
    CHECK(backends::to_yaml(again.policy) == text);
}

TEST_CASE("text that is no program and no table is refused with its line") {
    decision::PredicateStore store;
    const auto programs = [&](const char* text) {
        return decision::parse_programs(text, store, kReadSelector);
    };
    CHECK(programs("program ingress normal IPv4\n  tier\n    #0 allow protocol NOPE\n").error() ==
          "line 3: expected a protocol before ``");
    CHECK_FALSE(programs("program sideways normal IPv4\n").ok());
    CHECK_FALSE(programs("    #0 allow any\n").ok());
    CHECK_FALSE(
        programs("program ingress normal IPv4\n  tier\n    #0 allow source objects(a ==)\n").ok());
    const auto tables = [&](const char* text) {
        return decision::parse_tables(text, store, kReadSelector);
    };
    CHECK_FALSE(tables("table ingress normal IPv4\n  row 0 0: 0\n").ok());
    CHECK_FALSE(tables("predicate 5: objects(all())\n").ok());
}

TEST_CASE("manifests of the suites read back") {
    const fs::path suites = fs::path(testing::source_dir()) / "../shared/conformance";
    if (!fs::exists(suites)) {
        MESSAGE("skipped: the suites are not beside this clone");
        return;
    }
    std::size_t checked = 0;
    for (const char* suite : {"polprog", "checker", "cnp", "lab", "nca", "npguard"})
        for (const auto& folder : fs::directory_iterator(suites / suite)) {
            const fs::path manifests = folder.path() / "manifests";
            if (!fs::is_directory(manifests))
                continue;
            INFO(manifests.string());
            testing::RandomCluster cluster;
            cluster.policy =
                frontend::load({manifests.string()}, cluster.sources, cluster.diagnostics);
            if (cluster.diagnostics.has_errors() || has_variants(cluster.diagnostics))
                continue; // what is not known has no manifest
            cluster.lowered = passes::lower(cluster.policy).cluster;
            check_policy_ir(cluster.policy, programs_text(cluster.lowered));
            ++checked;
        }
    CHECK(checked > 300);
}
