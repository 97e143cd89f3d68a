// `compile --target bpf` and `verify --target bpf` as people run them.
#include <doctest/doctest.h>

#include "artefact/bpf/image.h"
#include "artefact/bpf/layout.h"
#include "tests/cli/folder.h"

using namespace polecat;
using testing::has;

namespace {

std::string tabled_pod(const std::string& name, int host) {
    return "---\napiVersion: v1\nkind: Pod\nmetadata: {name: " + name +
           ", namespace: shop, labels: {app: " + name +
           "}}\nspec: {nodeName: n1, containers: [{name: c, image: i}]}\nstatus: {podIP: 10.0.0." +
           std::to_string(host) + "}\n";
}

std::string db_port(int port) {
    return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: db, "
           "namespace: "
           "shop}, spec: {podSelector: {matchLabels: {app: db}}, ingress: [{from: [{podSelector: "
           "{matchLabels: {app: web}}}], ports: [{port: " +
           std::to_string(port) + "}]}]}}\n";
}

const std::string kTables = "bundle/nodes/n1/tables.bpf";

struct TabledBundle : testing::Folder {
    TabledBundle() {
        write("m/pods.yaml", tabled_pod("web", 1) + tabled_pod("db", 2));
        write("m/policy.yaml", db_port(5432));
        const auto made = run("compile m -o bundle --target bpf");
        REQUIRE_MESSAGE(made.exit_code == 0, made.error);
        CHECK(has(made.out, "reads back equal -> bundle/nodes/n1\n"));
    }
};

} // namespace

TEST_CASE("verify --target bpf: tables beside their manifests, and beside others") {
    const TabledBundle folder;
    CHECK(has(folder.run("verify bundle --target bpf").out, "n1: whole: "));
    const auto equal = folder.run("verify bundle m --target bpf");
    CHECK_MESSAGE(equal.exit_code == 0, equal.error);
    CHECK_MESSAGE(has(equal.out, "n1: equal: "), equal.out);
    CHECK(has(folder.run("verify bundle m").out, "n1: equal: ")); // it says for what it is
    CHECK(folder.run("verify bundle m --target nftables").exit_code == 2);
    folder.write("m/policy.yaml", db_port(5433));
    const auto other = folder.run("verify bundle m --target bpf");
    CHECK(other.exit_code == 1);
    CHECK_MESSAGE(has(other.out, "ingress: shop/web (10.0.0.1) -> shop/db (10.0.0.2)  TCP 5432"),
                  other.out);
    CHECK(has(other.out, "rules   allow: NetworkPolicy shop/db ingress[0] (m/policy.yaml:"));
    // Of another policy, whole by itself: a node that runs it is told.
    CHECK(folder.run("compile m -o second --target bpf").exit_code == 0);
    const auto held =
        folder.run("verify bundle --target bpf --node n1 --rules second/nodes/n1/tables.bpf");
    CHECK(held.exit_code == 1);
    CHECK_MESSAGE(has(held.out, "TCP 5433"), held.out);
}

TEST_CASE("verify --target bpf: what was altered is not taken for the policy") {
    const TabledBundle folder;
    const std::string good = folder.read(kTables);
    std::string bad = good;
    bad[bad.size() / 2] ^= 1;
    folder.write(kTables, bad);
    const auto altered = folder.run("verify bundle m --target bpf");
    CHECK(altered.exit_code == 2);
    CHECK_MESSAGE(has(altered.out, "checksum"), altered.out);
    // With a checksum that is right again.
    auto image = bpf::read(good);
    REQUIRE(image.ok());
    image->tables[std::size_t{image->programs.front().line} * kBpfLineWords + kBpfProgramRows] += 1;
    folder.write(kTables, bpf::write(*image));
    CHECK(folder.run("verify bundle m --target bpf").exit_code == 2);
    folder.write(kTables, good);
    const std::string rules = folder.read("bundle/nodes/n1/rules.v4");
    const std::size_t at = rules.find("-g polecat-deny");
    REQUIRE(at != std::string::npos);
    std::string open = rules;
    folder.write("bundle/nodes/n1/rules.v4", open.replace(at, 15, "-j RETURN"));
    const auto opened = folder.run("verify bundle m --target bpf");
    CHECK(opened.exit_code == 2);
    CHECK_MESSAGE(has(opened.out, "bundle/nodes/n1: chain polecat-"), opened.out);
    folder.write("bundle/nodes/n1/rules.v4", rules);
    CHECK(folder.run("verify bundle m --target bpf").exit_code == 0);
}

TEST_CASE("compile --target bpf: numbers go on, and options of others are refused") {
    const TabledBundle folder;
    folder.write("m/more.yaml", tabled_pod("web", 1) + tabled_pod("job", 3));
    CHECK(folder.run("compile m -o next --target bpf --base bundle").exit_code == 0);
    CHECK(folder.run("verify next m --target bpf").exit_code == 0);
    for (const char* option : {"--log-denied 3", "--flow-mark-bit 3", "--plan-from bundle"})
        CHECK(folder.run("compile m -o next --target bpf " + std::string(option)).exit_code == 2);
}
