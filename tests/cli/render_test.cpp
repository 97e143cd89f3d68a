// Charts, kustomizations and variables: told once, rendered on request by what is installed.
#include "tests/cli/folder.h"

using namespace polecat;
using testing::Folder;
using testing::has;

namespace {

const char* const kDenyPolicy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                "metadata:\n  name: deny\nspec:\n  podSelector: {}\n";
const char* const kTemplate = "{{- if .Values.deny }}\napiVersion: networking.k8s.io/v1\n"
                              "kind: NetworkPolicy\nmetadata: {name: {{ .Release.Name }}}\n"
                              "spec: {podSelector: {}}\n{{- end }}\n";
const char* const kPod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: nn}\n"
                         "spec: {containers: [{name: c, image: i}]}\n";

/// A program of that name in the folder's bin/, first on the path.
void install(const Folder& folder, const std::string& name, const std::string& script) {
    const std::string path = folder.write("bin/" + name, "#!/bin/sh\n" + script);
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
}

runtime::Output run(const Folder& folder, const std::string& arguments) {
    return folder.shell("PATH=\"$PWD/bin:$PATH\" '" + std::string(testing::bin_dir()) +
                        "/polecat' " + arguments);
}

} // namespace

TEST_CASE("a chart is told once, with the command that renders it") {
    const Folder folder;
    folder.write("in/pod.yaml", kPod);
    folder.write("in/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    folder.write("in/web/values.yaml", "deny: true\n");
    folder.write("in/web/templates/policy.yaml", kTemplate);
    folder.write("in/web/templates/other.yaml", kTemplate);
    folder.write("in/web/charts/sub/Chart.yaml", "apiVersion: v2\nname: sub\nversion: 1.0.0\n");
    folder.write("in/web/charts/sub/templates/a.yaml", kTemplate);
    folder.write("in/web/templates/plain.yaml", std::string(kDenyPolicy));
    const auto out = folder.run("lint --fail-on never in");
    CHECK(has(out.out, "warning[PC1024]: chart is not rendered: 3 templates not read"));
    CHECK(has(out.out, "helm template in/web | polecat lint -"));
    CHECK(has(out.out, "in/web/Chart.yaml:1"));
    CHECK(has(folder.run("map in").error, "not rendered, and with policies: in/web/Chart.yaml"));
    CHECK_FALSE(has(out.out, "error["));
    CHECK(out.out.find("PC1024") == out.out.rfind("PC1024"));
    // Nothing of policy in it: a note.
    folder.write("in/web/templates/policy.yaml", "a: {{ x }}\n");
    folder.write("in/web/templates/other.yaml", "a: {{ x }}\n");
    folder.write("in/web/charts/sub/templates/a.yaml", "a: {{ x }}\n");
    CHECK(has(folder.run("lint --fail-on never in").out, "charts (--render)"));
    CHECK(has(folder.run("lint --all --fail-on never in").out, "note[PC1024]"));
}

TEST_CASE("a kustomization is told where it changes something") {
    const auto lint = [](const std::string& kustomization) {
        const Folder folder;
        folder.write("in/pod.yaml", kPod);
        folder.write("in/policy.yaml", kDenyPolicy);
        folder.write("in/patch.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                      "metadata: {name: deny}\nspec: {policyTypes: [Egress]}\n");
        folder.write("in/kustomization.yaml", kustomization);
        return folder.run("lint --all --fail-on never in").out;
    };
    const std::string lists = "resources: [policy.yaml, pod.yaml]\n";
    CHECK_FALSE(has(lint(lists + "images: [{name: i, newTag: '2'}]\npatches: []\n"), "PC1025"));
    const std::string changed = lint(lists + "components: [../c]\npatches: [{path: patch.yaml}]\n");
    CHECK(has(changed, "note[PC1025]"));
    CHECK(has(changed, "components, patches"));
    CHECK(has(changed, "kubectl kustomize in | polecat lint -"));
    CHECK_FALSE(has(changed, "PC3001")); // the patch is no second policy
    // Labels are read as kustomize gives them, but for those of fields that it is told.
    CHECK_FALSE(has(lint("resources: [pod.yaml]\ncommonLabels: {a: b}\n"), "PC1025"));
    CHECK(has(lint("resources: [pod.yaml]\nlabels: [{pairs: {a: b}, fields: [{path: x}]}]\n"),
              "note[PC1025]"));
    CHECK(has(lint("resources: [https://example.com/a.yaml]\n"), "of other repositories"));
    CHECK(has(lint("apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\npatches: "
                   "[{path: patch.yaml}]\n"),
              "warning[PC1045]"));
    // Flux has a kind of that name, which is an object as any other.
    const std::string flux = lint("apiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: "
                                  "Kustomization\nmetadata: {name: a, namespace: nn}\nspec: {}\n");
    CHECK_FALSE(has(flux, "PC1025"));
    CHECK_FALSE(has(flux, "PC1010"));
}

TEST_CASE("labels that overlays give differently are told where somebody asks for them") {
    const auto is_told = [](const std::string& label, const std::string& way) {
        const Folder folder;
        folder.write("in/base/policy.yaml", std::string(kDenyPolicy) +
                                                "  ingress: [{from: [{podSelector: {matchLabels: "
                                                "{tier: front}}}]}]\n");
        folder.write("in/base/kustomization.yaml", "resources: [policy.yaml]\n");
        for (const char* value : {"a", "b"})
            folder.write("in/" + std::string(value) + "/kustomization.yaml",
                         "resources: [../base]\nlabels: [{pairs: {" + label + ": " + value + "}, " +
                             way + ": true}]\n");
        return has(folder.run("lint --all --fail-on never in").out, "PC1025");
    };
    CHECK_FALSE(is_told("cloud", "includeTemplates"));
    CHECK(is_told("tier", "includeTemplates"));
    CHECK(is_told("cloud", "includeSelectors")); // of the policy as well
}

TEST_CASE("patches of what is not read are no change") {
    const auto is_told = [](const std::string& patches) {
        const Folder folder;
        folder.write("in/policy.yaml", kDenyPolicy);
        folder.write("in/args.yaml",
                     "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: "
                     "{spec: {containers: [{name: c, args: [x], resources: {}}]}}}\n");
        folder.write("in/ports.yaml",
                     "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: "
                     "{spec: {containers: [{name: c, ports: [{containerPort: 80}]}]}}}\n");
        folder.write("in/kustomization.yaml", "resources: [policy.yaml]\n" + patches);
        return has(folder.run("lint --all --fail-on never in").out, "PC1025");
    };
    const auto json = [](const std::string& kind, const std::string& path) {
        return "patches:\n- target: {kind: " + kind +
               "}\n  patch: |-\n    - {op: add, path: " + path + ", value: x}\n";
    };
    const std::string container = "/spec/template/spec/containers/0";
    CHECK_FALSE(is_told("patches: [{path: args.yaml}]\n"));
    CHECK_FALSE(is_told("patchesStrategicMerge: [args.yaml]\n"));
    CHECK_FALSE(is_told(json("Deployment", container + "/args/-")));
    CHECK_FALSE(is_told(json("HelmRelease", "/spec/values")));
    CHECK_FALSE(is_told(json("Ingress", "/spec/rules/0/host")));
    CHECK_FALSE(is_told(json("ServiceAccount", "/metadata/annotations/role")));
    // What says something of policy, and what can't be told.
    CHECK(is_told("patches: [{path: ports.yaml}]\n"));
    CHECK(is_told("patches: [{path: elsewhere.yaml}]\n"));
    CHECK(is_told("patches: [{path: args.yaml, target: {labelSelector: a=b}}]\n"));
    CHECK(is_told("patches: [{path: args.yaml, options: {allowKindChange: true}}]\n"));
    CHECK(is_told(json("NetworkPolicy", "/spec/policyTypes/-")));
    CHECK(is_told(json("Deployment|NetworkPolicy", container + "/args/-")));
    CHECK(is_told(json("Deployment", container)));
    CHECK(is_told(json("Ingress", "/spec/rules/0/http")));
    CHECK(is_told(json("Service", "/spec/replicas")));
    CHECK(is_told(json("Deployment", "/spec/template/metadata/labels/app")));
    CHECK(is_told(
        "patches:\n- patch: |-\n    apiVersion: apps/v1\n    kind: DaemonSet\n    metadata: "
        "{name: a}\n    spec: {template: {spec: {containers: [{name: c, env: [{name: "
        "FELIX_A, value: b}]}]}}}\n"));
    CHECK(is_told(json("Deployment", "/metadata/annotations/cni.projectcalico.org~1ipAddrs")));
    CHECK(is_told("patches:\n- patch: |-\n    $patch: delete\n    apiVersion: apps/v1\n    kind: "
                  "Deployment\n    metadata: {name: a}\n"));
}

TEST_CASE("the namespace of a kustomization counts, where there is one") {
    const Folder folder;
    const char* const kUnnamed = "apiVersion: v1\nkind: Namespace\nmetadata: {name: _}\n";
    folder.write("in/pod.yaml", kPod);
    folder.write("in/base/policy.yaml", kDenyPolicy);
    folder.write("in/base/space.yaml", kUnnamed);
    folder.write("in/base/kustomization.yaml", "resources: [policy.yaml, space.yaml]\n");
    folder.write("in/prod/kustomization.yaml", "resources: [../base]\nnamespace: nn\n");
    const auto reach = [&] { return folder.run("reach 203.0.113.9 nn/a -p 80/TCP -f in").out; };
    CHECK(has(reach(), "DENY"));
    const std::string lint = folder.run("lint --fail-on never in").out;
    CHECK_FALSE(has(lint, "PC1025"));
    CHECK_FALSE(has(lint, "PC2004"));
    // Names of two bases differ by their prefixes.
    folder.write("in/other/policy.yaml", std::string(kDenyPolicy) + "  policyTypes: [Egress]\n");
    folder.write("in/other/kustomization.yaml",
                 "resources: [policy.yaml]\nnamespace: nn\nnamePrefix: other-\n");
    CHECK_FALSE(has(folder.run("lint --fail-on never in").out, "PC3001"));
    CHECK(has(folder.run("which policy:nn/other-deny -f in").out, "nn/a"));
    // Two that build from it: nobody knows.
    folder.write("in/dev/kustomization.yaml", "resources: [../base]\nnamespace: dev\n");
    CHECK(has(folder.run("lint --fail-on never in").out, "kubectl kustomize in/dev"));
}

TEST_CASE("labels of a kustomization are those of its objects") {
    const Folder folder;
    folder.write("in/app/pods.yaml",
                 "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a, namespace: nn}\n"
                 "spec: {selector: {}, template: {spec: {containers: [{name: c, image: i}]}}}\n");
    folder.write("in/policy.yaml",
                 "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                 "metadata: {name: deny, namespace: nn}\nspec: {podSelector: {matchLabels: {app: "
                 "a}}, policyTypes: [Ingress]}\n");
    const auto reach = [&](const std::string& kustomization) {
        folder.write("in/app/kustomization.yaml", "resources: [pods.yaml]\n" + kustomization);
        return folder.run("reach 203.0.113.9 nn/a -p 80/TCP -f in").out;
    };
    CHECK(has(reach(""), "ALLOW"));
    CHECK(has(reach("commonLabels: {app: a}\n"), "DENY"));
    CHECK(has(reach("labels: [{pairs: {app: a}, includeSelectors: true}]\n"), "DENY"));
    CHECK(has(reach("labels: [{pairs: {app: a}, includeSelectors: True}]\n"), "DENY"));
    CHECK(has(reach("labels: [{pairs: {app: a}, includeTemplates: true}]\n"), "DENY"));
    CHECK(has(reach("labels: [{pairs: {app: a}}]\n"), "ALLOW")); // of the Deployment alone
    CHECK_FALSE(has(folder.run("lint --all --fail-on never in").out, "PC4103"));
    // Two that build from it: what the base gives, both give.
    reach("commonLabels: {app: a}\n");
    folder.write("in/dev/kustomization.yaml", "resources: [../app]\ncommonLabels: {env: dev}\n");
    folder.write("in/prod/kustomization.yaml", "resources: [../app]\ncommonLabels: {env: prod}\n");
    CHECK(has(folder.run("reach 203.0.113.9 nn/a -p 80/TCP -f in").out, "DENY"));
    // A Namespace is one, whatever labels and suffixes they give.
    folder.write("in/app/space.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: nn}\n");
    folder.write("in/app/kustomization.yaml", "resources: [pods.yaml, space.yaml]\n");
    for (const char* suffix : {"dev", "prod"})
        folder.write("in/" + std::string(suffix) + "/kustomization.yaml",
                     "resources: [../app]\nnamespace: nn\nnameSuffix: -" + std::string(suffix) +
                         "\ncommonLabels: {env: " + suffix + "}\n");
    CHECK_FALSE(has(folder.run("lint --all --fail-on never in").out, "PC3001"));
    // Its label follows the name that they give it, where it did before; another stays wrong.
    const auto labelled = [&](const std::string& value) {
        folder.write("in/app/space.yaml",
                     "apiVersion: v1\nkind: Namespace\nmetadata: {name: old, labels: "
                     "{kubernetes.io/metadata.name: " +
                         value + "}}\n");
        return folder.run("lint --all --fail-on never in").out;
    };
    CHECK_FALSE(has(labelled("old"), "PC2061"));
    CHECK(has(labelled("other"), "PC2061"));
    for (const char* name : {"dev", "prod"})
        folder.write("in/" + std::string(name) + "/kustomization.yaml", "resources: []\n");
    // Selectors that have labels get them as well, empty ones do not.
    const auto policy = [&](const std::string& selector) {
        folder.write("in/app/own.yaml",
                     "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: own, "
                     "namespace: nn}\nspec: {podSelector: " +
                         selector + ", policyTypes: [Ingress]}\n");
        folder.write("in/app/kustomization.yaml",
                     "resources: [own.yaml]\ncommonLabels: {tier: x}\n");
        return folder.run("which policy:nn/own -f in").out;
    };
    CHECK(has(policy("{}"), "nn/a"));
    CHECK_FALSE(has(policy("{matchExpressions: [{key: app, operator: Exists}]}"), "nn/a"));
}

TEST_CASE("where a base is put into several namespaces none of them is known whole") {
    const Folder folder;
    folder.write("in/base/pods.yaml", std::string("apiVersion: v1\nkind: Pod\nmetadata: {name: a, "
                                                  "labels: {app: a}}\nspec:\n  containers:\n  - "
                                                  "{name: c, image: i}\n"));
    folder.write("in/base/kustomization.yaml", "resources: [pods.yaml]\n");
    for (const char* space : {"dev", "prod"})
        folder.write("in/" + std::string(space) + "/kustomization.yaml",
                     "resources: [../base]\nnamespace: " + std::string(space) + "\n");
    folder.write("in/more.yaml",
                 "apiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: dev, labels: {app: "
                 "b}}\nspec: {containers: [{name: c, image: i}]}\n---\napiVersion: "
                 "networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: p, namespace: "
                 "dev}\nspec: {podSelector: {matchLabels: {app: a}}, policyTypes: [Ingress]}\n");
    CHECK_FALSE(has(folder.run("lint --fail-on never in").out, "PC4101"));
}

TEST_CASE("variables that are not replaced") {
    const auto lint = [](const std::string& text) {
        const Folder folder;
        folder.write("in/a.yaml", text);
        return folder.run("lint --all --fail-on never in").out;
    };
    const std::string pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: \"${APP}\", namespace: "
                            "\"${NS:=shop}\", labels: {app: \"${APP}\"}}\n"
                            "spec: {containers: [{name: c, image: \"i:${TAG}\"}]}\n";
    const std::string of_pod = lint(pod);
    CHECK(has(of_pod, "PC1026"));
    CHECK_FALSE(has(of_pod, "error["));
    CHECK(of_pod.find("PC1026") == of_pod.rfind("PC1026")); // once for the folder
    const std::string of_policy = lint("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                       "metadata: {name: a, namespace: nn}\n"
                                       "spec: {podSelector: {matchLabels: {app: \"${APP}\"}}}\n");
    CHECK(has(of_policy, "warning[PC1007]"));
    CHECK(has(of_policy, "envsubst < in/a.yaml"));
    CHECK_FALSE(has(of_policy, "PC2005"));
    CHECK_FALSE(has(lint("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {a: \"${B}\"}"
                         "\n---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: "
                         "{name: a, annotations: {b: \"{{ c }}\"}}\nspec: {podSelector: {}}\n"),
                    "PC1007"));
}

TEST_CASE("a policy with a variable may select anything") {
    const Folder folder;
    folder.write("in/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: nn, "
                                "labels: {app: api}}\nspec: {containers: [{name: c, image: i}]}\n");
    const auto verdict = [&](const std::string& space, const std::string& label) {
        folder.write("in/a.yaml",
                     "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: "
                     "{name: \"${A}\", namespace: \"" +
                         space + "\"}\nspec: {podSelector: {matchLabels: {app: \"" + label +
                         "\"}}}\n");
        return folder.run("reach 203.0.113.9 nn/a -p 80/TCP -f in").out;
    };
    CHECK(has(verdict("nn", "${APP}"), "DEPENDS"));
    CHECK(has(verdict("${NS}", "web"), "ALLOW")); // it selects other pods, wherever
    CHECK(has(verdict("${NS}", "api"), "DEPENDS"));
    CHECK(has(verdict("nn", "web"), "ALLOW")); // only its name is not known
}

TEST_CASE("--render runs what is installed, and findings point to sources") {
    const Folder folder;
    folder.write("in/pod.yaml", kPod);
    folder.write("in/base/policy.yaml", kDenyPolicy);
    folder.write("in/base/kustomization.yaml", "resources: [policy.yaml]\n");
    folder.write("in/prod/kustomization.yaml", "resources: [../base]\nnamespace: nn\n");
    install(folder, "kustomize",
            "echo \"$@\" >> calls\n"
            "printf 'apiVersion: networking.k8s.io/v1\\nkind: NetworkPolicy\\n'\n"
            "printf 'metadata:\\n  name: deny\\n  namespace: nn\\n'\n"
            "printf 'spec:\\n  podSelector: {}\\n'\n");
    const auto out = run(folder, "lint --all --render --fail-on never in");
    CHECK(folder.read("calls") == "build ./in/prod\n"); // the base is in it
    CHECK(has(out.out, "in/base/policy.yaml:"));
    CHECK_FALSE(has(out.out, "PC1025"));
    CHECK(has(run(folder, "reach --render 203.0.113.9 nn/a -p 80/TCP -f in").out, "DENY"));
    folder.write(".polecat.yaml", "render: true\n");
    CHECK(has(run(folder, "reach 203.0.113.9 nn/a -p 80/TCP -f in").out, "DENY"));
    CHECK(has(run(folder, "lint --fix in").error, "is not mended"));
}

TEST_CASE("--render of a chart: its values, its namespace, what goes wrong") {
    const Folder folder;
    folder.write("in/pod.yaml", kPod);
    folder.write("in/web/Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n");
    folder.write("in/web/templates/policy.yaml", kTemplate);
    folder.write("prod.yaml", "deny: true\n");
    install(folder, "helm",
            "echo \"$@\" >> calls\n"
            "test \"$HELM_NO_PLUGINS\" = 1 || exit 3\n"
            "printf 'apiVersion: networking.k8s.io/v1\\nkind: NetworkPolicy\\n'\n"
            "printf 'metadata:\\n  name: web\\nspec:\\n  podSelector: {}\\n'\n");
    const auto out =
        run(folder, "reach --render --values prod.yaml --namespace nn 203.0.113.9 nn/a "
                    "-p 80/TCP -f in");
    CHECK(has(out.out, "DENY"));
    CHECK(folder.read("calls") == "template web ./in/web --values prod.yaml --namespace nn\n");
    install(folder, "helm", "echo 'Error: no such value' >&2; exit 1\n");
    const auto failed = run(folder, "lint --render in");
    CHECK(has(failed.out, "error[PC1027]"));
    CHECK(has(failed.out, "helm says: Error: no such value"));
    CHECK(has(failed.out, "in/web/Chart.yaml:1"));
    CHECK(failed.exit_code == 1);
}

TEST_CASE("--render says once why folders fail, and says the innermost cause") {
    const Folder folder;
    folder.write("in/pod.yaml", kPod);
    for (const char* name : {"a", "b"}) {
        folder.write(std::string("in/") + name + "/policy.yaml", kDenyPolicy);
        folder.write(std::string("in/") + name + "/kustomization.yaml",
                     "resources: [policy.yaml]\nnamespace: nn\n");
    }
    folder.write("in/nothing/kustomization.yaml", "kind: Kustomization\n");
    const auto lint = [&](const std::string& printed) {
        folder.write("printed", printed);
        install(folder, "kustomize", "cat printed >&2; exit 1\n");
        return run(folder, "lint --render in").out;
    };
    const std::string network =
        lint("# Warning: 'commonLabels' is deprecated.\n"
             "E1130 07:51:42.785 12047 run.go:72] \"command failed\" err=<\n"
             "\taccumulating resources: accumulation err='accumulating resources from '../base': "
             "'/x/base' must resolve to a file': accumulating resources from "
             "'https://example.org/a.yaml': Get: dial tcp: lookup example.org: no such host\n >\n");
    CHECK(has(network, "warning[PC1027]: in/a cannot be rendered: kustomize says: it needs "
                       "https://example.org/a.yaml, and is given no network"));
    CHECK(has(network, "1 more folder fails for the same reason: in/b"));
    CHECK(network.find("PC1027") == network.rfind("[PC1027]") + 1);
    CHECK_FALSE(has(network, "in/nothing"));
    CHECK(has(lint("Error: accumulating resources: accumulation err='accumulating resources from "
                   "'x.yaml': evalsymlink failure on '/y/x.yaml' : no such file'\n"),
              "error[PC1027]: in/a cannot be rendered: kustomize says: it names a file that is not "
              "there: /y/x.yaml"));
    const std::string helm = lint("E1130 07:51:42.785 12047 run.go:72] \"command failed\" err=<\n"
                                  "\ttrouble configuring builtin HelmChartInflationGenerator with "
                                  "config: `\n\tname: a\n\t`: must specify --enable-helm\n >\n");
    CHECK(has(helm, "warning[PC1027]: in/a cannot be rendered: kustomize says: it has helm fetch"));
    CHECK_FALSE(has(helm, "PC1025")); // the same said twice
    // Each folder misses a file of its own.
    install(
        folder, "kustomize",
        "echo \"Error: loading KV pairs: evalsymlink failure on '/y/$2.env' : no such file\" >&2; "
        "exit 1\n");
    CHECK(has(run(folder, "lint --render in").out, "1 more folder fails for the same reason"));
}

TEST_CASE("a program that is confined has no time without end") {
    runtime::Confinement confinement;
    confinement.limit = std::chrono::seconds(1);
    confinement.environment = {"POLECAT_TEST=1"};
    const auto told = runtime::run_program({"sh", "-c", "echo $POLECAT_TEST"}, "", confinement);
    REQUIRE(told.ok());
    CHECK(told->out == "1\n");
    const auto late = runtime::run_program({"sh", "-c", "sleep 60 & wait"}, "", confinement);
    CHECK_FALSE(late.ok());
    const auto absent = runtime::run_program({"polecat-is-not-there"}, "", confinement);
    CHECK_FALSE(absent.ok());
}
