// `polecat load` of each target: under traffic, and ended between any two of its steps; and what
// one pod costs in tables that are in use.
#include <algorithm>
#include <array>

#include <doctest/doctest.h>

#include "backends/bpf/in_place.h"
#include "tests/backends/built.h"
#include "tests/kernel/bpf_verdicts.h"
#include "tests/kernel/days.h"
#include "tests/scale.h"

using namespace polecat;
using namespace polecat::kernel_test;
using decision::Verdict;
using testing::Random;

namespace {

const std::vector<std::string> kOutsiders{"203.0.113.7", "203.0.113.70", "2600::1"};

/// A target, as what a node's policy is loaded by.
struct LoadTarget {
    std::string name;
    driver::LoadOptions options;
    std::function<Result<driver::Loaded>(const Node&, const driver::LoadOptions&)> loads;

    driver::Loaded load(const Node& node, const driver::LoadOptions& with) const {
        auto done = loads(node, with);
        REQUIRE_MESSAGE(done.ok(), (done ? "" : done.error()));
        return std::move(*done);
    }
};

/// Of the node's policy, without the numbers of before.
backends::NodeImage numbered_alone(const Node& node) {
    const decision::Identities identities(node.cluster.lowered);
    backends::NodeImages images(node.cluster.lowered, identities);
    diag::Diagnostics told;
    auto made = images.of("node0", told);
    REQUIRE(made.has_value());
    return std::move(*made);
}

std::vector<LoadTarget> load_targets() {
    return {{"BPF, iptables-legacy", bpf_options(Iptables::Legacy), load_tables_of},
            {"BPF, iptables-nft", bpf_options(Iptables::Nft), load_tables_of},
            {"iptables-nft",
             {},
             [](const Node& node, const driver::LoadOptions& with) {
                 return driver::load_filters(filters_of(node), with);
             }},
            {"nftables",
             {},
             [](const Node& node, const driver::LoadOptions& with) {
                 return driver::load_rules(node.image, with);
             }},
            {"nftables, numbered without a base",
             {},
             [](const Node& node, const driver::LoadOptions& with) {
                 return driver::load_rules(numbered_alone(node), with);
             }}};
}

/// Loads only when it is told to.
Change loads_of(const LoadTarget& target) {
    return [&target](Node& node, const std::string& manifests, const std::function<void()>& ready) {
        node.expect(manifests);
        node.add_hosts();
        ready();
        const std::size_t steps = target.load(node, target.options).steps.size();
        driver::LoadOptions again = target.options;
        again.only_tell = true;
        CHECK(target.load(node, again).steps.empty());
        return steps;
    };
}

struct EndTally {
    std::size_t ended = 0, flows = 0, passed = 0;
};

class Ended {
  public:
    Ended(const LoadTarget& target, std::uint64_t seed, Hosts with, EndTally& tally)
        : target_(target), random_(seed), days_(3 * seed, with), tally_(tally),
          node_(days_.text(), kOutsiders, {}, [](const Node&) {}) {
        target_.load(node_, target_.options);
    }

    void change() {
        std::vector<Sent> old = send(flows(), 0);
        node_.lab.collect(50);
        const testing::RandomCluster before = loaded();
        const std::vector<net::Address> pods = endpoints_of(node_.image);
        node_.expect(days_.next());
        node_.add_hosts();
        driver::LoadOptions told = target_.options;
        told.only_tell = true;
        const std::size_t steps = target_.load(node_, told).steps.size();
        driver::LoadOptions options = target_.options;
        std::size_t left = steps == 0 ? 0 : random_.below(steps);
        std::string at = "the end";
        options.go_on = [&](const std::string& what) {
            at = left == 0 ? what : at;
            return left-- != 0;
        };
        const bool whole = target_.load(node_, options).whole;
        INFO("ended before: ", at);
        CHECK(whole == (steps == 0));
        tally_.ended += whole ? 0 : 1;
        check(send(flows(), 0), [&](const PacketSpec& flow, bool arrived) {
            // Who comes or goes may be shut out already, or not be let in yet.
            const bool stay = stays(flow.source, pods) && stays(flow.destination, pods);
            return arrived == now(flow) || (!arrived && !stay) ||
                   arrived == (verdict_of(before.lowered, flow) == Verdict::Allow);
        });
        target_.load(node_, target_.options);
        const auto as_now = [&](const PacketSpec& flow, bool arrived) {
            return arrived == now(flow);
        };
        check(send(flows(), 0), as_now);
        // Flows that the old policy judged, from the same ports.
        std::vector<Sent> again;
        for (Sent& each : old)
            if (is_there(each.flow.source) && is_there(each.flow.destination))
                again.push_back(send_one(each.flow, each.flow.source_port));
        check(again, as_now);
        CHECK(target_.load(node_, told).steps.empty());
    }

  private:
    struct Sent {
        PacketSpec flow;
    };

    /// A pod that has gone sends nothing, and is no outsider either.
    static bool stays(const net::Address& end, const std::vector<net::Address>& pods) {
        return std::count(pods.begin(), pods.end(), end) != 0 ||
               std::count(kOutsiders.begin(), kOutsiders.end(), net::to_string(end)) != 0;
    }
    bool is_there(const net::Address& end) const { return stays(end, endpoints_of(node_.image)); }
    bool now(const PacketSpec& flow) const { return node_.expected(flow) == Verdict::Allow; }
    testing::RandomCluster loaded() const {
        testing::RandomCluster out;
        load_text(days_.text(), out);
        return out;
    }

    std::vector<PacketSpec> flows() {
        std::vector<PacketSpec> all = candidates(node_, random_);
        std::vector<PacketSpec> out;
        for (std::size_t i = 0; i < 60 && !all.empty(); ++i)
            out.push_back(random_.pick(all));
        return out;
    }
    Sent send_one(PacketSpec flow, std::uint16_t port) {
        flow.nonce = node_.next_nonce++;
        flow.source_port =
            port != 0 ? port : static_cast<std::uint16_t>(20000 + flow.nonce % 40000);
        REQUIRE(node_.lab.send(node_.host_of(flow.source), runtime::make_packet(flow),
                               flow.destination));
        return {flow};
    }
    std::vector<Sent> send(const std::vector<PacketSpec>& list, std::uint16_t port) {
        std::vector<Sent> out;
        for (const PacketSpec& each : list)
            out.push_back(send_one(each, port));
        return out;
    }
    template <class Right> void check(const std::vector<Sent>& sent, const Right& right) {
        node_.lab.collect(50);
        for (const Sent& each : sent) {
            const PacketSpec& flow = each.flow;
            const bool arrived = node_.lab.has_seen(node_.host_of(flow.destination), flow.nonce);
            ++tally_.flows;
            tally_.passed += arrived ? 1 : 0;
            CHECK_MESSAGE(right(flow, arrived),
                          net::to_string(flow.source)
                              << " -> " << net::to_string(flow.destination) << " port "
                              << flow.destination_port
                              << std::string(arrived ? " arrived" : " was dropped"));
        }
    }

    const LoadTarget& target_;
    Random random_;
    Days days_;
    EndTally& tally_;
    Node node_;
};

} // namespace

TEST_CASE("loads under traffic lose nothing and let nothing through") {
    if (!may_ask_bpf())
        return;
    const std::size_t changes = count_of("POLECAT_KERNEL_LOADS", 12);
    for (const LoadTarget& target : load_targets()) {
        INFO(target.name);
        TrafficTally tally;
        const auto start = std::chrono::steady_clock::now();
        for (const Hosts with : {Hosts::None, Hosts::Tracking})
            run_days(
                1, changes / 2, [&](const Node& node) { target.load(node, target.options); },
                loads_of(target), tally, with);
        MESSAGE(target.name);
        conclude(tally, start);
    }
}

TEST_CASE("a load that is ended anywhere comes to the same end when it is begun anew") {
    if (!may_ask_bpf())
        return;
    const std::size_t changes = count_of("POLECAT_KERNEL_ENDED", 12);
    for (const LoadTarget& target : load_targets()) {
        INFO(target.name);
        EndTally tally;
        for (const Hosts with : {Hosts::None, Hosts::Tracking}) {
            Ended ended(target, 3, with, tally);
            for (std::size_t change = 0; change < changes / 2; ++change) {
                INFO("change ", change,
                     std::string(with == Hosts::None ? "" : " with host endpoints"));
                ended.change();
            }
        }
        MESSAGE(target.name << ": " << changes << " changes, " << tally.ended
                            << " ended before their end, " << tally.flows << " packets, "
                            << tally.passed << " arrived");
        CHECK(tally.ended > changes / 4); // some change nothing on the node
        CHECK(tally.passed > tally.flows / 20);
    }
}

TEST_CASE("one pod is a few words of the tables in use") {
    if (!may_run_bpf())
        return;
    const std::string one = testing::pod("a", "a", 1) + testing::pod("b", "b", 2);
    const bpf::Image before = tables_of(*testing::build(one).image),
                     after = tables_of(*testing::build(one + testing::pod("c", "b", 3)).image);
    const auto comes = bpf::in_place(before.tables, after.tables),
               goes = bpf::in_place(after.tables, before.tables);
    REQUIRE(comes.has_value());
    REQUIRE(goes.has_value());
    CHECK(comes->words.size() == 2);
    CHECK(goes->words.size() == 2);
    for (const auto form : {runtime::Classifier::Form::Whole, runtime::Classifier::Form::Lines}) {
        runtime::Classifier classifier = classifier_of(before, form);
        PacketSpec spec;
        spec.protocol = net::kUdp;
        spec.source = address("10.0.0.3");
        spec.destination = address("10.0.0.2");
        const std::string packet = runtime::make_packet(spec);
        for (int round = 0; round < 3; ++round)
            for (const bool there : {true, false}) {
                REQUIRE(classifier.write(there ? comes->words : goes->words).ok());
                CHECK(says(classifier, "from", packet) == there);
                CHECK(*classifier.tables() == (there ? after : before).tables);
            }
        CHECK(classifier.is_unfinished());
        CHECK(classifier.finish().ok());
        CHECK_FALSE(classifier.is_unfinished());
    }
}
