// A bundle that is kept as the manifests are.
#include <doctest/doctest.h>

#include <fstream>

#include "driver/bundle/folder.h"
#include "driver/watch/watched.h"
#include "runtime/file_watch.h"
#include "support/diag/render.h"
#include "tests/bundle/packed.h"
#include "tests/cli/folder.h"

using namespace polecat;

namespace {

std::string watched_pod(const std::string& name, int address, const std::string& app = "a") {
    return "{apiVersion: v1, kind: Pod, metadata: {name: " + name +
           ", namespace: shop, labels: {app: " + app +
           "}}, spec: {nodeName: node0, containers: [{name: c, image: i}]}, status: {podIP: "
           "10.0.0." +
           std::to_string(address) + "}}\n---\n";
}

std::string watched_policy(const std::string& name, const std::string& peer) {
    return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: " + name +
           ", namespace: shop}, spec: {podSelector: {matchLabels: {app: a}}, policyTypes: "
           "[Ingress], "
           "ingress: [{from: [{podSelector: {matchLabels: {app: " +
           peer + "}}}]}]}}\n---\n";
}

/// Manifests whose bundle is watched, and what a compile of all makes of them each time.
struct WatchedFolder : testing::Folder {
    WatchedFolder() {
        write("m/space.yaml", "{apiVersion: v1, kind: Namespace, metadata: {name: shop}}\n");
        write("m/pods.yaml", watched_pod("one", 1) + watched_pod("two", 2, "b"));
        write("m/policy.yaml", watched_policy("first", "b"));
        check(watched.read_all(""));
    }

    std::string in(const std::string& name) const { return (path / name).string(); }

    /// The folder holds what a compile gives.
    void check(const Result<driver::Watched::Update>& update) {
        REQUIRE_MESSAGE(update, update.error());
        REQUIRE_MESSAGE(!watched.refused(), diag::render_text(watched.input().diagnostics.list(),
                                                              watched.input().sources, {}));
        const driver::Input input = driver::read_input({in("m")});
        const auto lowered = passes::lower(input.cluster).cluster;
        before = bundle::pack(lowered, decision::Identities(lowered), input.sources,
                              bundle::base_of(before));
        const bundle::Written wanted = bundle::write(before, "test");
        const driver::OpenBundle held = driver::open_bundle(in("b"));
        CHECK(held.manifest == wanted.manifest);
        held.bundle.all(); // every part is there, and what it is to be
        std::size_t files = 0;
        for (const auto& each : std::filesystem::recursive_directory_iterator(path / "b/parts"))
            files += each.is_regular_file() ? 1 : 0;
        CHECK(files == wanted.parts.size());
    }

    /// Whether it was compiled by itself.
    bool alone(const std::set<std::string>& files) {
        std::set<std::string> paths;
        for (const std::string& each : files)
            paths.insert(in(each));
        const auto update = watched.update(paths);
        check(update);
        return update->whole.empty();
    }

    driver::Watched watched{{in("m")}, {}, in("b"), "test"};
    bundle::Contents before;
};

} // namespace

TEST_CASE("watch: files that change are read by themselves") {
    WatchedFolder folder;
    folder.write("m/pods.yaml",
                 watched_pod("one", 1) + watched_pod("two", 2, "a") + watched_pod("three", 3));
    CHECK(folder.alone({"m/pods.yaml"}));
    folder.write("m/policy.yaml", "# further down\n" + watched_policy("first", "c"));
    CHECK(folder.alone({"m/policy.yaml"}));
    folder.write("m/a/more.yaml", watched_policy("second", "b") + watched_pod("four", 4, "c"));
    CHECK(folder.alone({"m/a/more.yaml"}));
    // An object goes to another file.
    folder.write("m/pods.yaml", watched_pod("one", 1) + watched_pod("two", 2, "a"));
    folder.write("m/a/more.yaml", watched_policy("second", "b") + watched_pod("three", 3));
    CHECK(folder.alone({"m/pods.yaml", "m/a/more.yaml"}));
    std::filesystem::remove(folder.path / "m/a/more.yaml");
    CHECK(folder.alone({"m/a/more.yaml"}));
    CHECK(folder.alone({"m/notes.txt", "elsewhere.yaml"}));
}

TEST_CASE("watch: all is read where a file says more than of pods and policies") {
    WatchedFolder folder;
    folder.write("m/space.yaml",
                 "{apiVersion: v1, kind: Namespace, metadata: {name: shop, labels: {env: x}}}\n");
    CHECK_FALSE(folder.alone({"m/space.yaml"}));
    folder.write("m/pods.yaml", watched_pod("one", 1) +
                                    "{apiVersion: v1, kind: Namespace, metadata: {name: o}}\n");
    CHECK_FALSE(folder.alone({"m/pods.yaml"}));
    folder.write("m/calico.yaml",
                 "{apiVersion: projectcalico.org/v3, kind: NetworkPolicy, metadata: {name: p, "
                 "namespace: shop}, spec: {selector: all(), ingress: [{action: Allow}]}}\n");
    CHECK(folder.alone({"m/calico.yaml"}));
    std::filesystem::remove(folder.path / "m/space.yaml");
    CHECK_FALSE(folder.alone({"m/space.yaml"}));
}

TEST_CASE("watch: what two files hold stays when one of them goes") {
    WatchedFolder folder;
    folder.write("m/again.yaml", watched_policy("first", "b"));
    CHECK_FALSE(folder.alone({"m/again.yaml"}));
    std::filesystem::remove(folder.path / "m/policy.yaml");
    CHECK_FALSE(folder.alone({"m/policy.yaml"}));
    std::filesystem::rename(folder.path / "m/again.yaml", folder.path / "m/policy.yaml");
    CHECK(folder.alone({"m/again.yaml", "m/policy.yaml"}));
    // A file of two paths is read under one of them.
    std::filesystem::create_symlink("policy.yaml", folder.path / "m/a-link.yaml");
    CHECK_FALSE(folder.alone({"m/a-link.yaml"}));
    std::filesystem::remove(folder.path / "m/a-link.yaml");
    CHECK_FALSE(folder.alone({"m/a-link.yaml"}));
}

TEST_CASE("watch: a path may be spelt otherwise") {
    WatchedFolder folder;
    folder.write("m/policy.yaml", watched_policy("second", "c"));
    CHECK_FALSE(folder.alone({"m/../m/policy.yaml"}));
    folder.write("m/new.yaml", watched_policy("third", "c"));
    CHECK_FALSE(folder.alone({"b/../m/new.yaml"}));
    folder.write("m/new.yaml", watched_policy("third", "b"));
    CHECK(folder.alone({"m/new.yaml"}));
}

TEST_CASE("watch: manifests with errors leave the bundle as it is until they are mended") {
    WatchedFolder folder;
    const std::string manifest = folder.read("b/manifest.cbor");
    const auto refused = [&](const std::string& file, const std::string& text) {
        folder.write(file, text);
        const auto update = folder.watched.update({folder.in(file)});
        REQUIRE(update);
        CHECK(folder.watched.refused());
        CHECK(folder.watched.input().diagnostics.has_errors());
        CHECK(folder.read("b/manifest.cbor") == manifest);
    };
    refused("m/policy.yaml", watched_policy("first", "b") + "spec: [}\n");
    refused("m/policy.yaml", watched_policy("first", "b") + "{kind: NetworkPolicy}\n");
    folder.write("m/policy.yaml", watched_policy("first", "c"));
    CHECK_FALSE(folder.alone({"m/policy.yaml"}));
    CHECK(folder.read("b/manifest.cbor") != manifest);
    folder.write("m/policy.yaml", watched_policy("first", "b"));
    CHECK(folder.alone({"m/policy.yaml"}));
}

TEST_CASE("watch: files that change, come and go are told, and folders") {
    const testing::Folder folder;
    folder.write("m/a.yaml", "a");
    folder.write("m/b.yaml", "b");
    folder.write("m/skipped/c.yaml", "c");
    const std::string below = (folder.path / "m").string();
    runtime::FileWatch watch({below},
                             [](const std::string& path) { return path.ends_with("skipped"); });
    REQUIRE(watch.failure().empty());
    constexpr std::chrono::milliseconds kLong{20'000}, kShort{1};
    const auto files = [&](std::chrono::milliseconds most) {
        const auto changes = watch.wait(most);
        REQUIRE(changes);
        CHECK_FALSE(changes->folders);
        return changes->files;
    };
    CHECK(files(kShort).empty());
    folder.write("m/a.yaml", "changed");
    CHECK(files(kLong) == std::set{below + "/a.yaml"});
    folder.write("m/skipped/c.yaml", "changed");
    std::filesystem::rename(folder.path / "m/b.yaml", folder.path / "m/d.yaml");
    CHECK(files(kLong) == std::set{below + "/b.yaml", below + "/d.yaml"});
    std::filesystem::create_symlink("d.yaml", folder.path / "m/e.yaml");
    CHECK(files(kLong) == std::set{below + "/e.yaml"});
    folder.write("m/new/f.yaml", "f");
    const auto changes = watch.wait(kLong);
    REQUIRE(changes);
    CHECK(changes->folders);
    folder.write("m/new/f.yaml", "changed"); // a folder that came is watched as well
    CHECK(files(kLong).contains(below + "/new/f.yaml"));
}
