// Policy of host endpoints that changes under iptables, table by table: after each table that is
// written packets are judged by what the node holds then.
#include <set>
#include <sstream>

#include <doctest/doctest.h>

#include "backends/iptables/build.h"
#include "backends/iptables/plan.h"
#include "tests/backends/built.h"
#include "tests/backends/changes.h"
#include "tests/backends/ipset_model.h"
#include "tests/backends/iptables_walk.h"
#include "tests/host_policies.h"
#include "tests/scale.h"

using namespace polecat;
using testing::Walk;
using testing::WalkedFlow;

namespace {

std::optional<iptables::FilterImage> crossed_image(const std::string& text) {
    testing::RandomCluster cluster;
    testing::load_text(text, cluster);
    const decision::Identities identities(cluster.lowered);
    backends::NodeImages images(cluster.lowered, identities);
    return iptables::FilterImages(cluster.lowered, images).of("node0", cluster.diagnostics);
}

/// Texts of a restore, one for each of its tables.
std::vector<std::string> blocks_of(const std::string& text) {
    std::vector<std::string> out;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('*'))
            out.emplace_back();
        out.back() += line + "\n";
    }
    return out;
}

void restore_block(iptables::Table& table, const std::string& block) {
    std::istringstream lines(block);
    std::string in, kept;
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('*'))
            in = line.substr(1);
        if (line.starts_with("-X "))
            std::erase_if(table.chains, [&](const auto& each) {
                return iptables::to_string(each.table) == in && each.name == line.substr(3);
            });
        else if (!line.starts_with("-D ") && !line.starts_with("-F ") && !line.starts_with("-I "))
            kept += line + "\n";
    }
    const auto made = iptables::parse_table(kept);
    REQUIRE_MESSAGE(made.ok(), (made ? "" : made.error()));
    for (const iptables::Chain& chain : made->chains) {
        std::erase_if(table.chains, [&](const auto& each) {
            return each.table == chain.table && each.name == chain.name;
        });
        table.chains.push_back(chain);
    }
}

/// Loaded under the first number.
iptables::Ruleset loaded_from_nothing(const iptables::FilterImage& image) {
    iptables::Ruleset out = iptables::emit(image);
    for (iptables::Table* table : {&out.v4, &out.v6}) {
        auto numbered =
            iptables::parse_table(iptables::with_generation(iptables::print(*table), 1));
        REQUIRE_MESSAGE(numbered.ok(), (numbered ? "" : numbered.error()));
        *table = std::move(*numbered);
    }
    out.sort();
    return out;
}

std::string name_of(const WalkedFlow& flow) {
    return flow.in + " " + net::to_string(flow.source) + ":" + std::to_string(flow.source_port) +
           " -> " + flow.out + " " + net::to_string(flow.destination) + ":" +
           std::to_string(flow.destination_port) + " protocol " + std::to_string(flow.protocol);
}

struct CrossingTally {
    std::size_t states = 0, passed = 0, dropped = 0, lost = 0, let_through = 0;
};

/// Flows, and what becomes of them while rules change. Each goes on from the beginning to the end,
/// and is new to each state as well.
class CrossingTraffic {
  public:
    CrossingTraffic(std::vector<WalkedFlow> flows, const iptables::Ruleset& from,
                    const iptables::Ruleset& to)
        : flows_(std::move(flows)), marks_(flows_.size()) {
        for (std::size_t i = 0; i < flows_.size(); ++i) {
            // One that an older policy with preDNAT policy of its own left its bits on.
            marks_[i] = i % 3 == 0 ? 0xe7770000U & ~0x40000000U : 0;
            was_.push_back(send(from, i));
            CHECK(was_.back() == Walk(from, flows_[i], 0).passes());
            is_.push_back(Walk(to, flows_[i], 0).passes());
        }
    }

    void meet(const iptables::Ruleset& held, CrossingTally& tally) {
        ++tally.states;
        for (std::size_t i = 0; i < flows_.size(); ++i) {
            const bool goes_on = send(held, i), new_one = Walk(held, flows_[i], 0).passes();
            if (was_[i] != is_[i])
                continue;
            for (const bool passes : {goes_on, new_one}) {
                tally.passed += passes ? 1 : 0;
                tally.dropped += passes ? 0 : 1;
                tally.lost += is_[i] && !passes ? 1 : 0;
                tally.let_through += !is_[i] && passes ? 1 : 0;
                if (!is_[i] && passes && tally.let_through < 4)
                    FAIL_CHECK("let through: " << name_of(flows_[i]));
            }
        }
    }

    /// What the new policy says holds for good.
    void end(const iptables::Ruleset& held) {
        for (std::size_t i = 0; i < flows_.size(); ++i)
            CHECK(send(held, i) == is_[i]);
    }

  private:
    bool send(const iptables::Ruleset& held, std::size_t i) {
        Walk walk(held, flows_[i], marks_[i]);
        const bool passes = walk.passes();
        marks_[i] = walk.mark();
        return passes;
    }

    std::vector<WalkedFlow> flows_;
    std::vector<std::uint32_t> marks_;
    std::vector<bool> was_, is_;
};

std::vector<WalkedFlow> crossing_flows(const iptables::FilterImage& image,
                                       testing::Random& random) {
    std::vector<std::pair<std::string, net::Address>> ends;
    for (const iptables::FilteredPod& pod : image.pods)
        ends.emplace_back(pod.interface, pod.nets.base);
    for (const char* outside : {"203.0.113.7", "203.0.113.170", "2001:db8:9::1", "2600::1"})
        ends.emplace_back("uplink", *net::parse_address(outside));
    for (const char* host : {"192.168.7.1", "fd00:7::1"})
        ends.emplace_back("", *net::parse_address(host));
    std::vector<WalkedFlow> out;
    for (const auto& [in, from] : ends)
        for (const auto& [to_interface, to] : ends)
            if (from.family == to.family && in != to_interface)
                for (const net::Protocol protocol : {net::kTcp, net::kUdp})
                    for (const int port : {22, 53, 80, 443, 30080})
                        if (random.chance(50)) {
                            // Some as if they answered from a failsafe port.
                            const std::size_t own = out.size() % 50 == 0 ? 53 : 20000 + out.size();
                            out.push_back({in, to_interface, from, to, protocol,
                                           static_cast<std::uint16_t>(own),
                                           static_cast<std::uint16_t>(port)});
                        }
    return out;
}

/// From one policy of the host to another, looked at after each table.
void cross(const std::string& before, const std::string& after, testing::Random& random,
           CrossingTally& tally) {
    const auto from = crossed_image(before), to = crossed_image(after);
    REQUIRE(from.has_value());
    REQUIRE(to.has_value());
    iptables::Ruleset held = loaded_from_nothing(*from);
    CrossingTraffic traffic(crossing_flows(*from, random), held, loaded_from_nothing(*to));
    const auto plan = iptables::plan(held, *to);
    REQUIRE_MESSAGE(plan.ok(), (plan ? "" : plan.error()));
    std::uint16_t number = 1;
    for (const iptables::Plan::Step& step : plan->steps) {
        number = static_cast<std::uint16_t>(number + (step.next_number ? 1 : 0));
        if (step.command == "ipset restore") {
            testing::restore_sets(held, step.text);
            held.sort();
            traffic.meet(held, tally);
            continue;
        }
        const auto family = step.command.starts_with("ip6") ? net::Family::V6 : net::Family::V4;
        for (const std::string& block : blocks_of(iptables::with_generation(step.text, number))) {
            restore_block(held.table(family), block);
            held.sort();
            INFO(step.what, " ", block.substr(0, 20));
            traffic.meet(held, tally);
        }
    }
    traffic.end(held);
    const auto read = iptables::read_back(held);
    REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
    CHECK(read->frame == to->frame);
    CHECK(iptables::plan(held, *to)->steps.empty());
}

/// Each kind of policy says Allow, Deny or nothing of each port that flows have.
std::string dense_host_policies(testing::Random& random, bool untracked) {
    const auto rules = [&] {
        std::string out;
        for (const char* protocol : {"TCP", "UDP"})
            for (const char* port : {"80", "443", "30080"})
                if (random.chance(70))
                    out += (out.empty() ? "" : ", ") +
                           ("{action: " + random.pick<std::string>({"Allow", "Deny"})) +
                           ", protocol: " + protocol + ", destination: {ports: [" + port + "]}}";
        return "[" + out + "]";
    };
    std::string out;
    for (const char* more : {"", "applyOnForward: true, "})
        if (random.chance(70))
            out += testing::host_policy(*more == 0 ? "n0" : "n1",
                                        more + ("types: [Ingress, Egress], ingress: " + rules()) +
                                            ", egress: " + rules());
    if (random.chance(80))
        out += testing::host_policy(
            "early", "preDNAT: true, applyOnForward: true, types: [Ingress], ingress: " + rules());
    if (untracked && random.chance(80))
        out += testing::host_policy("raw", "doNotTrack: true, applyOnForward: true, types: "
                                           "[Ingress, Egress], ingress: " +
                                               rules() + ", egress: " + rules());
    return out;
}

std::string without_policies(const std::string& text) {
    auto documents = testing::documents_of(text);
    std::erase_if(documents, [](const std::string& each) {
        return each.find("NetworkPolicy") != std::string::npos;
    });
    return testing::text_of(documents);
}

void check_crossings(bool untracked, CrossingTally& tally) {
    for (std::uint64_t seed = 1; seed <= testing::count_of("POLECAT_CROSSINGS", 20); ++seed) {
        INFO("seed ", seed);
        testing::Random random(seed);
        // Sets change before rules: where the endpoint comes or goes, no set has it.
        const bool may_go = seed % 3 == 0;
        const auto host = [&] {
            if (may_go && random.chance(30))
                return std::string();
            return testing::host_endpoint(random.chance(30) ? "*" : "uplink") +
                   (may_go || random.chance(60)
                        ? dense_host_policies(random, untracked)
                        : testing::neighbour_discovery() +
                              testing::random_host_policies(random, untracked));
        };
        testing::ClusterShape shape;
        shape.pods = 4;
        std::string workloads =
            testing::ClusterWriter(seed, shape).write() + testing::felix_of_host("Accept");
        if (may_go)
            workloads = without_policies(workloads);
        cross(workloads + host(), workloads + host(), random, tally);
    }
    CHECK(tally.let_through == 0);
    CHECK(tally.passed > tally.states * 20);
    CHECK(tally.dropped > tally.states * 20);
    MESSAGE(tally.states << " states, " << tally.passed << " packets passed, " << tally.dropped
                         << " were dropped, " << tally.lost << " lost");
}

} // namespace

TEST_CASE(
    "iptables: policy of host endpoints that changes loses nothing and lets nothing through") {
    CrossingTally tally;
    check_crossings(false, tally);
    CHECK(tally.lost == 0);
}

TEST_CASE("iptables: untracked policy that changes lets nothing through") {
    CrossingTally tally;
    check_crossings(true, tally);
    CHECK(tally.lost < tally.passed / 100);
}
