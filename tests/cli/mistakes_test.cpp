// Mistakes of objects: each is told once, as what it is.
#include "tests/cli/folder.h"

using namespace polecat;
using testing::Folder;
using testing::has;
using testing::times;

TEST_CASE("--namespace is where objects go that give none") {
    const Folder folder;
    folder.write("a.yaml",
                 "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: deny}\n"
                 "spec: {podSelector: {}}\n---\n"
                 "apiVersion: v1\nkind: List\nitems:\n"
                 "- apiVersion: v1\n  kind: Namespace\n  metadata: {name: logs}\n"
                 "- apiVersion: v1\n  kind: Pod\n  metadata: {name: gw, namespace: ''}\n"
                 "  spec: {containers: [{name: c, image: i}]}\n");
    const auto out = folder.run("reach --namespace logs 203.0.113.9 logs/gw -p 80/TCP -f a.yaml");
    CHECK(has(out.out, "DENY"));
    CHECK_FALSE(has(folder.run("lint --namespace logs a.yaml").out, "PC4004"));
    CHECK(has(folder.run("lint --all a.yaml").out, "PC4004"));
    const auto both = folder.run("diff --namespace logs a.yaml a.yaml");
    CHECK(both.exit_code == 0);
}

TEST_CASE("mistakes of apiVersion and scope") {
    const auto lint = [](const std::string& text) {
        const Folder folder;
        folder.write("a.yaml", text);
        return folder.run("lint --all --fail-on never a.yaml").out;
    };
    const std::string global = "kind: GlobalNetworkPolicy\nmetadata: {name: q, namespace: books}\n"
                               "spec: {selector: a == 'b', order: 1, types: [Ingress]}\n";
    CHECK(has(lint("apiVersion: projectcalico.org/v3\n" + global), "warning[PC1023]"));
    CHECK(has(lint("apiVersion: v1\nkind: Namespace\nmetadata: {name: a, namespace: b}\n"),
              "note[PC1023]"));
    const std::string wrong = lint("apiVersion: networking.k8s.io/v1\n" + global);
    CHECK(has(wrong, "PC1010"));
    CHECK(has(wrong, "GlobalNetworkPolicy is a kind of projectcalico.org/v3"));
    CHECK(has(lint("apiVersion: v1\nkind: NetworkPolicy\nmetadata: {name: a}\nspec: {}\n"),
              "networking.k8s.io/v1 and of projectcalico.org/v3"));
    CHECK(has(lint("apiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: a}\nspec: {}\n"),
              "did you mean `Deployment`?"));
    const std::string gone = "apiVersion: extensions/v1beta1\nkind: NetworkPolicy\n"
                             "metadata: {name: deny, namespace: nn}\nspec: {podSelector: {}}\n";
    CHECK(has(lint(gone), "warning[PC1022]"));
    const Folder folder;
    folder.write("a.yaml", gone + "---\napiVersion: v1\nkind: Pod\n"
                                  "metadata: {name: a, namespace: nn}\n"
                                  "spec: {containers: [{name: c, image: i}]}\n");
    CHECK(has(folder.run("reach 203.0.113.9 nn/a -p 80/TCP -f a.yaml").out, "ALLOW"));
}

TEST_CASE("kinds of other groups that have a policy's name") {
    const auto lint = [](const std::string& version, const std::string& kind) {
        const Folder folder;
        folder.write("a.yaml", "apiVersion: " + version + "\nkind: " + kind +
                                   "\nmetadata: {name: a}\nspec: {}\n");
        return folder.run("lint --all --fail-on never a.yaml").out;
    };
    CHECK(has(lint("audit.example.com/v1", "AuditNetworkPolicy"), "warning[PC1040]"));
    CHECK(has(lint("network.k8s.io/v1", "NetworkPolicy"), "error[PC1010]"));
    CHECK(has(lint("projectcalico.or/v3", "GlobalNetworkPolicy"), "error[PC1010]"));
    CHECK_FALSE(has(lint("flux.example.com/v1", "Kustomization"), "PC1010"));
}

TEST_CASE("a second place that no file has is not shown") {
    const Folder folder; // its tier is filled in
    folder.write("a.yaml",
                 "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: "
                 "app.web, namespace: books}\nspec: {order: 1, selector: all(), types: "
                 "[Ingress]}\n---\napiVersion: projectcalico.org/v3\nkind: Tier\n"
                 "metadata: {name: app}\nspec: {order: 10}\n");
    CHECK(has(folder.run("lint --fail-on never a.yaml").out, "PC4002"));
}

TEST_CASE("of a host endpoint that Felix drops nothing else is said") {
    const Folder folder;
    folder.write("a.yaml", "apiVersion: projectcalico.org/v3\nkind: HostEndpoint\n"
                           "metadata: {name: h}\n"
                           "spec: {node: n1, interfaceName: eth0, expectedIPs: [192.0.2.1], "
                           "ports: [{name: web, port: 80, protocol: 6}]}\n");
    const std::string out = folder.run("lint --fail-on never a.yaml").out;
    CHECK(has(out, "PC2063"));
    CHECK_FALSE(has(out, "PC4401"));
}

TEST_CASE("labels that are no text: calicoctl takes them, the API server does not") {
    const auto lint = [](const std::string& text) {
        const Folder folder;
        folder.write("a.yaml", text);
        return folder.run("lint --only wrong-type --fail-on never a.yaml").out;
    };
    const std::string host = "apiVersion: projectcalico.org/v3\nkind: HostEndpoint\n"
                             "metadata: {name: n1, labels: {role: VALUE}}\n"
                             "spec: {node: n1, interfaceName: eth0, expectedIPs: [192.0.2.1]}\n";
    const auto with = [&](const std::string& value) {
        std::string out = host;
        return out.replace(out.find("VALUE"), 5, value);
    };
    CHECK(has(lint(with("yes")), "calicoctl makes `true` of it"));
    CHECK(has(lint(with("7")), "warning[PC2002]"));
    CHECK(has(lint(with("1.20")), "calicoctl makes `1.2` of it"));
    CHECK(has(lint(with("1e9")), "error[PC2002]")); // Go writes it with an exponent
    CHECK_FALSE(has(lint(with("'7'")), "PC2002"));
    CHECK(has(lint("apiVersion: v1\nkind: Pod\nmetadata: {name: a, labels: {b: true}}\nspec: "
                   "{containers: [{name: c, image: i}]}\n"),
              "error[PC2002]"));
}

TEST_CASE("keys that are no text are those that Kubernetes reads") {
    const Folder folder;
    folder.write("in/service.yaml", "apiVersion: v1\nkind: Service\n"
                                    "metadata: {name: a, namespace: b, labels: {404: x}}\n"
                                    "spec: {ports: [{port: 80}], selector: {y: x}}\n");
    const auto out = folder.run("lint --all in");
    CHECK(times(out.out, "PC1004") == 1);
    CHECK(has(out.out, "warning[PC1004]"));
    CHECK(has(out.out, "Kubernetes reads it as `true`"));
}

TEST_CASE("a rule that can't be read is judged once") {
    const Folder folder;
    const auto lint = [&](const std::string& rule) {
        folder.write("in/policy.yaml",
                     "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\n"
                     "metadata: {name: a}\nspec:\n  selector: app == 'a'\n"
                     "  types: [Egress]\n  egress:\n  - " +
                         rule + "\n");
        return folder.run("lint --all in").out;
    };
    const std::string action = lint("{action: deny}");
    CHECK(has(action, "write `Deny`"));
    CHECK_FALSE(has(action, "PC4216"));
    CHECK(has(lint("{action: Pass}"), "PC4216"));
    CHECK_FALSE(
        has(lint("{action: Allow, protocol: 'UDP, TCP', destination: {ports: [53]}}"), "PC2200"));
    CHECK(has(lint("{action: Allow, destination: {ports: [53]}}"), "PC2200"));
}

TEST_CASE("preDNAT without types: Felix runs its ingress rules") {
    const Folder folder;
    const auto lint = [&](const std::string& rest) {
        folder.write("in/policy.yaml",
                     "apiVersion: crd.projectcalico.org/v1\nkind: GlobalNetworkPolicy\n"
                     "metadata: {name: a}\nspec:\n  preDNAT: true\n  applyOnForward: true\n"
                     "  selector: has(host)\n  ingress: [{action: Deny}]\n" +
                         rest);
        return folder.run("lint in").out;
    };
    CHECK_FALSE(has(lint(""), "PC2050"));
    CHECK(has(lint("  types: [Ingress, Egress]\n"), "PC2050"));
    CHECK(has(lint("  egress: [{action: Deny}]\n"), "PC2050"));
}

TEST_CASE("a host endpoint that Felix drops lacks no policy") {
    const Folder folder;
    const auto lint = [&](const char* ports) {
        folder.write("in/host.yaml", std::string("apiVersion: projectcalico.org/v3\n"
                                                 "kind: HostEndpoint\nmetadata: {name: h}\n"
                                                 "spec: {node: n1, interfaceName: eth0") +
                                         ports + "}\n");
        return folder.run("lint in").out;
    };
    CHECK(has(lint(""), "PC4401"));
    CHECK_FALSE(has(lint(", ports: [{name: web, port: 80, protocol: 6}]"), "PC4401"));
}

TEST_CASE("a selector that is folded over lines says how") {
    const Folder folder;
    folder.write("a.yaml", "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\n"
                           "metadata: {name: a}\nspec:\n  order: 1\n  selector: >\n"
                           "    app == 'a' ||\n    app == 'b'\n  types: [Ingress]\n");
    const auto out = folder.run("lint a.yaml").out;
    CHECK(has(out, "error[PC1100]"));
    CHECK(has(out, "hint: the text ends in a line break: write `>-` or `|-` before it"));
}
