// What a load must not believe of what it finds: pins of two loads, programs of another version,
// numbers that others have, another load under way.
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include <doctest/doctest.h>

#include "driver/load/node.h"
#include "runtime/machine_lock.h"
#include "support/read_file.h"
#include "tests/backends/built.h"
#include "tests/kernel/bpf_verdicts.h"

using namespace polecat;
using namespace polecat::kernel_test;

namespace {

const std::string kOther =
    "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: b, namespace: ns}, "
    "spec: {podSelector: {}}}\n---\n";

std::string one_pod() {
    return testing::pod("a", "a", 1);
}

driver::LoadOptions filter_options(Iptables variant) {
    driver::LoadOptions out;
    out.variant = variant;
    return out;
}

void must_load(const Result<driver::Loaded>& done) {
    REQUIRE_MESSAGE(done.ok(), (done ? "" : done.error()));
    REQUIRE(done->whole);
}

driver::HeldRules held_by(Iptables variant) {
    auto held = driver::held_rules(variant);
    REQUIRE_MESSAGE(held.ok(), (held ? "" : held.error()));
    return std::move(*held);
}

/// What a load of rules for host endpoints would leave, of a number of its own.
void leave_chain(Iptables variant, const std::string& name, const std::string& mark) {
    const auto left = runtime::iptables_restore(
        variant, net::Family::V4,
        "*mangle\n:" + name + " - [0:0]\n-A " + name + " -j CONNMARK --set-xmark " + mark +
            "/0x5fff0000\n-I OUTPUT -j " + name + "\nCOMMIT\n");
    REQUIRE_MESSAGE(left.ok(), (left ? "" : left.error()));
}

void pin(const std::string& folder, const bpf::Image& tables) {
    const auto pinned = classifier_of(tables).pin(folder);
    REQUIRE_MESSAGE(pinned.ok(), (pinned ? "" : pinned.error()));
}

/// An error's text; nothing: it opens.
std::string why_not(const std::string& folder, const std::string& object) {
    const auto opened = runtime::Classifier::open(folder, object);
    return opened ? "" : opened.error();
}

} // namespace

TEST_CASE("a load takes no number that any chain has, wherever it stands") {
    if (!may_ask_bpf())
        return;
    for (const Iptables variant : {Iptables::Nft, Iptables::Legacy}) {
        const driver::LoadOptions options = bpf_options(variant);
        Node node(one_pod(), {}, {}, [](const Node&) {});
        must_load(driver::load_filters(filters_of(node), filter_options(variant)));
        leave_chain(variant, "polecat-left", "0x2000000");
        CHECK(held_by(variant).numbers == driver::FlowNumbers{1, 0x200});
        must_load(load_tables_of(node, options));
        const driver::HeldRules after = held_by(variant);
        CHECK(after.numbers == driver::FlowNumbers{0x201});
        CHECK(after.rules.v4.find("polecat-left", iptables::In::Mangle) == nullptr);
        driver::LoadOptions told = options;
        told.only_tell = true;
        CHECK(load_tables_of(node, told)->steps.empty());
        // The last number: those that rules have are not taken while they stand.
        leave_chain(variant, "polecat-last", "0xfff0000");
        CHECK(*driver::next_number(held_by(variant), variant) == 1);
        leave_chain(variant, "polecat-first", "0x10000");
        node.expect(kOther + one_pod());
        must_load(driver::load_filters(filters_of(node), filter_options(variant)));
        CHECK(held_by(variant).numbers == driver::FlowNumbers{2});
    }
}

TEST_CASE("rules of another version are left alone, and what takes them away is said") {
    if (!may_ask_bpf())
        return;
    const Node node(one_pod(), {}, {}, [](const Node&) {});
    const auto left = runtime::iptables_restore(
        Iptables::Nft, net::Family::V4,
        "*filter\n:polecat-known - [0:0]\n-A polecat-known -m connmark --mark "
        "0x10000/0x7fff0000 -j ACCEPT\nCOMMIT\n");
    REQUIRE_MESSAGE(left.ok(), (left ? "" : left.error()));
    const auto done = driver::load_filters(filters_of(node), filter_options(Iptables::Nft));
    REQUIRE_FALSE(done.ok());
    CHECK_MESSAGE(done.error().find("`iptables-nft-save | grep -v '[ :]polecat' | "
                                    "iptables-nft-restore; ") != std::string::npos,
                  done.error());
}

TEST_CASE("a dataplane takes no number of another that stands beside it") {
    if (!may_ask_bpf())
        return;
    const Node node(one_pod(), {}, backends::Generation{7}); // nftables
    must_load(driver::load_filters(filters_of(node), filter_options(Iptables::Nft)));
    CHECK(held_by(Iptables::Nft).numbers == driver::FlowNumbers{8});
    must_load(load_tables_of(node, bpf_options(Iptables::Nft)));
    CHECK(held_by(Iptables::Nft).numbers == driver::FlowNumbers{9});
}

TEST_CASE("BPF: rules of ours in the other variant are refused before anything is done") {
    if (!may_ask_bpf())
        return;
    for (const Iptables held : {Iptables::Legacy, Iptables::Nft}) {
        const Node node(one_pod(), {}, {}, [](const Node&) {});
        must_load(driver::load_filters(filters_of(node), filter_options(held)));
        const auto sets = runtime::ipset_save();
        const Iptables other = held == Iptables::Nft ? Iptables::Legacy : Iptables::Nft;
        driver::LoadOptions options = bpf_options(other);
        for (const bool only_tell : {true, false}) {
            options.only_tell = only_tell;
            const auto done = load_tables_of(node, options);
            REQUIRE_FALSE(done.ok());
            CHECK_MESSAGE(
                done.error().find(held == Iptables::Nft ? "--variant nft" : "--variant legacy") !=
                    std::string::npos,
                done.error());
        }
        CHECK(*runtime::ipset_save() == *sets);
        CHECK_FALSE(std::filesystem::exists(options.pins));
        CHECK(iptables_agree(held, node));
        CHECK(held_by(other).numbers.empty());
        must_load(load_tables_of(node, bpf_options(held)));
    }
}

TEST_CASE("flow marks of nftables at bits that iptables has in part are refused") {
    const auto numbers = [](const std::string& rule) {
        return driver::numbers_in_nft("table inet polecat {\n\t\t" + rule + "\n}\n");
    };
    CHECK(*numbers("ct mark & 0x5fff0000 == 0x10030000 counter drop") == driver::FlowNumbers{3});
    CHECK(*numbers("ct mark set ct mark & 0xa005ffff | 0x00050000") == driver::FlowNumbers{5});
    CHECK(*numbers("ct mark set (ct mark & 0xa005ffff) | 0x00050000") == driver::FlowNumbers{5});
    CHECK(*numbers("ct mark set ct mark | 0x20000000") == driver::FlowNumbers{});
    CHECK(*numbers("ct mark & 0x00007fff == 0x00000003 accept") == driver::FlowNumbers{});
    CHECK_FALSE(numbers("ct mark set ct mark | 0x80000000").ok());
    CHECK_FALSE(numbers("ct mark set ct mark & 0xf80000ff | 0x00000300").ok());
    CHECK_FALSE(numbers("ct mark set meta mark").ok());
    CHECK_FALSE(numbers("ct mark 3 accept").ok());
}

TEST_CASE("pins of two loads, or of another classifier, are not believed") {
    if (!may_ask_bpf())
        return;
    Node node(one_pod(), {}, {}, [](const Node&) {});
    const bpf::Image tables = tables_of(node.image);
    const std::string object = classifier_object();
    const std::array names{"counters", "events", "generation", "tables", "from",      "from_r",
                           "to",       "to_r",   "from_logs",  "yes",    "to_r_logs", "to_logs"};
    for (std::size_t moved = 1; moved < names.size(); ++moved) {
        const driver::LoadOptions options = bpf_options(Iptables::Nft);
        const std::string was = options.pins, is = options.pins + "-is";
        pin(was, tables);
        pin(is, tables);
        CHECK(why_not(was, object).empty());
        for (std::size_t i = 0; i < moved; ++i)
            REQUIRE(std::rename((is + "/" + names[i]).c_str(), (was + "/" + names[i]).c_str()) ==
                    0);
        INFO("killed after ", names[moved - 1]);
        CHECK(why_not(was, object).find("of one load") != std::string::npos);
        if (moved != 4)
            continue;
        const auto loaded = load_tables_of(node, options);
        must_load(loaded);
        CHECK(loaded->steps.front().starts_with("load the programs"));
        CHECK(why_not(was, object).empty());
        driver::LoadOptions told = options;
        told.only_tell = true;
        CHECK(load_tables_of(node, told)->steps.empty());
    }
    const std::string folder = bpf_options(Iptables::Nft).pins, other = "/tmp/polecat-other.bpf.o";
    pin(folder, tables);
    std::ofstream(other, std::ios::binary) << *read_file(object) << "1";
    CHECK(why_not(folder, other).find("is not that of") != std::string::npos);
    std::remove(other.c_str());
    REQUIRE(std::rename((folder + "/yes").c_str(), (folder + "/to").c_str()) == 0);
    CHECK_FALSE(why_not(folder, object).empty());
}

TEST_CASE("a load without a bpffs says what to mount, also when it only tells") {
    if (!may_ask_bpf())
        return;
    const Node node(one_pod(), {}, {}, [](const Node&) {});
    driver::LoadOptions options = bpf_options(Iptables::Nft);
    options.pins = "/tmp/polecat-no-bpffs/polecat";
    for (const bool only_tell : {true, false}) {
        options.only_tell = only_tell;
        const auto loaded = load_tables_of(node, options);
        REQUIRE_FALSE(loaded.ok());
        CHECK_MESSAGE(loaded.error().find("mount -t bpf") != std::string::npos, loaded.error());
    }
}

TEST_CASE("one load at a time: another waits for it, then is refused") {
    if (!may_run())
        return;
    driver::LoadOptions options;
    options.wait = std::chrono::milliseconds(0);
    const auto refused = [&] {
        const auto done = driver::load_node("/no-such-folder", "node0", options);
        REQUIRE_FALSE(done.ok());
        return done.error().find("another polecat load") != std::string::npos;
    };
    auto lock = runtime::MachineLock::take(std::chrono::seconds(10));
    REQUIRE_MESSAGE(lock.ok(), (lock ? "" : lock.error()));
    CHECK(refused());
    std::thread ends(
        [held = std::move(*lock)] { std::this_thread::sleep_for(std::chrono::milliseconds(200)); });
    options.wait = std::chrono::seconds(10);
    CHECK(runtime::MachineLock::take(options.wait).ok() == true);
    ends.join();
    options.wait = std::chrono::milliseconds(0);
    CHECK_FALSE(refused());
}
