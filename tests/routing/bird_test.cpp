// The configuration of BIRD 2: what it says, that it reads back, that BIRD takes it.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <doctest/doctest.h>

#include "backends/bird/bird.h"
#include "tests/cli/folder.h"
#include "tests/routing/routed.h"

using namespace polecat;
namespace fs = std::filesystem;

namespace {

const fs::path kHere = fs::path(testing::source_dir()) / "tests/routing";

std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

testing::Routed cluster() {
    return testing::Routed(read(kHere / "cluster.yaml"));
}

} // namespace

TEST_CASE("the configuration of a node (POLECAT_UPDATE=1 writes it anew)") {
    auto routed = cluster();
    CHECK_FALSE(routed.diagnostics.has_errors());
    const auto node = routed.node("a");
    REQUIRE(node);
    bird::EmitOptions options;
    options.origins = &routed.sources;
    const std::string text = bird::emit(*node, options);
    if (std::getenv("POLECAT_UPDATE") != nullptr)
        std::ofstream(kHere / "node-a.conf", std::ios::binary) << text;
    CHECK(text == read(kHere / "node-a.conf"));
}

TEST_CASE("what is written reads back as the form, with and without origins") {
    auto routed = cluster();
    for (const char* name : {"a", "b", "rr"}) {
        const auto node = routed.node(name);
        REQUIRE(node);
        for (const Sources* origins :
             {static_cast<const Sources*>(nullptr), static_cast<const Sources*>(&routed.sources)}) {
            const auto again = bird::read_back(bird::emit(*node, {origins}));
            REQUIRE_MESSAGE(again, again.error());
            CHECK(*again == bird::comparable(*node));
        }
    }
}

TEST_CASE("a configuration that is not just ours is refused") {
    auto routed = cluster();
    const std::string text = bird::emit(*routed.node("a"));
    const auto changed = [&](const std::string& from, const std::string& to) {
        std::string out = text;
        const std::size_t at = out.find(from);
        REQUIRE(at != std::string::npos);
        return out.replace(at, from.size(), to);
    };
    CHECK(bird::read_back(text).ok());
    for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
             {"  graceful restart;", "  graceful restart;\n  default bgp_med 7;"}, // in a template
             {"metric 0;", "metric 7;"},
             {"  reject;\n}", "  accept;\n}"},
             {"krt_metric < 1024 then accept", "krt_metric < 1023 then accept"},
             {"elevate_v4(); accept;", "accept;"},
             {"hostname \"a\";", "hostname \"a;"},
             {"announce_v4(true)", "announce_v4(false)"},
             {"protocol device", "protocol devices"}})
        CHECK_MESSAGE(!bird::read_back(changed(from, to)).ok(), to);
    CHECK_FALSE(bird::read_back("").ok());
    CHECK_FALSE(bird::read_back(text + "protocol bfd {}\n").ok());
}

TEST_CASE("a pool through tunl0 is told of, and passwords are named by file") {
    testing::Routed routed(
        testing::node("a", "10.0.0.1/24") +
        testing::object("BGPConfiguration", "default", "programClusterRoutes: Enabled") +
        testing::object("IPPool", "p", "cidr: 10.1.0.0/16, ipipMode: Always"));
    const auto node = routed.node("a");
    REQUIRE(node);
    REQUIRE(bird::not_expressible(*node).size() == 1);
    CHECK(bird::read_back(bird::emit(*node)).ok());
    CHECK(bird::password_file({"bgp.keys", "r_1"}) == "passwords/bgp_2ekeys.r_5f1.conf");
}

TEST_CASE("BIRD takes the configuration") {
    if (!runtime::run_program({"bird", "--version"}, "")) {
        MESSAGE("skipped: no bird (package bird2)");
        return;
    }
    const testing::Folder folder;
    auto routed = cluster();
    for (const char* name : {"a", "b", "rr"}) {
        const auto node = routed.node(name);
        REQUIRE(node);
        for (const routing::Session& session : node->v4.sessions)
            if (session.password)
                folder.write(bird::password_file(*session.password), "password \"example\";\n");
        folder.write("bird.conf", bird::emit(*node));
        const auto said = folder.shell("bird -p -c bird.conf");
        CHECK_MESSAGE(said.exit_code == 0, said.error);
    }
}
