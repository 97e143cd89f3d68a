// Z3 beside a node of the BPF classifier: tables and the rules of host endpoints are proved, and
// every damage to those rules that changes what becomes of a packet is named. POLECAT_DAMAGES: how
// many.
#include <algorithm>
#include <set>

#include <doctest/doctest.h>

#include "driver/rollout/filter.h"
#include "driver/verify/chain_rules.h"
#include "driver/verify/filter_differences.h"
#include "driver/verify/proof.h"
#include "tests/backends/bpf_node.h"
#include "tests/host_policies.h"
#include "tests/scale.h"

using namespace polecat;

namespace {
namespace bpf_proof {

using driver::Prover;
using iptables::Ruleset;
using testing::Random;

struct GuardedTables {
    explicit GuardedTables(const std::string& text) {
        testing::load_text(text, cluster);
        node = testing::bpf_node_of(cluster.lowered, cluster.diagnostics);
        REQUIRE(node.has_value());
        rules = bpf::rules_around(*node);
        rules.sort();
    }
    driver::NodeProof prove(const Ruleset& of) const {
        return Prover(cluster.lowered).prove("node0", of, Prover::Of::HostEndpoints);
    }

    testing::RandomCluster cluster;
    std::optional<bpf::Node> node;
    Ruleset rules;
};

std::string random_guarded(std::uint64_t seed) {
    Random random(seed);
    return testing::ClusterWriter(seed, {3, 5, 5}).write() +
           testing::host_endpoint(seed % 2 == 0 ? "eth0" : "*") +
           testing::random_host_policies(random, true);
}

// --- damages -------------------------------------------------------------------------------------

/// Chains of programs, or those that lead there.
std::vector<iptables::Chain*> chains_of_hosts(Ruleset& rules, bool of_programs) {
    std::vector<iptables::Chain*> out;
    for (iptables::Table* table : {&rules.v4, &rules.v6})
        for (iptables::Chain& chain : table->chains)
            if (!chain.rules.empty() &&
                driver::program_of_chain(chain.name).empty() != of_programs &&
                (of_programs || chain.name.find("-in") != std::string::npos ||
                 chain.name.find("-out") != std::string::npos))
                out.push_back(&chain);
    return out;
}

void harm_match(iptables::Match& match, Random& random) {
    if (auto* in = std::get_if<iptables::InSet>(&match))
        in->negated = !in->negated;
    else if (auto* ports = std::get_if<iptables::PortIn>(&match))
        ++(random.chance(50) ? ports->ports.back().last : ports->ports.front().first);
    else if (auto* protocol = std::get_if<iptables::ProtocolIs>(&match))
        protocol->protocol = protocol->protocol == net::kTcp ? net::kUdp : net::kTcp;
    else if (auto* interface = std::get_if<iptables::InterfaceIs>(&match))
        interface->name = "eth1";
}

void harm_target(iptables::Target& target, Random& random) {
    using Kind = iptables::Target::Kind;
    if (target.kind == Kind::Return)
        target = {Kind::Goto, "polecat-deny", {}, {}};
    else if (random.chance(50))
        target = {Kind::Return, {}, {}, {}};
    else
        target.name = target.name == "polecat-taken" ? "polecat-deny" : "polecat-taken";
}

void harm_chain(iptables::Chain& chain, Random& random) {
    const std::size_t at = random.below(chain.rules.size());
    iptables::Rule& rule = chain.rules[at];
    switch (random.below(6)) {
    case 0:
        chain.rules.erase(chain.rules.begin() + static_cast<std::ptrdiff_t>(at));
        return;
    case 1:
        std::swap(rule, chain.rules[random.below(chain.rules.size())]);
        return;
    case 2:
        chain.rules.insert(chain.rules.begin(), iptables::Rule(rule));
        return;
    case 3:
        if (!rule.matches.empty())
            rule.matches.erase(rule.matches.begin() +
                               static_cast<std::ptrdiff_t>(random.below(rule.matches.size())));
        return;
    case 4:
        if (!rule.matches.empty())
            harm_match(rule.matches[random.below(rule.matches.size())], random);
        return;
    default:
        harm_target(rule.target, random);
    }
}

void harm_set(Ruleset& rules, Random& random) {
    iptables::Set& set = rules.sets[random.below(rules.sets.size())];
    if (set.members.empty() || set.type == iptables::Set::Type::NetInterfaces)
        return;
    const std::size_t at = random.below(set.members.size());
    if (random.chance(50))
        set.members.erase(set.members.begin() + static_cast<std::ptrdiff_t>(at));
    else if (net::Cidr& nets = set.members[at].nets; nets.prefix > 8)
        nets =
            net::block_of(nets.base, static_cast<std::uint8_t>(nets.prefix - 1 - random.below(8)));
}

// --- what packets show ---------------------------------------------------------------------------

/// Programs of the node's host endpoint by where they are asked.
std::map<std::string, std::vector<std::string>> places(const GuardedTables& of,
                                                       const driver::ChainRules& rules) {
    std::map<std::string, std::vector<std::string>> out;
    for (const decision::Endpoint& endpoint : of.cluster.lowered.endpoints)
        if (endpoint.is_host_endpoint)
            for (const auto& [key, program] :
                 of.cluster.lowered.groups[endpoint.group.value].programs)
                for (const char* interface : {"eth0", "*"})
                    out[interface + std::to_string(int(key.hook) * 100 + int(key.direction) * 10 +
                                                   int(key.family))] =
                        rules.of_host(interface, key);
    return out;
}

/// Addresses at the borders of sets, and of nobody.
std::vector<net::Address> addresses_at(const Ruleset& rules, net::Family family) {
    const bool v4 = family == net::Family::V4;
    std::set<net::Address> out{*net::parse_address(v4 ? "192.168.7.1" : "fd00:7::1"),
                               *net::parse_address(v4 ? "8.8.8.8" : "2a00::1")};
    for (const iptables::Set& set : rules.sets)
        for (const iptables::Member& each : set.members)
            if (set.family == family) {
                const net::Range range{each.nets.first(), each.nets.last()};
                for (const auto& at : {std::optional(range.first), std::optional(range.last),
                                       net::previous(range.first), net::next(range.last)})
                    if (at)
                        out.insert(*at);
            }
    return {out.begin(), out.end()};
}

decision::Flow random_flow(const std::vector<net::Address>& addresses, Random& random) {
    decision::Flow out;
    out.source.address = random.pick(addresses);
    out.destination.address = random.pick(addresses);
    out.family = out.source.address->family;
    out.protocol = random.pick<net::Protocol>({net::kTcp, net::kUdp, net::kTcp, net::kSctp});
    out.source_port = std::uint16_t{40000};
    out.destination_port = random.pick<std::uint16_t>(
        {22, 23, 53, 54, 79, 80, 81, 443, 444, 8080, 9090, 30080, 30081, 65535});
    return out;
}

/// Whether some of many packets, sent at random, meets something else.
bool shows(const GuardedTables& of, const Ruleset& harmed, Random& random) {
    const driver::ChainRules rules(harmed), policy(of.rules);
    const auto now = places(of, rules), then = places(of, policy);
    for (const auto& [place, names] : then) {
        const auto& found = now.at(place);
        if (found.size() != names.size() ||
            (found == std::vector<std::string>{""}) != (names == std::vector<std::string>{""}))
            return true;
        for (std::size_t i = 0; i < names.size(); ++i) {
            if (names[i].empty())
                continue;
            const net::Family family =
                names[i].ends_with("(IPv6)") ? net::Family::V6 : net::Family::V4;
            const auto addresses = addresses_at(of.rules, family);
            try {
                for (int packet = 0; packet < 400; ++packet) {
                    const decision::Flow flow = random_flow(addresses, random);
                    if (rules.decided(found[i], flow).outcome !=
                        policy.decided(names[i], flow).outcome)
                        return true;
                }
            } catch (const driver::ProvedRules::Unsaid&) {
                return true; // what no program of ours does
            }
        }
    }
    return false;
}

} // namespace bpf_proof
} // namespace

TEST_CASE("BPF: tables and the rules of host endpoints are proved, each program once") {
    using driver::Prover;
    std::size_t workloads = 0, hosts = 0;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        const bpf_proof::GuardedTables made(bpf_proof::random_guarded(seed));
        INFO("seed ", seed);
        Prover prover(made.cluster.lowered);
        const auto tables =
            prover.prove("node0", bpf::normal(made.node->image), Prover::Of::Workloads);
        const auto around = prover.prove("node0", made.rules, Prover::Of::HostEndpoints);
        for (const auto* proof : {&tables, &around}) {
            CHECK(proof->differences.empty());
            CHECK(proof->unknown == 0);
            CHECK(proof->closed == 0);
        }
        workloads += tables.proved;
        hosts += around.proved;
    }
    MESSAGE(workloads << " programs of workloads, " << hosts << " of host endpoints proved");
    CHECK(workloads > 30);
    CHECK(hosts > 20);
}

TEST_CASE("BPF: Z3 names each damage to programs of host endpoints that a packet shows") {
    constexpr std::uint64_t kClusters = 6;
    std::size_t shown = 0, beyond = 0, harmless = 0;
    for (std::uint64_t seed = 1; seed <= kClusters; ++seed) {
        const bpf_proof::GuardedTables made(bpf_proof::random_guarded(seed));
        testing::Random random(seed);
        for (std::size_t i = 0; i < testing::count_of("POLECAT_DAMAGES", 120) / kClusters; ++i) {
            iptables::Ruleset rules = made.rules;
            const auto chains = bpf_proof::chains_of_hosts(rules, true);
            if (chains.empty() || random.chance(20))
                bpf_proof::harm_set(rules, random);
            else
                bpf_proof::harm_chain(*random.pick(chains), random);
            rules.sort();
            if (rules == made.rules)
                continue;
            const auto found = made.prove(rules).differences;
            INFO("seed ", seed, ", damage ", i);
            if (bpf_proof::shows(made, rules, random)) {
                CHECK_FALSE(found.empty());
                ++shown;
            } else { // eval confirmed each flow that Z3 found
                ++(found.empty() ? harmless : beyond);
            }
        }
    }
    MESSAGE(shown << " shown by packets and named, " << beyond << " named beyond those, "
                  << harmless << " change nothing");
    CHECK(shown > testing::count_of("POLECAT_DAMAGES", 120) / 8);
}

TEST_CASE("BPF: damages to what leads to programs of host endpoints are named") {
    constexpr std::uint64_t kClusters = 6;
    std::size_t named = 0;
    for (std::uint64_t seed = 1; seed <= kClusters; ++seed) {
        const bpf_proof::GuardedTables made(bpf_proof::random_guarded(seed));
        testing::Random random(seed);
        for (std::size_t i = 0; i < testing::count_of("POLECAT_DAMAGES", 120) / kClusters; ++i) {
            iptables::Ruleset rules = made.rules;
            const auto chains = bpf_proof::chains_of_hosts(rules, false);
            REQUIRE(!chains.empty());
            bpf_proof::harm_chain(*random.pick(chains), random);
            rules.sort();
            if (rules == made.rules)
                continue;
            const auto found = driver::filter_differences(
                rules, made.rules, [](const net::Address&) { return std::string(); });
            CHECK_MESSAGE(!found.empty(), "seed " << seed << ", damage " << i);
            ++named;
        }
    }
    CHECK(named > 60);
}
