/// The parts of lower_routing, a file each. Private to passes/routing.
#pragma once

#include <map>
#include <string>

#include "passes/routing/routing.h"

namespace polecat::passes::routing_parts {

/// What every part is given.
struct Input {
    const policy::Cluster& cluster;
    const RoutingOptions& options;
    diag::Diagnostics& diagnostics;
    const policy::OtherObject* configuration = nullptr; ///< BGPConfiguration `default`

    const policy::Settings& settings() const; ///< of `configuration`, or none
    /// "BGPConfiguration default", at that field.
    routing::Origin configured(std::string_view field) const;
};

constexpr std::int64_t kLongestRestart = 4095; ///< seconds; 12 bits of BGP's capability

routing::Origin origin_of(const policy::OtherObject& object, std::string_view field = "");
/// 0 is Go's empty value: not given.
std::optional<net::AsNumber> as_number(const policy::Settings& spec, std::string_view path);
/// The same, of a field in which Calico takes 0 for a number: BIRD refuses it.
std::optional<net::AsNumber> own_as_number(const Input& input, const policy::Settings& spec,
                                           std::string_view path);
/// Whole seconds, rounded to the nearest, as Calico gives them to BIRD.
std::optional<std::uint32_t> seconds(const policy::Settings& spec, std::string_view path);
/// The password that a secretKeyRef names; nullopt: none, or Calico does without it.
std::optional<routing::PasswordRef> password(const Input& input, const policy::OtherObject& object,
                                             const std::string& path);
bool contains_text(std::string_view text, char c);

/// nodes.cpp: the nodes, by name.
std::vector<routing::BgpNode> nodes(const Input& input);
/// communities.cpp: prefixAdvertisements of one object.
std::vector<routing::CommunityLine> communities(const policy::OtherObject& object);
/// filters.cpp: those with rules of the family, by name.
std::vector<routing::Filter> filters(const Input& input, net::Family family);
/// services.cpp: ranges and host routes, of the cluster and of its nodes.
void add_services(const Input& input, routing::ClusterRouting& into);
/// pools.cpp
void add_pools(const Input& input, routing::ClusterRouting& into);
/// peers.cpp: BGPPeers. After the nodes and settings.
void add_peers(const Input& input, routing::ClusterRouting& into);

} // namespace polecat::passes::routing_parts
