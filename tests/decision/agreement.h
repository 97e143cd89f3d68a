/// Three ways to one answer: eval on a flow, the table that flatten makes, exact connection sets
/// (by themselves, and by number as the map has them). For programs of small clusters, flows at the
/// borders of ports.
#pragma once

#include <array>
#include <vector>

#include <doctest/doctest.h>

#include "analyzer/flows/program_flows.h"
#include "analyzer/flows/stored_flows.h"
#include "ir/decision/table.h"
#include "tests/random_cluster.h"

namespace polecat::testing {

using decision::Flow;
using decision::Verdict;

/// Ends of flows: every endpoint's address and some outside.
inline std::vector<net::Address> addresses_of(const decision::LoweredCluster& cluster,
                                              net::Family family) {
    std::vector<net::Address> out;
    for (const auto& [address, object] : cluster.world.by_address)
        if (address.family == family && (out.empty() || out.back() != address))
            out.push_back(address);
    const std::array<const char*, 4> outside =
        family == net::Family::V4
            ? std::array{"203.0.113.7", "203.0.113.70", "10.9.0.14", "8.8.8.8"}
            : std::array{"2001:db8::1", "2001:db8:9::1", "fd00:9::77", "2600::1"};
    for (const char* text : outside)
        out.push_back(*net::parse_address(text));
    return out;
}

inline std::vector<Flow> packets_of(net::Family family) {
    std::vector<Flow> out;
    for (const net::Protocol protocol : {net::kTcp, net::kUdp, net::kSctp})
        for (const int number : {1, 53, 79, 80, 443, 444, 1000, 2000, 3001, 8080, 65535}) {
            Flow flow;
            flow.protocol = protocol;
            flow.destination_port = static_cast<std::uint16_t>(number);
            flow.source_port = static_cast<std::uint16_t>(number == 80 ? 53 : 40000);
            out.push_back(flow);
        }
    const bool v4 = family == net::Family::V4;
    for (const int type : {0, 8, 128, 129})
        for (const int code : {0, 1}) {
            Flow flow;
            flow.protocol = v4 ? net::kIcmp : net::kIcmpV6;
            flow.icmp_type = static_cast<std::uint8_t>(type);
            flow.icmp_code = static_cast<std::uint8_t>(code);
            out.push_back(flow);
        }
    for (const net::Protocol protocol : {net::Protocol{47}, net::Protocol{50}}) {
        Flow flow;
        flow.protocol = protocol;
        out.push_back(flow);
    }
    return out;
}

inline bool contains(const analyzer::PortPairs& ports, const Flow& flow) {
    for (const auto& row : ports.rows())
        if (row.destination.first <= *flow.destination_port &&
            *flow.destination_port <= row.destination.last)
            return row.source.contains(*flow.source_port);
    return false;
}

inline bool contains(const analyzer::ConnectionSet& set, const Flow& flow) {
    if (net::has_ports(flow.protocol))
        return contains(set.ports(flow.protocol), flow);
    if (flow.protocol == net::kIcmp || flow.protocol == net::kIcmpV6)
        return set.icmp_types(flow.protocol)
            .contains(static_cast<std::uint16_t>(*flow.icmp_type * 256 + *flow.icmp_code));
    return set.has_other(flow.protocol);
}

struct Checker {
    const decision::LoweredCluster& cluster;
    decision::Identities identities;
    analyzer::HttpAtoms atoms;
    std::size_t flows = 0, allowed = 0, requests = 0, requests_allowed = 0;

    explicit Checker(const decision::LoweredCluster& lowered)
        : cluster(lowered), identities(lowered), atoms({&lowered}) {}

    void check(const decision::Program& program) {
        std::vector<decision::Identity> ends;
        const auto addresses = addresses_of(cluster, program.family);
        for (const net::Address& address : addresses)
            ends.push_back(identities[identities.of_address(address)]);
        const auto table = decision::flatten(program, cluster.predicates, ends, ends);
        REQUIRE(table);
        const analyzer::ProgramFlows sets(program, atoms);
        analyzer::SetStore store;
        analyzer::MatchSets matches(atoms, store);
        analyzer::StoredFlows stored(program, matches);
        for (std::size_t i = 0; i < addresses.size(); ++i)
            for (std::size_t j = 0; j < addresses.size(); ++j) {
                const auto between = sets.between(ends[i], ends[j]);
                const auto numbers = stored.between(ends[i], ends[j]);
                CHECK(store[numbers.sure] == between.sure);
                CHECK(store[numbers.may] == between.may);
                for (Flow flow : packets_of(program.family)) {
                    flow.family = program.family;
                    flow.source = decision::end_of(cluster.world, addresses[i]);
                    flow.destination = decision::end_of(cluster.world, addresses[j]);
                    check_flow(program, *table, between, ends[i], ends[j], flow);
                    if (flow.protocol == net::kTcp && atoms.count() > 1)
                        check_requests(program, between, flow);
                }
            }
    }

    void check_requests(const decision::Program& program,
                        const analyzer::Bounds<analyzer::ConnectionSet>& sets, Flow flow) {
        for (const auto& [method, path] :
             {std::pair{"GET", "/a"}, std::pair{"POST", "/a/b/c"}, std::pair{"PUT", "/c"},
              std::pair{"GET", "/ab"}, std::pair{"GET", "/a/../c?x"}, std::pair{"GET", "/"},
              std::pair{"GET", "/a%"}, std::pair{"PUT", ""}}) {
            flow.http = Flow::Http{method, path};
            const auto verdict =
                decision::eval(program, cluster.predicates, cluster.world, flow).verdict;
            const std::uint32_t atom = atoms.of(*flow.http);
            const auto contains_request = [&](const analyzer::ConnectionSet& set) {
                return contains(set.request_ports(atom), flow);
            };
            ++requests;
            requests_allowed += verdict == Verdict::Allow ? 1 : 0;
            CHECK_MESSAGE(contains_request(sets.sure) == (verdict == Verdict::Allow),
                          method << " " << path);
            CHECK(contains_request(sets.may) == (verdict != Verdict::Deny));
        }
    }

    void check_flow(const decision::Program& program, const decision::Table& table,
                    const analyzer::Bounds<analyzer::ConnectionSet>& sets,
                    const decision::Identity& source, const decision::Identity& destination,
                    const Flow& flow) {
        const auto decision = decision::eval(program, cluster.predicates, cluster.world, flow);
        const auto staged = decision::eval(program, cluster.predicates, cluster.world, flow,
                                           decision::Staging::Enforced);
        const auto& cell =
            table.at(table.source.find(source), table.destination.find(destination),
                     decision::find(table.source_ports, flow.source_port.value_or(0)),
                     table.l4.of(*decision::l4_key(flow)));
        ++flows;
        allowed += decision.verdict == Verdict::Allow ? 1 : 0;
        const bool same = cell.verdict == decision.verdict && cell.slot == decision.slot &&
                          cell.logs == decision.logs && cell.staged == staged.verdict &&
                          contains(sets.sure, flow) == (decision.verdict == Verdict::Allow) &&
                          contains(sets.may, flow) == (decision.verdict != Verdict::Deny);
        CHECK_MESSAGE(same, "eval " << decision::to_string(decision.verdict) << ", table "
                                    << decision::to_string(cell.verdict) << ", protocol "
                                    << int{flow.protocol} << " port "
                                    << flow.destination_port.value_or(0));
    }
};

} // namespace polecat::testing
