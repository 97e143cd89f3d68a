/// What a node does with a route: the meaning of the routing form. The filters alone: whether BGP
/// offers a route to a neighbour at all (split horizon, reflectors) comes before, and which of an
/// accepted route's attributes cross an eBGP session comes after.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/routing/node.h"

namespace polecat::routing {

enum class RouteSource : std::uint8_t {
    Static, ///< originated by BIRD: blocks, services
    Kernel, ///< learnt from the kernel's table
    Direct, ///< of an interface's address
    Bgp,
};

struct Route {
    net::Cidr prefix;
    RouteSource source = RouteSource::Bgp;
    std::string interface;               ///< empty: none (a blackhole)
    std::optional<std::uint32_t> metric; ///< the kernel's; 0 where a kernel route has none
    std::optional<net::Address> next_hop;
    /// As BGP carries it; nullopt: none came with the route, which BGP takes for 100.
    std::optional<std::uint32_t> local_preference;
    std::vector<Community> communities;
    std::vector<net::AsNumber> as_path; ///< nearest first, without the node's own number
    bool operator==(const Route&) const = default;
};

enum class StepKind : std::uint8_t {
    FilterRule,      ///< of a BGPFilter; `subject` is the filter, `index` the rule
    MissingDecision, ///< no rule decided: the default
    RejectPool,
    RejectInterface,
    AddCommunities,
    BlockItself,
    BlockElevated, ///< inside a block, with a better priority than normal
    BlockHides,
    Service,
    Reflector,
    Pool,
    ServiceRange, ///< kept out of the kernel
    NextHop,
    KernelPool,
    Elevated, ///< beats routes to local workloads
};

/// One thing that was asked about the route.
struct Step {
    StepKind kind = StepKind::MissingDecision;
    std::string subject; ///< the filter's name, the prefix, the pattern
    std::size_t index = 0;
    /// False: looked at, and not for this route; such steps are kept on request only.
    bool applied = true;
    std::optional<Verdict> decision; ///< nullopt: changed the route, decided nothing
    Origin origin;
};

struct RouteVerdict {
    Verdict verdict = Verdict::Reject;
    Route route;                             ///< as changed
    std::optional<std::uint32_t> preference; ///< BIRD's, where it is not the usual one
    bool tunnel = false;                     ///< into the kernel through kTunnelDevice
    std::vector<Step> trail;                 ///< the last one decided

    bool accepted() const { return verdict == Verdict::Accept; }
};

enum class Trail : std::uint8_t { Applied, Everything };

/// `session` is one of `node`, the route of its family.
RouteVerdict evaluate_export(const FamilyRouting& node, const Session& session, Route route,
                             Trail trail = Trail::Applied);
RouteVerdict evaluate_import(const FamilyRouting& node, const Session& session, Route route,
                             Trail trail = Trail::Applied);
RouteVerdict evaluate_kernel(const FamilyRouting& node, Route route, Trail trail = Trail::Applied);

/// "rule 2 of BGPFilter f rejects", "IPPool a is not exported".
std::string to_string(const Step& step);

} // namespace polecat::routing
