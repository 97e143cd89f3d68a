// Questions with an open end against eval, flow by flow, on random clusters.
#include <doctest/doctest.h>

#include "analyzer/diff/cause.h"
#include "analyzer/questions/open_ends.h"
#include "frontend/expectation_text.h"
#include "ir/decision/eval.h"
#include "ir/path/path.h"
#include "tests/random_cluster.h"

using namespace polecat;
using namespace polecat::analyzer;
using decision::Direction;
using decision::Verdict;

namespace {

testing::ClusterShape small(std::uint64_t seed) {
    testing::ClusterShape shape;
    shape.policies = 4 + seed % 9;
    shape.host_endpoints = seed % 3 == 0;
    return shape;
}

ConnectionSet on_port(net::Protocol protocol, std::uint16_t port) {
    return ConnectionSet::of(protocol, PortPairs::of(net::PortSet::of(net::PortRange{port, port}),
                                                     net::PortSet::of(net::PortRange{})));
}

ir::PathEnd end_of(const Party& party) {
    ir::PathEnd out;
    if (party.is_outside())
        out.address = example_address(party.outside);
    else
        out.endpoint = party.objects.back();
    return out;
}

decision::End packet_end(const decision::LoweredCluster& cluster, const ir::PathEnd& end,
                         net::Family family) {
    if (end.address)
        return decision::end_of(cluster.world, *end.address);
    for (const net::Address& address : cluster.world.object(*end.endpoint).addresses)
        if (address.family == family)
            return decision::end_of(cluster.world, address);
    return {{*end.endpoint}, std::nullopt};
}

/// By the programs of both ends, of hosts every hook on their packets' way.
Verdict asked_of_eval(const decision::LoweredCluster& cluster, const Party& from, const Party& to,
                      net::Protocol protocol, std::uint16_t port, net::Family family) {
    decision::Flow flow;
    flow.family = family;
    flow.source = packet_end(cluster, end_of(from), family);
    flow.destination = packet_end(cluster, end_of(to), family);
    flow.protocol = protocol;
    flow.destination_port = port;
    flow.source_port = 40000;
    Verdict out = Verdict::Allow;
    const auto ask = [&](const Party& party, decision::Direction direction) {
        if (party.is_outside())
            return;
        const auto* program = cluster.find_at_end(party.objects.back(), direction, family);
        const Verdict here = decision::eval(cluster.program(program->program), cluster.predicates,
                                            cluster.world, flow)
                                 .verdict;
        if (here == Verdict::Deny || out == Verdict::Allow)
            out = here;
    };
    ask(from, decision::Direction::Egress);
    ask(to, decision::Direction::Ingress);
    return out;
}

net::AddressSet nets(const char* text) {
    return net::AddressSet::of(frontend::parse_end(text)->range);
}

bool holds_port(const ConnectionSet& set, net::Protocol protocol, std::uint16_t port) {
    const auto one =
        ConnectionSet::of(protocol, PortPairs::of(net::PortSet::of(net::PortRange{port, port}),
                                                  net::PortSet::of(net::PortRange{40000, 40000})));
    return !(set & one).empty();
}

} // namespace

TEST_CASE("who can reach X and what can X reach, as eval says flow by flow") {
    std::size_t flows = 0;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        testing::RandomCluster cluster;
        testing::load_text(testing::ClusterWriter(seed, small(seed)).write(), cluster);
        const decision::Identities identities(cluster.lowered);
        for (const net::Family family : {net::Family::V4, net::Family::V6}) {
            // The host endpoint's known address is IPv4, and flows are asked about by that.
            if (family == net::Family::V6 && small(seed).host_endpoints)
                continue;
            const ConnectivityMap map(cluster.lowered, identities, family);
            const Questions questions(cluster.lowered, map);
            for (const decision::Endpoint& endpoint : cluster.lowered.endpoints)
                for (const bool outward : {true, false})
                    for (const auto& [protocol, port] :
                         {std::pair{net::kTcp, std::uint16_t{80}},
                          std::pair{net::kUdp, std::uint16_t{53}},
                          std::pair{net::kTcp, std::uint16_t{2500}}}) {
                        AskedEnds any, one;
                        any.any = true;
                        one.objects = {endpoint.object};
                        const auto answers = questions.ask(outward ? one : any, outward ? any : one,
                                                           on_port(protocol, port), true);
                        std::size_t pairs = 0;
                        for (const Answer& row : answers.rows)
                            for (const std::uint32_t i : row.from)
                                for (const std::uint32_t j : row.to) {
                                    const Verdict verdict =
                                        asked_of_eval(cluster.lowered, answers.from[i],
                                                      answers.to[j], protocol, port, family);
                                    const bool allow =
                                        holds_port(row.connections.sure, protocol, port);
                                    const bool may =
                                        holds_port(row.connections.may, protocol, port);
                                    CHECK(allow == (verdict == Verdict::Allow));
                                    CHECK(may == (verdict != Verdict::Deny));
                                    ++pairs;
                                }
                        flows += pairs;
                    }
        }
    }
    CHECK(flows > 10000);
}

TEST_CASE("a trail of all connections decides as the walk without a record and as eval") {
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        testing::RandomCluster cluster;
        testing::load_text(testing::ClusterWriter(seed, small(seed)).write(), cluster);
        const decision::Identities identities(cluster.lowered);
        const ConnectivityMap map(cluster.lowered, identities, net::Family::V4);
        Questions questions(cluster.lowered, map);
        AskedEnds any;
        any.any = true;
        const auto answers = questions.ask(any, any, ConnectionSet::all(), true);
        for (const Answer& row : answers.rows)
            for (const std::uint32_t i : row.from)
                for (const std::uint32_t j : row.to) {
                    const Party &from = answers.from[i], &to = answers.to[j];
                    if (from.is_outside() && to.is_outside())
                        continue;
                    Bounds<ConnectionSet> both{ConnectionSet::all(), ConnectionSet::all()};
                    for (const Direction direction : {Direction::Egress, Direction::Ingress}) {
                        const auto* trail = questions.trail(from, to, direction);
                        if (trail == nullptr)
                            continue;
                        ConnectionSet allow, deny;
                        for (const SetStep& step : *trail) {
                            CHECK((step.taken.sure - step.taken.may).empty());
                            if (step.action == decision::Action::Allow)
                                allow = allow | step.taken.may;
                            else if (step.action == decision::Action::Deny)
                                deny = deny | step.taken.may;
                        }
                        both.sure = both.sure & (allow - deny);
                        both.may = both.may & allow;
                        // What is asked of a part is the part of the whole.
                        const ConnectionSet http = on_port(net::kTcp, 80);
                        ConnectionSet part;
                        for (const SetStep& step : narrowed(*trail, http))
                            if (step.action == decision::Action::Allow)
                                part = part | step.taken.may;
                        CHECK(part == (allow & http));
                    }
                    CHECK(both.sure == row.connections.sure);
                    CHECK(both.may == row.connections.may);
                }
    }
}

TEST_CASE("a range of addresses is cut where policy tells addresses apart") {
    testing::RandomCluster cluster;
    testing::load_text(
        "{apiVersion: v1, kind: Namespace, metadata: {name: s}}\n---\n"
        "{apiVersion: v1, kind: Pod, metadata: {name: p, namespace: s}, spec: {containers: [{name: "
        "c, image: i}]}, status: {podIP: 10.0.0.1}}\n---\n"
        "{apiVersion: networking.k8s.io/v1, kind: NetworkPolicy, metadata: {name: k, namespace: "
        "s}, spec: {podSelector: {}, policyTypes: [Egress], egress: [{to: [{ipBlock: {cidr: "
        "203.0.113.0/24, except: [203.0.113.64/26]}}]}]}}",
        cluster);
    const decision::Identities identities(cluster.lowered);
    const ConnectivityMap map(cluster.lowered, identities, net::Family::V4);
    const Questions questions(cluster.lowered, map);
    AskedEnds from, to;
    from.objects = {cluster.lowered.endpoints.front().object};
    to.addresses = nets("203.0.113.0/25");
    const auto answers = questions.ask(from, to, ConnectionSet::all(), false);
    REQUIRE(answers.rows.size() == 1);
    REQUIRE(answers.rows.front().to.size() == 1);
    CHECK(answers.to[answers.rows.front().to.front()].outside == nets("203.0.113.0/26"));
}
