#include "driver/reach/answers.h"

#include "analyzer/flows/program_flows.h"
#include "ir/path/host_network.h"

namespace polecat::driver {

namespace {

using analyzer::ConnectionSet;

std::optional<decision::IdentityId> queried_identity(const decision::Identities& identities,
                                                     const ir::PathEnd& end, net::Family family) {
    if (end.endpoint)
        return identities.of_object(*end.endpoint, family);
    return end.address && end.address->family == family
               ? std::optional(identities.of_address(*end.address))
               : std::nullopt;
}

/// Who governs an end, if anybody does.
ir::HostNetwork::Governor governor_of(const decision::LoweredCluster& cluster,
                                      const ir::PathEnd& end, decision::Direction direction,
                                      net::Family family) {
    std::optional<decision::ObjectId> object = end.endpoint;
    if (!object) {
        const auto& held = decision::end_of(cluster.world, *end.address).objects;
        if (!held.empty())
            object = held.front();
    }
    return object ? ir::HostNetwork(cluster).governor(*object, direction, family)
                  : ir::HostNetwork::Governor{};
}

} // namespace

ReachAnswer answer_of(Session& session, const ir::PathQuery& query,
                      const expectation::Traffic& traffic) {
    ReachAnswer out{traffic, ir::judge_flow(session.cluster(), query), std::nullopt, std::nullopt};
    if (out.verdict.verdict != decision::Verdict::Deny)
        out.no_route = session.routes().of(query);
    return out;
}

Result<std::vector<ReachSummary>> everything_between(Session& session, const ir::PathQuery& query) {
    if (!query.source.node.empty() || !query.destination.node.empty() ||
        !query.destination.service.empty())
        return Error{"a node or a service has no list of its own: ask about a --port"};
    const decision::LoweredCluster& cluster = session.cluster();
    const decision::Identities& identities = session.identities();
    const analyzer::HttpAtoms atoms({&cluster});
    std::vector<ReachSummary> out;
    for (const net::Family family : {net::Family::V4, net::Family::V6}) {
        const auto source = queried_identity(identities, query.source, family);
        const auto destination = queried_identity(identities, query.destination, family);
        if (!source || !destination)
            continue;
        analyzer::Bounds<ConnectionSet> both{ConnectionSet::all(), ConnectionSet::all()};
        const auto narrow = [&](const ir::PathEnd& end, decision::Direction direction) {
            const auto governor = governor_of(cluster, end, direction, family);
            if (governor.unsure)
                both.sure = ConnectionSet{};
            if (governor.program == nullptr)
                return;
            const analyzer::ProgramFlows flows(cluster.program(governor.program->program), atoms);
            both = meet(both, flows.between(identities[*source], identities[*destination]));
        };
        narrow(query.source, decision::Direction::Egress);
        narrow(query.destination, decision::Direction::Ingress);
        const auto open = both.may - both.sure;
        ir::PathQuery routed = query;
        routed.family = family;
        out.push_back({family, both.sure.describe(atoms), open.empty() ? "" : open.describe(atoms),
                       both.may.empty() ? std::nullopt : session.routes().of(routed)});
    }
    return out;
}

Hanging hanging_of(Session& session, const ir::PathQuery& query) {
    const auto in_doubt = [&](const ir::PathEnd& end, decision::Direction direction) {
        return end.endpoint &&
               endpoints_in_doubt(session.input(), session.cluster(), {*end.endpoint}, direction)
                       .some != 0;
    };
    Hanging out;
    out.add(in_doubt(query.source, decision::Direction::Egress) ||
            in_doubt(query.destination, decision::Direction::Ingress));
    return out;
}

} // namespace polecat::driver
