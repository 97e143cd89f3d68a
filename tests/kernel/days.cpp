// What days bring to a node, and traffic that must not notice.
#include "tests/kernel/days.h"

#include <thread>

#include <doctest/doctest.h>

#include "tests/backends/changes.h"
#include "tests/kernel/scale.h"

namespace polecat::kernel_test {

using decision::Verdict;
using runtime::Stream;
using runtime::Traffic;
using testing::Random;

namespace {

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

void pause(int milliseconds) {
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
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

} // namespace polecat::kernel_test
