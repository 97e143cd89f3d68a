// What `polecat load` of nftables keeps beside the rules: numbers of generations, and addresses
// whose connections are still to go.
#include <doctest/doctest.h>

#include "backends/nftables/nftables.h"
#include "backends/nftables/plan.h"
#include "driver/load/connections.h"
#include "driver/load/generations.h"
#include "driver/load/load.h"
#include "runtime/netlink/apply.h"
#include "runtime/nft.h"
#include "runtime/process.h"
#include "tests/backends/built.h"
#include "tests/host_policies.h"
#include "tests/kernel/node.h"

using namespace polecat;
using namespace polecat::kernel_test;
using backends::Generation;

namespace {

const std::string kTwoPods = testing::pod("a", "a", 1) + testing::pod("b", "b", 2);
const std::string kIsolated =
    kTwoPods + "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: none, "
               "namespace: ns}, spec: {podSelector: {}}}\n---\n";

driver::Loaded load_policy(const std::string& manifests, const driver::LoadOptions& options = {}) {
    auto done = driver::load_rules(*testing::build(manifests).image, options);
    REQUIRE_MESSAGE(done.ok(), (done ? "" : done.error()));
    return std::move(*done);
}

nft::Ruleset listed_rules() {
    const auto listed = runtime::nft_list("polecat");
    REQUIRE_MESSAGE(listed.ok(), (listed ? "" : listed.error()));
    auto rules = nft::parse(*listed);
    REQUIRE_MESSAGE(rules.ok(), (rules ? "" : rules.error()));
    return std::move(*rules);
}

std::uint16_t loaded_number() {
    const auto generation = backends::generation_of(listed_rules());
    REQUIRE(generation.has_value());
    return generation->number;
}

void by_nft(const std::string& text) {
    const auto done = runtime::nft_load(text);
    REQUIRE_MESSAGE(done.ok(), (done ? "" : done.error()));
}

/// A connection from an address, as one that was judged under that number.
void connect_from(const std::string& source, std::uint16_t number) {
    const auto done = runtime::run_program({"conntrack", "-I", "-s", source, "-d", "10.9.9.9", "-p",
                                            "udp", "--sport", "1000", "--dport", "53", "-t", "100",
                                            "--mark", std::to_string(Generation{number}.bits())},
                                           "");
    REQUIRE(done.ok());
    REQUIRE_MESSAGE(done->exit_code == 0, done->error);
}

bool has_connection(std::uint16_t number) {
    const auto marks = driver::marks_of_connections();
    REQUIRE_MESSAGE(marks.ok(), (marks ? "" : marks.error()));
    return marks->contains(Generation{number}.bits());
}

driver::Generations generations() {
    auto held = driver::held_generations();
    REQUIRE_MESSAGE(held.ok(), (held ? "" : held.error()));
    return std::move(*held);
}

} // namespace

TEST_CASE("a load takes a number that no connection has") {
    if (!may_run())
        return;
    const runtime::Lab lab; // a machine without rules and connections
    connect_from("10.0.0.1", 2);
    driver::LoadOptions told;
    told.only_tell = true;
    CHECK_FALSE(load_policy(kTwoPods, told).steps.empty());
    CHECK_FALSE(generations().is_there);
    load_policy(kTwoPods);
    CHECK(loaded_number() == 1);
    CHECK(generations().free.size() == Generation::kLast - 2);
    CHECK(load_policy(kTwoPods).steps.empty());

    // Used by somebody before: who has it is forgotten.
    load_policy(kIsolated);
    CHECK(loaded_number() == 2);
    CHECK_FALSE(has_connection(2));

    // A table that was taken away: numbers are not given again.
    by_nft("flush table inet polecat\ndelete table inet polecat\n");
    load_policy(kTwoPods);
    CHECK(loaded_number() == 3);
    CHECK_FALSE(generations().free.contains(Generation{3}.bits()));

    // After the last comes the first.
    const Generation last{Generation::kLast};
    const auto put = runtime::nft_apply(
        nft::replacing(backends::emit(*testing::build(kTwoPods).image)), last.bits());
    REQUIRE_MESSAGE(put.ok(), (put ? "" : put.error()));
    connect_from("10.0.0.1", 1);
    load_policy(kIsolated);
    CHECK(loaded_number() == 1);
    CHECK_FALSE(has_connection(1));
}

TEST_CASE("a load that ended before it forgot connections is made good by the next") {
    if (!may_run())
        return;
    const runtime::Lab lab;
    load_policy(kTwoPods);
    const std::string more = kTwoPods + testing::pod("c", "b", 3);
    driver::LoadOptions ends;
    ends.go_on = [](const std::string& what) { return !what.starts_with("forget"); };
    CHECK_FALSE(load_policy(more, ends).whole);
    connect_from("10.0.0.3", 1);
    CHECK(generations().to_forget == std::vector<net::Address>{address("10.0.0.3")});
    const driver::Loaded rest = load_policy(more);
    CHECK(rest.steps.size() == 1);
    CHECK_FALSE(has_connection(1));
    CHECK(generations().to_forget.empty());
    CHECK(load_policy(more).steps.empty());
}

TEST_CASE("a load leaves alone what it can't read") {
    if (!may_run())
        return;
    const auto refused = [](const std::string& rule) {
        const runtime::Lab lab;
        load_policy(kTwoPods);
        by_nft(rule);
        const auto before = runtime::nft_list("polecat");
        const auto done = driver::load_rules(*testing::build(kIsolated).image, {});
        REQUIRE_FALSE(done.ok());
        CHECK(done.error().find("nft delete table inet polecat") != std::string::npos);
        const auto after = runtime::nft_list("polecat");
        REQUIRE(before.ok());
        REQUIRE(after.ok());
        CHECK(*before == *after);
        by_nft("flush table inet polecat\ndelete table inet polecat\n");
        load_policy(kIsolated);
    };
    refused("insert rule inet polecat forward accept\n");
    refused("add set inet polecat others { type mark; }\n");

    const runtime::Lab lab;
    backends::NodeImage moved = *testing::build(kTwoPods).image;
    load_policy(kTwoPods);
    moved.flow_mark_bit = 8;
    const auto done = driver::load_rules(moved, {});
    REQUIRE_FALSE(done.ok());
    CHECK(done.error().find("conntrack -F") != std::string::npos);
}

TEST_CASE("a load of nftables that ended before packets are led to its rules is made anew") {
    if (!may_run())
        return;
    const std::string host = kTwoPods + testing::host_endpoint("uplink");
    for (const std::string& wanted : {kTwoPods, host}) {
        const runtime::Lab lab;
        driver::LoadOptions ends;
        ends.go_on = [](const std::string& what) { return what != "lead packets there"; };
        for (const std::string& ended : {wanted, kIsolated, host}) {
            CHECK_FALSE(load_policy(ended, ends).whole);
            CHECK(backends::without_hooks(listed_rules()));
            CHECK_FALSE(backends::read_back(listed_rules()).ok());
        }
        CHECK(load_policy(wanted).steps.back() == "lead packets there");
        const auto read = backends::read_back(listed_rules());
        REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
        CHECK(*read == *testing::build(wanted).image);
        CHECK(load_policy(wanted).steps.empty());
    }
}
