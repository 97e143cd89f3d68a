// Chains of iptables lead to each other no deeper than nftables takes, whatever the policy.
#include <functional>
#include <memory>

#include <doctest/doctest.h>

#include "backends/iptables/build.h"
#include "backends/iptables/cut.h"
#include "backends/iptables/iptables.h"
#include "backends/iptables/levels.h"
#include "tests/backends/built.h"
#include "tests/backends/filtered.h"

using namespace polecat;
using testing::Random;

namespace {

/// A tier of one policy: all ports of it pass but one.
std::string tier(std::size_t number, std::size_t rules, std::size_t ports) {
    const std::string name = "t" + std::to_string(number);
    std::string out = "{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: " + name +
                      "}, spec: {order: " + std::to_string(number) +
                      "}}\n---\n{apiVersion: projectcalico.org/v3, kind: GlobalNetworkPolicy, "
                      "metadata: {name: " +
                      name + ".p}, spec: {tier: " + name +
                      ", selector: app == 'web', types: [Ingress], ingress: [";
    for (std::size_t i = 0; i < rules; ++i)
        out += std::string(i == 0 ? "" : ", ") + "{action: " + (i % 7 == 0 ? "Deny" : "Pass") +
               ", protocol: TCP, source: {nets: [10." + std::to_string(i / 250) + "." +
               std::to_string(i % 250) + ".0/24]}, destination: {ports: [" +
               std::to_string(1000 + i % ports) + "]}}";
    return out + "]}}\n---\n";
}

struct Deep {
    testing::RandomCluster cluster;
    std::optional<iptables::FilterImage> image;
    bool closes = false;
};

std::unique_ptr<Deep> deep(const std::string& policy) {
    auto out = std::make_unique<Deep>();
    testing::load_text(testing::pod("web", "web", 1) + policy, out->cluster);
    out->image = testing::filter_image_of(out->cluster);
    for (const diag::Diagnostic& each : out->cluster.diagnostics.list())
        out->closes = out->closes || each.code == diag::Code::TableTooLarge;
    return out;
}

std::size_t levels_of(const iptables::FilterImage& image) {
    const iptables::Ruleset rules = iptables::emit(image);
    return std::max(iptables::levels_of(rules.v4), iptables::levels_of(rules.v6));
}

iptables::FilterStage random_stage(Random& random, bool last) {
    iptables::FilterStage out;
    out.end = last ? iptables::FilterStage::End::Deny : iptables::FilterStage::End::Next;
    const std::size_t rules = random.chance(50) ? random.below(10) : random.below(400);
    for (std::uint32_t i = 0; i < rules; ++i) {
        const auto port = static_cast<std::uint16_t>(random.below(2000));
        out.rules.push_back(
            {{iptables::ProtocolIs{false, net::kTcp},
              iptables::PortIn{false, false, {{port, port}}}},
             random.pick<decision::Action>(
                 {decision::Action::Allow, last ? decision::Action::Deny : decision::Action::Pass}),
             i,
             "rule"});
    }
    return out;
}

} // namespace

TEST_CASE("tiers of long lists lead no deeper than nftables takes") {
    for (const auto& [tiers, rules, ports] :
         {std::tuple<std::size_t, std::size_t, std::size_t>{1, 1000, 1000},
          {2, 200, 200},
          {3, 40, 40},
          {4, 31, 31},
          {4, 100, 100},
          {8, 40, 40},
          {8, 5, 5}}) {
        INFO(tiers, " tiers of ", rules);
        std::string policy;
        for (std::size_t i = 1; i <= tiers; ++i)
            policy += tier(i, rules, ports);
        const auto made = deep(policy);
        REQUIRE(made->image.has_value());
        CHECK_FALSE(made->closes);
        CHECK(levels_of(*made->image) <= iptables::kMostLevels);
        const auto compiled = iptables::compile(*made->image);
        CHECK_MESSAGE(compiled.ok(), (compiled ? "" : compiled.error()));
    }
}

TEST_CASE("what has more tiers than chains may follow each other is closed, and told") {
    std::string policy;
    for (std::size_t i = 1; i <= 12; ++i)
        policy += tier(i, 3, 3);
    const auto made = deep(policy);
    REQUIRE(made->image.has_value());
    CHECK(made->closes);
    CHECK(levels_of(*made->image) <= iptables::kMostLevels);
    std::size_t closed = 0;
    for (const auto& [name, program] : made->image->programs)
        closed += program.stages.size() == 1 && program.stages.front().what.starts_with("closed");
    CHECK(closed == 1); // its egress has no tiers
    CHECK(iptables::compile(*made->image).ok());
}

TEST_CASE("random programs lead no deeper than nftables takes, and read back") {
    for (std::uint64_t seed = 1; seed <= 30; ++seed) {
        INFO("seed ", seed);
        Random random(seed);
        auto made = deep("");
        iptables::FilterImage& image = *made->image;
        for (auto& [name, program] : image.programs) {
            const std::size_t stages = 1 + random.below(iptables::kProgramLevels);
            program.stages.clear();
            for (std::size_t i = 1; i <= stages; ++i)
                program.stages.push_back(random_stage(random, i == stages));
            for (iptables::FilterStage& stage : program.stages)
                iptables::settle_order(stage.rules);
        }
        REQUIRE(iptables::fits(image));
        CHECK(levels_of(image) <= iptables::kMostLevels);
        const auto compiled = iptables::compile(image);
        CHECK_MESSAGE(compiled.ok(), (compiled ? "" : compiled.error()));
    }
}

TEST_CASE("a tree of few levels is what the list is") {
    for (const std::size_t levels : {2, 3, 4, 9}) {
        std::vector<iptables::FilterRule> rules;
        for (std::uint32_t i = 0; i < 1200; ++i) {
            const auto port = static_cast<std::uint16_t>(i);
            rules.push_back({{iptables::ProtocolIs{false, net::kTcp},
                              iptables::PortIn{false, false, {{port, port}}}},
                             decision::Action::Allow,
                             i,
                             "rule"});
        }
        const auto parts = iptables::cut(rules, levels);
        REQUIRE_FALSE(parts.empty());
        std::function<std::size_t(std::size_t)> depth = [&](std::size_t part) {
            std::size_t below = 0;
            for (const auto& each : parts[part].branches)
                below = std::max(below, depth(each.to));
            return 1 + below;
        };
        CHECK(depth(0) <= levels);
    }
}
