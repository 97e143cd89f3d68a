// Plans while packets come at a high rate: of flows that both policies allow none is lost, of flows
// that both deny none is let through; others who write to nftables meanwhile are not held up.
#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include <doctest/doctest.h>

#include "runtime/lab/traffic.h"
#include "runtime/process.h"
#include "tests/backends/changes.h"
#include "tests/kernel/node.h"
#include "tests/kernel/scale.h"

using namespace polecat;
using namespace polecat::kernel_test;
using decision::Verdict;
using runtime::PacketCounts;
using runtime::Stream;
using runtime::Traffic;
using testing::Random;

namespace {

using Clock = std::chrono::steady_clock;

void pause(int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
}

/// What days bring to a node, one thing at a time.
class Days {
  public:
    explicit Days(std::uint64_t seed)
        : documents_(testing::documents_of(testing::ClusterWriter(seed, {}).write())),
          random_(seed), fresh_(1000 * seed) {}
    std::string text() const { return testing::text_of(documents_); }

    std::string next() {
        switch (random_.below(8)) {
        case 0: // of an identity that another pod has, mostly
            put_spare(pod_label(), pod_label());
            break;
        case 1: // of one that is new
            put_spare("new" + std::to_string(++fresh_), pod_label());
            break;
        case 2:
            drop(" spare");
            break;
        case 3:
            replace_policies();
            break;
        case 4:
            replace_nets();
            break;
        default: // a policy or a pod that goes, comes, or has other labels
            testing::change(documents_, random_, fresh_);
        }
        return text();
    }

  private:
    std::string pod_label() { return random_.pick<std::string>({"a", "b", "c"}); }

    /// One of four pods that come and go, always at the same interfaces.
    void put_spare(const std::string& app, const std::string& role) {
        const std::string number = std::to_string(random_.below(4) + 1);
        drop(" spare" + number);
        documents_.push_back("{apiVersion: v1, kind: Pod, metadata: {name: spare" + number +
                             ", namespace: n0, labels: {app: " + app + ", role: " + role +
                             "}}, spec: {nodeName: node0, containers: [{name: c, image: i}]}, "
                             "status: {podIPs: [{ip: 10.9.0.10" +
                             number + "}, {ip: 'fd00:9::10" + number + "'}]}}");
    }
    void drop(const std::string& name) {
        std::erase_if(documents_, [&](const std::string& each) {
            return each.find("kind: Pod, metadata: {name:" + name) != std::string::npos;
        });
    }

    void replace_policies() {
        const auto is_policy = [](const std::string& each) {
            return each.find("NetworkPolicy") != std::string::npos;
        };
        std::erase_if(documents_, is_policy);
        for (std::string& each :
             testing::documents_of(testing::ClusterWriter(++fresh_, {}).write()))
            if (is_policy(each))
                documents_.push_back(each);
    }
    void replace_nets() {
        for (std::string& each : documents_)
            if (const std::size_t at = each.find("203.0.113.0/2");
                at != std::string::npos && each.find("NetworkSet") != std::string::npos)
                each[at + 13] = "4567"[random_.below(4)];
    }

    std::vector<std::string> documents_;
    Random random_;
    std::uint64_t fresh_;
};

/// Flows among endpoints and the outside, a port each.
std::vector<PacketSpec> candidates(const Node& node, Random& random) {
    std::vector<net::Address> ends = endpoints_of(node.image);
    for (const char* outside : {"203.0.113.7", "203.0.113.70", "2600::1"})
        ends.push_back(address(outside));
    std::vector<PacketSpec> out;
    for (const net::Address& from : ends)
        for (const net::Address& to : ends) {
            if (from.family != to.family || !node.knows(from) || !node.knows(to) ||
                node.host_of(from) == node.host_of(to))
                continue;
            PacketSpec spec;
            spec.protocol = net::kUdp;
            spec.source = from;
            spec.destination = to;
            spec.destination_port = random.pick<std::uint16_t>({53, 53, 80, 443, 1000, 8080, 2500});
            out.push_back(spec);
        }
    return out;
}

bool is_among(const std::vector<PacketSpec>& flows, const net::Address& address) {
    for (const PacketSpec& each : flows)
        if (each.source == address || each.destination == address)
            return true;
    return false;
}

constexpr std::size_t kStreams = 12; ///< that must pass, and as many that must not

/// Labels of a plan's packets.
std::uint16_t must_pass(std::size_t plan) {
    return static_cast<std::uint16_t>(2 * plan + 1);
}
std::uint16_t must_drop(std::size_t plan) {
    return static_cast<std::uint16_t>(2 * plan + 2);
}

/// Flows that both policies say the same of: half of them go on all the time, the others are new.
std::vector<Stream> streams_of(const Node& node, const std::vector<PacketSpec>& flows,
                               const std::vector<Verdict>& before, std::size_t plan,
                               Random& random) {
    const auto now = candidates(node, random);
    std::vector<Stream> allowed, denied;
    for (std::size_t i = 0; i < flows.size(); ++i) {
        const PacketSpec& flow = flows[i];
        if (node.expected(flow) != before[i] || !is_among(now, flow.source) ||
            !is_among(now, flow.destination))
            continue;
        Stream stream;
        stream.from = node.host_of(flow.source);
        stream.spec = flow;
        const bool pass = before[i] == Verdict::Allow;
        stream.label = pass ? must_pass(plan) : must_drop(plan);
        std::vector<Stream>& into = pass ? allowed : denied;
        const bool goes_on = into.size() % 2 == 0;
        stream.spec.source_port =
            static_cast<std::uint16_t>(goes_on ? 20000 : 30000 + 8 * plan % 20000);
        stream.source_ports = goes_on ? 1 : 8;
        into.push_back(stream);
    }
    std::vector<Stream> out;
    for (std::vector<Stream>* list : {&allowed, &denied})
        for (std::size_t n = 0; n < kStreams && !list->empty(); ++n) {
            const std::size_t i = random.below(list->size());
            out.push_back((*list)[i]);
            list->erase(list->begin() + static_cast<std::ptrdiff_t>(i));
        }
    return out;
}

struct TrafficTally {
    std::size_t plans = 0, steps = 0;
    std::uint64_t passed = 0, lost = 0, dropped = 0, leaked = 0, dropped_by_machine = 0;
};

void count(const Traffic& traffic, TrafficTally& tally) {
    pause(30);
    const auto arrived = traffic.arrived();
    REQUIRE_MESSAGE(arrived.ok(), (arrived ? "" : arrived.error()));
    for (const auto& [label, sent] : traffic.sent()) {
        const auto found = arrived->find(label);
        const std::uint64_t got = found == arrived->end() ? 0 : found->second;
        if (label % 2 == 1) {
            CHECK_MESSAGE(got <= sent, "plan " << label / 2 << ": more than was sent");
            if (got < sent)
                MESSAGE("plan " << label / 2 << ": " << sent - got << " of " << sent << " lost");
            tally.passed += got;
            tally.lost += sent - got;
        } else {
            CHECK_MESSAGE(got == 0, "plan " << label / 2 - 1 << ": let through");
            tally.dropped += sent - got;
            tally.leaked += got;
        }
    }
}

void run_days(std::uint64_t seed, std::size_t plans, std::size_t rate, TrafficTally& tally) {
    Days days(seed);
    Random random(seed);
    Node node(days.text(), {"203.0.113.7", "203.0.113.70", "2600::1"});
    Traffic traffic(node.lab, rate);
    const std::uint64_t machine = runtime::dropped_by_machine();
    for (std::size_t plan = 0; plan < plans; ++plan) {
        const auto flows = candidates(node, random);
        std::vector<Verdict> before;
        for (const PacketSpec& flow : flows)
            before.push_back(node.expected(flow));
        const backends::Plan next = node.prepare(days.next());
        REQUIRE(traffic.watch_hosts().ok());
        REQUIRE(traffic.send(streams_of(node, flows, before, plan, random)).ok());
        pause(3);
        for (const backends::Plan::Step& step : next.steps)
            node.take(step);
        node.finish(next);
        pause(3);
        REQUIRE(traffic.send({}).ok());
        tally.steps += next.steps.size();
    }
    tally.plans += plans;
    count(traffic, tally);
    tally.dropped_by_machine += runtime::dropped_by_machine() - machine;
    CHECK(node.kernel_agrees());
}

void conclude(const TrafficTally& tally, Clock::time_point start) {
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    MESSAGE(tally.plans << " plans, " << tally.steps << " transactions in " << seconds
                        << " s: " << tally.lost << " of " << tally.passed + tally.lost << " lost, "
                        << tally.leaked << " of " << tally.dropped + tally.leaked
                        << " let through; the machine's own queues dropped "
                        << tally.dropped_by_machine);
    CHECK(tally.lost <= tally.dropped_by_machine);
    CHECK(tally.leaked == 0);
    CHECK(tally.passed > 100 * tally.plans);
    CHECK(tally.dropped > 100 * tally.plans);
}

std::size_t rate_of_traffic() {
    return count_of("POLECAT_KERNEL_RATE", 100'000);
}

/// Writes tables of its own over and over, as others on a node do.
class OtherWriter {
  public:
    OtherWriter(std::string name, std::vector<std::vector<std::string>> programs)
        : name_(std::move(name)), thread_([this, programs = std::move(programs)] {
              for (std::size_t i = 0; !quit_; ++i)
                  write(programs[i % programs.size()]);
          }) {}
    ~OtherWriter() { join(); }
    void stop() {
        join();
        MESSAGE(name_ << ": " << writes_ << " times, the slowest took " << slowest_ << " ms");
        CHECK_MESSAGE(refused_.empty(), name_ << ": " << refused_);
        CHECK(writes_ > 0);
    }

  private:
    void join() {
        quit_ = true;
        if (thread_.joinable())
            thread_.join();
    }
    void write(const std::vector<std::string>& program) {
        const auto start = Clock::now();
        const auto output =
            runtime::run_program({program.begin(), program.end() - 1}, program.back());
        const std::chrono::duration<double, std::milli> took = Clock::now() - start;
        slowest_ = std::max(slowest_, took.count());
        ++writes_;
        if (!output)
            refused_ += output.error();
        else if (output->exit_code != 0)
            refused_ += output->error + output->out;
    }

    std::string name_;
    std::atomic<bool> quit_ = false;
    std::size_t writes_ = 0;
    double slowest_ = 0;
    std::string refused_;
    std::thread thread_;
};

} // namespace

TEST_CASE("under traffic plans lose nothing and let nothing through") {
    if (!may_run())
        return;
    const std::size_t plans = count_of("POLECAT_KERNEL_PLANS", 50), each = 25;
    TrafficTally tally;
    const auto start = Clock::now();
    for (std::uint64_t seed = 1; tally.plans < plans; ++seed) {
        INFO("seed ", seed);
        run_days(seed, each, rate_of_traffic(), tally);
    }
    conclude(tally, start);
}

TEST_CASE("switches that change nothing of a flow lose nothing and let nothing through") {
    if (!may_run())
        return;
    const auto with_port = [](const std::string& port) {
        return Days(3).text() +
               "{apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: "
               "default}, spec: {interfacePrefix: 'cali" +
               port + "'}}\n---\n";
    };
    Random random(3);
    Node node(with_port(""), {"203.0.113.7", "203.0.113.70", "2600::1"});
    const auto flows = candidates(node, random);
    std::vector<Verdict> wanted;
    for (const PacketSpec& flow : flows)
        wanted.push_back(node.expected(flow));
    std::vector<backends::Plan::Step> switches;
    for (const char* other : {",other", ""}) { // base chains are other ones
        const backends::Plan plan = node.prepare(with_port(other));
        REQUIRE(plan.steps.size() == 1);
        node.take(plan.steps.front());
        node.finish(plan);
        switches.push_back(plan.steps.front());
    }
    Traffic traffic(node.lab, rate_of_traffic());
    REQUIRE(traffic.watch_hosts().ok());
    REQUIRE(traffic.send(streams_of(node, flows, wanted, 0, random)).ok());
    TrafficTally tally;
    const std::uint64_t machine = runtime::dropped_by_machine();
    const auto start = Clock::now();
    for (tally.plans = 0; tally.plans < count_of("POLECAT_KERNEL_SWITCHES", 100); ++tally.plans) {
        node.generation = node.generation.next();
        node.take(switches[tally.plans % 2]);
    }
    REQUIRE(traffic.send({}).ok());
    tally.steps = tally.plans;
    count(traffic, tally);
    tally.dropped_by_machine = runtime::dropped_by_machine() - machine;
    conclude(tally, start);
}

TEST_CASE("others who write to nftables beside plans are never refused, nor are plans") {
    if (!may_run())
        return;
    Days days(5);
    Node node(days.text(), {"203.0.113.7"});
    const std::string table = "table inet other {\n  set some {\n    type ipv4_addr\n    elements "
                              "= { 192.0.2.1, 192.0.2.2 }\n  }\n  chain look {\n    type filter "
                              "hook forward priority 50\n    ip saddr @some counter\n  }\n}\n";
    OtherWriter nft("nft", {{"nft", "-f", "-", table},
                            {"nft", "-f", "-", "add element inet other some { 192.0.2.3 }\n"},
                            {"nft", "-f", "-", "delete table inet other\n"}});
    const std::vector<std::string> rule{"FORWARD", "-s", "192.0.2.1", "-j", "ACCEPT", ""};
    std::vector<std::string> add{"iptables-nft", "-A"}, remove{"iptables-nft", "-D"};
    add.insert(add.end(), rule.begin(), rule.end());
    remove.insert(remove.end(), rule.begin(), rule.end());
    OtherWriter iptables("iptables-nft", {add, remove});
    double slowest = 0;
    const std::size_t plans = count_of("POLECAT_KERNEL_BESIDE", 12);
    for (std::size_t i = 0; i < plans; ++i) {
        const backends::Plan plan = node.prepare(days.next());
        for (const backends::Plan::Step& step : plan.steps) {
            const auto start = Clock::now();
            node.take(step); // which demands that it is not refused
            const std::chrono::duration<double, std::milli> took = Clock::now() - start;
            slowest = std::max(slowest, took.count());
        }
        node.finish(plan);
    }
    nft.stop();
    iptables.stop();
    MESSAGE(plans << " plans, the slowest step took " << slowest << " ms");
    CHECK(node.kernel_agrees());
}
