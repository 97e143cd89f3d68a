// A node of a bundle is the node that a compile makes.
#include <set>

#include <doctest/doctest.h>

#include "backends/node/build.h"
#include "driver/compile/origins.h"
#include "tests/bundle/packed.h"

using namespace polecat;

namespace {

std::string described(const diag::Diagnostics& diagnostics, const Sources& sources) {
    std::set<std::string> lines;
    for (const diag::Diagnostic& each : diagnostics.list())
        lines.insert(each.message + " " + (each.span.known() ? sources.describe(each.span) : ""));
    std::string out;
    for (const std::string& line : lines)
        out += line + "\n";
    return out;
}

void check_node(const testing::RandomCluster& cluster, const bundle::Bundle& bundle,
                const std::string& node, const backends::Numbers& base,
                backends::NodeImages& direct) {
    diag::Diagnostics expected, seen;
    const auto image = direct.of(node, expected);
    bundle::NodeView view = bundle::view_of(bundle, {node});
    backends::NodeImages images(view.cluster, std::move(view.numbers), std::move(view.own), base);
    const auto made = images.of(node, seen);
    REQUIRE(made.has_value() == image.has_value());
    CHECK(described(seen, view.sources) == described(expected, cluster.sources));
    if (!image)
        return;
    CHECK(*made == *image);
}

} // namespace

TEST_CASE("images of nodes from a bundle are those of the compile") {
    std::size_t seen = 0;
    for (std::uint64_t seed = 1; seed <= 60; ++seed) {
        const auto cluster = testing::loaded(testing::random_text(seed, seed % 2 == 0));
        const bundle::Written written = bundle::write(testing::packed(*cluster), "test");
        const bundle::Bundle bundle = testing::opened(written);
        const decision::Identities identities(cluster->lowered);
        backends::NodeImages direct(cluster->lowered, identities);
        for (const std::string& node : bundle.nodes()) {
            check_node(*cluster, bundle, node, {}, direct);
            ++seen;
        }
    }
    CHECK(seen > 150);
}

TEST_CASE("numbers of a base survive in the bundle and in the node") {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        const std::string text = testing::random_text(seed);
        const auto before = testing::loaded(text);
        const auto after = testing::loaded(
            text + testing::on_nodes(testing::ClusterWriter(seed + 100, {3, 0, 2}).write()));
        // A compile that goes by a compile ...
        const decision::Identities old_identities(before->lowered), identities(after->lowered);
        backends::NodeImages old(before->lowered, old_identities);
        diag::Diagnostics unused;
        for (const char* node : {"node0", "node1", "node2"})
            old.of(node, unused);
        backends::NodeImages direct(after->lowered, identities, old.record());
        // ... and a bundle that goes by a bundle.
        const bundle::Contents contents =
            testing::packed(*after, bundle::base_of(testing::packed(*before)));
        const bundle::Written written = bundle::write(contents, "test");
        const bundle::Bundle bundle = testing::opened(written);
        for (const std::string& node : bundle.nodes())
            check_node(*after, bundle, node, old.record(), direct);
    }
}

TEST_CASE("places of slots are those of the compile") {
    const auto cluster = testing::loaded(testing::random_text(11, true));
    const bundle::Written written = bundle::write(testing::packed(*cluster), "test");
    const bundle::Bundle bundle = testing::opened(written);
    const decision::Identities identities(cluster->lowered);
    backends::NodeImages direct(cluster->lowered, identities);
    for (const std::string& node : bundle.nodes()) {
        diag::Diagnostics unused;
        const auto image = direct.of(node, unused);
        bundle::NodeView view = bundle::view_of(bundle, {node});
        backends::NodeImages images(view.cluster, std::move(view.numbers), std::move(view.own), {});
        const auto made = images.of(node, unused);
        REQUIRE((image && made));
        const auto origins = [&](const decision::LoweredCluster& of, backends::NodeImages& all,
                                 const backends::NodeImage& what, const Sources& sources) {
            return driver::parse_origins(driver::origins_json(of, all, what, node, sources));
        };
        const auto expected = origins(cluster->lowered, direct, *image, cluster->sources);
        const auto seen = origins(view.cluster, images, *made, view.sources);
        REQUIRE((expected.ok() && seen.ok()));
        CHECK(seen->slots == expected->slots);
        CHECK(!seen->slots.empty());
    }
}

TEST_CASE("a pod that looks like one of the bundle has its group") {
    const auto cluster = testing::loaded(testing::random_text(4));
    const bundle::Contents contents = testing::packed(*cluster);
    const bundle::Written written = bundle::write(contents, "test");
    const bundle::Bundle bundle = testing::opened(written);
    std::size_t seen = 0;
    for (const decision::Object& object : cluster->lowered.world.objects) {
        if (object.kind != decision::Object::Kind::Workload)
            continue;
        const std::string space = object.name.substr(0, object.name.find('/'));
        for (const bundle::TemplateRecord& each : bundle.templates(space))
            if (each.labels == object.labels && each.ports == object.ports)
                ++seen;
    }
    CHECK(seen == 12);
}
