/// BGPFilters as the routing form has them: ordered rules of one family, first match decides.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ir/routing/values.h"

namespace polecat::routing {

enum class Verdict : std::uint8_t { Accept, Reject };
enum class NetOperator : std::uint8_t { In, NotIn, Equal, NotEqual };
enum class PeerType : std::uint8_t { Internal, External }; ///< iBGP, eBGP

/// `cidr` with `matchOperator`, and `prefixLength` as bounds: In and NotIn ask for prefixes of
/// these lengths inside the CIDR. Equal with bounds never holds and NotEqual always: BIRD compares
/// a prefix with a set of prefixes.
struct NetMatch {
    struct Lengths {
        std::uint8_t shortest, longest; ///< both included
        bool operator==(const Lengths&) const = default;
    };
    NetOperator op = NetOperator::In;
    net::Cidr cidr;
    std::optional<Lengths> lengths;
    bool operator==(const NetMatch&) const = default;
};

/// All that is said must hold; nothing said: every route.
struct FilterMatch {
    std::optional<PeerType> peer_type;
    std::optional<NetMatch> net;
    bool from_bgp = false;                ///< source: RemotePeers
    std::optional<std::string> interface; ///< pattern
    std::optional<Community> community;
    std::vector<net::AsNumber> as_path_prefix;
    std::optional<std::uint32_t> priority;
    bool operator==(const FilterMatch&) const = default;
};

struct AddCommunity {
    Community community;
    bool operator==(const AddCommunity&) const = default;
};
struct PrependPath {
    std::vector<net::AsNumber> numbers; ///< as the path reads afterwards
    bool operator==(const PrependPath&) const = default;
};
struct SetPriority {
    std::uint32_t priority = 0;
    bool operator==(const SetPriority&) const = default;
};
using Operation = std::variant<AddCommunity, PrependPath, SetPriority>;

struct FilterRule {
    FilterMatch match;
    std::vector<Operation> operations; ///< done in order before the route is accepted
    Verdict action = Verdict::Accept;
    Origin origin; ///< the rule
    bool operator==(const FilterRule&) const = default;
};

/// One BGPFilter's rules of one family.
struct Filter {
    std::string name;
    std::vector<FilterRule> import_rules, export_rules;
    Origin origin;
    bool operator==(const Filter&) const = default;
};

} // namespace polecat::routing
