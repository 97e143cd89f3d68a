// What another tool is to fill in or to put together: templates, placeholders, marks, components.
#include "tests/cli/folder.h"

using namespace polecat;
using testing::Folder;
using testing::has;
using testing::times;

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
    const auto named = [&](const std::string& name) {
        folder.write("in/service.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: '" + name +
                                            "', namespace: a}\nspec: {ports: [{port: 80}]}\n");
        return folder.run("lint --all in").out;
    };
    CHECK(has(named("web-{NODE_ID}"), "note[PC1046]: placeholder `web-{NODE_ID}`"));
    for (const char* mistake : {"web-{}", "web-{node}", "web-{A", "Web"})
        CHECK_MESSAGE(has(named(mistake), "error[PC2004]"), mistake);
}

TEST_CASE("policies of a component count where no kustomization uses it, which is told") {
    const Folder folder;
    folder.write("in/part/kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1alpha1\n"
                                               "kind: Component\nresources: [policy.yaml]\n");
    folder.write("in/part/policy.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                                        "metadata: {name: api, namespace: books}\n"
                                        "spec: {podSelector: {}, policyTypes: [Ingress]}\n");
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
