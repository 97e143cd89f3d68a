// One manifest for each remaining diagnostic of loading: with the mistake, and without it.
#include "frontend/load.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

using namespace polecat;
using diag::Code;

namespace {

diag::Diagnostics found_in(const std::string& text) {
    Sources sources;
    diag::Diagnostics diagnostics;
    policy::Cluster cluster;
    const FileId file = sources.add("test.yaml", text);
    frontend::load_documents(yaml::read_documents(sources, file, diagnostics), cluster,
                             diagnostics);
    return diagnostics;
}

bool has(const diag::Diagnostics& diagnostics, Code code) {
    return std::any_of(diagnostics.list().begin(), diagnostics.list().end(),
                       [&](const diag::Diagnostic& each) { return each.code == code; });
}

struct Row {
    Code code;
    const char* bad;
    const char* good;
};

constexpr Row kRows[] = {
    {Code::UnknownKind, "{apiVersion: projectcalico.org/v3, kind: NetworkPolcy}",
     "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: t}, spec: {}}"},
    {Code::UnknownKind, "{apiVersion: networking.k8s.io/v1, kind: GlobalNetworkSet}", // Calico's
     "{apiVersion: network.example.com/v1, kind: GlobalNetworkSet}"},
    {Code::UnknownKind, "{apiVersion: v1, kind: HostEndpoint}",
     "{apiVersion: metallb.io/v1beta2, kind: BGPPeer, metadata: {name: a, namespace: b}}"},
    {Code::MissingKind, "{apiVersion: v1, metadata: {name: a}}",
     "{apiVersion: v1, kind: Namespace, metadata: {name: a}}"},
    {Code::WrongType, "{apiVersion: v1, kind: Namespace, metadata: [a]}",
     "{apiVersion: v1, kind: Namespace, metadata: {name: a}}"},
    {Code::NullLabelValue, "{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {x: }}}",
     "{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {x: ''}}}"},
    {Code::ObjectName, "{apiVersion: v1, kind: Namespace, metadata: {name: A_b}}",
     "{apiVersion: v1, kind: Namespace, metadata: {name: a-b}}"},
    {Code::LabelSyntax,
     "{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {'x y': z}}}",
     "{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {x.y: z}}}"},
    {Code::FieldValue,
     "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: t}, "
     "spec: {defaultAction: Drop}}",
     "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: t}, "
     "spec: {defaultAction: Deny}}"},
    {Code::FieldValue, // names a folder
     "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: ../../n}}",
     "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: n.example.com}}"},
    {Code::FieldValue, // and a comment of rules
     "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: \"n\\nadd table x\"}}",
     "{apiVersion: v1, kind: Pod, metadata: {name: p}, spec: {nodeName: ''}}"},
    {Code::RulesWithoutType,
     "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, "
     "spec: {podSelector: {}, policyTypes: [Ingress], egress: [{}]}}",
     "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, "
     "spec: {podSelector: {}, policyTypes: [Egress], egress: [{}]}}"},
    {Code::MissingPodSelector,
     "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, spec: {}}",
     "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p}, "
     "spec: {podSelector: {}}}"},
    {Code::MissingSchemaField,
     "{apiVersion: projectcalico.org/v3, kind: BGPConfiguration, metadata: {name: default}, "
     "spec: {communities: [{name: c}], prefixAdvertisements: [{cidr: 10.0.0.0/8, "
     "communities: [c]}]}}",
     "{apiVersion: projectcalico.org/v3, kind: BGPConfiguration, metadata: {name: default}, "
     "spec: {communities: [{name: c, value: '1:2'}], prefixAdvertisements: "
     "[{cidr: 10.0.0.0/8, communities: [c]}]}}"},
    {Code::SchemaValue,
     "{apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: {name: b}, "
     "spec: {peerIP: 10.0.0.1, asNumber: -1}}",
     "{apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: {name: b}, "
     "spec: {peerIP: 10.0.0.1, asNumber: 64512}}"},
    {Code::FieldRule,
     "{apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: {name: b}, "
     "spec: {peerIP: 10.0.0.1, asNumber: 64512, peerSelector: all()}}",
     "{apiVersion: projectcalico.org/v3, kind: BGPPeer, metadata: {name: b}, "
     "spec: {peerSelector: all()}}"},
    {Code::FieldRule, // of the operator's pools: smaller than a block
     "{apiVersion: operator.tigera.io/v1, kind: Installation, metadata: {name: default}, "
     "spec: {calicoNetwork: {ipPools: [{cidr: 10.244.0.0/28}]}}}",
     "{apiVersion: operator.tigera.io/v1, kind: Installation, metadata: {name: default}, "
     "spec: {calicoNetwork: {ipPools: [{cidr: 10.244.0.0/26}]}}}"},
    {Code::FieldRule, // bits beyond the prefix, of IPv6
     "{apiVersion: operator.tigera.io/v1, kind: Installation, metadata: {name: default}, "
     "spec: {calicoNetwork: {ipPools: [{cidr: 'fd00::1/64'}]}}}",
     "{apiVersion: operator.tigera.io/v1, kind: Installation, metadata: {name: default}, "
     "spec: {calicoNetwork: {ipPools: [{cidr: 'fd00::/64'}]}}}"},
    {Code::UnknownKind, "{apiVersion: polecat/v1, kind: FabricInventry, metadata: {name: f}}",
     "{apiVersion: polecat/v1, kind: PolicyTest}"},
    {Code::UnknownKind, "{apiVersion: polecat/v2, kind: FabricInventory, metadata: {name: f}}",
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {}}"},
    {Code::UnknownField,
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {router: []}}",
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {routers: []}}"},
    {Code::FieldValue,
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {routers: "
     "[{address: 10.0.0.1, asNumber: 4294967296}]}}",
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {routers: "
     "[{address: 10.0.0.1, asNumber: 4294967295}]}}"},
    {Code::FieldValue,
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {routers: "
     "[{address: 10.0.0.1, asNumber: 1.70000}]}}",
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {routers: "
     "[{address: 10.0.0.1, asNumber: 1.10}]}}"},
    {Code::FieldValue,
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {routers: "
     "[{address: 10.0.0.1}]}}",
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {routers: "
     "[{address: 10.0.0.1, asNumber: 1}]}}"},
    {Code::FieldValue,
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {routers: "
     "[{address: 10.0.0.1/24, asNumber: 1}]}}",
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {routers: "
     "[{address: fd00::1, asNumber: 1}]}}"},
    {Code::FieldValue,
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {routers: "
     "[{asNumber: 1}]}}",
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {}}"},
    {Code::FieldValue,
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {racks: [{name: "
     "a}], routers: [{address: 10.0.0.1, asNumber: 1, rack: b}]}}",
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {racks: [{name: "
     "a}], routers: [{address: 10.0.0.1, asNumber: 1, rack: a}]}}"},
    {Code::FieldValue,
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {racks: [{name: "
     "a}, {name: a}]}}",
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {racks: [{name: "
     "a}, {name: b}]}}"},
    {Code::FieldValue,
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {racks: [{name: "
     "a, nodeSelector: a ==}]}}",
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {racks: [{name: "
     "a, nodeSelector: a == 'b'}]}}"},
    {Code::FieldValue,
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {routers: "
     "[{address: 10.0.0.1, asNumber: 1}, {address: 10.0.0.1, asNumber: 2}]}}",
     "{apiVersion: polecat/v1, kind: FabricInventory, metadata: {name: f}, spec: {routers: "
     "[{address: 10.0.0.1, asNumber: 1, rack: a}, {address: 10.0.0.1, asNumber: 2, rack: b}]}}"},
    {Code::FieldValue,
     "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {type: Foo}}",
     "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {type: NodePort}}"},
    {Code::FieldValue,
     "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: "
     "{externalTrafficPolicy: local}}",
     "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: "
     "{externalTrafficPolicy: Local}}"},
    {Code::FieldValue,
     "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {ports: [{name: a, "
     "port: 80}, {name: b, port: 80}]}}",
     "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {ports: [{name: a, "
     "port: 80}, {name: b, port: 80, protocol: UDP}]}}"},
    {Code::FieldValue,
     "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {ports: [{name: a, "
     "port: 80}, {name: a, port: 81}]}}",
     "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: a}, spec: {ports: [{name: a, "
     "port: 80}, {name: b, port: 81}]}}"},
    {Code::WrongType,
     "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: t}, spec: {order: .inf}}",
     "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: t}, spec: {order: 1e300}}"},
    {Code::WrongType,
     "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: t}, spec: {order: .nan}}",
     "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: t}, spec: {order: 1}}"},
    {Code::SchemaValue,
     "{apiVersion: projectcalico.org/v3, kind: Node, metadata: {name: n1}, spec: {bgp: {asNumber: "
     "4294967296}}}",
     "{apiVersion: projectcalico.org/v3, kind: Node, metadata: {name: n1}, spec: {bgp: {asNumber: "
     "4294967295}}}"},
    {Code::SchemaValue,
     "{apiVersion: projectcalico.org/v3, kind: Node, metadata: {name: n1}, spec: {bgp: {asNumber: "
     "'1.x'}}}",
     "{apiVersion: projectcalico.org/v3, kind: Node, metadata: {name: n1}, spec: {bgp: {asNumber: "
     "'1.10'}}}"},
    {Code::UnrenderedTemplate,
     "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: p}, spec: "
     "{selector: \"a == '{{ .Values.app }}'\"}}",
     "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: p}, spec: "
     "{selector: \"a == '{ app }'\"}}"},
};

} // namespace

TEST_CASE("each mistake is named, its near miss is not") {
    for (const Row& row : kRows) {
        INFO(diag::label(row.code), " ", row.bad);
        CHECK(has(found_in(row.bad), row.code));
        const diag::Diagnostics good = found_in(row.good);
        CHECK_FALSE(has(good, row.code));
        CHECK_FALSE(good.has_errors());
    }
}

TEST_CASE("paths that hold nothing, and kinds that nobody reads") {
    namespace fs = std::filesystem;
    const fs::path folder = fs::temp_directory_path() / "polecat-load-test";
    fs::remove_all(folder);
    fs::create_directories(folder / "empty");
    std::ofstream(folder / "one.yaml") << "{apiVersion: v1, kind: ConfigMap, metadata: {name: c}}";
    const auto load_all = [](const std::vector<std::string>& paths) {
        Sources sources;
        diag::Diagnostics diagnostics;
        auto cluster = frontend::load(paths, sources, diagnostics);
        frontend::check_references(cluster, diagnostics);
        return diagnostics;
    };
    const auto loaded = [&](const fs::path& path) { return load_all({path.string()}); };
    CHECK(has(loaded(folder / "nowhere"), Code::UnreadableFile));
    CHECK(has(loaded(folder / "empty"), Code::NoManifests));
    CHECK(has(loaded(folder / "one.yaml"), Code::UnreadKind));
    CHECK_FALSE(loaded(folder / "one.yaml").has_errors());
    // A file that two paths lead to is read once; two files of one object are two.
    const std::string one = (folder / "space.yaml").string(), two = (folder / "same.yaml").string();
    std::ofstream(one) << "{apiVersion: v1, kind: Namespace, metadata: {name: a}}";
    CHECK_FALSE(has(load_all({one, folder.string(), one}), Code::DuplicateObject));
    fs::copy(one, two);
    CHECK(has(load_all({one, two}), Code::DuplicateObject));
    fs::remove_all(folder);
}
