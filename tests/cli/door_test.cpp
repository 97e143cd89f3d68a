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
