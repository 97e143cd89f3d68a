// A repository as it lies in Git: several clusters, tests, parts of objects, templates.
#include "tests/cli/folder.h"

using namespace polecat;
using testing::Folder;
using testing::has;
using testing::times;

namespace {

std::string deployment(const std::string& name, const std::string& app, const std::string& meta) {
    return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + meta +
           "}\nspec:\n  selector: {matchLabels: {app: " + app +
           "}}\n  template:\n    metadata: {labels: {app: " + app +
           "}}\n    spec: {containers: [{name: c, image: i}]}\n---\n";
}

std::string variant_policy(const std::string& name, const std::string& app,
                           const std::string& meta) {
    return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: " + name +
           meta + "}\nspec: {podSelector: {matchLabels: {app: " + app +
           "}}, policyTypes: [Ingress]}\n---\n";
}

const char* const kSpace = ", namespace: books";
const char* const kNamespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: books}\n---\n";

std::string lint(const Folder& folder, const std::string& rest = "in") {
    return folder.run("lint --fail-on never " + rest).out;
}

} // namespace

TEST_CASE("folders that say the same names are variants: told once, and nobody is sure") {
    const Folder folder;
    folder.write("in/dev/all.yaml", kNamespace + deployment("api", "api", kSpace) +
                                        deployment("web", "web", kSpace) +
                                        variant_policy("api", "api", kSpace));
    folder.write("in/prod/all.yaml", kNamespace + deployment("api", "api", kSpace) +
                                         deployment("web", "website", kSpace) +
                                         variant_policy("api", "website", kSpace));
    const std::string once = lint(folder);
    CHECK(times(once, "PC4180") == 1);
    CHECK(has(once, "variants (PC4180): 4 objects stand in more than one place, and 2 differ: the "
                    "input looks like variants of one cluster"));
    CHECK(has(once, "4 in in/dev, in/prod"));
    CHECK_FALSE(has(once, "PC3001"));
    CHECK(times(lint(folder, "--all in"), "[PC4180]") == 4);
    CHECK(times(lint(folder, "--format json in"), "\"PC4180\"") == 1);
    CHECK_FALSE(has(lint(folder, "in/dev"), "PC4180"));
    // What a policy selects may be in the other cluster.
    folder.write("in/dev/more.yaml", variant_policy("more", "api, part: other", kSpace));
    CHECK_FALSE(has(lint(folder), "PC4101"));
    CHECK(has(lint(folder, "in/dev"), "PC4101"));
    // The policy is the one or the other; a pod of both is not.
    const auto answer = folder.run("reach 203.0.113.9 deployment:books/api -p 80/TCP -f in");
    CHECK(has(answer.out, "DEPENDS"));
    CHECK(has(answer.error, "several variants: 2 objects stand in more than one place and differ"));
    CHECK(has(answer.error, "1 of 1 answer hangs on them"));
    CHECK(folder.run("compile --node n --out out in").exit_code == 2);
}

TEST_CASE("what stands twice by a slip is told by itself") {
    const Folder folder;
    folder.write("in/a/one.yaml", variant_policy("api", "api", kSpace));
    folder.write("in/b/one.yaml", variant_policy("api", "web", kSpace));
    const std::string two = lint(folder);
    CHECK(has(two, "warning[PC3001]"));
    CHECK_FALSE(has(two, "PC4180"));
    // Without a namespace they may be two.
    const Folder unplaced;
    for (const char* name : {"a", "b"})
        unplaced.write(std::string("in/") + name + "/web.yaml", deployment("web", "web", ""));
    CHECK(has(lint(unplaced), "variants (PC4180): Deployment web stands in in/a and in in/b"));
    CHECK_FALSE(has(lint(unplaced), "PC3001"));
    CHECK(has(lint(unplaced, "--all --namespace books in"), "note[PC3001]"));
    folder.write("in/a/two.yaml", variant_policy("api", "api", kSpace));
    CHECK(has(lint(folder, "in/a"), "note[PC3001]"));
    folder.write("in/a/two.yaml", variant_policy("api", "web", kSpace));
    CHECK(has(lint(folder, "in/a"), "error[PC3001]"));
    // Files of releases, and a step of a tutorial that a later one writes anew.
    const Folder releases;
    for (const char* name : {"1.1", "1.2"})
        releases.write(std::string("in/") + name + ".yaml",
                       kNamespace + deployment("api", "api", kSpace) +
                           variant_policy("api", std::string("v") + name[2], kSpace));
    CHECK(has(lint(releases), "variants (PC4180): "));
    CHECK_FALSE(has(lint(releases), "PC3001"));
}

TEST_CASE("objects without a namespace in several folders may go into several") {
    const Folder folder;
    folder.write("in/web.yaml",
                 deployment("web", "web", "") + variant_policy("web", "web, part: wrong", ""));
    CHECK(has(lint(folder), "PC4101"));
    folder.write("in/jobs/jobs.yaml", deployment("jobs", "jobs", ""));
    CHECK_FALSE(has(lint(folder), "PC4101"));
    CHECK_FALSE(has(lint(folder), "PC4114"));
    CHECK(has(lint(folder, "--namespace books in"), "PC4101"));
    // A policy alone may be of any namespace.
    const Folder alone;
    alone.write("in/pods.yaml", deployment("web", "web", ", namespace: default"));
    alone.write("in/policy.yaml", variant_policy("web", "web, part: wrong", ""));
    CHECK_FALSE(has(lint(alone), "PC4101"));
    alone.write("in/policy.yaml",
                variant_policy("web", "web, part: wrong", ", namespace: default"));
    CHECK(has(lint(alone), "PC4101"));
    // A kustomization, and two of them, say where they go.
    const Folder built;
    built.write("in/base/web.yaml",
                variant_policy("web", "web, part: wrong", "") + deployment("web", "web", ""));
    built.write("in/base/kustomization.yaml", "resources: [web.yaml]\n");
    CHECK(has(lint(built, "--all in"), "PC4004"));
    built.write("in/one/kustomization.yaml", "resources: [../base]\nnamespace: one\n");
    built.write("in/two/kustomization.yaml", "resources: [../base]\nnamespace: two\n");
    CHECK_FALSE(has(lint(built, "--all in"), "PC4004"));
    CHECK_FALSE(has(lint(built), "PC4101"));
}

TEST_CASE("pods of the platform are never all in the input, unless it is the whole cluster") {
    const Folder folder;
    const char* const kSystem = ", namespace: kube-system";
    folder.write("in/a.yaml",
                 deployment("vip", "vip", kSystem) + variant_policy("log", "log", kSystem));
    CHECK_FALSE(has(lint(folder), "PC4101"));
    folder.write("in/node.yaml", "apiVersion: v1\nkind: Node\nmetadata: {name: n}\n");
    CHECK_FALSE(has(lint(folder), "PC4101")); // nodes, and no DNS
    folder.write("in/dns.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: dns, namespace: "
                                "kube-system, labels: {k8s-app: kube-dns}}\n"
                                "spec: {containers: [{name: c, image: i}]}\n");
    CHECK(has(lint(folder), "PC4101"));
}

TEST_CASE("a policy for nobody beside a chart, whose pods are not known") {
    const Folder folder;
    folder.write("in/web.yaml",
                 deployment("web", "web", kSpace) + variant_policy("db", "web, part: db", kSpace));
    CHECK(has(lint(folder), "warning[PC4101]"));
    folder.write("in/chart/Chart.yaml", "apiVersion: v2\nname: db\nversion: 1.0.0\n");
    folder.write("in/chart/templates/db.yaml", "a: {{ .Values.a }}\n");
    CHECK_FALSE(has(lint(folder), "PC4101"));
    CHECK(has(folder.run("lint --all in").out, "note[PC4101]"));
    // What npm and Go fetched is nobody's cluster.
    folder.write("in/node_modules/x/a.yaml", variant_policy("x", "x", kSpace));
    folder.write("in/vendor/modules.txt", "");
    folder.write("in/vendor/y/a.yaml", variant_policy("y", "y", kSpace));
    CHECK_FALSE(has(lint(folder), "policy `x`"));
    CHECK_FALSE(has(lint(folder), "policy `y`"));
}

TEST_CASE("what tests compare with is passed by") {
    const std::string part = "apiVersion: v1\nkind: Service\nspec: {type: ClusterIP}\n";
    const Folder folder;
    folder.write("in/tests/00-install.yaml", variant_policy("api", "api", kSpace));
    folder.write("in/tests/00-assert.yaml", part);
    folder.write("in/tests/01-errors.yaml", part);
    folder.write("in/kuttl/there.yaml", part + "---\napiVersion: kuttl.dev/v1beta1\n"
                                               "kind: TestAssert\ntimeout: 5\n");
    folder.write(
        "in/saw/chainsaw-test.yaml",
        "apiVersion: chainsaw.kyverno.io/v1alpha1\nkind: Test\nmetadata: {name: a}\nspec:\n"
        "  steps:\n  - try:\n    - apply: {file: web.yaml}\n"
        "    - assert: {file: web-ready.yaml}\n    - error: {file: ../saw/gone.yaml}\n");
    folder.write("in/saw/web.yaml", variant_policy("web", "web", kSpace));
    folder.write("in/saw/web-ready.yaml", part);
    folder.write("in/saw/gone.yaml", part);
    const auto out = folder.run("lint --list-skipped --fail-on never in");
    CHECK(has(out.out, "5 files hold no manifests"));
    CHECK(has(out.error, "00-assert.yaml: what a test of kuttl or chainsaw compares with"));
    CHECK_FALSE(has(out.out, "error["));
    CHECK_FALSE(has(out.error, "web.yaml"));
    CHECK(has(lint(folder, "in/tests/00-assert.yaml"), "error[PC2004]")); // it was asked for
    // A document that is no manifest, beside others that are.
    folder.write("in/saw/web.yaml",
                 variant_policy("web", "web", kSpace) + "---\nmachine: {a: b}\n");
    CHECK_FALSE(has(lint(folder), "error["));
    CHECK(has(lint(folder, "in/saw/web.yaml"), "error[PC1011]"));
    // The name alone, or a test beside it, makes no assertion.
    const Folder near;
    near.write("in/allow-assertions.yaml", part);
    near.write("in/errors-page.yaml", part);
    CHECK(times(lint(near, "--all in"), "error[PC2004]") == 2);
}

TEST_CASE("a part of a workload replaces no whole one") {
    const Folder folder;
    const std::string policies = variant_policy("web", "web", kSpace);
    folder.write("in/a.yaml", kNamespace + deployment("web", "web", kSpace) + policies);
    folder.write("in/patches/web.yaml",
                 "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: books}\n"
                 "spec:\n  template:\n    spec: {containers: [{name: c, image: other}]}\n");
    folder.write("in/patches/job.yaml",
                 "apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: job, namespace: books}\n"
                 "spec: {schedule: 1 1 * * *}\n");
    const std::string out = lint(folder);
    CHECK_FALSE(has(out, "PC4101"));
    CHECK_FALSE(has(out, "PC3001"));
    CHECK(has(out, "2 files hold no manifests"));
    CHECK(has(folder.run("reach 203.0.113.9 deployment:books/web -p 80/TCP -f in").out, "DENY"));
    // A job needs no labels.
    folder.write("in/patches/job.yaml",
                 "apiVersion: batch/v1\nkind: Job\nmetadata: {name: job, namespace: books}\n"
                 "spec: {template: {spec: {containers: [{name: c, image: i}]}}}\n");
    CHECK(has(lint(folder), "1 file holds no manifests"));
}

TEST_CASE("a template of OpenShift is not read, which is said") {
    const Folder folder;
    const std::string head =
        "apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: "
        "t}\nparameters: [{name: APP}]\nobjects:\n";
    const std::string service = "- apiVersion: v1\n  kind: Service\n  metadata: {name: '${APP}'}\n";
    folder.write("in/web.yaml", deployment("web", "web", kSpace));
    folder.write("in/t.yaml", head + service);
    CHECK_FALSE(has(lint(folder), "PC4181"));
    folder.write("in/t.yaml", head + service +
                                  "- apiVersion: networking.k8s.io/v1\n  kind: NetworkPolicy\n"
                                  "  metadata: {name: '${APP}'}\n  spec: {podSelector: {}}\n");
    const std::string out = lint(folder);
    CHECK(has(out,
              "warning[PC4181]: OpenShift template is not processed: 1 policy in it is not read"));
    CHECK(has(out, "oc process --local -f in/t.yaml"));
    CHECK(has(folder.run("reach 203.0.113.9 deployment:books/web -p 80/TCP -f in").error,
              "not rendered, and with policies: in/t.yaml"));
}

TEST_CASE("files whose names say that one of them is taken are alternatives") {
    const Folder folder;
    folder.write("in/dns-policy.yaml", variant_policy("api", "api", kSpace));
    folder.write("in/dns-policy.sets.yaml", variant_policy("api", "web", kSpace));
    CHECK(has(lint(folder), "warning[PC4180]"));
    CHECK_FALSE(has(lint(folder), "PC3001"));
    const Folder inserted;
    inserted.write("in/web-policy.yaml", variant_policy("api", "api", kSpace));
    inserted.write("in/web-wide-policy.yaml", variant_policy("api", "web", kSpace));
    CHECK(has(lint(inserted), "warning[PC4180]"));
    const Folder other;
    other.write("in/dns-policy.yaml", variant_policy("api", "api", kSpace));
    other.write("in/web.yaml", variant_policy("api", "web", kSpace));
    CHECK(has(lint(other), "error[PC3001]"));
}
