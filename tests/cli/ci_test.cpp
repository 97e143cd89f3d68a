// What action.yml and the job of GitLab run for a change.
#include "tests/cli/folder.h"

using namespace polecat;
using testing::Folder;
using testing::has;

TEST_CASE("what a change opens is Markdown, an output, and a failure where that was asked for") {
    const Folder folder;
    const std::string pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: shop}\n"
                            "spec: {containers: [{name: c, image: x}]}\n---\n";
    const auto policy = [&](const std::string& rules) {
        return pod +
               "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: web, "
               "namespace: shop}\nspec: {podSelector: {}, policyTypes: [Ingress]" +
               rules + "}\n";
    };
    const auto commit = [&] {
        folder.shell("git add -A && git -c user.email=a@example.com -c user.name=a commit -qm x");
    };
    folder.shell("git init -q -b main .");
    folder.write("policies/a.yaml", policy(""));
    folder.write("policies/a.policytest.yaml",
                 "apiVersion: polecat/v1\nkind: PolicyTest\nmetadata: {name: web}\nspec:\n"
                 "  manifests: [a.yaml]\n  cases:\n"
                 "  - {from: 203.0.113.7, to: shop/web, port: 80/TCP, expect: deny}\n");
    commit();
    folder.shell("git checkout -qb change");
    const std::string script = "GITHUB_OUTPUT=out GITHUB_STEP_SUMMARY=summary bash '" +
                               std::string(testing::source_dir()) + "/tools/ci-change' '" +
                               std::string(testing::bin_dir()) + "/polecat' ";
    const auto same = folder.shell(script + "main change.md true policies");
    CHECK(same.exit_code == 0);
    CHECK(has(same.out, "1 of 1 files passed"));
    CHECK(has(folder.read("out"), "opened=false"));
    folder.write("policies/a.yaml", policy(", ingress: [{}]"));
    commit();
    const auto opened = folder.shell(script + "main change.md false policies");
    CHECK(opened.exit_code == 1); // the expectation fails
    CHECK(has(folder.read("change.md"), "| **opened** |"));
    CHECK(has(folder.read("summary"), "| **opened** |"));
    CHECK(has(folder.read("out"), "opened=true"));
    folder.shell("git rm -q policies/a.policytest.yaml");
    CHECK(folder.shell(script + "main change.md false policies").exit_code == 0);
    CHECK(folder.shell(script + "main change.md true policies").exit_code == 1);
    CHECK(folder.shell(script + "nowhere change.md true policies").exit_code == 2);
    CHECK(folder.shell(script + "'' change.md true policies").exit_code == 0);
}

TEST_CASE("a release is fetched and checked, and a binary must be of the version asked for") {
    const Folder folder;
    const std::string script = "RELEASES=file://" + folder.path.string() + "/releases '" +
                               std::string(testing::source_dir()) + "/tools/ci-binary' ";
    const std::string name = "polecat-9.8.7-linux-x86_64";
    folder.write("made/" + name + "/bin/polecat", "#!/bin/sh\necho polecat 9.8.7\n");
    folder.shell("chmod +x made/" + name +
                 "/bin/polecat && mkdir -p releases/v9.8.7 && tar -C made -czf " +
                 "releases/v9.8.7/" + name + ".tar.gz " + name +
                 " && cd releases/v9.8.7 && sha256sum *.gz > SHA256SUMS");
    const auto fetched = folder.shell(script + "'' 9.8.7 into");
    CHECK_MESSAGE(fetched.exit_code == 0, fetched.error);
    CHECK(fetched.out == "into/" + name + "/bin/polecat\n");
    CHECK(folder.shell(script + "into/" + name + "/bin/polecat 9.8.7 into").exit_code == 0);
    CHECK(folder.shell(script + "into/" + name + "/bin/polecat '' into").exit_code == 0);
    const auto other = folder.shell(script + "into/" + name + "/bin/polecat 9.8.6 into");
    CHECK(other.exit_code == 1);
    CHECK(has(other.error, "this is polecat 9.8.7, and version 9.8.6 was asked for"));
    folder.shell("echo more >> releases/v9.8.7/" + name + ".tar.gz");
    const auto changed = folder.shell(script + "'' 9.8.7 into");
    CHECK(changed.exit_code == 1);
    CHECK(has(changed.error, "is not what SHA256SUMS of the release says"));
}
