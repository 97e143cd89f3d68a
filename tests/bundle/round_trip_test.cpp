// What is written reads back, equal input is equal bytes, and a change writes what it changed.
#include <algorithm>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/bundle/packed.h"

using namespace polecat;

namespace {

std::vector<std::string> documents_of(const std::string& text) {
    std::vector<std::string> out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find("---\n", at), text.size());
        out.push_back(text.substr(at, end - at));
        at = end + 4;
    }
    return out;
}

std::string shuffled(const std::string& text, testing::Random& random) {
    std::vector<std::string> documents = documents_of(text);
    for (std::size_t i = documents.size(); i > 1; --i)
        std::swap(documents[i - 1], documents[random.below(i)]);
    std::string out;
    for (const std::string& each : documents)
        out += each + "---\n";
    return out;
}

std::size_t parts_not_in(const bundle::Written& now, const bundle::Written& before) {
    return static_cast<std::size_t>(
        std::count_if(now.parts.begin(), now.parts.end(),
                      [&](const auto& part) { return !before.parts.contains(part.first); }));
}

} // namespace

TEST_CASE("what is written reads back as the same bytes") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const auto cluster = testing::loaded(testing::random_text(seed, seed % 2 == 0));
        const bundle::Written written = bundle::write(testing::packed(*cluster), "test");
        const bundle::Bundle read = testing::opened(written);
        const bundle::Written again = bundle::write(read.all(), "test");
        CHECK(again.manifest == written.manifest);
        CHECK(again.parts == written.parts);
        CHECK(bundle::print(read.manifest()) == written.manifest);
    }
}

TEST_CASE("parts are CBOR to others as well") {
    const auto cluster = testing::loaded(testing::random_text(3, true));
    const bundle::Written written = bundle::write(testing::packed(*cluster), "test");
    const auto manifest = nlohmann::json::from_cbor(written.manifest);
    CHECK(manifest.at(0) == "polecat bundle");
    CHECK(manifest.at(1) == 1);
    CHECK(manifest.at(4).size() >= written.parts.size());
    for (const auto& [name, bytes] : written.parts)
        CHECK(nlohmann::json::from_cbor(bytes).is_array());
}

TEST_CASE("documents in another order are the same bundle, but for where they stand") {
    testing::Random random(7);
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        const std::string text = testing::random_text(seed, seed % 2 == 0);
        const auto first = testing::loaded(text), second = testing::loaded(shuffled(text, random));
        bundle::Contents one = testing::packed(*first), two = testing::packed(*second);
        one.origins = two.origins = {};
        const bundle::Written a = bundle::write(one, "test"), b = bundle::write(two, "test");
        CHECK(a.manifest == b.manifest);
        CHECK(a.parts == b.parts);
    }
}

TEST_CASE("a line that moves changes origins only") {
    const std::string text = testing::random_text(5);
    const auto first = testing::loaded(text), second = testing::loaded("# a remark\n" + text);
    const bundle::Written a = bundle::write(testing::packed(*first), "test");
    const bundle::Written b = bundle::write(testing::packed(*second), "test");
    CHECK(a.manifest != b.manifest);
    CHECK(bundle::parse_manifest(a.manifest).meaning() ==
          bundle::parse_manifest(b.manifest).meaning());
}

TEST_CASE("with a base a pod more changes few parts") {
    std::string text;
    for (int i = 0; i < 300; ++i)
        text += "{apiVersion: v1, kind: Pod, metadata: {name: p" + std::to_string(i) +
                ", namespace: n" + std::to_string(i % 100) + ", labels: {app: a" +
                std::to_string(i % 7) + "}}, spec: {nodeName: node" + std::to_string(i % 50) +
                ", containers: []}, status: {podIP: 10.0." + std::to_string(i / 200) + "." +
                std::to_string(i % 200) + "}}\n---\n";
    for (int i = 0; i < 100; ++i)
        text += "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: p, "
                "namespace: n" +
                std::to_string(i) + "}, spec: {podSelector: {matchLabels: {app: a" +
                std::to_string(i % 7) +
                "}}, ingress: [{from: [{podSelector: {matchLabels: {app: a" +
                std::to_string(i % 5) + "}}}]}]}}\n---\n";
    const auto before = testing::loaded(text);
    const auto after = testing::loaded(
        text + "{apiVersion: v1, kind: Pod, metadata: {name: one-more, namespace: n3, labels: "
               "{app: a3}}, spec: {nodeName: node3, containers: []}, status: {podIP: 10.1.0.1}}\n");
    const bundle::Contents old = testing::packed(*before);
    const bundle::Written a = bundle::write(old, "test");
    const bundle::Written b = bundle::write(testing::packed(*after, bundle::base_of(old)), "test");
    CHECK(a.parts.size() > 60);
    CHECK(parts_not_in(b, a) <= 4); // its node, its address, its look, its place
    // Without a change nothing is written, whatever the base was.
    const bundle::Written same =
        bundle::write(testing::packed(*before, bundle::base_of(old)), "test");
    CHECK(same.manifest == a.manifest);
}
