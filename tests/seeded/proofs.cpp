#include "proofs.h"

#include <algorithm>
#include <iterator>
#include <set>
#include <sstream>

#include "ir/decision/eval.h"
#include "ir/path/path.h"

namespace polecat::testing {

using decision::Flow;

namespace {

/// Every endpoint and network set, and two addresses that belong to nobody.
std::vector<decision::End> ends_of(const decision::LoweredCluster& cluster, net::Family family) {
    std::vector<decision::End> out;
    const auto add = [&](const net::Address& address) {
        if (address.family == family)
            out.push_back(decision::end_of(cluster.world, address));
    };
    for (const decision::Object& each : cluster.world.objects) {
        for (const net::Address& address : each.addresses)
            add(address);
        for (const auto& range : each.nets.ranges())
            add(range.first);
    }
    for (const char* far : {"203.0.113.250", "169.254.169.254", "2001:db8:ffff::9"})
        add(*net::parse_address(far));
    return out;
}

std::set<std::uint16_t> ports_of(const decision::LoweredCluster& cluster) {
    std::set<std::uint16_t> out{22, 53, 80, 443, 10250, 40000};
    for (const decision::Object& each : cluster.world.objects)
        for (const policy::EndpointPort& port : each.ports)
            out.insert(port.port);
    return out;
}

bool decides(const decision::LoweredCluster& cluster, const decision::GroupProgram& program,
             const Flow& flow, const Lines& here, std::size_t number) {
    const auto decision =
        decision::eval(cluster.program(program.program), cluster.predicates, cluster.world, flow);
    const decision::Slot& slot = program.slots[decision.slot.value];
    return slot.kind == decision::Slot::Kind::Rule && slot.rule_index == number &&
           std::any_of(here.begin(), here.end(), [&](const auto& lines) {
               return lines.first <= slot.span.line && slot.span.line <= lines.second;
           });
}

ir::PathEnd end_named(const decision::LoweredCluster& cluster, const std::string& name) {
    ir::PathEnd out;
    if (const auto pod = cluster.workloads_by_name.find("pod:" + name);
        pod != cluster.workloads_by_name.end())
        out.endpoint = pod->second;
    else if (const auto host = cluster.host_endpoints_by_name.find(name);
             host != cluster.host_endpoints_by_name.end())
        out.endpoint = host->second;
    else
        out.address = net::parse_address(name);
    return out;
}

} // namespace

bool never_decides(const decision::LoweredCluster& cluster, const Lines& here,
                   const std::string& direction, std::size_t number) {
    for (const decision::Group& group : cluster.groups)
        for (const auto& [key, program] : group.programs) {
            if (decision::to_string(key.direction) != direction)
                continue;
            const auto ends = ends_of(cluster, key.family);
            for (const decision::End& source : ends)
                for (const decision::End& destination : ends)
                    for (const net::Protocol protocol : {net::kTcp, net::kUdp})
                        for (const std::uint16_t port : ports_of(cluster)) {
                            Flow flow{source, destination, key.family, protocol, 40000,
                                      port,   {},          {},         {}};
                            if (decides(cluster, program, flow, here, number))
                                return false;
                        }
        }
    return true;
}

bool holds(const decision::LoweredCluster& cluster, const std::string& text,
           const std::string& family) {
    std::istringstream in(text);
    const std::vector<std::string> proof{std::istream_iterator<std::string>(in), {}};
    ir::PathQuery query;
    query.source = end_named(cluster, proof.at(1));
    query.destination = end_named(cluster, proof.at(2));
    query.packet.protocol = proof.at(3) == "UDP" ? net::kUdp : net::kTcp;
    query.packet.source_port = 40000;
    query.packet.destination_port = static_cast<std::uint16_t>(std::stoul(proof.at(4)));
    query.family = family == "6" ? net::Family::V6 : net::Family::V4;
    query.packet.family = *query.family;
    if (proof.size() > 5)
        query.route = ir::Route::Wire;
    return decision::to_string(ir::judge_flow(cluster, query).verdict) == proof.at(0);
}

} // namespace polecat::testing
