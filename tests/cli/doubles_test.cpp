// Objects and keys that stand twice: told by what policy sees of it.
#include <string>
#include <vector>

#include "tests/cli/folder.h"

using namespace polecat;
using testing::Folder;
using testing::has;

TEST_CASE("an object that stands twice: by what it is") {
    const auto lint = [](const std::string& text) {
        const Folder folder;
        folder.write("a.yaml", text);
        return folder.run("lint --only duplicate-object --fail-on never a.yaml").out;
    };
    const std::string space = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: books}\n";
    const std::string other =
        "---\nkind: Namespace\napiVersion: v1\nmetadata: {name: books, labels: {a: b}}\n";
    const std::string dumped = "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: books, uid: "
                               "u, resourceVersion: '1'}\n";
    CHECK(has(lint(space + space), "note[PC3001]"));
    CHECK(has(lint(space + dumped), "note[PC3001]"));
    // Labels matter where a policy asks for them of namespaces.
    const auto asking = [](const std::string& peer) {
        return "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, "
               "namespace: books}\nspec: {podSelector: {}, ingress: [{from: [{" +
               peer + "}]}]}\n";
    };
    CHECK(has(lint(space + other), "note[PC3001]"));
    CHECK(has(lint(space + other + asking("podSelector: {matchLabels: {a: b}}")), "note[PC3001]"));
    CHECK(has(lint(space + other + asking("namespaceSelector: {matchLabels: {c: b}}")),
              "note[PC3001]"));
    CHECK(has(lint(space + other + asking("namespaceSelector: {matchLabels: {a: b}}")),
              "warning[PC3001]"));
    const std::string calico = "---\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\n"
                               "metadata: {name: g}\nspec: {selector: pcns.a == 'b'}\n";
    CHECK(has(lint(space + other + calico), "warning[PC3001]"));
    const auto policy = [](const std::string& spec) {
        return "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a, "
               "namespace: books}\nspec: {" +
               spec + "}\n";
    };
    CHECK(has(lint(policy("podSelector: {}") + policy("podSelector: {}")), "note[PC3001]"));
    CHECK(has(lint(policy("podSelector: {}") + policy("podSelector: {}, policyTypes: [Egress]")),
              "error[PC3001]"));
    const std::string elsewhere = "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                  "metadata: {name: a}\nspec: {podSelector: {}}\n";
    CHECK_FALSE(has(lint(policy("podSelector: {}") + elsewhere), "PC3001"));
    const std::string list = "---\napiVersion: v1\nkind: NamespaceList\nitems:\n- metadata: {name: "
                             "books}\n";
    CHECK(has(lint(space + list), "note[PC3001]")); // apiVersion and kind are implied, not said
}

TEST_CASE("of two objects the last counts, and of two policies neither is known") {
    const Folder folder;
    folder.write(
        "a.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: nn, labels: {app: xx}}\n"
        "spec: {containers: [{name: c, image: i}]}\n"
        "---\napiVersion: v1\nkind: Pod\n"
        "metadata: {name: a, namespace: nn, labels: {app: zz}}\n"
        "spec: {containers: [{name: c, image: i}]}\n"
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        "metadata: {name: deny, namespace: nn}\n"
        "spec: {podSelector: {matchLabels: {app: zz}}}\n");
    CHECK(has(folder.run("reach 203.0.113.9 nn/a -p 80/TCP -f a.yaml").out, "DENY"));
    folder.write("b.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                           "metadata: {name: deny, namespace: nn}\n"
                           "spec: {podSelector: {matchLabels: {app: zz}}, ingress: [{}]}\n");
    CHECK(has(folder.run("reach 203.0.113.9 nn/a -p 80/TCP -f a.yaml b.yaml").out, "DEPENDS"));
}

TEST_CASE("a kustomization that moves objects onto one another is named") {
    const Folder folder;
    const std::string policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                               "metadata: {name: deny, namespace: NS}\n"
                               "spec: {podSelector: {}, policyTypes: [Ingress]}\n---\n";
    const auto in = [&](const std::string& space) {
        std::string out = policy;
        return out.replace(out.find("NS"), 2, space);
    };
    folder.write("in/net/deny.yaml", in("one") + in("two"));
    folder.write("in/kustomization.yaml", "namespace: all\nresources: [net/deny.yaml]\n");
    const auto out = folder.run("lint in").out;
    CHECK(has(out, "warning[PC3001]"));
    CHECK(has(out, "in/kustomization.yaml puts both into namespace `all`"));
    CHECK_FALSE(has(folder.run("lint in/net").out, "PC3001"));
}

TEST_CASE("Namespaces that a kustomization gives one name, and one that it leaves out") {
    const Folder folder;
    const auto space = [](const std::string& name, const std::string& labels) {
        return "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: " + name + "\n  labels: {" +
               labels + "}\n---\n";
    };
    const std::string asking = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: "
                               "{name: p}\nspec: {podSelector: {}, ingress: [{from: "
                               "[{namespaceSelector: {matchLabels: {a: b}}}]}]}\n";
    folder.write("in/base/policy.yaml", asking);
    folder.write("in/base/kustomization.yaml", "resources: [space.yaml, policy.yaml]\n");
    folder.write("in/dev/kustomization.yaml", "namespace: shop\nresources: [../base]\n");
    folder.write("in/base/space.yaml", space("shop", "a: b") + space("shop-infra", ""));
    const std::string both = folder.run("lint in").out;
    CHECK(has(both, "warning[PC3001]"));
    CHECK(
        has(both, "a kustomization gives every Namespace the name `shop`, and kustomize refuses"));
    // The second stands in a file that nothing builds from.
    folder.write("in/base/space.yaml", space("_", "a: b"));
    folder.write("in/dev/space.yaml", space("shop", ""));
    CHECK_FALSE(has(folder.run("lint in").out, "PC3001"));
    CHECK(has(folder.run("lint --all in").out, "note[PC3001]"));
}

TEST_CASE("objects that stand twice are told where policy sees that they differ") {
    const auto of = [](const std::string& kind, const std::string& spec) {
        return "apiVersion: " + std::string(kind == "Service" ? "v1" : "apps/v1") +
               "\nkind: " + kind + "\nmetadata: {name: web, namespace: a}\nspec: " + spec + "\n";
    };
    const auto pods = [](const std::string& labels, const std::string& container) {
        return "{selector: {matchLabels: {app: web}}, template: {metadata: {labels: {" + labels +
               "}}, spec: {containers: [{name: c, " + container + "}]}}}";
    };
    const auto lint = [](const std::string& first, const std::string& second) {
        const Folder folder;
        folder.write("in/one.yaml", first + "---\n" + second);
        return folder.run("lint --all in").out;
    };
    const std::string web = of("Deployment", pods("app: web", "image: x"));
    CHECK(has(lint(web, of("Deployment", pods("app: web", "image: y"))), "note[PC3001]"));
    CHECK(
        has(lint(web, of("Deployment", pods("app: web, tier: x", "image: x"))), "warning[PC3001]"));
    CHECK(
        has(lint(web, of("Deployment", pods("app: web", "image: x, ports: [{containerPort: 80}]"))),
            "warning[PC3001]"));
    // Felix's settings, and how many pods there are by name.
    std::string felix = of("DaemonSet", pods("app: web", "image: x, env: [{name: A, value: b}]"));
    std::string other_felix =
        of("DaemonSet", pods("app: web", "image: x, env: [{name: A, value: c}]"));
    CHECK(has(lint(felix, other_felix), "note[PC3001]"));
    for (std::string* each : {&felix, &other_felix})
        each->replace(each->find("name: web"), 9, "name: calico-node");
    CHECK(has(lint(felix, other_felix), "warning[PC3001]"));
    // As the API server fills it in.
    std::string filled = web;
    filled.replace(filled.find("spec: {containers"), 7, "spec: {dnsPolicy: ClusterFirst, ");
    CHECK(has(lint(web, filled), "note[PC3001]"));
    const std::string one = of("StatefulSet", pods("app: web", "image: x"));
    std::string three = one;
    three.replace(three.find("{selector: "), 1, "{replicas: 3, ");
    CHECK(has(lint(one, three), "warning[PC3001]"));
    CHECK(has(lint(of("Service", "{selector: {app: web}, ports: [{port: 80}]}"),
                   of("Service", "{selector: {app: web}, ports: [{port: 81}]}")),
              "warning[PC3001]"));
    // What a name is to be is not known.
    const std::string job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: '${job}'}\n"
                            "spec: {template: {metadata: {labels: {a: b}}, spec: {containers: "
                            "[{name: c, image: x}]}}}\n";
    std::string other = job;
    other.replace(other.find("a: b"), 4, "a: c");
    CHECK_FALSE(has(lint(job, other), "PC3001"));
}

TEST_CASE("what no policy sees of a namespace or a policy makes no other object of it") {
    const auto shown = [](const std::string& first, const std::string& second) {
        const Folder folder;
        folder.write("in/one.yaml", first + "---\n" + second);
        return folder.run("lint --fail-on never in").out;
    };
    const auto space = [](const std::string& labels) {
        return "apiVersion: v1\nkind: Namespace\nmetadata: {name: a, labels: {" + labels + "}}\n";
    };
    CHECK_FALSE(
        has(shown(space("team: x"), space("team: x, kubernetes.io/metadata.name: a")), "PC3001"));
    CHECK_FALSE(has(
        shown(space("team: x"), space("team: x, pod-security.kubernetes.io/enforce: restricted")),
        "PC3001"));
    CHECK_FALSE(has(shown(space("team: x"), space("team: y")), "PC3001"));
    const auto policy = [](const std::string& meta, const std::string& types) {
        return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, "
               "namespace: a" +
               meta + "}\nspec: {podSelector: {}, policyTypes: [" + types + "]}\n";
    };
    CHECK(has(shown(policy("", "Ingress"), policy(", annotations: {why: x}", "Ingress")),
              "note[PC3001]"));
    CHECK(has(shown(policy("", "Ingress"), policy("", "Egress")), "error[PC3001]"));
}

TEST_CASE("a doubled key that says the same is a note") {
    const Folder folder;
    const auto lint = [&](const std::string& text) {
        folder.write("a.yaml", text);
        return folder.run("lint --all a.yaml").out;
    };
    const std::string rest = "metadata: {name: p, namespace: a}\nspec: {podSelector: {}}\n";
    const std::string both = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n";
    CHECK(has(lint("apiVersion: networking.k8s.io/v1\n" + both + rest), "note[PC1002]"));
    CHECK(has(lint("apiVersion: v1\n" + both + rest), "error[PC1002]"));
    // Another object begins: its own line `---` is missing.
    CHECK(has(lint(both + rest + both + rest), "error[PC1002]"));
}

TEST_CASE("steps of a course replace one another, and a policy that stands twice is a slip") {
    const auto policy = [](const std::string& app) {
        return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
               "metadata: {name: web, namespace: shop}\n"
               "spec: {podSelector: {matchLabels: {app: " +
               app + "}}}\n";
    };
    const auto lint = [&](const std::vector<std::string>& files) {
        const Folder folder;
        for (const std::string& each : files)
            folder.write("in/" + each, policy("a" + std::to_string(each.size() * 7 + each[0])));
        return folder.run("lint --all --fail-on never in").out;
    };
    for (const std::vector<std::string>& steps :
         {std::vector<std::string>{"1-deny/a.yaml", "2-allow/a.yaml"},
          {"lab1/a.yaml", "lab2/b/a.yaml"},
          {"Step 1/a.yaml", "Step 12/a.yaml"},
          {"step-1.yaml", "step-02.yaml", "step-003.yaml"},
          {"1-web.yaml", "12-web.yaml", "123-web.yaml"}}) {
        const std::string out = lint(steps);
        INFO(steps.front());
        CHECK(has(out, "note[PC4180]"));
        CHECK(has(out, "hint: steps of a course replace one another: pass one at a time"));
        CHECK_FALSE(has(out, "PC3001"));
    }
    CHECK(has(lint({"web1/a.yaml", "web22/a.yaml"}), "warning[PC3001]")); // names of something
    CHECK(has(lint({"01-a.yaml", "0002-a.yaml"}), "error[PC3001]"));      // an order of two
    CHECK(has(lint({"a.yaml", "1/a.yaml"}), "PC3001"));
}
