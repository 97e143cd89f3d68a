// Plans while packets come at a high rate: of flows that both policies allow none is lost, of flows
// that both deny none is let through; others who write to nftables meanwhile are not held up.
#include <atomic>
#include <thread>

#include <doctest/doctest.h>

#include "runtime/process.h"
#include "tests/kernel/days.h"
#include "tests/scale.h"

using namespace polecat;
using namespace polecat::kernel_test;
using decision::Verdict;
using runtime::Traffic;
using testing::Random;

namespace {

using Clock = std::chrono::steady_clock;

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
    if (may_run())
        check_days(50, {}, change_by_plan);
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
