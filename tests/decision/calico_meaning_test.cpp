// What Calico makes of accepted input that says something else to a reader.
#include "tests/path/path_case.h"

using namespace polecat;
using decision::Verdict;

using namespace polecat::testing;

namespace {

constexpr const char* kStorage = "crd.projectcalico.org/v1";

std::string lets_in(const std::string& source, const std::string& api = "projectcalico.org/v3") {
    return "{apiVersion: " + api +
           ", kind: GlobalNetworkPolicy, metadata: {name: p}, spec: {selector: app == 'one', "
           "types: [Ingress], ingress: [{action: Allow, " +
           source + "}]}}\n---\n";
}

std::string space_b(const std::string& labels) {
    return "{apiVersion: v1, kind: Namespace, metadata: {name: b, labels: {" + labels +
           "}}}\n---\n"
           "{apiVersion: v1, kind: Pod, metadata: {name: three, namespace: b}, spec: {nodeName: "
           "n2, "
           "containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.7}}\n---\n";
}

std::string cluster_policy(const std::string& action, const std::string& peer) {
    return "{apiVersion: policy.networking.k8s.io/v1alpha2, kind: ClusterNetworkPolicy, metadata: "
           "{name: c}, spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, egress: "
           "[{action: " +
           action + ", to: [" + peer + "]}, {action: Deny, to: [{networks: [192.168.0.0/16]}]}]}}" +
           "\n---\n";
}

const std::string kTier = "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: t}, "
                          "spec: {order: 5}}\n---\n";

} // namespace

TEST_CASE("one label that is too long takes all labels of a namespace along") {
    const Ask ask{"b/three", "a/one"};
    const std::string by_label = lets_in("source: {namespaceSelector: team == 'y'}");
    const std::string by_name =
        lets_in("source: {namespaceSelector: projectcalico.org/name == 'b'}");
    const std::string by_field =
        lets_in("source: {selector: projectcalico.org/namespace == 'b'}"); // of the pod
    const std::string fits = std::string(58, 'k') + ": v", beyond = std::string(59, 'k') + ": v";
    for (const std::string& policy : {by_label, by_name}) {
        CHECK(verdict(space_b("team: 'y', " + fits) + policy, ask) == Verdict::Allow);
        CHECK(verdict(space_b("team: 'y', " + beyond) + policy, ask) == Verdict::Deny);
    }
    CHECK(verdict(space_b("team: 'y', " + beyond) + by_field, ask) == Verdict::Allow);
}

TEST_CASE("the same of a service account") {
    const auto pod = [](const std::string& label) {
        return "{apiVersion: v1, kind: ServiceAccount, metadata: {name: s, namespace: a, labels: "
               "{role: r, " +
               label +
               ": v}}}\n---\n{apiVersion: v1, kind: Pod, metadata: {name: four, namespace: a}, "
               "spec: "
               "{nodeName: n2, serviceAccountName: s, containers: [{name: c, image: i}]}, status: "
               "{podIP: 10.0.0.8}}\n---\n";
    };
    const Ask ask{"a/four", "a/one"};
    const std::string selector = lets_in("source: {serviceAccounts: {selector: role == 'r'}}");
    const std::string name = lets_in("source: {serviceAccounts: {names: [s]}}");
    CHECK(verdict(pod(std::string(58, 'k')) + selector, ask) == Verdict::Allow);
    CHECK(verdict(pod(std::string(59, 'k')) + selector, ask) == Verdict::Deny);
    CHECK(verdict(pod(std::string(59, 'k')) + name, ask) == Verdict::Allow);
}

TEST_CASE("the API server names namespaces") {
    const std::string space = space_b("kubernetes.io/metadata.name: other");
    const auto by = [](const std::string& name) {
        return lets_in("source: {namespaceSelector: kubernetes.io/metadata.name == '" + name +
                       "'}");
    };
    CHECK(verdict(space + by("b"), {"b/three", "a/one"}) == Verdict::Allow);
    CHECK(verdict(space + by("other"), {"b/three", "a/one"}) == Verdict::Deny);
}

TEST_CASE("global() outside of namespace selectors") {
    const auto from = [](const std::string& source, const std::string& end) {
        return verdict(lets_in("source: {" + source + "}"), {end, "a/one"});
    };
    CHECK(from("notSelector: global()", "a/two") == Verdict::Deny);
    CHECK(from("notSelector: global()", kOutside) == Verdict::Allow);
    CHECK(from("notSelector: global() && app == 'two'", "a/two") == Verdict::Deny);
    CHECK(from("notSelector: global() && app == 'two'", "a/far") == Verdict::Allow);
    CHECK(from("serviceAccounts: {selector: global()}", "a/two") == Verdict::Allow);
    CHECK(from("serviceAccounts: {selector: global()}", kOutside) == Verdict::Deny);
}

TEST_CASE("what Felix makes of objects past Calico's API") {
    const auto from = [](const std::string& rule, const std::string& end) {
        return verdict(lets_in(rule, kStorage), {end, "a/one"});
    };
    CHECK(from("source: {nets: [10.0.0.77/24]}", "a/two") == Verdict::Allow);
    CHECK(from("source: {nets: [10.0.0.2]}", "a/two") == Verdict::Allow);
    CHECK(from("source: {nets: [10.0.0.2]}", "a/far") == Verdict::Deny);
    CHECK(from("source: {nets: [10.0.0.2/32, 'fd00::/8']}", "a/two") == Verdict::Allow);
    CHECK(from("source: {notNets: [0.0.0.0/0]}", "a/two") == Verdict::Deny);
    CHECK(from("source: {namespaceSelector: global() || all()}", "a/two") == Verdict::Allow);
    CHECK(from("source: {namespaceSelector: '!global() && !all()'}", "a/two") == Verdict::Deny);
    CHECK(from("protocol: tcp", "a/two") == Verdict::Allow);
    const auto service = [](const std::string& address) {
        return "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s, "
               "namespace: a, labels: {kubernetes.io/service-name: svc}}, addressType: IPv4, "
               "endpoints: [{addresses: [" +
               address + "]}], ports: [{port: 8080, protocol: TCP}]}\n---\n";
    };
    const std::string own = lets_in("destination: {services: {name: svc, namespace: a}}", kStorage);
    CHECK(verdict(service("10.0.0.1") + own, {"a/two", "a/one"}) == Verdict::Allow);
    CHECK(verdict(service("10.0.0.1") + own, {"a/two", "a/one", 81}) == Verdict::Deny);
    CHECK(verdict(service("10.0.0.2") + own, {"a/two", "a/one"}) == Verdict::Deny);
}

TEST_CASE("peers that Calico can't convert") {
    const Ask ask{"a/one", "node:n2"};
    const std::string nodes = "{nodes: {}}", domain = "{domainNames: [a.example]}";
    // Nothing of Calico's: what the API says.
    CHECK(verdict(cluster_policy("Accept", nodes), ask) == Verdict::Allow);
    CHECK(verdict(cluster_policy("Deny", nodes), {"a/one", kOutside}) == Verdict::Allow);
    CHECK(verdict(cluster_policy("Accept", domain), {"a/one", "192.168.7.7"}) == Verdict::Depends);
    // Calico leaves an Accept out, and denies everything for the others.
    for (const std::string& peer : {nodes, domain}) {
        CHECK(verdict(kTier + cluster_policy("Accept", peer), ask) == Verdict::Deny);
        CHECK(verdict(kTier + cluster_policy("Accept", peer), {"a/one", kOutside}) ==
              Verdict::Allow);
        for (const char* action : {"Deny", "Pass"})
            CHECK(verdict(kTier + cluster_policy(action, peer), {"a/one", kOutside}) ==
                  Verdict::Deny);
    }
}
