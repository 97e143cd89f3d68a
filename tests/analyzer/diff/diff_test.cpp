// Diffs against eval: what is said to have changed has, and what has changed is said.
#include "analyzer/diff/diff.h"

#include <algorithm>
#include <memory>
#include <tuple>

#include <doctest/doctest.h>

#include "ir/path/path.h"
#include "passes/enforce_staged.h"
#include "tests/random_cluster.h"

using namespace polecat;
using analyzer::ChangeKind;
using decision::Verdict;

namespace {

struct Versions {
    testing::RandomCluster base, head;
    analyzer::Diff diff;

    Versions(const std::string& before, const std::string& now) {
        load_text(before, base);
        load_text(now, head);
        diff = analyzer::diff(base.lowered, head.lowered);
    }
};

Verdict verdict(const decision::LoweredCluster& cluster, const ir::PathEnd& from,
                const ir::PathEnd& to, const decision::Flow& packet) {
    ir::PathQuery query;
    query.source = from;
    query.destination = to;
    query.packet = packet;
    query.family = packet.family;
    return ir::judge_flow(cluster, query).verdict;
}

ir::PathEnd end_of(const analyzer::DiffEnd& end, bool head, std::size_t member = 0) {
    ir::PathEnd out;
    if (end.is_outside())
        out.address = analyzer::example_address(end.outside);
    else
        out.endpoint = (head ? end.head : end.base)[member];
    return out;
}

bool holds(ChangeKind kind, Verdict before, Verdict now) {
    switch (kind) {
    case ChangeKind::Opened:
        return before == Verdict::Deny && now == Verdict::Allow;
    case ChangeKind::Closed:
        return before == Verdict::Allow && now == Verdict::Deny;
    case ChangeKind::PerhapsOpen:
        return (before == Verdict::Deny && now == Verdict::Depends) ||
               (before == Verdict::Depends && now == Verdict::Allow);
    case ChangeKind::PerhapsShut:
        return (before == Verdict::Depends && now == Verdict::Deny) ||
               (before == Verdict::Allow && now == Verdict::Depends);
    }
    return false;
}

/// Whether some change between the two ends has the packet.
bool is_told(const analyzer::FamilyDiff& family, std::uint32_t from, std::uint32_t to,
             const decision::Flow& packet) {
    const auto has = [](const std::vector<std::uint32_t>& list, std::uint32_t end) {
        return std::find(list.begin(), list.end(), end) != list.end();
    };
    const auto packets = analyzer::ConnectionSet::of(
        packet.protocol,
        analyzer::PortPairs::of(
            net::PortSet::of(net::PortRange{*packet.destination_port, *packet.destination_port}),
            net::PortSet::of(net::PortRange{*packet.source_port, *packet.source_port})));
    return std::any_of(family.changes.begin(), family.changes.end(), [&](const auto& change) {
        return has(change.sources, from) && has(change.destinations, to) &&
               !(change.connections & packets).empty();
    });
}

const std::string kStagedPods =
    "{apiVersion: v1, kind: Pod, metadata: {name: a, namespace: ns, labels: {app: a}}, spec: "
    "{containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.1}}\n---\n"
    "{apiVersion: v1, kind: Pod, metadata: {name: b, namespace: ns, labels: {app: b}}, spec: "
    "{containers: [{name: c, image: i}]}, status: {podIP: 10.0.0.2}}\n---\n";

std::string calico(const std::string& kind, const std::string& port) {
    return "{apiVersion: projectcalico.org/v3, kind: " + kind +
           ", metadata: {name: p, namespace: ns}, spec: {"
           "selector: app == 'b', types: [Ingress], ingress: [{action: Allow, protocol: TCP, "
           "destination: {ports: [" +
           port + "]}}]}}\n---\n";
}

} // namespace

TEST_CASE("changes between random clusters are those that eval sees") {
    std::size_t changes = 0, flows = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        INFO("seed ", seed);
        testing::ClusterShape less, more;
        more.policies = less.policies + 2;
        const Versions two(testing::ClusterWriter(seed, less).write(),
                           testing::ClusterWriter(seed, more).write());
        CHECK(two.diff.gone.empty());
        CHECK(two.diff.added.empty());
        testing::Random random(seed);
        for (const analyzer::FamilyDiff& family : two.diff.families) {
            for (const analyzer::FlowChange& change : family.changes) {
                ++changes;
                const auto& from = family.ends[change.sources.front()];
                const auto& to = family.ends[change.destinations.front()];
                const std::size_t member = analyzer::example_member(from, to);
                const Verdict before = verdict(two.base.lowered, end_of(from, false),
                                               end_of(to, false, member), change.example);
                const Verdict now = verdict(two.head.lowered, end_of(from, true),
                                            end_of(to, true, member), change.example);
                CHECK(holds(change.kind, before, now));
                CHECK_FALSE(change.causes.empty());
            }
            for (int i = 0; i < 400; ++i) {
                const auto from = static_cast<std::uint32_t>(random.below(family.ends.size()));
                const auto to = static_cast<std::uint32_t>(random.below(family.ends.size()));
                if (from == to || (family.ends[from].is_outside() && family.ends[to].is_outside()))
                    continue;
                decision::Flow packet;
                packet.family = family.family;
                packet.protocol = random.chance(50) ? net::kTcp : net::kUdp;
                packet.destination_port = random.pick<std::uint16_t>({53, 80, 443, 8080, 1000});
                packet.source_port = random.pick<std::uint16_t>({80, 40000});
                const Verdict before = verdict(two.base.lowered, end_of(family.ends[from], false),
                                               end_of(family.ends[to], false), packet);
                const Verdict now = verdict(two.head.lowered, end_of(family.ends[from], true),
                                            end_of(family.ends[to], true), packet);
                CHECK((before != now) == is_told(family, from, to, packet));
                ++flows;
            }
        }
    }
    MESSAGE(changes, " changes, ", flows, " flows");
    CHECK(changes > 100);
}

TEST_CASE("a change says which rule did it, where, and on which side") {
    const Versions two(kStagedPods + calico("NetworkPolicy", "80"),
                       kStagedPods + calico("NetworkPolicy", "81"));
    CHECK(two.diff.has(ChangeKind::Opened));
    CHECK(two.diff.has(ChangeKind::Closed));
    CHECK_FALSE(two.diff.has(ChangeKind::PerhapsOpen));
    for (const analyzer::FlowChange& change : two.diff.families.front().changes) {
        REQUIRE(change.causes.size() == 1);
        const analyzer::Cause& cause = change.causes.front();
        CHECK(cause.direction == decision::Direction::Ingress);
        const bool opened = change.kind == ChangeKind::Opened;
        const analyzer::Decider& rule = opened ? cause.now : cause.before;
        CHECK(rule.text == "NetworkPolicy ns/p ingress[0]");
        CHECK(rule.span.known());
        CHECK(change.example.destination_port == (opened ? 81 : 80));
    }
    CHECK_FALSE(Versions(kStagedPods, kStagedPods).diff.has(ChangeKind::Opened));
}

TEST_CASE("endpoints of one version are named") {
    const std::string one = kStagedPods.substr(0, kStagedPods.find("---\n") + 4);
    const Versions two(kStagedPods, one);
    CHECK(two.diff.gone == std::vector<std::string>{"pod:ns/b"});
    CHECK(two.diff.added.empty());
}

/// Ports that one pod opens to each of the others, so that no two changes are alike.
std::string many_ports(bool open) {
    constexpr int kPods = 12;
    std::string out;
    for (int i = 0; i < kPods; ++i) {
        const std::string name = "p" + std::to_string(i);
        out += "{apiVersion: v1, kind: Pod, metadata: {name: " + name +
               ", namespace: ns, labels: "
               "{app: " +
               name +
               "}}, spec: {containers: [{name: c, image: i}]}}\n---\n"
               "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: " +
               name + ", namespace: ns}, spec: {podSelector: {matchLabels: {app: " + name +
               "}}, policyTypes: [Ingress], ingress: [";
        for (int k = 0; open && k < kPods; ++k)
            out += "{from: [{podSelector: {matchLabels: {app: p" + std::to_string(k) +
                   "}}}], ports: [{port: " + std::to_string(1000 + i * kPods + k) + "}]}, ";
        out += "]}}\n---\n";
    }
    return out;
}

TEST_CASE("the order of changes does not hang on where memory is") {
    const auto rows = [] {
        const Versions versions(many_ports(false), many_ports(true));
        std::vector<std::tuple<ChangeKind, std::vector<std::uint32_t>, std::vector<std::uint32_t>>>
            out;
        for (const auto& family : versions.diff.families)
            for (const auto& each : family.changes)
                out.emplace_back(each.kind, each.sources, each.destinations);
        return out;
    };
    const auto first = rows();
    CHECK(first.size() > 100);
    std::vector<std::unique_ptr<char[]>> holes; // the next run finds other places free
    for (std::size_t i = 0; i < 20'000; ++i)
        holes.push_back(std::make_unique<char[]>(16 + i * 7919 % 500));
    for (std::size_t i = 0; i < holes.size(); i += 3)
        holes[i].reset();
    CHECK(rows() == first);
}

TEST_CASE("staged policies as if enforced") {
    const auto preview = [](const std::string& text) {
        testing::RandomCluster cluster;
        load_text(text, cluster);
        const auto staged = passes::enforce_staged(cluster.policy);
        const auto enforced = passes::lower(staged).cluster;
        const auto found = analyzer::diff(cluster.lowered, enforced);
        return std::pair(found.has(ChangeKind::Opened), found.has(ChangeKind::Closed));
    };
    const std::string enforced = calico("NetworkPolicy", "80");
    CHECK(preview(kStagedPods + calico("StagedNetworkPolicy", "80")) == std::pair(false, true));
    CHECK(preview(kStagedPods + enforced + calico("StagedNetworkPolicy", "80")) ==
          std::pair(false, false));
    CHECK(preview(kStagedPods + enforced + calico("StagedNetworkPolicy", "80, 81")) ==
          std::pair(true, false));
    CHECK(preview(kStagedPods + enforced +
                  "{apiVersion: projectcalico.org/v3, kind: StagedNetworkPolicy, metadata: {name: "
                  "p, namespace: ns}, spec: {stagedAction: Delete}}") == std::pair(true, false));
}
