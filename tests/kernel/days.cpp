#include "tests/kernel/days.h"

#include <thread>

#include <doctest/doctest.h>

#include "tests/backends/changes.h"
#include "tests/host_policies.h"
#include "tests/scale.h"

namespace polecat::kernel_test {

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

} // namespace

Days::Days(std::uint64_t seed, Hosts with)
    : documents_(testing::documents_of(testing::ClusterWriter(seed, {}).write())), random_(seed),
      fresh_(1000 * seed), with_(with) {
    if (with_ != Hosts::None)
        replace_hosts();
}

std::string Days::text() const {
    return testing::text_of(documents_) + hosts_;
}

std::string Days::next() {
    if (with_ != Hosts::None && random_.chance(40)) {
        replace_hosts();
        return text();
    }
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

/// One of four pods that come and go, always at the same interfaces.
void Days::put_spare(const std::string& app, const std::string& role) {
    const std::string number = std::to_string(random_.below(4) + 1);
    drop(" spare" + number);
    documents_.push_back("{apiVersion: v1, kind: Pod, metadata: {name: spare" + number +
                         ", namespace: n0, labels: {app: " + app + ", role: " + role +
                         "}}, spec: {nodeName: node0, containers: [{name: c, image: i}]}, "
                         "status: {podIPs: [{ip: 10.9.0.10" +
                         number + "}, {ip: 'fd00:9::10" + number + "'}]}}");
}

void Days::drop(const std::string& name) {
    std::erase_if(documents_, [&](const std::string& each) {
        return each.find("kind: Pod, metadata: {name:" + name) != std::string::npos;
    });
}

void Days::replace_policies() {
    const auto is_policy = [](const std::string& each) {
        return each.find("NetworkPolicy") != std::string::npos;
    };
    std::erase_if(documents_, is_policy);
    for (std::string& each : testing::documents_of(testing::ClusterWriter(++fresh_, {}).write()))
        if (is_policy(each))
            documents_.push_back(each);
}

void Days::replace_nets() {
    for (std::string& each : documents_)
        if (const std::size_t at = each.find("203.0.113.0/2");
            at != std::string::npos && each.find("NetworkSet") != std::string::npos)
            each[at + 13] = "4567"[random_.below(4)];
}

void Days::replace_hosts() {
    hosts_.clear();
    if (random_.chance(20))
        return;
    hosts_ = testing::host_endpoint(random_.chance(30) ? "*" : "uplink") +
             testing::neighbour_discovery() + testing::random_host_policies(random_, false);
}

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

std::size_t change_by_plan(Node& node, const std::string& manifests,
                           const std::function<void()>& ready) {
    const backends::Plan plan = node.prepare(manifests);
    ready();
    for (const backends::Plan::Step& step : plan.steps)
        node.take(step);
    node.finish(plan);
    return plan.steps.size();
}

void run_days(std::uint64_t seed, std::size_t plans, const Node::Loader& loader,
              const Change& change, TrafficTally& tally, Hosts with) {
    INFO("seed ", seed);
    Days days(seed, with);
    Random random(seed);
    Node node(days.text(), {"203.0.113.7", "203.0.113.70", "2600::1"}, {}, loader);
    Traffic traffic(node.lab, rate_of_traffic());
    const std::uint64_t machine = runtime::dropped_by_machine();
    for (std::size_t plan = 0; plan < plans; ++plan) {
        const auto flows = candidates(node, random);
        std::vector<Verdict> before;
        for (const PacketSpec& flow : flows)
            before.push_back(node.expected(flow));
        tally.steps += change(node, days.next(), [&] {
            REQUIRE(traffic.watch_hosts().ok());
            REQUIRE(traffic.send(streams_of(node, flows, before, plan, random)).ok());
            pause(3);
        });
        pause(3);
        REQUIRE(traffic.send({}).ok());
    }
    tally.plans += plans;
    count(traffic, tally);
    tally.dropped_by_machine += runtime::dropped_by_machine() - machine;
    if (!loader)
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

void check_days(std::size_t usual_plans, const Node::Loader& loader, const Change& change,
                Hosts with) {
    const std::size_t plans = count_of("POLECAT_KERNEL_PLANS", usual_plans);
    TrafficTally tally;
    const auto start = Clock::now();
    for (std::uint64_t seed = 1; tally.plans < plans; ++seed)
        run_days(seed, std::min<std::size_t>(25, plans), loader, change, tally, with);
    conclude(tally, start);
}

} // namespace polecat::kernel_test
