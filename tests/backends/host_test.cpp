// Host endpoints: which programs stand at which hook, what comes before them, and that rules read
// back and change by plans. What they do with packets is for tests/kernel.
#include <doctest/doctest.h>

#include "backends/nftables/plan.h"
#include "backends/nftables/reachable.h"
#include "tests/backends/built.h"
#include "tests/host_policies.h"

using namespace polecat;
using backends::AttachPoint;
using decision::Direction;
using decision::Hook;
using diag::Code;
using testing::build;
using testing::Built;
using testing::host_policy;
using testing::pod;

namespace {

std::string host_endpoint(const std::string& name, const std::string& interface) {
    return "{apiVersion: projectcalico.org/v3, kind: HostEndpoint, metadata: {name: " + name +
           ", labels: {role: host}}, spec: {node: node0, interfaceName: \"" + interface +
           "\", expectedIPs: [192.0.2.1]}}\n---\n";
}

const std::string kAllHooks =
    host_policy("normal", "types: [Ingress, Egress], ingress: [{action: Allow, protocol: TCP, "
                          "destination: {ports: [80]}}], egress: [{action: Allow}]") +
    host_policy("forward", "applyOnForward: true, types: [Ingress], ingress: [{action: Deny, "
                           "source: {nets: [203.0.113.0/24]}}, {action: Allow}]") +
    host_policy("early", "preDNAT: true, applyOnForward: true, types: [Ingress], ingress: "
                         "[{action: Deny, protocol: TCP, destination: {ports: [30000]}}, {action: "
                         "Allow, protocol: UDP}]") +
    host_policy("raw", "doNotTrack: true, applyOnForward: true, types: [Ingress, Egress], ingress: "
                       "[{action: Allow, protocol: UDP, destination: {ports: [53]}}], egress: "
                       "[{action: Log}, {action: Deny, protocol: UDP}]");

/// What was emitted reads back, through text.
nft::Ruleset round_trip(const Built& built) {
    REQUIRE(built.image.has_value());
    const nft::Ruleset rules = backends::emit(*built.image);
    const auto parsed = nft::parse(nft::print(rules));
    REQUIRE_MESSAGE(parsed.ok(), (parsed ? "" : parsed.error()));
    CHECK(*parsed == rules);
    const auto read = backends::read_back(*parsed);
    REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
    CHECK(*read == *built.image);
    CHECK(backends::without_unreachable(rules) == rules);
    return rules;
}

std::string chain_text(const nft::Ruleset& rules, const std::string& chain) {
    const nft::Chain* found = rules.find_chain(chain);
    REQUIRE_MESSAGE(found != nullptr, chain);
    std::string out;
    for (const nft::Rule& rule : found->rules)
        out += nft::print(rule) + "\n";
    return out;
}

bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

const char* const kOwnChains[] = {"raw_prerouting", "raw_output",   "early",  "input_host",
                                  "output_host",    "output_loose", "leaving"};

} // namespace

TEST_CASE("random policy at every hook reads back, and nothing of it is out of reach") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        INFO("seed ", seed);
        testing::Random random(seed);
        round_trip(build(testing::ClusterWriter(seed, {}).write() +
                         testing::host_endpoint(seed % 3 == 0 ? "*" : "uplink") +
                         testing::neighbour_discovery() +
                         testing::random_host_policies(random, true)));
    }
}

TEST_CASE("nodes without host endpoints have no rule for them") {
    const nft::Ruleset rules = round_trip(build(pod("web", "web", 1) + kAllHooks));
    for (const char* name : kOwnChains)
        CHECK(rules.find_chain(name) == nullptr);
    for (const nft::Chain& chain : rules.chains)
        CHECK((chain.hook.empty() || chain.hook == "forward" || chain.hook == "input" ||
               chain.hook == "output"));
}

TEST_CASE("each hook of a host endpoint has its programs") {
    const Built built = build(pod("web", "web", 1) + host_endpoint("h", "eth0") + kAllHooks);
    const nft::Ruleset rules = round_trip(built);
    for (const char* name : kOwnChains)
        CHECK_MESSAGE(rules.find_chain(name) != nullptr, name);
    for (const Hook hook : {Hook::Normal, Hook::Forward, Hook::PreDnat, Hook::Untracked})
        CHECK(built.image->attaches(hook, Direction::Ingress));
    CHECK_FALSE(built.image->attaches(Hook::PreDnat, Direction::Egress));
    CHECK(built.image->host_interfaces() == std::vector<std::string>{"eth0"});
    // Failsafe ports come first, and are none of what is forwarded.
    CHECK(contains(chain_text(rules, "host_in"), "tcp dport 22 return\n"));
    CHECK(contains(chain_text(rules, "host_out"), "udp dport 53 return\n"));
    CHECK(contains(chain_text(rules, "early_in"), "tcp dport 22 return\n"));
    CHECK(contains(chain_text(rules, "raw_in"), "tcp dport 22 return\n"));
    CHECK(contains(chain_text(rules, "raw_in"), "udp sport 53 return\n")); // answers
    CHECK_FALSE(contains(chain_text(rules, "through_in"), "dport 22"));
    // What preDNAT policy took skips the policy of this interface.
    CHECK(contains(chain_text(rules, "through_in"),
                   "iifname \"eth0\" ct mark & 0x20000000 == 0x20000000 return\n"));
    CHECK_FALSE(contains(chain_text(rules, "through_out"), "0x20000000"));
    CHECK(contains(chain_text(rules, "raw_prerouting"), "meta priority c000:0 notrack\n"));
    // Packets between interfaces that nobody governs are passed by.
    CHECK(contains(
        chain_text(rules, "forward"),
        "iifname != \"cali*\" oifname != \"cali*\" iifname != \"eth0\" oifname != \"eth0\" "
        "accept\n"));
    // Programs that no answer meets have no mirror.
    for (const AttachPoint& each : built.image->attached)
        CHECK(rules.find_chain(each.program + "r") == nullptr);
}

TEST_CASE("an endpoint of all interfaces stands back where another names one") {
    const Built built = build(pod("web", "web", 1) + host_endpoint("h", "eth1") +
                              host_endpoint("all", "*") + kAllHooks);
    const nft::Ruleset rules = round_trip(built);
    CHECK(built.image->interfaces_at(Hook::Untracked) == std::set<std::string>{"eth1"});
    const std::string through = chain_text(rules, "through_in");
    CHECK(contains(through, "iifname != \"eth1\" iifname != \"lo\" meta nfproto 2 goto p"));
    CHECK(contains(chain_text(rules, "host_out"), "oifname != \"cali*\" meta nfproto 2 goto p"));
    CHECK_FALSE(contains(chain_text(rules, "forward"), "iifname != "));
    CHECK(contains(chain_text(rules, "input_host"), "iifname \"lo\" accept\n"));
    // Of two for one interface the first by name holds.
    const Built two = build(host_endpoint("b", "eth0") + host_endpoint("a", "eth0") + kAllHooks);
    const Built one = build(host_endpoint("a", "eth0") + kAllHooks);
    REQUIRE(two.image.has_value());
    REQUIRE(one.image.has_value());
    CHECK(two.image->attached.size() == one.image->attached.size());
}

TEST_CASE("failsafe ports of a configuration, with nets of both families") {
    const std::string felix =
        "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: default}, "
        "spec: {failsafeInboundHostPorts: [{protocol: TCP, port: 2222, net: 10.1.0.0/16}, "
        "{protocol: SCTP, port: 5, net: '2001:db8::/32'}], failsafeOutboundHostPorts: []}}\n---\n";
    const nft::Ruleset rules = round_trip(build(host_endpoint("h", "eth0") + kAllHooks + felix));
    const std::string in = chain_text(rules, "host_in");
    CHECK(contains(in, "tcp dport 2222 ip saddr 10.1.0.0/16 return\n"));
    CHECK(contains(in, "sctp dport 5 ip6 saddr 2001:db8::/32 return\n"));
    CHECK_FALSE(contains(in, "dport 22 "));
    CHECK_FALSE(contains(chain_text(rules, "host_out"), "dport 53"));
    CHECK(contains(chain_text(rules, "raw_out"), "tcp sport 2222 ip daddr 10.1.0.0/16 return\n"));
}

TEST_CASE("tunnels between nodes pass host endpoints, from nodes that are known") {
    const std::string nodes =
        "{apiVersion: v1, kind: Node, metadata: {name: node0}, status: {addresses: [{type: "
        "InternalIP, address: 192.0.2.1}]}}\n---\n"
        "{apiVersion: v1, kind: Node, metadata: {name: node1}, status: {addresses: [{type: "
        "InternalIP, address: 192.0.2.2}]}}\n---\n";
    const std::string pool =
        "{apiVersion: projectcalico.org/v3, kind: IPPool, metadata: {name: p}, spec: {cidr: "
        "10.0.0.0/16, vxlanMode: Always}}\n---\n";
    const std::string wireguard =
        "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: default}, "
        "spec: {wireguardEnabled: true}}\n---\n";
    const std::string all = host_endpoint("h", "eth0") + kAllHooks + nodes;
    CHECK_FALSE(contains(chain_text(round_trip(build(all)), "host_in"), "@peers4"));
    const nft::Ruleset rules = round_trip(build(all + pool + wireguard));
    CHECK(contains(chain_text(rules, "host_in"), "udp dport 4789 ip saddr @peers4 return"));
    CHECK(contains(chain_text(rules, "host_out"), "udp dport 4789 ip daddr @peers4 return"));
    CHECK(contains(chain_text(rules, "host_in"),
                   "meta nfproto 2 udp dport 51820 return")); // IPv4 alone
    REQUIRE(rules.find_map("peers4") != nullptr);
    CHECK(rules.find_map("peers4")->elements.size() == 1); // without this node
}

TEST_CASE("Reject is Drop where host endpoints are") {
    const std::string felix =
        "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: default}, "
        "spec: {nftablesFilterDenyAction: Reject}}\n---\n";
    const Built with = build(host_endpoint("h", "eth0") + felix);
    CHECK(with.has(Code::RejectIsDrop));
    CHECK_FALSE(with.image->rejects);
    const Built without = build(pod("web", "web", 1) + felix);
    CHECK_FALSE(without.has(Code::RejectIsDrop));
    CHECK(without.image->rejects);
}

TEST_CASE("host endpoints come, change and go by plans") {
    const std::string pods = pod("web", "web", 1) + pod("db", "db", 2);
    const Built bare = build(pods);
    const Built some = build(pods + host_endpoint("h", "eth0") + kAllHooks, bare.numbers);
    const Built other = build(pods + host_endpoint("h", "eth0") +
                                  host_policy("normal", "types: [Ingress], ingress: [{action: "
                                                        "Allow}]"),
                              some.numbers);
    const Built wild = build(pods + host_endpoint("h", "*") + kAllHooks, other.numbers);
    const std::vector<const Built*> states{&bare, &some, &other, &wild, &bare};
    nft::Ruleset held = backends::emit(*bare.image);
    for (std::size_t i = 1; i < states.size(); ++i) {
        INFO(i);
        const auto plan = backends::plan(held, *states[i]->image);
        REQUIRE_MESSAGE(plan.ok(), (plan ? "" : plan.error()));
        CHECK(plan->judges_anew);
        const auto read = backends::read_back(plan->result);
        REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
        CHECK(read->attached.size() == states[i]->image->attached.size());
        // Hooks come empty: packets meet their rules by the switch, with all that they refer to.
        for (const auto& step : plan->steps)
            if (step.what.starts_with("fill"))
                for (const nft::Chain& chain : step.does.made.chains)
                    CHECK((chain.hook.empty() || chain.rules.empty()));
        held = plan->result;
    }
}
