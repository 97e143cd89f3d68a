// The BPF classifier by BPF_PROG_TEST_RUN: its verdicts are eval's, for packets of every form and
// for answers; tables change under it; what is not in them is denied.
#include <algorithm>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "artefact/bpf/layout.h"
#include "backends/bpf/bpf.h"
#include "tests/backends/built.h"
#include "tests/kernel/bpf_verdicts.h"
#include "tests/scale.h"

using namespace polecat;
using namespace polecat::kernel_test;
using decision::Verdict;

namespace {

const std::vector<std::string> kElsewhere{"203.0.113.7", "203.0.113.70",  "8.8.8.8", "10.9.0.200",
                                          "0.0.0.1",     "2001:db8:9::1", "2600::1", "::1"};

std::vector<PacketSpec> asked_kinds(net::Family family) {
    std::vector<PacketSpec> out;
    for (const net::Protocol protocol : {net::kTcp, net::kUdp, net::kSctp})
        for (const int port : {53, 80, 443, 1000, 2500, 8080, 65535}) {
            PacketSpec spec;
            spec.protocol = protocol;
            spec.destination_port = static_cast<std::uint16_t>(port);
            spec.source_port = static_cast<std::uint16_t>(port % 2 == 0 ? 80 : 40000 + port % 99);
            out.push_back(spec);
        }
    for (const int type :
         family == net::Family::V4 ? std::vector<int>{8, 3, 13} : std::vector<int>{128, 1, 135})
        for (const int code : {0, 1}) {
            PacketSpec spec;
            spec.protocol = family == net::Family::V4 ? net::kIcmp : net::kIcmpV6;
            spec.icmp_type = static_cast<std::uint8_t>(type);
            spec.icmp_code = static_cast<std::uint8_t>(code);
            out.push_back(spec);
        }
    for (const int protocol : {47, 50, 132 + 4}) {
        PacketSpec spec;
        spec.protocol = static_cast<net::Protocol>(protocol);
        out.push_back(spec);
    }
    return out;
}

/// Options of IPv4, or extension headers of IPv6, before the transport.
std::string with_options(std::string packet, testing::Random& random) {
    if ((packet.front() & 0xf0) == 0x40) {
        const std::size_t words = 1 + random.below(10);
        packet.insert(20, words * 4, '\1');
        packet.front() = static_cast<char>(0x45 + words);
        return packet;
    }
    std::string headers;
    char next = packet[6];
    for (std::size_t i = 1 + random.below(4); i > 0; --i) {
        const std::size_t units = random.below(3); // of eight bytes, beside the first
        std::string header(8 + 8 * units, '\0');
        const char kind = random.pick<char>({0, 43, 60, 51, 44});
        header[1] = static_cast<char>(kind == 51 ? units * 2 : units);
        if (kind == 44)
            header.resize(8); // an atomic fragment
        header[0] = next;
        next = kind;
        headers.insert(0, header);
    }
    packet[6] = next;
    return packet.insert(40, headers);
}

/// An ICMP message without an answer has none.
std::optional<PacketSpec> answer_of(const PacketSpec& spec) {
    PacketSpec out = spec;
    std::swap(out.source, out.destination);
    std::swap(out.source_port, out.destination_port);
    const bool v4 = spec.protocol == net::kIcmp;
    if (v4 || spec.protocol == net::kIcmpV6) {
        if (spec.icmp_type != 8 && spec.icmp_type != 13 && spec.icmp_type != 128)
            return std::nullopt;
        out.icmp_type = static_cast<std::uint8_t>(spec.icmp_type == 8    ? 0
                                                  : spec.icmp_type == 13 ? 14
                                                                         : 129);
    }
    return out;
}

class Asked {
  public:
    Asked(const testing::Built& built, runtime::Classifier::Form form)
        : cluster_(built.cluster.lowered),
          classifier_(classifier_of(tables_of(*built.image), form)) {
        CHECK((form == runtime::Classifier::Form::Whole || classifier_.form() == form));
        for (const backends::DispatchEntry& each : built.image->dispatch) {
            ends_.push_back(each.address);
            local_.insert(each.address);
        }
        for (const std::string& text : kElsewhere)
            ends_.push_back(address(text));
    }

    void all(testing::Random& random) {
        for (const net::Address& from : ends_)
            for (const net::Address& to : ends_) {
                const bool ours = local_.contains(from) || local_.contains(to);
                if (from.family != to.family || from == to || !ours)
                    continue;
                for (PacketSpec spec : asked_kinds(from.family)) {
                    spec.source = from;
                    spec.destination = to;
                    ask(spec, random);
                }
            }
    }

    std::size_t verdicts = 0, allowed = 0;

  private:
    void ask(const PacketSpec& spec, testing::Random& random) {
        const bool wanted = verdict_of(cluster_, spec) == Verdict::Allow;
        check(spec, wanted, "from", "to", random);
        if (const auto answer = answer_of(spec))
            check(*answer, wanted, "to_r", "from_r", random);
    }

    /// Both ends that are of this node are asked, and both must allow.
    void check(const PacketSpec& spec, bool wanted, const char* sender, const char* receiver,
               testing::Random& random) {
        std::string packet = runtime::make_packet(spec);
        const bool optioned = random.chance(20);
        if (optioned)
            packet = with_options(std::move(packet), random);
        bool yes = true;
        for (const bool first : {true, false})
            if (local_.contains(first ? spec.source : spec.destination)) {
                yes = says(classifier_, first ? sender : receiver, packet) && yes;
                ++verdicts;
            }
        allowed += yes ? 1 : 0;
        CHECK_MESSAGE(yes == wanted,
                      fmt::format("{} -> {} protocol {} port {} from {} type {}{} by {} and {}: "
                                  "eval says {}",
                                  net::to_string(spec.source), net::to_string(spec.destination),
                                  int{spec.protocol}, spec.destination_port, spec.source_port,
                                  int{spec.icmp_type}, optioned ? " with options" : "", sender,
                                  receiver, wanted ? "allow" : "deny"));
    }

    const decision::LoweredCluster& cluster_;
    runtime::Classifier classifier_;
    std::vector<net::Address> ends_;
    std::set<net::Address> local_;
};

std::string udp_to(const std::string& from, const std::string& to, int port) {
    PacketSpec spec;
    spec.protocol = net::kUdp;
    spec.source = address(from);
    spec.destination = address(to);
    spec.destination_port = static_cast<std::uint16_t>(port);
    spec.source_port = 40000;
    return runtime::make_packet(spec);
}

std::string lets_in(const std::string& app, int port) {
    return "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: b, namespace: "
           "ns}, spec: {podSelector: {matchLabels: {app: b}}, ingress: [{from: [{podSelector: "
           "{matchLabels: {app: " +
           app + "}}}], ports: [{protocol: UDP, port: " + std::to_string(port) + "}]}]}}\n---\n";
}

const std::string kThree =
    testing::pod("a", "a", 1) + testing::pod("b", "b", 2) + testing::pod("c", "c", 3);

} // namespace

TEST_CASE("the classifier's verdicts are those of eval") {
    if (!may_run_bpf())
        return;
    std::size_t verdicts = 0, allowed = 0;
    const std::uint64_t seeds = count_of("POLECAT_BPF_SEEDS", 4);
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
        INFO("seed ", seed);
        testing::ClusterShape shape;
        shape.pods = 6 + seed % 5;
        testing::Random random(seed);
        const testing::Built built = testing::build(testing::ClusterWriter(seed, shape).write());
        REQUIRE(built.image.has_value());
        using Form = runtime::Classifier::Form;
        Asked asked(built, seed % 3 == 0 ? Form::Lines : Form::Whole);
        asked.all(random);
        verdicts += asked.verdicts;
        allowed += asked.allowed;
    }
    MESSAGE("BPF, seeds 1 to " << seeds << ": " << verdicts << " verdicts, " << allowed
                               << " packets allowed");
    CHECK(verdicts >= 10'000 * seeds);
    CHECK(allowed > verdicts / 50);
}

TEST_CASE("what is not in the tables is denied") {
    if (!may_run_bpf())
        return;
    const testing::Built built = testing::build(kThree + lets_in("a", 53));
    const bpf::Image tables = tables_of(*built.image);
    auto empty = runtime::Classifier::load(classifier_object(), tables);
    REQUIRE(empty.ok());
    const std::string packet = udp_to("10.0.0.1", "10.0.0.2", 53);
    CHECK_FALSE(says(*empty, "from", packet));
    REQUIRE(empty->take(tables).ok());
    CHECK(says(*empty, "from", packet));
    CHECK(says(*empty, "to", packet));
    CHECK(says(*empty, "from", udp_to("10.0.0.1", "192.168.7.1", 53)));
    CHECK_FALSE(says(*empty, "from", udp_to("10.0.0.9", "10.0.0.2", 53)));
    CHECK_FALSE(says(*empty, "to", udp_to("10.0.0.1", "10.0.0.9", 53)));
    CHECK_FALSE(says(*empty, "to", packet.substr(0, 21))); // without its ports
    std::string strange = packet;
    strange.front() = 0x55;
    CHECK_FALSE(says(*empty, "from", strange));
    strange.front() = 0x44; // a header shorter than headers are
    CHECK_FALSE(says(*empty, "from", strange));
}

TEST_CASE("tables change under the classifier, and read back from the kernel") {
    if (!may_run_bpf())
        return;
    const testing::Built one = testing::build(kThree + lets_in("a", 53));
    const testing::Built other = testing::build(kThree + lets_in("c", 5353));
    const bpf::Image tables[] = {tables_of(*one.image), tables_of(*other.image)};
    runtime::Classifier classifier = classifier_of(tables[0]);
    for (int round = 0; round < 5; ++round)
        for (const bool second : {true, false}) {
            REQUIRE(classifier.take(tables[second ? 1 : 0]).ok());
            CHECK(says(classifier, "to", udp_to("10.0.0.1", "10.0.0.2", 53)) == !second);
            CHECK(says(classifier, "to", udp_to("10.0.0.3", "10.0.0.2", 5353)) == second);
            CHECK_FALSE(says(classifier, "to", udp_to("10.0.0.1", "10.0.0.2", 54)));
            bpf::Image held = tables[second ? 1 : 0];
            const auto dumped = classifier.tables();
            REQUIRE(dumped.ok());
            held.tables = *dumped;
            const auto read = bpf::read_back(held);
            REQUIRE_MESSAGE(read.ok(), (read ? "" : read.error()));
            CHECK(*read == bpf::normal(second ? *other.image : *one.image));
        }
    bpf::Image large = tables[0];
    large.tables.resize(large.tables.size() * 3);
    CHECK_FALSE(classifier.take(large).ok());
}

TEST_CASE("every packet is counted by the cell that decides it") {
    if (!may_run_bpf())
        return;
    const testing::Built built = testing::build(kThree + lets_in("a", 53));
    const bpf::Image tables = tables_of(*built.image);
    const runtime::Classifier classifier = classifier_of(tables);
    for (int i = 0; i < 7; ++i)
        CHECK(says(classifier, "to", udp_to("10.0.0.1", "10.0.0.2", 53)) ==
              !says(classifier, "to", udp_to("10.0.0.1", "10.0.0.2", 54 + i)));
    std::vector<std::uint64_t> counts;
    for (std::uint32_t i = 0; i < tables.tables[kBpfHeadCounters]; ++i) {
        const auto count = classifier.counted(i);
        REQUIRE(count.ok());
        if (*count != 0)
            counts.push_back(*count);
    }
    CHECK(counts == std::vector<std::uint64_t>{7, 7});
}
