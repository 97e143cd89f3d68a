// Random clusters: compiled, loaded into the kernel, real packets sent. Every verdict must be the
// one that eval gives along the path.
#include <set>
#include <tuple>

#include <doctest/doctest.h>

#include "tests/backends/changes.h"
#include "tests/host_policies.h"
#include "tests/kernel/agreement.h"
#include "tests/scale.h"

using namespace polecat;
using namespace polecat::kernel_test;
using testing::felix_of_host;
using testing::host_endpoint;
using testing::neighbour_discovery;
using testing::Random;
using testing::random_host_policies;

namespace {

const std::vector<std::string> kOutside{"203.0.113.7", "203.0.113.70", "8.8.8.8", "2001:db8:9::1",
                                        "2600::1"};

/// Some other policies, and other labels that no service asks for.
std::vector<std::string> with_other_policies(std::vector<std::string> documents, Random& random,
                                             std::uint64_t seed) {
    const auto is_policy = [](const std::string& each) {
        return each.find("NetworkPolicy") != std::string::npos;
    };
    std::erase_if(documents,
                  [&](const auto& each) { return is_policy(each) && random.chance(60); });
    for (std::string& each : documents)
        if (const std::size_t role = each.find("role: ");
            each.find("kind: Pod,") != std::string::npos && random.chance(20))
            each[role + 6] = "abc"[random.below(3)];
    for (std::string each : testing::documents_of(testing::ClusterWriter(seed, {}).write()))
        if (is_policy(each)) {
            each.insert(each.find("name: ") + 6, "s" + std::to_string(seed));
            documents.push_back(each);
        }
    return documents;
}

/// Flows at random, no two of which conntrack takes for one.
class FlowWriter {
  public:
    FlowWriter(std::uint64_t seed, const testing::ClusterShape& shape)
        : random_(seed), shape_(shape) {}

    std::vector<Flow> write(std::size_t count) {
        std::vector<Flow> out;
        // Few pairs of ends have protocols without ports left after a while.
        for (std::size_t tries = 0; out.size() < count && tries < 4 * count; ++tries) {
            Flow flow = random_.chance(22) ? to_service() : plain();
            if (flow.opens.source == flow.opens.destination || !is_new(flow.opens))
                continue;
            out.push_back(std::move(flow));
        }
        return out;
    }

  private:
    net::Address pod(net::Family family) {
        const std::string host = std::to_string(random_.below(shape_.pods) + 1);
        return address((family == net::Family::V4 ? "10.9.0." : "fd00:9::") + host);
    }
    net::Address end(net::Family family) {
        if (random_.chance(75))
            return pod(family);
        return family == net::Family::V4 ? address(kOutside[random_.below(3)])
                                         : address(kOutside[3 + random_.below(2)]);
    }
    net::Family family() { return random_.chance(50) ? net::Family::V4 : net::Family::V6; }

    Flow plain() {
        Flow out;
        const net::Family of = family();
        out.opens.source = out.sender = end(of);
        out.opens.destination = end(of);
        choose_packet(out.opens, of);
        const net::Protocol protocol = out.opens.protocol;
        if (protocol != 47 && protocol != 50 && random_.chance(12))
            out.in_fragments = true;
        if (random_.chance(12)) { // what routers send is anybody's
            out.sender = pod(of);
            out.opens.source = random_.chance(70) ? end(of) : strange(of);
        }
        return out;
    }
    net::Address strange(net::Family of) {
        return address(
            of == net::Family::V4
                ? random_.pick<std::string>({"10.9.0.200", "192.168.7.1", "198.51.100.1"})
                : random_.pick<std::string>({"fd00:9::200", "fd00:7::1", "2a00::1"}));
    }

    void choose_packet(PacketSpec& spec, net::Family of) {
        spec.icmp_id = static_cast<std::uint16_t>(++number_);
        switch (random_.below(20)) {
        case 0: // only requests open a flow; conntrack takes any other ICMP message for invalid
        case 1:
            spec.protocol = of == net::Family::V4 ? net::kIcmp : net::kIcmpV6;
            spec.icmp_type = of == net::Family::V4 ? 8 : 128;
            return;
        case 2:
            spec.protocol = random_.chance(50) ? 47 : 50;
            return;
        default:
            spec.protocol = random_.pick<net::Protocol>({net::kTcp, net::kUdp, net::kSctp});
            spec.destination_port =
                random_.pick<std::uint16_t>({53, 80, 443, 1000, 2500, 8080, 8080, 4789});
            spec.source_port = random_.chance(25)
                                   ? random_.pick<std::uint16_t>({53, 80, 443, 2500, 8080})
                                   : static_cast<std::uint16_t>(30000 + number_ % 20000);
        }
    }

    Flow to_service() {
        Flow out;
        const net::Family of = family();
        out.opens.source = out.sender = end(of);
        const std::string service =
            service_number(random_.below(shape_.namespaces), random_.chance(50));
        out.opens.destination =
            address((of == net::Family::V4 ? "10.96.0." : "fd00:96::") + service);
        const std::size_t port = random_.below(3);
        out.opens.protocol = std::array{net::kTcp, net::kUdp, net::kSctp}[port];
        out.opens.destination_port = std::array<std::uint16_t, 3>{80, 53, 1000}[port];
        // From numbers of its own, so that no translation meets a flow that is there.
        out.opens.source_port = static_cast<std::uint16_t>(10000 + ++number_ % 20000);
        return out;
    }

    /// Neither way round is another flow's.
    bool is_new(const PacketSpec& spec) {
        const bool icmp = spec.protocol == net::kIcmp || spec.protocol == net::kIcmpV6;
        const int from = icmp ? spec.icmp_id : spec.source_port;
        const int to = icmp ? spec.icmp_id : spec.destination_port;
        return used_.emplace(spec.source, spec.destination, spec.protocol, from, to).second &&
               used_.emplace(spec.destination, spec.source, spec.protocol, to, from).second;
    }

    Random random_;
    testing::ClusterShape shape_;
    std::size_t number_ = 0;
    std::set<std::tuple<net::Address, net::Address, net::Protocol, int, int>> used_;
};

Scenario random_scenario(std::uint64_t seed, std::size_t flows) {
    const testing::ClusterShape shape;
    Random random(seed);
    Scenario out;
    out.outside = kOutside;
    out.policies.push_back(testing::documents_of(testing::ClusterWriter(seed, shape).write() +
                                                 services(shape.namespaces)));
    for (std::uint64_t i = 1; i <= 2; ++i)
        out.policies.push_back(with_other_policies(out.policies.back(), random, 1000 * i + seed));
    out.through_host_endpoint = seed % 3 == 0;
    if (out.through_host_endpoint)
        for (std::size_t i = 0; i < out.policies.size(); ++i)
            for (std::string& each : testing::documents_of(
                     host_endpoint(kUplink) + felix_of_host("Accept") + neighbour_discovery() +
                     random_host_policies(random, false, std::to_string(i))))
                out.policies[i].push_back(std::move(each));
    out.flows = FlowWriter(seed, shape).write(flows);
    out.by_plans = seed % 2 == 0;
    out.options.flow_mark_bit = static_cast<unsigned>(seed % (backends::kLastFlowMarkBit + 1));
    return out;
}

} // namespace

TEST_CASE("the kernel's verdicts are those of eval") {
    if (!may_run())
        return;
    const std::size_t first = count_of("POLECAT_KERNEL_FIRST", 1);
    const std::size_t clusters = count_of("POLECAT_KERNEL_SEEDS", 3);
    Agreement all;
    for (std::uint64_t seed = first; seed < first + clusters; ++seed) {
        INFO("seed ", seed);
        const Scenario scenario = random_scenario(seed, 2800);
        const Agreement one = play(scenario);
        all.add(one);
        std::size_t told = 0;
        for (const Agreement::Mismatch& each : one.mismatches)
            if (++told <= 10)
                CHECK_MESSAGE(false, each.what);
        if (!one.mismatches.empty())
            FAIL(one.mismatches.size() << " of " << one.flows << " flows; the first is in "
                                       << save_shrunk(scenario, one.mismatches.front()));
    }
    MESSAGE(clusters << " clusters: " << all.flows << " flows, " << all.packets << " packets, "
                     << all.passed << " passed, " << all.errors << " ICMP errors, " << all.revoked
                     << " flows revoked, " << all.resumed << " allowed again");
    CHECK(all.flows >= 1000 * clusters);
    CHECK(all.passed > all.packets / 10);
    CHECK(all.revoked > 0);
    CHECK(all.resumed > 0);
}
