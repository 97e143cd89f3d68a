// `polecat diff` as people run it: folders, git revisions, staged policies, exit codes.
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;
namespace fs = std::filesystem;

namespace {

const std::string kTwoPods = "apiVersion: v1\nkind: Pod\n"
                             "metadata: {name: web, namespace: shop, labels: {app: web}}\n"
                             "---\napiVersion: v1\nkind: Pod\n"
                             "metadata: {name: db, namespace: shop, labels: {app: db}}\n";

std::string policy_of(const std::string& kind, const std::string& ingress) {
    return "apiVersion: projectcalico.org/v3\nkind: " + kind +
           "\nmetadata: {name: db, namespace: shop}\n"
           "spec: {selector: app == 'db', types: [Ingress], ingress: " +
           ingress + "}\n";
}

const std::string kOpen = "[{action: Allow, protocol: TCP, source: {selector: app == 'web'}, "
                          "destination: {ports: [5432]}}]";

/// A git repository of its own.
struct Repository : testing::Folder {
    Repository() {
        REQUIRE(shell("git init -q . && git config user.email a@b && git config user.name a")
                    .exit_code == 0);
        write("k8s/pods.yaml", kTwoPods);
        write("k8s/policy.yaml", policy_of("NetworkPolicy", "[]"));
        commit("base");
    }
    void commit(const std::string& tag) const {
        REQUIRE(shell("git add -A && git commit -qm x && git tag " + tag).exit_code == 0);
    }
    runtime::Output diff(const std::string& arguments) const { return run("diff " + arguments); }
};

} // namespace

TEST_CASE("revisions: what a change opens, and what --fail-on makes of it") {
    const Repository repository;
    repository.write("k8s/policy.yaml", policy_of("NetworkPolicy", kOpen));
    repository.commit("opened");
    for (const char* revisions :
         {"base..opened", "base..opened -- k8s", "base...opened", "base.."}) {
        const auto found = repository.diff(revisions);
        CHECK_MESSAGE(found.exit_code == 0, found.error);
        CHECK_MESSAGE(has(found.out, "5432"), found.out);
    }
    CHECK(repository.diff("--fail-on opened base..opened").exit_code == 1);
    CHECK(repository.diff("--fail-on closed base..opened").exit_code == 0);
    CHECK(repository.diff("--fail-on closed opened..base").exit_code == 1);
    CHECK(repository.diff("--fail-on any base..base").exit_code == 0);
    const auto answer = repository.diff("--format json base..opened").out;
    CHECK_MESSAGE(has(answer, "opened:k8s/policy.yaml"), answer);
    CHECK(has(repository.diff("--format md base..opened").out, "5432"));
    CHECK(repository.diff("base..nowhere").exit_code == 2);
    CHECK(has(repository.diff("base..nowhere").error, "nowhere"));
}

TEST_CASE("revisions: links and submodules are named, not passed over") {
    const Repository repository;
    fs::create_symlink("nowhere", repository.path / "k8s/notes");
    REQUIRE(repository
                .shell("git init -q sub && cd sub && git config user.email a@b && git config "
                       "user.name a && git commit -q --allow-empty -m x")
                .exit_code == 0);
    repository.commit("linked");
    const auto found = repository.diff("base..linked");
    CHECK(found.exit_code == 0);
    CHECK_MESSAGE(has(found.error, "sub is a submodule in linked"), found.error);
    // A link to a file of the revision is that file, as in a folder.
    repository.write("more/policy", policy_of("NetworkPolicy", kOpen));
    fs::remove(repository.path / "k8s/policy.yaml");
    fs::create_symlink("../more/policy", repository.path / "k8s/policy.yaml");
    fs::create_symlink("nowhere", repository.path / "k8s/gone.yaml");
    repository.commit("manifest");
    const auto opened = repository.diff("--fail-on opened base..manifest");
    CHECK_MESSAGE(opened.exit_code == 1, opened.error);
    CHECK(has(opened.error, "k8s/gone.yaml is a symbolic link that leads to nothing in manifest"));
    fs::create_symlink("/etc/policy", repository.path / "k8s/more.yaml");
    repository.commit("outside");
    CHECK(repository.diff("base..outside").exit_code == 2);
    CHECK(has(repository.diff("base..outside").error, "k8s/more.yaml is a symbolic link"));
}

TEST_CASE("revisions of a partial clone: what is no manifest may be missing") {
    const Repository repository;
    const auto lose = [&](const std::string& path, const std::string& tag) {
        repository.write(path, path);
        repository.commit(tag);
        return repository
            .shell("o=$(git rev-parse " + tag + ":" + path +
                   ") && rm -f .git/objects/$(echo $o | cut -c1-2)/$(echo $o | cut -c3-)")
            .exit_code;
    };
    REQUIRE(lose("k8s/film.mp4", "film") == 0);
    const auto film = repository.diff("base..film");
    CHECK_MESSAGE(film.exit_code == 0, film.error);
    REQUIRE(lose("k8s/more.yaml", "policy") == 0);
    const auto policy = repository.diff("base..policy");
    CHECK(policy.exit_code == 2);
    CHECK(has(policy.error, "the content of k8s/more.yaml in policy is not here"));
}

TEST_CASE("policies of Kubernetes and of Calico with one name are two") {
    const std::string kubernetes =
        "---\napiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
        "metadata: {name: db, namespace: shop}\nspec: {podSelector: {}, policyTypes: [Ingress]}\n";
    const testing::Folder folder;
    folder.write("base/all.yaml",
                 kTwoPods + kubernetes + "---\n" + policy_of("NetworkPolicy", "[]"));
    folder.write("head/all.yaml", kTwoPods + kubernetes);
    const auto found = folder.run("diff base head");
    CHECK_MESSAGE(has(found.out, "policies gone: NetworkPolicy shop/db\n"), found.out);
    CHECK_MESSAGE(!has(found.out, "policies changed"), found.out);
}

TEST_CASE("folders, and staged policies as if enforced") {
    const Repository repository;
    REQUIRE(repository.shell("cp -r k8s next").exit_code == 0);
    CHECK(repository.diff("--fail-on any k8s next").exit_code == 0);
    repository.write("next/staged.yaml", policy_of("StagedNetworkPolicy", kOpen));
    CHECK(repository.diff("--fail-on any k8s next").exit_code == 0);
    CHECK(repository.diff("--fail-on opened --staged next").exit_code == 1);
    CHECK(repository.diff("--fail-on opened --staged k8s next").exit_code == 1);
    repository.write("next/staged.yaml", "apiVersion: v1\nkind: [");
    const auto broken = repository.diff("k8s next"); // what can't be read stops nothing but itself
    CHECK(broken.exit_code == 0);
    CHECK(has(broken.error, "next/staged.yaml"));
    CHECK(repository.diff("k8s").exit_code == 2);
}

TEST_CASE("diff --prove and --emit-smt2") {
    const Repository repository;
    repository.write("k8s/policy.yaml", policy_of("NetworkPolicy", kOpen));
    repository.commit("opened");
    CHECK_FALSE(has(repository.diff("base..opened").out, "Z3"));
    const auto text = repository.diff("--prove base..opened");
    CHECK(text.exit_code == 0);
    CHECK_MESSAGE(
        has(text.out, "Z3: 4 equal programs confirmed, 2 differences confirmed, 0 unknown"),
        text.out);
    const auto queries = repository.diff("--format json --emit-smt2 queries base..opened");
    CHECK_MESSAGE(has(queries.out, "\"different_programs\": 2"), queries.out);
    CHECK(fs::exists(repository.path / "queries" / "0006.smt2"));
    CHECK(has(repository.diff("--format md --prove base..opened").out, "Z3: 4 equal"));
    CHECK(has(repository.diff("--format dot --prove base..opened").error, "Z3: 4 equal"));
    CHECK(repository.diff("--emit-smt2 /dev/null/x base..opened").exit_code == 2);
    repository.write("k8s/staged.yaml", policy_of("StagedNetworkPolicy", "[]"));
    CHECK(has(repository.diff("--prove --staged k8s").out, "2 differences confirmed"));
}

TEST_CASE("diff --prove: a service with a pod whose address is not known") {
    const testing::Folder folder;
    const std::string pods =
        "{apiVersion: v1, kind: Pod, metadata: {name: p1, namespace: bb}, spec: {containers: "
        "[{name: c, image: i}]}, status: {podIP: 10.0.0.6}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: p2, namespace: bb, labels: {app: k}}, spec: "
        "{containers: [{name: c, image: i, ports: [{name: web, containerPort: 80}]}]}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: p3, namespace: bb, labels: {app: k}}, spec: "
        "{containers: [{name: c, image: i, ports: [{name: web, containerPort: 81}]}]}, status: "
        "{podIP: 10.0.0.8}}\n---\n"
        "{apiVersion: v1, kind: Service, metadata: {name: s, namespace: bb}, spec: {clusterIP: "
        "10.96.0.1, ports: [{port: 80, targetPort: web}], selector: {app: k}}}\n---\n";
    const std::string policy =
        "{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, metadata: {name: g}, spec: "
        "{selector: '!has(app)', types: [Egress], egress: [{action: Deny, destination: {services: "
        "{name: s, namespace: bb}}}, {action: Allow}]}}\n";
    folder.write("a/x.yaml", pods);
    folder.write("b/x.yaml", pods + policy);
    const auto proved = folder.run("diff --prove a b");
    CHECK_MESSAGE(proved.exit_code == 0, proved.error);
    CHECK_MESSAGE(has(proved.out, " unknown;"), proved.out);
}

TEST_CASE("a change that no flow of the input shows is told, and counts as either") {
    const testing::Folder folder;
    const std::string pod = "apiVersion: v1\nkind: Pod\n"
                            "metadata: {name: db, namespace: shop, labels: {app: db}}\n";
    const auto policy = [](const std::string& peer, int port) {
        return "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\n"
               "metadata: {name: db, namespace: shop}\n"
               "spec:\n  podSelector: {matchLabels: {app: db}}\n  policyTypes: [Ingress]\n"
               "  ingress: [{from: [" +
               peer + "], ports: [{port: " + std::to_string(port) + "}]}]\n";
    };
    const std::string elsewhere = "{namespaceSelector: {matchLabels: {team: web}}}";
    for (const char* side : {"a", "b"})
        folder.write(std::string(side) + "/pod.yaml", pod);
    folder.write("a/policy.yaml", policy(elsewhere, 5678));
    folder.write("b/policy.yaml", policy(elsewhere, 5679));
    const auto out = folder.run("diff --fail-on opened a b");
    CHECK(out.exit_code == 1);
    CHECK(has(out.out, "no flow changes between what is in the input"));
    CHECK(has(out.out,
              "named by no change below, and with pods or peers that are not all in the input: "
              "NetworkPolicy shop/db"));
    CHECK(
        has(folder.run("diff --format json a b").out, "\"unseen\": [\n   \"NetworkPolicy shop/db"));
    // All that it could match is there: nothing changes for anybody.
    const std::string own = "{podSelector: {matchLabels: {app: nobody}}}";
    folder.write("a/policy.yaml", policy(own, 5678));
    folder.write("b/policy.yaml", policy(own, 5679));
    const auto known = folder.run("diff --fail-on opened a b");
    CHECK(known.exit_code == 0);
    CHECK_FALSE(has(known.out, "named by no change"));
    // And a change that a flow shows is no secret.
    folder.write("b/policy.yaml", policy("{podSelector: {}}", 5679));
    CHECK_FALSE(has(folder.run("diff a b").out, "named by no change"));
}

TEST_CASE("a side without manifests is one without policy") {
    const testing::Folder folder;
    folder.write("a/policy.yaml", kTwoPods + "---\n" + policy_of("NetworkPolicy", "[]"));
    fs::create_directories(folder.path / "b");
    const auto out = folder.run("diff a b");
    CHECK(out.exit_code == 0);
    CHECK(has(out.out, "policies gone: NetworkPolicy shop/db"));
    CHECK(has(out.error, "what its policies kept shut counts as opened"));
    CHECK(folder.run("diff a b --fail-on opened").exit_code == 1);
    CHECK(folder.run("diff a b --fail-on any").exit_code == 1);
    CHECK(folder.run("diff a b --fail-on closed").exit_code == 0);
    CHECK(folder.run("diff b a").exit_code == 0);
    CHECK(folder.run("diff b a --fail-on opened").exit_code == 0);
    CHECK(folder.run("diff b b").exit_code == 2);
    CHECK(folder.run("diff a nowhere").exit_code == 2);
}

TEST_CASE("each row of a change names its own cause") {
    const testing::Folder folder;
    const std::string pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web, namespace: a}\n"
                            "spec: {containers: [{name: c, image: i}]}\n";
    const auto deny = [](const std::string& name, int order, const std::string& rule) {
        return "---\napiVersion: projectcalico.org/v3\nkind: GlobalNetworkPolicy\nmetadata: "
               "{name: " +
               name + "}\nspec:\n  order: " + std::to_string(order) +
               "\n  types: [Egress]\n  egress: [{action: Deny" + rule + "}]\n";
    };
    folder.write("a/a.yaml", pod);
    const auto diff = [&](const std::string& policies) {
        folder.write("b/a.yaml", pod + policies);
        return folder.run("diff a b").out;
    };
    // Ends that different policies decide about.
    const std::string ends =
        diff(deny("no-meta", 10, ", destination: {nets: [169.254.169.254/32]}") +
             deny("no-egress", 20, ""));
    CHECK(has(ends, "3 closed\n")); // one of them IPv6
    CHECK(has(ends, "denied by GlobalNetworkPolicy no-meta egress[0]"));
    CHECK(has(ends, "denied by GlobalNetworkPolicy no-egress egress[0]"));
    CHECK_FALSE(has(ends, "named by no change"));
    // Ports of one end.
    const std::string ports =
        diff(deny("no-ssh", 10, ", protocol: TCP, destination: {ports: [22]}") +
             deny("no-egress", 20, ""));
    CHECK(has(ports, "- closed  a/web -> any outside address  TCP 22\n"));
    CHECK(has(ports, "denied by GlobalNetworkPolicy no-ssh egress[0]"));
    CHECK(has(ports, "denied by GlobalNetworkPolicy no-egress egress[0]"));
    // One policy is one cause, whichever of its rules decides, as is the default of each namespace.
    folder.write("a/a.yaml", pod + "---\napiVersion: v1\nkind: Pod\n"
                                   "metadata: {name: db, namespace: c}\n"
                                   "spec: {containers: [{name: c, image: i}]}\n");
    folder.write("b/a.yaml",
                 folder.read("a/a.yaml") + deny("all", 10, ", protocol: TCP}, {action: Deny"));
    CHECK(has(folder.run("diff a b").out, "1 closed\n"));
}
