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
