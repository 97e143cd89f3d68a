// What netlink messages have the kernel hold is, to the letter, what the same as text does.
#include <doctest/doctest.h>

#include "runtime/netlink/apply.h"
#include "runtime/netlink/batch.h"
#include "runtime/nft.h"
#include "tests/backends/changes.h"
#include "tests/host_policies.h"
#include "tests/kernel/node.h"
#include "tests/scale.h"

using namespace polecat;
using namespace polecat::kernel_test;
using testing::Random;

namespace {

/// Every shape that a rule or a map may have.
constexpr const char* kShapes = R"(table inet polecat {
	map addr4 {
		type ipv4_addr : classid
		elements = { 10.0.0.1 : 4000:1,
			     10.0.0.2 : 0 }
	}

	map addr6 {
		type ipv6_addr : classid
	}

	map net4 {
		type ipv4_addr : classid
		flags interval
		elements = { 0.0.0.0-9.255.255.255 : 4000:1,
			     10.0.0.3-10.0.0.254 : 4000:2,
			     10.0.0.255-10.0.1.255 : 4000:3,
			     11.0.0.0 : 4000:5,
			     12.0.0.0-255.255.255.255 : root }
	}

	map net6 {
		type ipv6_addr : classid
		flags interval
		elements = { fd00::1-fd00::10 : 4000:1,
			     fd00::11-fd00::ffff:ffff:ffff : 4000:2 }
	}

	set peers4 {
		type ipv4_addr
		elements = { 10.1.1.1 }
	}

	set peers6 {
		type ipv6_addr
	}

	map pod4 {
		type ifname . ipv4_addr : classid
		elements = { "cali1" . 10.0.0.1 : 0,
			     "cali2" . 10.0.0.2 : 1 }
	}

	map pod6 {
		type ifname . ipv6_addr : classid
		elements = { "cali1" . fd00::1 : 2 }
	}

	map range4 {
		type ifname . ipv4_addr : classid
		flags interval
		elements = { "cali1" . 10.0.0.0-10.0.0.255 : 3,
			     "cali1" . 10.0.1.3 : 3,
			     "cali1" . 10.0.1.5-10.0.1.9 : 3 }
	}

	map port17 {
		type inet_service : verdict
		flags interval
		elements = { 10-79 : goto pa }
	}

	map port6 {
		type inet_service : verdict
		flags interval
		elements = { 0-79 : goto pa,
			     80 : goto pb,
			     81-65535 : goto pa }
	}

	map proto {
		type inet_proto : verdict
		elements = { 6 : goto pa,
			     17 : goto pb }
	}

	map stage {
		type ifname : verdict
		elements = { "eth0" : goto pa }
	}

	map to {
		type classid : verdict
		elements = { 0:1 : goto pa,
			     0:2 : goto pb }
	}

	map words {
		type classid : classid
		elements = { 4000:1 : 1 }
	}

	chain early {
		type filter hook prerouting priority -300; policy accept;
	}

	chain first {
		type filter hook input priority 0; policy accept;
		iifname != "cali*" oifname != "eth0" accept
		meta nfproto 2 iifname vmap @stage
		meta nfproto 10 ip6 saddr @peers6 return
		meta priority 4000:1 drop
		meta priority none counter drop comment "nobody"
		meta priority & 4000:0 == 4000:0 meta priority set none
		ct mark & 0x5fff0000 == $generation accept
		ct mark & 0x5fff0000 == $generation | 0x10000000 drop
		ct mark & 0x0fff0000 != 0x00000000 accept
		ct state 0x1 counter drop comment "invalid"
		ct state 0x2,0x4 accept
		ct direction 1 accept
		icmp type 3 accept
		icmp type { 3, 4, 11 } accept
		ct state 0x4 icmpv6 type { 1, 2 } accept
		icmpv6 type 130 accept
		ip dscp 0x00 return
		ip dscp { 0x02, 0x03, 0x0a } meta priority set 0:2
		ip saddr 10.0.0.1 accept
		ip saddr 10.0.0.0/8 accept
		ip saddr 10.0.0.0/13 accept
		ip daddr 0.0.0.0/0 accept
		ip daddr 10.1.2.0/24 accept
		ip6 daddr fd00::/8 accept
		ip6 daddr fd00::/9 accept
		ip6 saddr fd00::1 accept
		ip6 daddr ::/0 accept
		meta l4proto 4 ip saddr @peers4 return comment "tunnels of nodes"
		tcp dport 22 ip saddr 10.0.0.0/8 return
		udp sport 68 udp dport 67 accept
		sctp dport 99 accept
		iifname "tap*" udp sport 546 udp dport 547 accept
		meta nfproto 2 udp dport 51820 return
		udp dport 4789 ip6 saddr @peers6 return
		iifname . ip saddr @pod4 return
		oifname . ip6 daddr @pod6 return
		iifname . ip saddr @range4 return
		meta priority set 4000:7
		meta priority set meta priority | 1:0
		meta priority set ip saddr map @addr4
		meta priority none meta priority set ip6 daddr map @net6
		meta priority none meta priority set ip daddr map @net4
		meta priority set ip6 saddr map @addr6
		meta priority set meta priority map @words
		meta priority set meta priority & ffff:ff00 map @words
		ct mark set ct mark & 0x9fff0000 | $generation
		ct mark set ct mark & 0x90000000 | ($generation | 0x10000000)
		ct mark set ct mark & 0xdfffffff
		ct mark set ct mark | 0x20000000
		meta priority vmap @to
		meta priority & 8000:ffff vmap @to
		meta l4proto vmap @proto
		th dport vmap @port6
		th sport vmap @port17
		oifname vmap @stage
		meta priority set iifname . ip saddr map @pod4
		meta priority set oifname . ip6 daddr map @pod6
		meta priority set iifname . ip saddr map @range4
		ct state 0x40 meta priority c000:0 meta priority set none accept
		jump pa
		reject
	}

	chain leaving {
		type filter hook postrouting priority -150; policy accept;
		goto pa
	}

	chain pa {
		counter comment "slot 1"
		goto pb
	}

	chain pb {
		limit rate 10/second log prefix "polecat pab/1 " group 5
		limit rate 10/minute burst 7 packets log prefix "polecat pab/1 "
		log prefix "polecat pab/2 "
		counter comment "slot 2 goes on"
		return
	}

	chain raw {
		type filter hook output priority -300; policy accept;
		meta priority c000:0 notrack
	}

	chain through {
		type filter hook forward priority 0; policy accept;
	}

}
)";

std::string kernel_listing() {
    const auto listed = runtime::nft_list("polecat");
    REQUIRE_MESSAGE(listed.ok(), (listed ? "" : listed.error()));
    return *listed;
}

void by_netlink(const nft::Transaction& does, std::uint32_t generation) {
    const auto done = runtime::nft_apply(does, generation);
    REQUIRE_MESSAGE(done.ok(), (done ? "" : done.error()));
}

void by_text(nft::Transaction does, std::uint32_t generation) {
    does.takes_generation = false;
    does.made = nft::with_generation(std::move(does.made), generation); // takes none either
    const auto done = runtime::nft_load(nft::print(does), generation);
    REQUIRE_MESSAGE(done.ok(), (done ? "" : done.error()));
}

struct Sequence {
    std::vector<nft::Transaction> does;
    std::vector<std::uint32_t> generations;
    void add(nft::Transaction one, std::uint32_t generation) {
        does.push_back(std::move(one));
        generations.push_back(generation);
    }
};

/// Does them all as text, then all by netlink; the listing after each must be the same.
void check_equal(const Sequence& sequence) {
    std::vector<std::string> wanted;
    for (std::size_t i = 0; i < sequence.does.size(); ++i) {
        by_text(sequence.does[i], sequence.generations[i]);
        wanted.push_back(kernel_listing());
    }
    for (std::size_t i = 0; i < sequence.does.size(); ++i) {
        INFO("step ", i);
        by_netlink(sequence.does[i], sequence.generations[i]);
        const std::string got = kernel_listing();
        CHECK(got.size() == wanted[i].size());
        CHECK((got == wanted[i]));
    }
}

std::string random_node(std::uint64_t seed, Random& random) {
    testing::ClusterShape shape;
    std::string out = testing::ClusterWriter(seed, shape).write();
    if (seed % 3 != 0)
        out += testing::host_endpoint(seed % 3 == 1 ? "uplink" : "*") +
               testing::felix_of_host(seed % 2 == 0 ? "Accept" : "Drop") +
               testing::random_host_policies(random, seed % 3 == 1);
    return out;
}

/// The rules of a node, and plans to what becomes of it.
Sequence random_sequence(std::uint64_t seed, std::size_t changes) {
    Random random(seed);
    std::uint64_t fresh = 5000 + 100 * seed;
    auto documents = testing::documents_of(random_node(seed, random));
    backends::NodeOptions options;
    options.flow_mark_bit = static_cast<unsigned>(seed % (backends::kLastFlowMarkBit + 1));
    if (seed % 2 == 0)
        options.report_group = 7;
    backends::Numbers numbers;
    const auto image_of = [&] {
        testing::RandomCluster cluster;
        testing::load_text(testing::text_of(documents), cluster);
        const decision::Identities identities(cluster.lowered);
        backends::NodeImages images(cluster.lowered, identities, numbers, options);
        auto made = images.of("node0", cluster.diagnostics);
        numbers = images.record();
        return made;
    };
    Sequence out;
    backends::Generation generation;
    auto image = image_of();
    REQUIRE(image.has_value());
    nft::Ruleset held = backends::emit(*image);
    out.add(nft::replacing(held), generation.bits(options.flow_mark_bit));
    for (std::size_t i = 0; i < changes; ++i) {
        testing::change(documents, random, fresh);
        image = image_of();
        if (!image)
            break;
        const std::uint32_t number = generation.bits(options.flow_mark_bit);
        auto plan = backends::plan(nft::with_generation(held, number), *image);
        REQUIRE_MESSAGE(plan.ok(), (plan ? "" : plan.error()));
        if (plan->judges_anew)
            generation = generation.next();
        for (backends::Plan::Step& step : plan->steps)
            out.add(std::move(step.does), generation.bits(options.flow_mark_bit));
        held = std::move(plan->result);
    }
    return out;
}

nft::Ruleset small_rules() {
    nft::Ruleset out;
    out.maps.resize(1);
    out.maps[0].name = "words";
    const nft::Verdict jump{nft::Verdict::Kind::Jump, "one"};
    out.chains = {{"one", {}, 0, {{{}, {nft::WordByWord{"words", ~0U}}, {}}}},
                  {"way", "input", 0, {{{}, {jump}, {}}}}};
    return out;
}

nft::Key word_key(std::uint32_t value) {
    nft::Key out;
    out.low = out.high = value;
    return out;
}

/// Elements of a map stand on lines otherwise.
std::string without_blanks(std::string text) {
    std::erase_if(text, [](char c) { return c == ' ' || c == '\t' || c == '\n'; });
    return text;
}

} // namespace

TEST_CASE("every shape of rules and maps by netlink is what nft makes of its text") {
    if (!may_run())
        return;
    auto parsed = nft::parse(kShapes);
    REQUIRE_MESSAGE(parsed.ok(), (parsed ? "" : parsed.error()));
    CHECK(without_blanks(nft::print(*parsed)) == without_blanks(kShapes)); // nothing is left out
    Sequence sequence;
    sequence.add(nft::replacing(*parsed), 0x00030000);
    check_equal(sequence);
}

TEST_CASE("rules and plans of random nodes by netlink are what nft makes of their texts") {
    if (!may_run())
        return;
    const std::size_t seeds = count_of("POLECAT_KERNEL_NETLINK", 6);
    std::size_t steps = 0;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed ", seed);
        const Sequence sequence = random_sequence(seed, 6);
        steps += sequence.does.size();
        check_equal(sequence);
    }
    MESSAGE(seeds << " nodes, " << steps << " transactions");
    CHECK(steps > 8 * seeds);
}

TEST_CASE("maps that need many messages by netlink are what nft makes of their text") {
    if (!may_run())
        return;
    nft::Ruleset rules = small_rules();
    for (std::uint32_t i = 1; i <= 30'000; ++i)
        rules.maps[0].elements.push_back({word_key(7 * i), i});
    nft::Map nets;
    nets.name = "nets";
    nets.key = nft::KeyType::Ipv4;
    nets.interval = true;
    for (std::uint32_t i = 1; i <= 6'000; ++i)
        nets.elements.push_back({{{},
                                  {net::Family::V4, 0, 0x0a000000 + 512 * i},
                                  {net::Family::V4, 0, 0x0a000000 + 512 * i + 99 + i % 400}},
                                 i % 5});
    rules.maps.push_back(nets);
    rules.sort();
    Sequence sequence;
    sequence.add(nft::replacing(rules), 0);
    check_equal(sequence);
}

TEST_CASE("what the kernel refuses is named, and nothing of it is done") {
    if (!may_run())
        return;
    nft::Ruleset rules = small_rules();
    rules.maps[0].elements = {{word_key(1), 2U}};
    by_netlink(nft::replacing(rules), 0);
    const std::string before = kernel_listing();
    nft::Transaction does;
    does.elements_in = rules.maps;
    does.elements_in[0].elements = {{word_key(3), 4U}};
    does.rewritten = {{"one", {}, 0, {{{}, {nft::WordByWord{"nowhere", ~0U}}, {}}}}};
    does.chains_out = {{"absent", {}, 0, {}}};
    const auto done = runtime::nft_apply(does);
    REQUIRE_FALSE(done.ok());
    CHECK_MESSAGE(done.error().find("a rule of chain one: No such file") != std::string::npos,
                  done.error());
    CHECK_MESSAGE(done.error().find("chain absent") != std::string::npos, done.error());
    CHECK(kernel_listing() == before);
    CHECK(runtime::nft_apply({}).ok());
    // Refused when it is done as a whole: chains that lead to themselves.
    nft::Transaction loop;
    loop.rewritten = {{"one", {}, 0, {{{}, {nft::Verdict{nft::Verdict::Kind::Jump, "one"}}, {}}}}};
    CHECK_FALSE(runtime::nft_apply(loop).ok());
    CHECK(kernel_listing() == before);
}

TEST_CASE("what has no netlink form is an error before anything is sent") {
    const auto error_of = [](const nft::Transaction& does) {
        const auto batch = runtime::netlink::batch_of(does, {});
        return batch.ok() ? std::string() : batch.error();
    };
    const auto with_rule = [&](nft::Rule rule) {
        nft::Ruleset rules = small_rules();
        rules.chains[0].rules = {std::move(rule)};
        return error_of(nft::replacing(rules));
    };
    CHECK(error_of(nft::replacing(small_rules())).empty());
    CHECK(with_rule({{nft::FlowMarkIs{0xff, 0, true, false}}, {}, {}}).find("generation") !=
          std::string::npos);
    CHECK_FALSE(with_rule({{nft::IcmpTypeIn{}}, {}, {}}).empty());
    CHECK_FALSE(
        with_rule({{nft::FamilyIs{net::Family::V4}, nft::IcmpTypeIn{true, {1}}}, {}, {}}).empty());
    CHECK_FALSE(with_rule({{nft::InterfaceIs{true, false, "longer-than-a-name"}}, {}, {}}).empty());
    CHECK_FALSE(with_rule({{}, {nft::Log{"a ", nft::Rate{1, "year", 5}, {}}}, {}}).empty());
    const nft::AddressField from{net::Family::V4, true}, to{net::Family::V4, false};
    CHECK_FALSE(with_rule({{nft::AddressIs{from, *net::parse_cidr("10.0.0.0/8", {})},
                            nft::AddressIs{to, *net::parse_cidr("10.0.0.0/8", {})}},
                           {},
                           {}})
                    .empty());

    nft::Ruleset ranges = small_rules();
    ranges.maps[0].interval = true;
    CHECK(error_of(nft::replacing(ranges)).find("map words") != std::string::npos);
    nft::Ruleset wrong = small_rules();
    wrong.maps[0].elements = {{word_key(1), nft::Goto{"one"}}};
    CHECK_FALSE(error_of(nft::replacing(wrong)).empty());
    nft::Ruleset hook = small_rules();
    hook.chains[1].hook = "ingress";
    CHECK_FALSE(error_of(nft::replacing(hook)).empty());

    nft::Ruleset disordered = small_rules();
    disordered.maps[0].key = nft::KeyType::Port;
    disordered.maps[0].interval = true;
    disordered.maps[0].elements = {{word_key(9), 1U}, {word_key(4), 1U}};
    CHECK_FALSE(error_of(nft::replacing(disordered)).empty());
    nft::Transaction more; // single ranges of a map that is there
    more.elements_in = disordered.maps;
    more.elements_in[0].elements.resize(1);
    CHECK_FALSE(error_of(more).empty());
}
