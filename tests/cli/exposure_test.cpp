// What exposure says of pods that could be made, and by which words answers name what decides.
#include "tests/cli/folder.h"

using namespace polecat;
using testing::Folder;
using testing::has;

namespace {

std::string exposed_pod(const std::string& name, const std::string& more = "") {
    return "{apiVersion: v1, kind: Pod, metadata: {name: " + name +
           ", namespace: a, labels: {app: " + name + "}}, spec: {" + more +
           "containers: [{name: c, image: i}]}}\n---\n";
}

std::string exposed_policy(const std::string& name, const std::string& spec) {
    return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: " + name +
           ", namespace: a}, spec: {podSelector: {matchLabels: {app: web}}, " + spec + "}}\n---\n";
}

} // namespace

TEST_CASE("each kind of new pod is told with all that it reaches") {
    const Folder folder;
    const std::string gateway = "{from: [{podSelector: {matchLabels: {app: gateway}}}], ports: "
                                "[{port: 8000}]}",
                      monitoring = "{from: [{namespaceSelector: {matchLabels: "
                                   "{kubernetes.io/metadata.name: monitoring}}}]}";
    const std::string narrow =
                          "    a new pod with the labels app=gateway in namespace a: TCP 8000\n",
                      wide = "    a new pod without labels in namespace monitoring: *\n";
    for (const std::string& rules : {gateway + ", " + monitoring, monitoring + ", " + gateway}) {
        folder.write("m/a.yaml",
                     exposed_pod("web") + exposed_policy("p", "ingress: [" + rules + "]"));
        const std::string out = folder.run("exposure m").out;
        CHECK(has(out, narrow));
        CHECK(has(out, wide));
    }
    // Who needs more labels for no more is not told.
    const std::string both = "{from: [{podSelector: {}}], ports: [{port: 8000}]}, ";
    folder.write("m/a.yaml",
                 exposed_pod("web") + exposed_policy("p", "ingress: [" + both + gateway + "]"));
    const std::string out = folder.run("exposure m").out;
    CHECK(has(out, "a new pod without labels in namespace a: TCP 8000\n"));
    CHECK_FALSE(has(out, "app=gateway"));
}

TEST_CASE("where no policy decides, no profile is blamed") {
    const Folder folder;
    folder.write("open/a.yaml", exposed_pod("web") + exposed_pod("db"));
    folder.write("closed/a.yaml",
                 exposed_pod("web") + exposed_pod("db") + exposed_policy("p", "ingress: []"));
    const std::string words = "the default of namespace a, as no policy decides (Profile kns.a)";
    CHECK(has(folder.run("exposure open").out, "by " + words + "\n"));
    CHECK(has(folder.run("reach any a/web -f open").out, "ingress " + words + "\n"));
    CHECK(has(folder.run("diff open closed").out, "before  ingress: allowed by " + words));
    CHECK(has(folder.run("diff closed open").out, "now     ingress: allowed by " + words));
    CHECK_FALSE(has(folder.run("exposure closed").out, "a/web  IPv4\n    any"));
    // A rule of a policy that allows all is one, and so is a profile that somebody wrote.
    folder.write("ruled/a.yaml", exposed_pod("web") + exposed_policy("p", "ingress: [{}]"));
    CHECK(has(folder.run("exposure ruled").out, "by NetworkPolicy a/p ingress[0]"));
}

TEST_CASE("what is not known says why, and no rule is called the one that allows") {
    const Folder folder;
    folder.write("m/a.yaml", exposed_pod("web") + exposed_pod("db") +
                                 exposed_policy("p", "ingress: [{from: [{podSelector: 5}]}]"));
    const auto text = folder.run("exposure m");
    CHECK(has(text.out, "any outside address: depends: *\n        because "));
    CHECK(has(text.out, "could not be read"));
    CHECK_FALSE(has(text.out, "by NetworkPolicy a/p"));
}

TEST_CASE("JSON says what was not read and which answers hang on it") {
    const Folder folder;
    folder.write("m/a.yaml", exposed_pod("web") + exposed_pod("db") +
                                 exposed_policy("p", "ingress: [{from: [{podSelector: 5}]}]"));
    folder.write("n/a.yaml",
                 exposed_pod("web") + exposed_pod("db") + exposed_policy("p", "ingress: []"));
    const std::string unread = "\"unread\"", hangs = "\"hangs_on_unread\": true";
    for (const char* command :
         {"map --format json", "map --format json --expand", "exposure --format json",
          "reach a/db a/web -p 80/TCP --format json -f", "reach a/db a/web --format json -f",
          "reach any a/web --format json -f"}) {
        INFO(command);
        const std::string partly = folder.run(std::string(command) + " m").out;
        CHECK(has(partly, unread));
        CHECK(has(partly, "not read: 1 object with errors, m/a.yaml"));
        CHECK(has(partly, hangs));
        const std::string whole = folder.run(std::string(command) + " n").out;
        CHECK_FALSE(has(whole, unread));
        CHECK_FALSE(has(whole, "hangs_on_unread"));
    }
    // An answer that stands in every reading does not hang on it.
    const std::string other = folder.run("reach a/web a/db -p 80/TCP --format json -f m").out;
    CHECK(has(other, unread));
    CHECK_FALSE(has(other, "hangs_on_unread"));
    CHECK(has(folder.run("map --rows sides --format json m").out, unread));
}

TEST_CASE("the map names who reaches nobody, and CSV calls outside addresses what they are") {
    const Folder folder;
    const std::string closed = "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: "
                               "{name: p, namespace: a}, spec: {podSelector: {matchLabels: {app: "
                               "web}}, policyTypes: [Ingress, Egress]}}\n---\n";
    folder.write("m/a.yaml", exposed_pod("web") + exposed_pod("db") + closed);
    CHECK(has(folder.run("map m").out, "nothing is allowed to or from a/web\n"));
    folder.write("n/a.yaml", exposed_pod("web") + exposed_pod("db"));
    CHECK_FALSE(has(folder.run("map n").out, "nothing is allowed to or from"));
    const std::string csv = folder.run("map --format csv n").out;
    CHECK(has(csv, "any outside address"));
    CHECK_FALSE(has(csv, "0.0.0.0/0"));
    folder.write("n/a.yaml",
                 exposed_pod("web") +
                     exposed_policy("p", "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]"));
    CHECK(has(folder.run("map --format csv n").out, "IPv4,10.0.0.0/8,a/web,*,"));
}

TEST_CASE("JSON of questions has the parts of each rule that allows") {
    const Folder folder;
    folder.write("m/a.yaml", exposed_pod("web") + exposed_policy("p", "ingress: [{}]"));
    const std::string out = folder.run("reach any a/web --format json -f m").out;
    CHECK(has(out, "\"direction\": \"ingress\""));
    CHECK(has(out, "\"rule\": \"NetworkPolicy a/p ingress[0]\""));
    CHECK(has(out, "\"at\": \"m/a.yaml:"));
}

TEST_CASE("an example of a change is a flow that people know") {
    const Folder folder;
    const auto rules = [](const std::string& ports) {
        return exposed_pod("web") +
               exposed_policy("p",
                              "ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]" + ports + "}]");
    };
    folder.write("m/a.yaml", rules(", ports: [{port: 53}]"));
    folder.write("n/a.yaml", rules(""));
    CHECK(has(folder.run("diff m n").out, "for example 10.0.0.1 -> a/web 443/TCP"));
}

TEST_CASE("pods of a StatefulSet that policies tell apart are pods of their own") {
    const Folder folder;
    const auto set = [](const std::string& spec) {
        return "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: db, namespace: a}, spec: "
               "{" +
               spec +
               "selector: {matchLabels: {app: db}}, template: {metadata: {labels: "
               "{app: db}}, spec: {containers: [{name: c, image: i}]}}}}\n---\n";
    };
    const auto to = [](const std::string& label) {
        return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, "
               "namespace: a}, spec: {podSelector: {matchLabels: {" +
               label + "}}, ingress: []}}\n---\n";
    };
    const std::string first = to("statefulset.kubernetes.io/pod-name: db-0"),
                      last = to("apps.kubernetes.io/pod-index: '2'");
    const auto ask = [&](const std::string& manifests, const std::string& end) {
        folder.write("m/a.yaml", manifests);
        return folder.run("reach 203.0.113.7 " + end + " -p 80/TCP -f m");
    };
    const std::string three = set("replicas: 3, ");
    CHECK(ask(three + first, "a/db-0").out.starts_with("DENY"));
    CHECK(ask(three + first, "a/db-1").out.starts_with("ALLOW"));
    CHECK(ask(three + last, "a/db-2").out.starts_with("DENY"));
    CHECK(ask(three + last, "a/db-0").out.starts_with("ALLOW"));
    const auto both = ask(three + first, "a/db");
    CHECK(both.exit_code != 0);
    CHECK(has(both.error, "policies tell the pods of `a/db` apart: write which of a/db-0"));
    CHECK(has(folder.run("which policy:a/p -f m").out, "a/db-0"));
    // Where nothing asks for such labels, one workload stands for all.
    CHECK(ask(three + to("app: db"), "a/db").out.starts_with("DENY"));
    CHECK(ask(three + to("app: db"), "a/db-0").exit_code != 0);
    // Where they are alike for what is asked, the name will do.
    CHECK(ask(three + to("apps.kubernetes.io/pod-index: '7'"), "a/db").out.starts_with("ALLOW"));
    const std::string later = set("replicas: 2, ordinals: {start: 5}, ");
    CHECK(ask(later + to("statefulset.kubernetes.io/pod-name: db-6"), "a/db-6")
              .out.starts_with("DENY"));
    CHECK(ask(set("ordinals: {start: 5}, ") + to("apps.kubernetes.io/pod-index: '5'"), "a/db")
              .out.starts_with("DENY"));
    // Of very many those that something names count by themselves, and one for all others.
    const std::string crowd = set("replicas: 1200, ");
    CHECK(ask(crowd + first, "a/db-0").out.starts_with("DENY"));
    CHECK(ask(crowd + first, "a/db-1").out.starts_with("ALLOW"));
    CHECK(has(ask(crowd + first, "a/db").error, "policies tell the pods of `a/db` apart"));
    CHECK(ask(crowd + last, "a/db-2").out.starts_with("DENY"));
    CHECK_FALSE(has(folder.run("exposure m").out, "is not known"));
    // By a part of the name, which of them is meant decides.
    const std::string reason = "StatefulSet a/db: which of its 1,200 pods is meant is not known";
    const std::string part =
        "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: p, namespace: "
        "a}, "
        "spec: {selector: \"statefulset.kubernetes.io/pod-name starts with 'db-1'\", types: "
        "[Ingress]}}\n---\n";
    const auto many = ask(crowd + part, "a/db").out;
    CHECK(many.starts_with("DEPENDS"));
    CHECK(has(many, "because " + reason));
    CHECK_FALSE(has(many, "could not be read"));
    CHECK(has(folder.run("exposure m").out, "because " + reason));
    CHECK(has(folder.run("which a/db -f m").out, reason));
    CHECK(ask(set("replicas: 1200, ") + to("app: db"), "a/db").out.starts_with("DENY"));
}

TEST_CASE("a row of several expectations names all of them") {
    const Folder folder;
    folder.write("m/a.yaml",
                 exposed_pod("web") + exposed_pod("db") + exposed_policy("p", "ingress: []"));
    folder.write("m/t.policytest.yaml",
                 "apiVersion: polecat/v1\nkind: PolicyTest\nmetadata: {name: t}\nspec:\n  "
                 "manifests: [.]\n  cases:\n  - {from: a/db, to: [a/web], port: [80/TCP, 443/TCP], "
                 "expect: deny}\n  - {from: a/web, to: a/db, port: 80/TCP, expect: allow}\n");
    const std::string out = folder.run("test -v m").out;
    CHECK(has(out, "a/db -> a/web 80/TCP, 443/TCP\n       deny in each of 2\n"));
    CHECK(has(out, "a/web -> a/db 80/TCP\n       allow by "));
}

TEST_CASE("staged policies as enforced go by their enforced names, and what isolates is seen") {
    const Folder folder;
    const std::string labels =
        "{apiVersion: v1, kind: Namespace, metadata: {name: a, labels: {team: red}}}\n---\n";
    const std::string staged =
        "{apiVersion: projectcalico.org/v3, kind: StagedGlobalNetworkPolicy, metadata: {name: s}, "
        "spec: {namespaceSelector: team == 'red', types: [Ingress]}}\n---\n";
    folder.write("m/a.yaml", labels + exposed_pod("web") + staged);
    const std::string out = folder.run("diff --staged m").out;
    CHECK(has(out, "policies added: GlobalNetworkPolicy s\n"));
    CHECK_FALSE(has(out, "policies gone"));
    CHECK_FALSE(has(out, "named by no change"));
    CHECK(has(out, "- closed  any outside address -> a/web"));
    // One that selects nobody here is still not seen.
    folder.write("m/a.yaml", labels + exposed_pod("web") +
                                 "{apiVersion: projectcalico.org/v3, kind: "
                                 "StagedGlobalNetworkPolicy, metadata: {name: s}, spec: "
                                 "{namespaceSelector: team == 'blue', types: [Ingress]}}\n");
    CHECK(has(folder.run("diff --staged m").out, "named by no change"));
}
