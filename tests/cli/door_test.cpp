// What folders hold beside manifests: nothing of it keeps polecat from the rest.
#include "tests/cli/folder.h"

using namespace polecat;
using testing::Folder;
using testing::has;
using testing::times;

namespace {

const char* const kTypo = "apiVersion: v1\nkind: Pod\n"
                          "metadata: {name: api, namespace: books, labels: {app: api}}\n"
                          "spec: {containers: [{name: c, image: x}]}\n"
                          "---\n"
                          "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                          "metadata: {name: api, namespace: books}\n"
                          "spec:\n  podSelector: {matchLabels: {app: apii}}\n"
                          "  policyTypes: [Ingress]\n";

} // namespace

TEST_CASE("what no manifest is in a folder is passed by") {
    using namespace std::string_literals;
    const Folder folder;
    folder.write("in/policy.yaml", kTypo);
    folder.write("in/values.yaml", "replicas: 2\nreplicas: 3\n");
    folder.write("in/.github/workflows/build.yml", "on: [push]\njobs: {a: {run: '${{ x }}'}}\n");
    folder.write("in/board.json", "{\"panels\": [{\"title\": \"{{ host }}\"}]}");
    folder.write("in/list.yaml", "- one\n- two\n");
    folder.write("in/word.yaml", "word\n");
    folder.write("in/jinja.yaml", "{% for x in y %}\na: {{ x }}\n{% endfor %}\n");
    folder.write("in/tags.yml", "Resources: {a: !Ref b}\n");
    folder.write("in/crypt.yaml", "\0GITCRYPT\0abc"s);
    folder.write("in/vault.yaml", "$ANSIBLE_VAULT;1.1;AES256\n3132\n");
    folder.write("in/picture.json", "\x89PNG\0\0\xff\xfe"s);
    folder.write("in/.git/config.yaml", "apiVersion: [\n");
    folder.write("in/empty.yaml", "");
    const auto out = folder.run("lint --list-skipped in");
    CHECK(out.exit_code == 1);
    CHECK(has(out.out, "PC4103"));
    CHECK_FALSE(has(out.out, "error["));
    CHECK(
        has(out.out, "not read, and no policy in it: 10 files hold no manifests (--list-skipped)"));
    CHECK(times(folder.run("lint --all in").out, "PC1020") == 1);
    for (const char* name :
         {"values.yaml: it can't be read", "build.yml", "board.json", "list.yaml: a list",
          "word.yaml", "jinja.yaml", "tags.yml", "crypt.yaml: encrypted by git-crypt",
          "vault.yaml: encrypted", "picture.json: no text"})
        CHECK_MESSAGE(has(out.error, name), name);
    CHECK(times(out.error, "skipped ") == 10);
    CHECK_FALSE(has(folder.run("lint in").error, "skipped "));
    // The same files under their names are mistakes.
    for (const char* name : {"values.yaml", "list.yaml", "word.yaml", "jinja.yaml", "tags.yml",
                             "crypt.yaml", "picture.json"})
        CHECK_MESSAGE(has(folder.run(std::string("lint in/") + name).out, "error["), name);
}

TEST_CASE("what looks like a policy stays an error in a folder") {
    const char* const kBroken[] = {
        "apiVersion: networking.k8s.io/v1\nmetadata: {name: a}\nspec: {podSelector: {}}\n",
        "kind: NetworkPolicy\nmetadata: {name: a}\n",
        "metadata: {name: a}\nspec: {podSelector: {}, policyTypes: [Ingress]}\n",
        "metadata: {name: a}\nspec: {order: 1, selector: all(), ingress: [{action: Deny}]}\n",
        "kind: Deployment\nmetadata: {name: a}\nspec: {replicas: 1}\n",
        "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata:\n\tname: a\n",
        "kind: NetworkPolicy\nmetadata:\n\tname: a\n",
        "- apiVersion: v1\n  kind: Pod\n  metadata: {name: a}\n",
    };
    for (const char* text : kBroken) {
        const Folder folder;
        folder.write("in/policy.yaml", kTypo);
        folder.write("in/broken.yaml", text);
        INFO(text);
        CHECK(has(folder.run("lint in").out, "error["));
    }
    const Folder folder; // UTF-16, which kubectl does not read
    std::string wide = "\xff\xfe";
    for (const char c : std::string("apiVersion: v1\nkind: Pod\n"))
        wide += std::string(1, c) + '\0';
    folder.write("in/wide.yaml", wide);
    CHECK(has(folder.run("lint in").out, "PC1006"));
}

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

TEST_CASE("a link to nowhere in a folder is passed by, and under its name is an error") {
    const Folder folder;
    folder.write("in/policy.yaml", kTypo);
    std::filesystem::create_symlink("nowhere.yaml", folder.path / "in/link.yaml");
    const auto out = folder.run("lint --list-skipped in");
    CHECK_FALSE(has(out.out, "error["));
    CHECK(has(out.error, "in/link.yaml: a link to what is not there"));
    CHECK(folder.run("map in").exit_code == 0);
    CHECK(has(folder.run("lint in/link.yaml").out, "error[PC1001]"));
}

TEST_CASE("what sops encrypted is not known, and is said once") {
    const char* const kSops = "sops: {mac: 'ENC[AES256_GCM,data:x,type:str]', version: 3.10.2}\n";
    const Folder folder;
    folder.write("in/pods.yaml",
                 "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: shop}\n"
                 "spec: {containers: [{name: c, image: x}]}\nstatus: {podIP: 10.0.0.1}\n---\n"
                 "apiVersion: v1\nkind: Pod\nmetadata: {name: b, namespace: bank}\n"
                 "spec: {containers: [{name: c, image: x}]}\nstatus: {podIP: 10.0.0.2}\n");
    for (const char* name : {"deny", "allow"})
        folder.write(std::string("in/") + name + ".sops.yaml",
                     std::string("apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                 "metadata: {name: ") +
                         name +
                         ", namespace: shop}\nspec:\n  podSelector: {}\n"
                         "  policyTypes: ['ENC[AES256_GCM,data:y,type:str]']\n" +
                         kSops);
    folder.write("in/secret.yaml", std::string("apiVersion: v1\nkind: Secret\nmetadata: {name: s}\n"
                                               "data: {a: 'ENC[AES256_GCM,data:z,type:str]'}\n") +
                                       kSops);
    const auto out = folder.run("lint in");
    CHECK(times(out.out, "PC1008") == 1);
    CHECK(has(out.out, "NetworkPolicy shop/allow, NetworkPolicy shop/deny"));
    CHECK_FALSE(has(out.out, "error["));
    const auto answer = folder.run("reach bank/b shop/a -p 80/TCP -f in");
    CHECK(has(answer.out, "DEPENDS"));
    CHECK(has(answer.error, "encrypted by sops"));
    CHECK(has(folder.run("reach shop/a bank/b -p 80/TCP -f in").out, "DEPENDS"));
    // In a list as well.
    const Folder list;
    list.write("in/list.yaml", "apiVersion: v1\nkind: List\nitems:\n"
                               "- apiVersion: networking.k8s.io/v1\n  kind: NetworkPolicy\n"
                               "  metadata: {name: web, namespace: shop}\n"
                               "  spec: {podSelector: {}, policyTypes: ['ENC[AES256_GCM,a]']}\n"
                               "- apiVersion: v1\n  kind: Secret\n  metadata: {name: s}\n"
                               "  data: {a: 'ENC[AES256_GCM,b]'}\n" +
                                   std::string(kSops));
    const auto of_list = list.run("lint in");
    CHECK(has(of_list.out, "not read: NetworkPolicy shop/web"));
    CHECK_FALSE(has(of_list.out, "Secret"));
    // Nothing but a mark of sops: all of it can be read.
    const Folder open;
    open.write("in/policy.yaml", std::string(kTypo) + kSops);
    CHECK_FALSE(has(open.run("lint in").out, "PC1008"));
    CHECK_FALSE(has(open.run("lint in").out, "error["));
}

TEST_CASE("how a template becomes a manifest: only commands that work there") {
    const Folder folder;
    const std::string policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                               "metadata: {name: a, namespace: '{{ .Values.space }}'}\n"
                               "spec: {podSelector: {}}\n";
    folder.write("alone/a.yaml", policy);
    folder.write("chart/Chart.yaml", "apiVersion: v2\nname: a\nname: b\nversion: 1.0.0\n");
    folder.write("chart/files/a.yaml", policy);
    folder.write("jinja/a.yaml", "apiVersion: networking.k8s.io/v1\n{% if x %}\n"
                                 "kind: NetworkPolicy\n{% endif %}\n");
    folder.write("flux/a.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                "metadata: {name: a, namespace: '${SPACE}'}\n"
                                "spec: {podSelector: {}}\n");
    CHECK(has(folder.run("lint alone").out, "with the tool that it is a template of"));
    const auto chart = folder.run("lint chart");
    CHECK(has(chart.out, "`helm template chart |"));
    CHECK_FALSE(has(chart.out, "PC1002"));
    const auto jinja = folder.run("lint jinja");
    CHECK(has(jinja.out, "PC1007"));
    CHECK_FALSE(has(jinja.out, "PC1003"));
    CHECK_FALSE(has(jinja.out, "helm"));
    CHECK(has(folder.run("lint flux").out, "`envsubst < flux/a.yaml |"));
    folder.write("flux/kustomization.yaml", "resources: [a.yaml]\n");
    CHECK(has(folder.run("lint flux").out, "`kubectl kustomize flux | flux envsubst --strict |"));
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

TEST_CASE(
    "a document beside manifests that is none is passed by with a line, under its name an error") {
    const Folder folder;
    folder.write("in/policy.yaml", std::string(kTypo) + "---\nlist: [one.yaml]\n");
    folder.write("in/values.yaml", "replicas: 2\n");
    const auto out = folder.run("lint in");
    CHECK(has(out.out, "1 file and 1 document hold no manifests (--list-skipped)"));
    CHECK_FALSE(has(out.out, "error["));
    CHECK(has(folder.run("lint in/policy.yaml").out, "error[PC1011]"));
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

TEST_CASE("what answers hang on is broken, the rest is a note") {
    const Folder folder;
    folder.write("in/policy.yaml", kTypo);
    folder.write("in/rbac.yaml", "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n"
                                 "metadata: {name: a}\nrules:\n- a\n  b: c\n");
    CHECK(has(folder.run("lint --all in").out, "rbac.yaml:6:4: note[PC1003]"));
    folder.write("in/pod.yaml",
                 "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n- a\n  b: c\n");
    CHECK(has(folder.run("lint in").out, "pod.yaml:6:4: error[PC1003]"));
    CHECK(has(folder.run("lint in/rbac.yaml").out, "error[PC1003]"));
}

TEST_CASE("placeholders of a folder are told once, by what hangs on them") {
    const Folder folder;
    folder.write("in/service.yaml", "apiVersion: v1\nkind: Service\n"
                                    "metadata: {name: web-__NODE__, namespace: a}\n"
                                    "spec: {ports: [{port: 80}]}\n---\n"
                                    "apiVersion: v1\nkind: Service\n"
                                    "metadata: {name: db-__NODE__, namespace: a}\n"
                                    "spec: {ports: [{port: 80}]}\n");
    const auto out = folder.run("lint in").out;
    CHECK(has(out, "not read, and no policy in it: placeholders\n"));
    CHECK_FALSE(has(out, "PC2004"));
    const auto all = folder.run("lint --all in").out;
    CHECK(has(all, "note[PC1046]: placeholder `web-__NODE__` is not filled in"));
    CHECK(times(all, "PC1046") == 1);
}

TEST_CASE("policies of a component count where no kustomization uses it, which is told") {
    const Folder folder;
    folder.write("in/part/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\n"
                                               "kind: Component\nresources: [policy.yaml]\n");
    folder.write("in/part/policy.yaml", kTypo);
    folder.write("in/kustomization.yaml", "resources: []\n# components: [part]\n");
    CHECK(has(folder.run("lint in").out,
              "warning[PC1045]: no kustomization here uses component in/part"));
    folder.write("in/kustomization.yaml", "components: [part]\n");
    CHECK_FALSE(has(folder.run("lint in").out, "PC1045"));
}

TEST_CASE("what is to be filled in is told as that, and other mistakes as theirs") {
    const Folder folder;
    const auto lint = [&](const std::string& node, const std::string& address) {
        folder.write("hep.yaml",
                     "apiVersion: projectcalico.org/v3\nkind: HostEndpoint\n"
                     "metadata: {name: n1-eth0, labels: {role: master}}\n"
                     "spec: {node: " +
                         node + ", interfaceName: eth0, expectedIPs: [" + address + "]}\n---\n" +
                         "apiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\n"
                         "metadata: {name: a}\nspec:\n  order: 10\n  selector: app == 'web'\n"
                         "  types: [Ingress]\n"
                         "  ingress: [{action: Allow, source: {selector: role == 'master'}}]\n");
        return folder.run("lint --all hep.yaml").out;
    };
    const auto blank = lint("<node-name>", "<node-address>");
    CHECK(has(blank, "error[PC1046]: placeholder `<node-name>` is not filled in"));
    CHECK(times(blank, "PC1046") == 1);
    for (const char* code : {"PC2004", "PC2050", "PC4521"})
        CHECK_MESSAGE(!has(blank, code), code);
    CHECK(has(lint("n1", "localhost"), "PC2050"));
    folder.write("felix.yaml", "apiVersion: projectcalico.org/v3\nkind: FelixConfiguration\n"
                               "metadata: {name: default}\nspec: {flowLogsFlushIntervall: 15s}\n");
    CHECK(has(folder.run("lint felix.yaml").out, "error[PC2001]"));
}

TEST_CASE("marks that another tool replaces are no mistakes of YAML") {
    const Folder folder;
    const auto lint = [&](const std::string& name) {
        folder.write("in/a.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + name +
                                      "\n  namespace: a\nspec: {containers: [{name: c}]}\n");
        return folder.run("lint --all in").out;
    };
    for (const char* mark : {"%%POD_NAME%%", "@POD_NAME@"}) {
        CHECK_MESSAGE(has(lint(mark), "note[PC1007]"), mark);
        CHECK_MESSAGE(!has(lint(mark), "PC1003"), mark);
    }
    CHECK(has(lint("@name"), "error[PC1003]"));
}

TEST_CASE("a list of no manifests is passed by, one of manifests is a mistake") {
    const Folder folder;
    folder.write("in/runs.json", "[{\"apiVersion\": \"tekton.dev/v1\", \"kind\": \"TaskRun\"}]");
    folder.write("in/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b}\n"
                                "spec: {containers: [{name: c, image: i}]}\n");
    CHECK_FALSE(has(folder.run("lint in").out, "error["));
    folder.write("in/list.yaml", "- apiVersion: networking.k8s.io/v1\n  kind: NetworkPolicy\n"
                                 "  metadata: {name: a}\n");
    CHECK(has(folder.run("lint in").out, "error["));
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

TEST_CASE("what lies in tests and archives is counted beside other files") {
    const std::string broken = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                               "metadata: {name: x, namespace: a}\n"
                               "spec: {podSelector: {}, policyTypes: [Inbound]}\n";
    for (const char* folder_name : {"tests", "e2e/data", "archive"}) {
        const Folder folder;
        folder.write(std::string("in/") + folder_name + "/policy.yaml", broken);
        CHECK(has(folder.run("lint in").out, "error[PC2050]")); // it is what is asked about
        folder.write("in/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: p, namespace: a}\n"
                                    "spec: {containers: [{name: c, image: x}]}\n");
        const auto run = folder.run("lint in");
        CHECK_FALSE(has(run.out, "error[PC2050]"));
        CHECK(has(run.out, "in tests and archives: 1 error"));
        CHECK(run.exit_code == 1);
    }
}
