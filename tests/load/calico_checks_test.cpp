// What Calico's API, its storage and Felix take and refuse, in every place where such a value
// stands.
#include "frontend/load.h"

#include <algorithm>

#include <doctest/doctest.h>

using namespace polecat;
using diag::Code;

namespace {

struct Checked {
    Sources sources;
    diag::Diagnostics diagnostics;
    policy::Cluster cluster;

    explicit Checked(const std::string& text) {
        const FileId file = sources.add("test.yaml", text);
        frontend::load_documents(yaml::read_documents(sources, file, diagnostics), cluster,
                                 diagnostics);
    }
};

/// The codes that reading reports, but for those that every object of that group has.
std::vector<Code> codes(const std::string& text) {
    std::vector<Code> out;
    const Checked loaded(text);
    for (const diag::Diagnostic& each : loaded.diagnostics.list())
        if (each.code != Code::LegacyApiVersion && each.code != Code::UndefaultedTypes)
            out.push_back(each.code);
    return out;
}

constexpr const char* kApi = "projectcalico.org/v3";
constexpr const char* kStorage = "crd.projectcalico.org/v1";

std::string object(const std::string& api, const std::string& kind, const std::string& spec,
                   const std::string& name = "a") {
    return "{apiVersion: " + api + ", kind: " + kind + ", metadata: {name: " + name + "}, spec: {" +
           spec + "}}";
}

std::vector<std::string> rule_kinds() {
    return {"NetworkPolicy", "GlobalNetworkPolicy", "StagedNetworkPolicy",
            "StagedGlobalNetworkPolicy", "Profile"};
}

/// What the rule is refused for, in every kind that has rules and in both directions.
void check_rule(const std::string& rule, const std::vector<Code>& expected,
                const std::string& api = kApi) {
    for (const std::string& kind : rule_kinds())
        for (const char* direction : {"ingress", "egress"}) {
            CAPTURE(kind);
            CAPTURE(direction);
            CAPTURE(rule);
            CHECK(codes(object(api, kind, std::string(direction) + ": [" + rule + "]")) ==
                  expected);
        }
}

const std::vector<Code> kGood{}, kRefused{Code::FieldValue}, kWarned{Code::ApiCheckMissed};

} // namespace

TEST_CASE("names of ports are those that Kubernetes takes, wherever they stand") {
    for (const char* api : {kApi, kStorage})
        for (const char* list : {"ports", "notPorts"})
            for (const char* end : {"source", "destination"}) {
                const auto rule = [&](const std::string& name) {
                    return std::string("{action: Allow, protocol: TCP, ") + end + ": {" + list +
                           ": ['" + name + "']}}";
                };
                for (const char* good :
                     {"http", "a", "1a", "web-8080", "fifteen-letters", "80", "080", "80:90"})
                    check_rule(rule(good), kGood, api);
                for (const char* bad : {"HTTP", "a--b", "-a", "a-", "sixteen--letters", "a_b",
                                        "a.b", "8-0", "80-90", "80:", ""})
                    check_rule(rule(bad), kRefused, api);
            }
    const auto cluster_policy = [](const std::string& name) {
        return "{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, "
               "metadata: {name: a}, spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, "
               "ingress: [{action: Deny, from: [{namespaces: {}}], protocols: "
               "[{destinationNamedPort: '" +
               name + "'}]}]}}";
    };
    CHECK(codes(cluster_policy("http")) == kGood);
    CHECK(codes(cluster_policy("8080")) == kRefused);
    CHECK(codes(cluster_policy("Http")) == kRefused);
    const auto admin_policy = [](const std::string& name) {
        return "{apiVersion: policy.networking.k8s.io/v1alpha1, kind: AdminNetworkPolicy, "
               "metadata: {name: a}, spec: {priority: 1, subject: {namespaces: {}}, "
               "ingress: [{action: Deny, from: [{namespaces: {}}], ports: [{namedPort: '" +
               name + "'}]}]}}";
    };
    CHECK(codes(admin_policy("http")) == kGood);
    CHECK(codes(admin_policy("a--b")) == kRefused);
}

TEST_CASE("ports of host endpoints") {
    const auto endpoint = [](const std::string& api, const std::string& port) {
        return object(api, "HostEndpoint",
                      "node: n1, interfaceName: eth0, ports: [{" + port + "}]");
    };
    CHECK(codes(endpoint(kApi, "name: http, port: 80, protocol: TCP")) == kGood);
    CHECK(codes(endpoint(kApi, "name: HTTP, port: 80, protocol: TCP")) == kRefused);
    // Felix itself takes that name.
    CHECK(codes(endpoint(kStorage, "name: HTTP, port: 80, protocol: TCP")) == kWarned);
    CHECK(codes(endpoint(kStorage, "name: 'HT TP', port: 80, protocol: TCP")) == kRefused);
    const std::vector<Code> dropped{Code::EndpointDropped};
    for (const char* api : {kApi, kStorage})
        for (const char* number : {"6", "17", "132", "'17'", "17.0"})
            CHECK(codes(endpoint(api, std::string("name: http, port: 80, protocol: ") + number)) ==
                  dropped);
    CHECK(codes(endpoint(kApi, "name: http, port: 80, protocol: 1")) == kRefused);
    CHECK(codes(object(kApi, "HostEndpoint", "node: n1, expectedIPs: []")) == kRefused);
    CHECK(codes(object(kApi, "HostEndpoint", "node: n1, expectedIPs: [10.0.0.1]")) == kGood);
    CHECK(codes(object(kApi, "WorkloadEndpoint",
                       "node: n1, interfaceName: cali1, ports: [{name: http, port: 80, protocol: "
                       "17}]")) == dropped);
}

TEST_CASE("services in rules") {
    const auto source = [](const std::string& end) {
        return "ingress: [{action: Allow, source: {" + end + "}}]";
    };
    const auto policy = [&](const std::string& end, const char* api = kApi) {
        return codes(object(api, "GlobalNetworkPolicy", source(end)));
    };
    const std::string service = "services: {name: web, namespace: shop}";
    CHECK(policy(service) == kGood);
    CHECK(policy("services: {name: A_b, namespace: shop}") == kRefused);
    CHECK(policy("services: {name: web, namespace: Shop}") == kRefused);
    CHECK(policy("services: {namespace: shop}") == kRefused);
    CHECK(policy("services: {name: web}") == kRefused);
    CHECK(policy("services: {name: A_b, namespace: shop}", kStorage) == kWarned);
    const std::string long_name = "services: {name: " + std::string(254, 'a') + ", namespace: b}";
    CHECK(policy(long_name) == kRefused);
    CHECK(policy(long_name, kStorage) == kRefused);
    CHECK(policy("services: {name: web}", kStorage) == kWarned);
    CHECK(policy("services: {namespace: shop}", kStorage) == kRefused);
    for (const char* empty : {"selector: ''", "notSelector: ''", "namespaceSelector: ''"})
        CHECK(policy(service + ", " + empty) == kGood);
    for (const char* empty : {"nets: []", "selector: ", "serviceAccounts: "})
        CHECK(policy(service + ", " + empty) == std::vector{Code::EmptyValue});
    for (const char* other :
         {"selector: all()", "notSelector: a == 'b'", "namespaceSelector: all()",
          "nets: [10.0.0.0/8]", "serviceAccounts: {}"})
        for (const char* api : {kApi, kStorage}) // the schema says so
            CHECK(policy(service + ", " + other, api) == kRefused);
    // No schema describes profiles.
    for (const char* end : {"services: {name: web}", "services: {name: web}, selector: all()"})
        for (const char* place : {"source", "destination"})
            for (const char* direction : {"ingress", "egress"})
                CHECK(codes(object(kApi, "Profile",
                                   std::string(direction) + ": [{action: Allow, " + place + ": {" +
                                       end + "}}]")) == kGood);
    CHECK(codes(object(kApi, "Profile", source("services: {}"))) == kRefused);
    CHECK(codes(object(kApi, "Profile", source("services: {name: A_b}"))) == kRefused);
}

TEST_CASE("where global() may stand") {
    const auto rule = [](const std::string& end) {
        return "{action: Allow, source: {" + end + "}}";
    };
    for (const char* good : {"namespaceSelector: global()", "namespaceSelector: ' global( ) '",
                             "notSelector: global()", "notSelector: global() && has(x)",
                             "serviceAccounts: {selector: global()}"})
        check_rule(rule(good), kGood);
    for (const char* bad : {"namespaceSelector: (global())", "namespaceSelector: '!global()'",
                            "namespaceSelector: global() || all()"}) {
        check_rule(rule(bad), kRefused);
        check_rule(rule(bad), kWarned, kStorage);
    }
    for (const char* api : {kApi, kStorage}) {
        for (const char* kind : {"NetworkPolicy", "StagedGlobalNetworkPolicy"})
            CHECK(codes(object(api, kind, "ingress: [" + rule("selector: global()") + "]")) ==
                  kRefused);
        CHECK(codes(object(api, "GlobalNetworkPolicy", "namespaceSelector: global()")) == kRefused);
        CHECK(codes(object(api, "NetworkPolicy", "serviceAccountSelector: global()")) == kRefused);
    }
}

TEST_CASE("what only Calico's API refuses is programmed past it") {
    const char* const rules[] = {"source: {nets: [10.0.0.1]}",
                                 "source: {nets: [10.0.0.1/8]}",
                                 "source: {nets: [10.0.0.0/8, 'fd00::/8']}",
                                 "source: {nets: [10.0.0.0/8]}, ipVersion: 6",
                                 "source: {notNets: [0.0.0.0/0]}",
                                 "protocol: tcp",
                                 "metadata: {annotations: {'a b': c}}"};
    for (const char* rule : rules) {
        check_rule(std::string("{action: Allow, ") + rule + "}", kRefused);
        check_rule(std::string("{action: Allow, ") + rule + "}", kWarned, kStorage);
    }
    const char* const policies[] = {
        "types: [Ingress, Ingress]",
        "ingress: [{action: Allow, destination: {services: {name: web, namespace: shop}}}]",
        "egress: [{action: Allow, source: {services: {name: web, namespace: shop}}}]",
        "egress: [{action: Allow, protocol: TCP, http: {methods: [GET]}}]",
        "ingress: [{action: Allow, http: {methods: [GET, GET]}}]"};
    for (const char* kind : {"NetworkPolicy", "GlobalNetworkPolicy", "StagedNetworkPolicy"})
        for (const char* spec : policies) {
            CAPTURE(spec);
            CHECK(codes(object(kApi, kind, spec)) == kRefused);
            CHECK(codes(object(kStorage, kind, spec)) == kWarned);
        }
    CHECK(codes(object(kApi, "NetworkPolicy", "", "a.b.c")) == std::vector{Code::ObjectName});
    CHECK(codes(object(kStorage, "NetworkPolicy", "", "a.b.c")) == kWarned);
    CHECK(codes(object(kApi, "StagedNetworkPolicy", "stagedAction: Delete, order: 1")) == kRefused);
    CHECK(codes(object(kStorage, "StagedNetworkPolicy", "stagedAction: Delete, order: 1")) ==
          kWarned);
    // What Felix drops or the schema refuses stays refused.
    const char* const closed[] = {"source: {nets: [here]}", "icmp: {type: 8}",
                                  "protocol: ICMP, destination: {ports: [80]}",
                                  "source: {serviceAccounts: {names: [\"a'b\"]}}"};
    for (const char* rule : closed)
        for (const char* api : {kApi, kStorage})
            check_rule(std::string("{action: Allow, ") + rule + "}", kRefused, api);
}

TEST_CASE("numbers as JSON has them") {
    const std::vector<Code> octal{Code::OctalNumber};
    check_rule("{action: Allow, protocol: TCP, destination: {ports: [070]}}", octal);
    check_rule("{action: Allow, protocol: 011}", octal);
    const auto kubernetes = [](const std::string& port) {
        return codes("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: a}, "
                     "spec: {podSelector: {}, policyTypes: [Ingress], ingress: [{ports: [{port: " +
                     port + "}]}]}}");
    };
    CHECK(kubernetes("070") == octal);
    CHECK(kubernetes("080") == kGood);
    CHECK(kubernetes("80.0") == kGood);
    CHECK(kubernetes("0x50") == kGood);
    for (const char* protocol : {"6", "6.0", "06", "TCP", "'6'"})
        check_rule(std::string("{action: Allow, protocol: ") + protocol +
                       ", destination: {ports: [80.0, 080, 8e1]}}",
                   kGood);
    check_rule("{action: Allow, protocol: 1, icmp: {type: 8.0, code: 0.0}}", kGood);
    // The schema compares a protocol by its name or its number.
    check_rule("{action: Allow, protocol: '1', icmp: {type: 8}}", kRefused);
    check_rule("{action: Allow, protocol: ICMP, ipVersion: 6}", kRefused);
    check_rule("{action: Allow, protocol: '1', ipVersion: 6}", kGood);
    check_rule("{action: Allow, protocol: 6.5}", {Code::WrongType});
    check_rule("{action: Allow, protocol: TCP, destination: {ports: [80.5]}}", {Code::WrongType});
}

TEST_CASE("the tiers that Kubernetes' cluster policies go to") {
    const std::vector<Code> conflict{Code::FieldRule};
    const auto tier = [](const std::string& name, const std::string& spec) {
        return codes(object(kApi, "Tier", spec, name));
    };
    CHECK(tier("kube-admin", "order: 1000, defaultAction: Pass") == kGood);
    CHECK(tier("kube-admin", "defaultAction: Pass") == conflict);
    CHECK(tier("kube-admin", "order: 1000") == conflict);
    CHECK(tier("kube-baseline", "defaultAction: Pass") == conflict);
    CHECK(tier("default", "") == kGood); // the API writes its order
    CHECK(tier("other", "") == kGood);
}

TEST_CASE("labels that pods inherit") {
    const auto space = [](const std::string& label) {
        return codes("{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {" + label +
                     "}}}");
    };
    const std::vector<Code> lost{Code::InheritedLabelsLost};
    const auto domain = [](std::size_t length) { // labels of a domain have 63 characters at most
        std::string out;
        while (out.size() + 2 < length)
            out += std::string(std::min<std::size_t>(60, length - out.size() - 2), 'd') + ".";
        return out + std::string(length - out.size(), 'd');
    };
    CHECK(space(std::string(58, 'k') + ": v") == kGood);
    CHECK(space(std::string(59, 'k') + ": v") == lost);
    CHECK(space(std::string(63, 'k') + ": v") == lost);
    CHECK(space("x.y/" + std::string(63, 'k') + ": v") == kGood);
    CHECK(space(domain(248) + "/k: v") == kGood);
    CHECK(space(domain(249) + "/k: v") == lost);
    const auto account = [](const std::string& name, const std::string& label) {
        return codes("{apiVersion: v1, kind: ServiceAccount, metadata: {name: " + name +
                     ", labels: {" + label + "}}}");
    };
    CHECK(account("a", std::string(58, 'k') + ": v") == kGood);
    CHECK(account("a", std::string(59, 'k') + ": v") == lost);
    CHECK(account(std::string(63, 'a'), "k: v") == kGood);
    CHECK(account(std::string(64, 'a'), "") == lost);
    const std::vector<Code> other{Code::NamespaceNameLabel};
    CHECK(space("kubernetes.io/metadata.name: a") == kGood);
    CHECK(space("kubernetes.io/metadata.name: b") == other);
    CHECK(space("kubernetes.io/metadata.name: ''") == other);
    CHECK(space("metadata.name: b") == kGood);
}

TEST_CASE("values of a FelixConfiguration") {
    const auto felix = [](const std::string& spec) {
        return codes(object(kApi, "FelixConfiguration", spec, "default"));
    };
    const std::vector<Code> refused{Code::SchemaValue};
    for (const char* good :
         {"wireguardInterfaceName: wg0", "wireguardInterfaceName: '*'",
          "wireguardInterfaceNameV6: ''", "externalNodesList: [10.0.0.1, 10.1.0.0/16]",
          "goMaxProcs: -1", "bpfMaglevMaxServices: 3000", "endpointStatusPathPrefix: /var",
          "bpfMapSizePerCpuConntrack: 5", "nftablesFlowTableDataIfacePattern: eth.*"})
        CHECK(felix(good) == kGood);
    for (const char* bad :
         {"wireguardInterfaceName: 'wg&0'", "wireguardInterfaceNameV6: sixteen-letters-",
          "externalNodesList: ['abcd::1']", "externalNodesList: ['abcd::/64']", "goMaxProcs: -2",
          "bpfMaglevMaxServices: 3001", "logDebugFilenameRegex: '('",
          "wireguardRoutingRulePriority: 32766", "bpfKubeProxyHealthzPort: 65536"})
        CHECK(felix(bad) == refused);
}

TEST_CASE("a policy and its metadata have no unknown fields") {
    const std::vector<Code> unknown{Code::UnknownField};
    const auto severity = [](const std::string& text) {
        const Checked loaded(text);
        REQUIRE(loaded.diagnostics.list().size() == 1);
        return loaded.diagnostics.list().front().severity;
    };
    const std::string policy = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: "
                               "{name: a, namespaceSelector: {}}, spec: {podSelector: {}, "
                               "policyTypes: [Ingress]}}";
    CHECK(codes(policy) == unknown);
    CHECK(severity(policy) == diag::Severity::Error);
    CHECK(severity("{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: a, "
                   "selector: x}, spec: {}}") == diag::Severity::Error);
    const auto selects = [](const char* kind) {
        return codes(object(kApi, kind, "namespaceSelector: all()"));
    };
    CHECK(selects("NetworkPolicy") == unknown);
    CHECK(selects("StagedNetworkPolicy") == unknown);
    CHECK(selects("GlobalNetworkPolicy") == kGood);
    // Of other kinds only what is near to a field.
    CHECK(severity("{apiVersion: v1, kind: Namespace, metadata: {name: a, selector: x}}") ==
          diag::Severity::Warning);
}

TEST_CASE("a baseline policy has nothing to pass to") {
    const auto policy = [](const std::string& kind, const std::string& action) {
        return codes("{apiVersion: policy.networking.k8s.io/v1alpha1, kind: " + kind +
                     ", metadata: {name: default}, spec: {" +
                     (kind == "AdminNetworkPolicy" ? "priority: 1, " : "") +
                     "subject: {namespaces: {}}, ingress: [{action: " + action +
                     ", from: [{namespaces: {}}]}]}}");
    };
    CHECK(policy("AdminNetworkPolicy", "Pass") == kGood);
    CHECK(policy("BaselineAdminNetworkPolicy", "Pass") == kRefused);
    CHECK(policy("BaselineAdminNetworkPolicy", "Allow") == kGood);
}

TEST_CASE("the address that AWS' CNI plugin noted") {
    const auto addresses = [](const std::string& meta, const std::string& status) {
        const Checked loaded("{apiVersion: v1, kind: Pod, metadata: {name: a, " + meta +
                             "}, spec: {nodeName: n1, containers: []}, status: {" + status + "}}");
        REQUIRE(loaded.cluster.workloads.size() == 1);
        const policy::Workload& pod = loaded.cluster.workloads.front();
        return pod.finished            ? "finished"
               : pod.addresses.empty() ? ""
                                       : net::to_string(pod.addresses.front().value);
    };
    const std::string noted = "annotations: {vpc.amazonaws.com/pod-ips: 10.0.0.1}";
    CHECK(addresses(noted, "") == "10.0.0.1/32");
    CHECK(addresses(noted, "podIP: 10.0.0.2") == "10.0.0.2/32");
    const std::string empty = "annotations: {vpc.amazonaws.com/pod-ips: ''}";
    CHECK(addresses(empty, "podIP: 10.0.0.2") == "10.0.0.2/32");
    CHECK(addresses(empty + ", deletionTimestamp: '2026-01-01T00:00:00Z'", "podIP: 10.0.0.2") ==
          "finished");
}
