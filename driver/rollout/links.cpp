#include "driver/rollout/links.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "driver/compile/compilation.h"
#include "driver/input/input.h"

namespace polecat::driver {

using decision::Direction;
using decision::LoweredCluster;

namespace {

/// A version with the names of its programs.
struct LinkedVersion {
    const LoweredCluster& cluster;
    Compilation compiled;
    std::map<std::string, const decision::Endpoint*> endpoints; ///< by name

    LinkedVersion(Session& of, backends::Numbers base)
        : cluster(of.cluster()), compiled(cluster, of.input().sources, std::move(base)) {
        for (const decision::Endpoint& each : cluster.endpoints)
            if (!each.host_network)
                endpoints.emplace(name_of(cluster, each.object), &each);
    }

    std::string program(const std::string& endpoint, Direction direction, net::Family family) {
        const auto found = endpoints.find(endpoint);
        if (found == endpoints.end())
            return {};
        const auto& addresses = cluster.world.object(found->second->object).addresses;
        if (std::none_of(addresses.begin(), addresses.end(),
                         [&](const net::Address& each) { return each.family == family; }))
            return {};
        const auto* program =
            cluster.find(found->second->object, direction, decision::Hook::Normal, family);
        return program == nullptr ? "" : compiled.program_name(program->program);
    }
};

} // namespace

struct RuleLinks::State {
    LinkedVersion base, head;

    State(Session& before, Session& now)
        : base(before, {}), head(now, base.compiled.all_numbers()) {}
};

RuleLinks::RuleLinks(Session& base, Session& head) : state_(std::make_unique<State>(base, head)) {}
RuleLinks::~RuleLinks() = default;

std::vector<RuleLink> RuleLinks::of(const DiffRow& row) {
    using Key = std::tuple<std::string, std::string, std::string>;
    std::map<Key, std::set<std::string>> nodes;
    std::set<Direction> directions;
    for (const analyzer::Cause& cause : row.causes)
        directions.insert(cause.direction);
    for (const Direction direction : directions)
        for (const std::string& name :
             direction == Direction::Egress ? row.sources : row.destinations) {
            const auto endpoint = state_->head.endpoints.find(name);
            if (endpoint == state_->head.endpoints.end() || endpoint->second->node.empty())
                continue;
            for (const net::Family family : {net::Family::V4, net::Family::V6}) {
                if (!row.family.empty() && row.family != net::to_string(family))
                    continue;
                const std::string now = state_->head.program(name, direction, family);
                const std::string before = state_->base.program(name, direction, family);
                if (!now.empty() || !before.empty())
                    nodes[{std::string(decision::to_string(direction)), before, now}].insert(
                        endpoint->second->node);
            }
        }
    std::vector<RuleLink> out;
    for (const auto& [key, on] : nodes)
        out.push_back(
            {std::get<0>(key), std::get<1>(key), std::get<2>(key), {on.begin(), on.end()}});
    return out;
}

} // namespace polecat::driver
