// What loading refuses or warns of, one case a code, and what it does not.
#include "frontend/load.h"

#include <algorithm>

#include <doctest/doctest.h>

using namespace polecat;
using diag::Code;

namespace {

struct Loaded {
    Sources sources;
    diag::Diagnostics diagnostics;
    policy::Cluster cluster;

    std::size_t count(Code code) const {
        const auto& list = diagnostics.list();
        return static_cast<std::size_t>(
            std::count_if(list.begin(), list.end(),
                          [&](const diag::Diagnostic& each) { return each.code == code; }));
    }
    const diag::Diagnostic& first(Code code) const {
        const auto& list = diagnostics.list();
        const auto found =
            std::find_if(list.begin(), list.end(),
                         [&](const diag::Diagnostic& each) { return each.code == code; });
        REQUIRE(found != list.end());
        return *found;
    }
};

Loaded load(const std::string& text) {
    Loaded out;
    const FileId file = out.sources.add("test.yaml", text);
    const auto documents = yaml::read_documents(out.sources, file, out.diagnostics);
    frontend::load_documents(documents, out.cluster, out.diagnostics);
    frontend::check_references(out.cluster, out.diagnostics);
    return out;
}

std::string calico_policy(const std::string& spec,
                          const std::string& version = "projectcalico.org/v3") {
    return "apiVersion: " + version +
           "\nkind: NetworkPolicy\nmetadata: {name: web, namespace: shop}\nspec:\n" + spec;
}

} // namespace

TEST_CASE("a selector that does not parse is refused where it stands") {
    const Loaded loaded = load(calico_policy("  selector: app = 'web'\n"));
    const diag::Diagnostic& found = loaded.first(Code::SelectorSyntax);
    CHECK(found.severity == diag::Severity::Error);
    CHECK(found.span.line == 5);
    CHECK(found.object == "NetworkPolicy shop/web");
    CHECK(load(calico_policy("  selector: app == 'web'\n")).count(Code::SelectorSyntax) == 0);
}

TEST_CASE("ports need a protocol") {
    const std::string rule = "  ingress:\n  - action: Allow\n    destination: {ports: [80]}\n";
    CHECK(load(calico_policy(rule)).count(Code::PortsWithoutProtocol) == 1);
    CHECK(load(calico_policy(rule + "    protocol: TCP\n")).count(Code::PortsWithoutProtocol) == 0);
}

TEST_CASE("an un-defaulted policy without types has both directions") {
    const std::string rule = "  ingress:\n  - action: Allow\n";
    const Loaded loaded = load(calico_policy(rule, "crd.projectcalico.org/v1"));
    CHECK(loaded.count(Code::UndefaultedTypes) == 1);
    REQUIRE(loaded.cluster.policies.size() == 1);
    CHECK(loaded.cluster.policies[0].egress_type);
    const Loaded defaulted = load(calico_policy(rule));
    CHECK(defaulted.count(Code::UndefaultedTypes) == 0);
    CHECK_FALSE(defaulted.cluster.policies[0].egress_type);
}

TEST_CASE("pools of the operator's Installation") {
    const std::string head = "apiVersion: operator.tigera.io/v1\nkind: Installation\n"
                             "metadata: {name: default}\nspec:\n  variant: Calico\n"
                             "  calicoNetwork:\n";
    const Loaded good = load(head + "    ipPools: [{cidr: 10.8.0.0/16, encapsulation: VXLAN}]\n");
    CHECK_FALSE(good.diagnostics.has_errors());
    REQUIRE(good.cluster.pools.size() == 1);
    CHECK(good.cluster.pools[0].meta.name == "10.8.0.0/16");
    CHECK(load(head + "    ipPools: [{cidr: 10.8.0.0/16, encapsulation: GRE}]\n")
              .count(Code::SchemaValue) == 1);
    CHECK(load(head + "    ipPool: []\n").count(Code::UnknownField) == 1);
}

TEST_CASE("a peer of an unknown field is told once") {
    const auto policy = [](const std::string& peer) {
        return load("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, "
                    "namespace: a}\nspec: {podSelector: {}, egress: [{to: [" +
                    peer + "]}]}\n");
    };
    const Loaded unknown = policy("{dnsName: example.com}");
    CHECK(unknown.count(Code::UnknownField) == 1);
    CHECK(unknown.count(Code::FieldValue) == 0);
    CHECK(unknown.diagnostics.has_errors());
    CHECK(policy("{}").count(Code::FieldValue) == 1);
}

TEST_CASE("two objects of one name") {
    const std::string one = calico_policy("  types: [Ingress]\n");
    const Loaded loaded = load(one + "---\n" + one);
    CHECK(loaded.count(Code::DuplicateObject) == 1);
    CHECK(loaded.first(Code::DuplicateObject).labels.size() == 1);
    const std::string subset = "{addresses: [{ip: 10.0.0.1}], ports: [{port: 1}]}";
    const std::string endpoints =
        "{apiVersion: v1, kind: Endpoints, metadata: {name: s, namespace: "
        "a}, subsets: [" +
        subset + ", " + subset + "]}\n";
    const std::string slice = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, addressType: "
                              "IPv4, metadata: {name: s, namespace: a}, endpoints: []}\n";
    CHECK(load(endpoints + "---\n" + slice).count(Code::DuplicateObject) == 0);
    CHECK(load(endpoints + "---\n" + endpoints).count(Code::DuplicateObject) == 1);
    CHECK(load(slice + "---\n" + slice).count(Code::DuplicateObject) == 1);
}

TEST_CASE("what a policy or an endpoint refers to must be there") {
    CHECK(load(calico_policy("  tier: nowhere\n")).count(Code::MissingTier) == 1);
    CHECK(load(calico_policy("  tier: default\n")).count(Code::MissingTier) == 0);
    CHECK(load("apiVersion: projectcalico.org/v3\nkind: HostEndpoint\nmetadata: {name: h}\n"
               "spec: {node: n, interfaceName: eth0, profiles: [nobody]}\n")
              .count(Code::MissingProfile) == 1);
    const std::string to_dns =
        calico_policy("  egress:\n  - action: Allow\n    destination:\n"
                      "      services: {name: dns, namespace: kube-system}\n");
    const auto pod = [](const std::string& space) {
        return "---\n{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: " + space +
               ", labels: {k8s-app: kube-dns}}, spec: {containers: [{name: c, image: i}]}}\n";
    };
    CHECK(load(to_dns + pod("kube-system")).count(Code::MissingService) == 1);
    const std::string stray = "---\n{apiVersion: v1, kind: Pod, metadata: {name: vip, namespace: "
                              "kube-system}, spec: {containers: [{name: c, image: i}]}}\n";
    CHECK(load(to_dns + stray).count(Code::MissingService) == 0);       // the rest may be elsewhere
    CHECK(load(to_dns + pod("shop")).count(Code::MissingService) == 0); // it may be elsewhere
}

TEST_CASE("two cluster policies of one priority") {
    const auto policy = [](const std::string& name, const std::string& priority) {
        return "apiVersion: policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy\n"
               "metadata: {name: " +
               name + "}\nspec: {tier: Admin, priority: " + priority +
               ", subject: {namespaces: {}}}\n---\n";
    };
    CHECK(load(policy("a", "5") + policy("b", "5")).count(Code::EqualPriority) == 1);
    CHECK(load(policy("a", "5") + policy("b", "6")).count(Code::EqualPriority) == 0);
}

TEST_CASE("port names that nothing can match") {
    const std::string pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: shop}\n"
                            "spec: {containers: [{name: c, image: i, ports: "
                            "[{name: http, containerPort: 80}]}]}\n---\n";
    const auto policy = [](const std::string& rules) {
        return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
               "metadata: {name: p, namespace: shop}\nspec:\n  podSelector: {}\n" +
               rules;
    };
    const auto ingress = [&](const std::string& name) {
        return load(pod + policy("  ingress: [{ports: [{port: " + name + "}]}]\n"));
    };
    CHECK(ingress("http").count(Code::UndeclaredPortName) == 0);
    CHECK(ingress("htpt").count(Code::UndeclaredPortName) == 1);
    const auto message = [&](const std::string& ports) {
        return load(pod + policy("  ingress: [{ports: [" + ports + "]}]\n"))
            .first(Code::UndeclaredPortName)
            .message;
    };
    CHECK(message("{port: htpt}").ends_with("so the rule matches nothing"));
    CHECK(message("{port: htpt}, {port: htps}").ends_with("so the rule matches nothing"));
    CHECK(message("{port: htpt}, {port: 80}").ends_with("are not touched by that"));
    CHECK(message("{port: htpt}, {port: http}").ends_with("are not touched by that"));
    CHECK(message("{port: htpt}, {protocol: UDP}").ends_with("are not touched by that"));
    const std::string block = "{ipBlock: {cidr: 10.0.0.0/8}}";
    CHECK(load(pod + policy("  policyTypes: [Egress]\n  egress: [{to: [" + block +
                            "], ports: [{port: http}]}]\n"))
              .count(Code::PortNameOutside) == 1);
    CHECK(load(pod + policy("  policyTypes: [Egress]\n  egress: [{to: [" + block +
                            "], ports: [{port: 80}]}]\n"))
              .count(Code::PortNameOutside) == 0);
}

TEST_CASE("a FelixConfiguration for selected nodes is not followed, and that is said") {
    const auto felix = [](const std::string& name, const std::string& spec) {
        return load(
                   "apiVersion: projectcalico.org/v3\nkind: FelixConfiguration\nmetadata: {name: " +
                   name + "}\nspec: {" + spec + "}\n")
            .count(Code::FelixNotFollowed);
    };
    CHECK(felix("edge", "nodeSelector: \"zone == 'a'\"") == 1);
    CHECK(felix("edge", "logSeverityScreen: Debug") == 0);
    CHECK(felix("node.n1", "logSeverityScreen: Debug") == 0);
}

TEST_CASE("unknown fields name the nearest known one") {
    const Loaded loaded = load(calico_policy("  selektor: all()\n"));
    const diag::Diagnostic& found = loaded.first(Code::UnknownField);
    REQUIRE(found.hint);
    CHECK(found.hint->find("selector") != std::string::npos);
}

TEST_CASE("slips in what Kubernetes' kinds hold are refused, what polecat has no use for is not") {
    const auto pod = [](const std::string& metadata, const std::string& spec) {
        return load("{apiVersion: v1, kind: Pod, metadata: {name: p, " + metadata + "}, spec: {" +
                    spec + "}}");
    };
    const auto is_refused = [](const Loaded& loaded) {
        return loaded.count(Code::UnknownField) == 1 && loaded.diagnostics.has_errors();
    };
    CHECK(is_refused(pod("namspace: shop", "nodeName: n")));
    CHECK(is_refused(pod("lables: {a: b}", "nodeName: n")));
    CHECK(is_refused(pod("namespace: shop", "hostNetwrok: true")));
    CHECK(is_refused(load("{apiVersion: apps/v1, kind: Deployment, metadata: {name: d}, spec: "
                          "{tempalte: {metadata: {labels: {a: b}}}}}")));
    CHECK(is_refused(load("{apiVersion: v1, kind: Service, metadata: {name: s}, spec: {slector: "
                          "{a: b}, ports: [{port: 1}]}}")));
    CHECK(is_refused(load("{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: "
                          "{name: p, namspace: n}, spec: {podSelector: {}}}")));
    CHECK(pod("uid: x, finalizers: [], managedFields: []",
              "dnsPolicy: Default, hostUsers: false, containers: [{name: c, image: i, tty: true, "
              "ports: [{containerPort: 80, hostPort: 81}]}]")
              .diagnostics.list()
              .empty());
    const Loaded newer = pod("namespace: shop", "somethingOfKubernetesNext: true");
    CHECK(newer.count(Code::UnknownField) == 1);
    CHECK_FALSE(newer.diagnostics.has_errors());
}

TEST_CASE("kinds that are nearly known, and kinds that are known and not read") {
    const auto refused = [](const std::string& type) {
        return load("{" + type + ", metadata: {name: x}}").count(Code::UnknownKind) == 1;
    };
    CHECK(refused("apiVersion: v1, kind: Namepsace"));
    CHECK(refused("apiVersion: apps/v1, kind: Deploymnet"));
    CHECK(refused("apiVersion: apps/v2, kind: Deployment"));
    CHECK(refused("apiVersion: v1, kind: Deployment"));
    CHECK_FALSE(refused("apiVersion: v1, kind: ConfigMap"));
    CHECK_FALSE(refused("apiVersion: v1, kind: Event"));
    CHECK_FALSE(refused("apiVersion: networking.k8s.io/v1, kind: Ingress"));
    CHECK_FALSE(refused("apiVersion: serving.knative.dev/v1, kind: Service"));
    CHECK_FALSE(refused("apiVersion: crd.projectcalico.org/v1, kind: IPAMBlock"));
}

TEST_CASE("a long selector with many slips is explained at once") {
    std::string text;
    for (int i = 0; i < 2000; ++i)
        text += "a = 'b' & ";
    CHECK(load(calico_policy("  selector: \"" + text + "\"\n")).count(Code::SelectorSyntax) == 1);
}

TEST_CASE("half a failsafe port opens nothing") {
    const auto felix = [](const std::string& port) {
        return load("{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: "
                    "default}, spec: {failsafeInboundHostPorts: [{" +
                    port + "}]}}");
    };
    CHECK(felix("protocol: TCP, port: 22").cluster.felix.failsafe_inbound->size() == 1);
    CHECK(felix("port: 22").cluster.felix.failsafe_inbound->empty());
    CHECK(felix("protocol: carrier-pigeon, port: 22").diagnostics.has_errors());
}

TEST_CASE("an Installation and the pool that the operator makes of it") {
    const std::string installation =
        "{apiVersion: operator.tigera.io/v1, kind: Installation, metadata: {name: default}, spec: "
        "{calicoNetwork: {ipPools: [{name: default-ipv4-ippool, cidr: 192.168.0.0/16}]}}}\n---\n";
    const std::string pool = "{apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: "
                             "default-ipv4-ippool}, spec: {cidr: 192.168.0.0/16}}\n---\n";
    CHECK(load(installation + pool).count(Code::DuplicateObject) == 0);
    CHECK(load(pool + pool).count(Code::DuplicateObject) == 1);
}

TEST_CASE("a rule with an error is marked, and its policy otherwise stands") {
    const Loaded loaded = load(calico_policy("  selector: all()\n  types: [Ingress]\n"
                                             "  ingress:\n"
                                             "  - {action: Allow, protocol: TCP}\n"
                                             "  - {action: Alow}\n"
                                             "  - {action: Deny, protocl: TCP}\n"));
    const policy::Policy& policy = loaded.cluster.policies.at(0);
    CHECK_FALSE(policy.meta.unread.known());
    REQUIRE(policy.ingress.size() == 3);
    CHECK_FALSE(policy.ingress[0].unread.known());
    CHECK(policy.ingress[1].unread.line == 9);
    CHECK(policy.ingress[1].any_action);
    CHECK(policy.ingress[2].unread.line == 10);
    CHECK_FALSE(policy.ingress[2].any_action);
    CHECK(policy.ingress[2].action == policy::Action::Deny);
}

TEST_CASE("what a policy with an error may select, and which way") {
    const auto first = [](const std::string& spec) {
        const Loaded loaded = load(calico_policy(spec));
        CHECK(loaded.diagnostics.has_errors());
        return loaded.cluster.policies.at(0);
    };
    const policy::Policy selector = first("  selector: app = 'a'\n  types: [Egress]\n");
    CHECK(selector.meta.unread.known());
    CHECK_FALSE(selector.selector); // all of the namespace
    CHECK_FALSE(selector.ingress_type);
    CHECK_FALSE(selector.place_unread);
    CHECK(selector.egress.size() == 1);
    const policy::Policy field = first("  selector: app == 'a'\n  tyeps: [Egress]\n");
    CHECK(field.selector);
    CHECK(field.ingress_type);
    CHECK(field.egress_type);
    CHECK(field.place_unread); // the field may be meant as its order
    const policy::Policy tier = first("  tier: nowhere\n  types: [Egress]\n");
    CHECK(tier.place_unread);
    CHECK(tier.meta.unread.known());
}

TEST_CASE("kinds that pods come of") {
    const auto unread = [](const std::string& text) {
        const Loaded loaded = load(text);
        const auto* found = loaded.cluster.pods_unknown_in("mon");
        return found != nullptr ? found->object : std::string();
    };
    const std::string meta = "\nmetadata: {name: x, namespace: mon}\n";
    CHECK(unread("apiVersion: monitoring.coreos.com/v1\nkind: Prometheus" + meta) ==
          "Prometheus mon/x");
    CHECK(unread("apiVersion: example.com/v1\nkind: Engine" + meta + "spec: {replicas: 3}\n") ==
          "Engine mon/x");
    CHECK(unread("apiVersion: example.com/v1\nkind: Engine" + meta +
                 "spec: {template: {spec: {containers: [{name: c, image: i}]}}}\n") ==
          "Engine mon/x");
    CHECK(unread("apiVersion: argoproj.io/v1alpha1\nkind: Application\n"
                 "metadata: {name: x, namespace: argocd}\n"
                 "spec: {destination: {namespace: mon}}\n") == "Application argocd/x");
    // A pod that can't be read is one of which not all is known.
    CHECK(unread("apiVersion: v1\nkind: Pod" + meta + "spec: {containers: {}}\n") == "Pod mon/x");
    for (const char* quiet :
         {"apiVersion: monitoring.coreos.com/v1\nkind: ServiceMonitor",
          "apiVersion: v1\nkind: ConfigMap", "apiVersion: policy/v1\nkind: PodDisruptionBudget"})
        CHECK(unread(quiet + meta + "spec: {selector: {}, minAvailable: 1}\n").empty());
    CHECK(unread("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler" + meta +
                 "spec: {replicas: 3}\n")
              .empty());
}

TEST_CASE("policies of other systems are warned of, once a kind") {
    const Loaded cilium = load("apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\n"
                               "metadata: {name: a, namespace: s}\nspec: {oops: 1}\n");
    CHECK_FALSE(cilium.diagnostics.has_errors());
    CHECK(cilium.cluster.foreign_policies.at("cilium.io/v2 CiliumNetworkPolicy").count == 1);
    // A slip is no other system.
    const Loaded slip = load("apiVersion: projectcalico.org/v3\nkind: NetworkPolicie\n"
                             "metadata: {name: a, namespace: s}\nspec: {}\n");
    CHECK(slip.count(Code::UnknownKind) == 1);
    REQUIRE(slip.cluster.policies.size() == 1);
    CHECK(slip.cluster.policies[0].meta.unread.known());
}

TEST_CASE("errors of an object without a spec have a place") {
    for (const char* kind :
         {"networking.k8s.io/v1\nkind: NetworkPolicy", "projectcalico.org/v3\nkind: IPPool",
          "policy.networking.k8s.io/v1alpha2\nkind: ClusterNetworkPolicy",
          "crd.projectcalico.org/v1\nkind: NetworkPolicy"})
        for (const char* spec : {"spec:\n", "", "$patch: delete\n", "spec: []\n"}) {
            const Loaded loaded =
                load(std::string("apiVersion: ") + kind + "\nmetadata: {name: x}\n" + spec);
            CHECK(!loaded.diagnostics.list().empty());
            for (const diag::Diagnostic& each : loaded.diagnostics.list())
                CHECK_MESSAGE(each.span.known(), kind, " ", spec, each.message);
        }
}

TEST_CASE("the objects of a document that is no YAML are known by its lines") {
    const auto lost = [](const std::string& text) {
        Sources sources;
        diag::Diagnostics diagnostics;
        const policy::Cluster cluster =
            frontend::load_files({{"a.yaml", text}}, sources, diagnostics);
        CHECK(diagnostics.has_errors());
        std::string out;
        for (const auto& each : cluster.kubernetes_policies)
            out += each.meta.space + "/" + each.meta.name + ":" +
                   std::to_string(each.meta.unread.line) + " ";
        for (const auto& each : cluster.policies)
            out += each.manifest_kind + " " + each.meta.space + "/" + each.meta.name + " ";
        for (const auto& [space, pods] : cluster.unread_pods)
            out += "pods of " + space + " ";
        return out;
    };
    const std::string head = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n";
    CHECK(lost(head + "  name: a\n  namespace: shop\nspec: [\n").starts_with("shop/a:"));
    // Which of two namespaces is its own can't be told.
    CHECK(lost(head + "  name: a\n  namespace: shop\nspec: [\n  namespace: ops\n")
              .starts_with("/a:"));
    CHECK(lost("{\"apiVersion\": \"projectcalico.org/v3\", \"kind\": \"GlobalNetworkPolicy\", "
               "\"metadata\": {\"name\": \"g\"}, \"spec\": {]}") == "GlobalNetworkPolicy /g ");
    // Two objects without a line between them.
    CHECK(lost(head + "  name: a\n  namespace: shop\n" + head +
               "  name: b\n  namespace: ops\nspec: {}\n")
              .find("ops/b:") != std::string::npos);
    CHECK(lost("kind: Deployment\napiVersion: apps/v1\nmetadata: {name: d, namespace: shop\n") ==
          "pods of shop ");
}

TEST_CASE("an IPAMConfiguration that makes no blocks by itself needs strict affinity") {
    const auto refused = [](const std::string& spec) {
        return load("{apiVersion: projectcalico.org/v3, kind: IPAMConfiguration, metadata: {name: "
                    "default}, spec: {" +
                    spec + "}}")
            .diagnostics.has_errors();
    };
    CHECK(refused("strictAffinity: false, autoAllocateBlocks: false, maxBlocksPerHost: 0"));
    CHECK_FALSE(refused("strictAffinity: true, autoAllocateBlocks: false, maxBlocksPerHost: 0"));
    CHECK_FALSE(refused("strictAffinity: false, autoAllocateBlocks: true, maxBlocksPerHost: 4"));
}

TEST_CASE("an annotation that OpenShift's operator removes is none that is misspelt") {
    const auto refused = [](const std::string& annotations) {
        return load("{apiVersion: v1, kind: Namespace, metadata: {name: a, annotations: {" +
                    annotations + "}}}")
            .count(Code::LabelSyntax);
    };
    const std::string release =
        "include.release.openshift.io/self-managed-high-availability: 'true', ";
    CHECK(refused(release + "openshift.io/node-selector-: ''") == 0);
    CHECK(refused("openshift.io/node-selector-: ''") == 1);
    CHECK(refused(release + "openshift.io/-node: ''") == 1);
}
