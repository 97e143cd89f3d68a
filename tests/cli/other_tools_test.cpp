// What repositories hold beside manifests: files and templates of other tools, names that are
// filled in later.
#include "tests/cli/folder.h"

using namespace polecat;
using testing::Folder;
using testing::has;

TEST_CASE("files of other tools are no manifests, whatever they hold") {
    const Folder folder;
    folder.write("in/helmfile.yaml", "releases: [{name: a, apiVersion: {{ .Values.v }}\n"
                                     "# kind: NetworkPolicy\n");
    folder.write("in/helmfile.d/helmfile_b.yaml", "apiVersion: {{ .v }}\nkind: NetworkPolicy\n");
    folder.write("in/.devcontainer/devcontainer.json", "{ // ours\n \"apiVersion\": 2, }\n");
    folder.write("in/pod.yaml", "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: b}\n"
                                "spec: {containers: [{name: c, image: i}]}\n");
    const auto out = folder.run("lint --list-skipped in");
    CHECK(out.exit_code == 0);
    CHECK(has(out.out, "3 files hold no manifests"));
    CHECK(has(out.error, "helmfile.yaml: a helmfile"));
    CHECK(has(out.error, "devcontainer.json: settings of an editor"));
    CHECK(folder.run("lint in/helmfile.d/helmfile_b.yaml").exit_code == 1); // it was asked for
}

TEST_CASE("templates of policies of another system hold none that is missed") {
    const Folder folder;
    const auto lint = [&](const char* kind) {
        folder.write("in/a.yaml", std::string("apiVersion: x/v1\nkind: ") + kind +
                                      "\nmetadata: {name: {{ .name }}}\n");
        return folder.run("lint --all --fail-on never in").out;
    };
    for (const char* kind : {"NetworkPolicy", "GlobalNetworkPolicy", "StagedNetworkPolicy"})
        CHECK_MESSAGE(has(lint(kind), "warning[PC1007]"), kind);
    for (const char* kind : {"CiliumNetworkPolicy", "MultiNetworkPolicy", "ConfigMap"})
        CHECK_MESSAGE(has(lint(kind), "note[PC1007]"), kind);
}

TEST_CASE("a variable beside templates of one folder is told with them") {
    const Folder folder;
    const std::string service = "apiVersion: v1\nkind: Service\n"
                                "metadata: {name: web, namespace: a, labels: {team: '${TEAM}'}}\n"
                                "spec: {ports: [{port: 80}]}\n",
                      policy = "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                               "metadata: {name: web, namespace: a, labels: {team: '${TEAM}'}}\n"
                               "spec: {podSelector: {}}\n",
                      tail = "---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .n }}}\n";
    folder.write("in/a.yaml", service);
    CHECK(has(folder.run("lint --all in").out, "note[PC1026]"));
    folder.write("in/b.yaml", tail);
    const std::string both = folder.run("lint --all in").out;
    CHECK(has(both, "note[PC1007]"));
    CHECK_FALSE(has(both, "PC1026"));
    // But not where a policy has the variable, and what is a template is none.
    folder.write("in/a.yaml", policy);
    CHECK(has(folder.run("lint --all in").out, "warning[PC1026]"));
}

TEST_CASE("names that a template lacks are another tool's") {
    const Folder folder;
    const std::string account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ''}\n";
    folder.write("in/templates/a.yaml", account);
    CHECK(has(folder.run("lint --all in").out, "note[PC2004]"));
    CHECK(has(folder.run("lint --all in/templates/a.yaml").out, "error[PC2004]"));
    folder.write("other/a.yaml", account);
    CHECK(has(folder.run("lint --all other").out, "error[PC2004]"));
    folder.write("filled/a.template.yaml", account);
    CHECK(has(folder.run("lint --all filled").out, "note[PC2004]"));
    CHECK_FALSE(has(folder.run("lint filled").out, "PC2004"));
    // What a Secret is called matters to nobody, and where it stands shows nothing of it.
    const std::string secret = "apiVersion: v1\ndata: {token: c2VjcmV0}\nkind: Secret\n";
    folder.write("s/a.yaml", secret + "metadata: {name: $name}\n");
    CHECK_FALSE(has(folder.run("lint --all s").out, "PC2004"));
    folder.write("s/a.yaml", secret + "metadata: {name: Token}\n");
    const std::string out = folder.run("lint --all s").out;
    CHECK(has(out, "a.yaml:3:7: note[PC2004]"));
    CHECK_FALSE(has(out, "c2VjcmV0"));
    folder.write("s/a.yaml", "{data: {token: c2VjcmV0}, kind: Secret, apiVersion: v1, metadata: "
                             "{name: Token}}\n");
    CHECK_FALSE(has(folder.run("lint --all s").out, "c2VjcmV0"));
}

TEST_CASE("ports that are placeholders are not the same port") {
    const Folder folder;
    folder.write("in/a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\n"
                              "spec: {ports: [{name: x, port: ${A}}, {name: y, port: ${B}}]}\n");
    CHECK_FALSE(has(folder.run("lint --all in").out, "PC2050"));
    folder.write("in/a.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: a, namespace: b}\n"
                              "spec: {ports: [{name: x, port: 80}, {name: y, port: 80}]}\n");
    CHECK(has(folder.run("lint --all in").out, "spec.ports[1] has the port of an earlier one"));
}

TEST_CASE("a namespace that is a placeholder is none without a default deny") {
    const Folder folder;
    const auto pod = [](const std::string& space) {
        return "apiVersion: v1\nkind: Pod\nmetadata: {name: a, namespace: " + space +
               "}\nspec: {containers: [{name: c, image: i}]}\n";
    };
    folder.write("in/a.yaml", pod("__TEAM__"));
    CHECK_FALSE(has(folder.run("lint --all in").out, "PC4114"));
    folder.write("in/a.yaml", pod("team"));
    CHECK(has(folder.run("lint --all in").out, "PC4114"));
}

TEST_CASE("answers say which kustomizations with policies were not built") {
    const Folder folder;
    folder.write("in/kustomization.yaml", "resources: [a.yaml]\ncomponents: [../b]\n");
    folder.write("in/a.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                              "metadata: {name: web, namespace: a}\nspec: {podSelector: {}}\n");
    const std::string line = "not rendered, and with policies: in/kustomization.yaml (--render)";
    CHECK(has(folder.run("map in").error, line));
    folder.write("in/kustomization.yaml", "resources: [a.yaml]\n");
    CHECK_FALSE(has(folder.run("map in").error, line));
}

TEST_CASE("a kind of Calico's group that nobody knows is a warning, and a slip an error") {
    const Folder folder;
    const auto lint = [&](const std::string& api, const std::string& kind) {
        folder.write("a.yaml",
                     "apiVersion: " + api + "\nkind: " + kind + "\nmetadata: {name: a}\n");
        return folder.run("lint --all --fail-on never a.yaml").out;
    };
    CHECK(has(lint("projectcalico.org/v3", "SomethingNew"), "warning[PC1040]"));
    CHECK(
        has(folder.run("map a.yaml").error,
            "policies of other systems, which may say more: 1 projectcalico.org/v3 SomethingNew"));
    CHECK(has(lint("projectcalico.org/v3", "HostEndpont"), "error[PC1010]"));
    CHECK(has(lint("projectcalico.org/v3", "Deployment"), "error[PC1010]"));
    CHECK_FALSE(has(lint("projectcalico.org/v3", "IPAMBlock"), "PC1040"));
    // A policy of somebody's own group is no slip, however the group begins.
    CHECK(has(lint("networking.acme.se/v1alpha1", "NetworkPolicy"), "warning[PC1040]"));
    CHECK(has(lint("networking.k8s/v1", "NetworkPolicy"), "error[PC1010]"));
    CHECK(has(lint("networking.k8a.io/v1", "NetworkPolicy"), "error[PC1010]"));
    CHECK(has(lint("project-calico.org/v3", "NetworkPolicy"), "error[PC1010]"));
}

TEST_CASE("templates of FreeMarker and the like are templates") {
    const Folder folder;
    const auto lint = [&](const std::string& text) {
        folder.write("in/a.yaml", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n" + text);
        return folder.run("lint --all --fail-on never in").out;
    };
    for (const char* text :
         {"metadata: {name: a, namespace: '${config.prefix}${config.scm.namespace}'}\n"
          "spec: {podSelector: {}}\n",
          "<#if config.open>\nmetadata: {name: a}\n</#if>\n",
          "<% if open %>\nmetadata: {name: a}\n"}) {
        const std::string out = lint(text);
        CHECK_MESSAGE(has(out, "warning[PC1007]"), text);
        CHECK_FALSE(has(out, "PC1003"));
        CHECK_FALSE(has(out, "PC20"));
        CHECK_FALSE(has(out, "envsubst"));
    }
}

TEST_CASE("what lacks an apiVersion is a mistake where an answer hangs on it") {
    const Folder folder;
    const auto lint = [&](const std::string& text) {
        folder.write("in/a.yaml", text);
        return has(folder.run("lint in").out, "error[PC1011]");
    };
    CHECK(lint("kind: NetworkPolicy\nmetadata: {name: a}\n"));
    CHECK(lint("kind: Deployment\nmetadata: {name: a}\n"));
    CHECK(lint("kind: Namespace\nmetadata: {name: a}\n"));
    CHECK_FALSE(lint("kind: Namespace\nmetadata: {name: a}\nspec: {authorization: {}}\n"));
    CHECK(lint("kind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n"));
    CHECK_FALSE(lint("kind: Service\nmetadata: {name: a}\nspec: {mode: WEB}\n"));
    CHECK_FALSE(lint("kind: Secret\nmetadata: {name: a}\nsops: {mac: x}\n"));
}

TEST_CASE("an Ingress shows that its namespace has more than the input") {
    const Folder folder;
    const std::string ingress =
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: a, namespace: shop}\n"
        "spec: {defaultBackend: {service: {name: chat, port: {number: 80}}}}\n";
    folder.write("in/a.yaml",
                 "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop, labels: {app: "
                 "web}}\nspec: {containers: [{name: c, image: i}]}\n---\n"
                 "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
                 "metadata: {name: chat, namespace: shop}\n"
                 "spec: {podSelector: {matchLabels: {app: web, part: chat}}, policyTypes: "
                 "[Ingress]}\n---\n");
    CHECK(has(folder.run("lint in").out, "PC4101"));
    folder.write("in/i.yaml", ingress);
    CHECK_FALSE(has(folder.run("lint in").out, "PC4101"));
    folder.write("in/s.yaml", "apiVersion: v1\nkind: Service\nmetadata: {name: chat, namespace: "
                              "shop}\nspec: {selector: {app: web}, ports: [{port: 80}]}\n");
    CHECK(has(folder.run("lint in").out, "PC4101"));
}
