/// What a bundle says, typed: all that a node needs for any endpoint that it may run, and no
/// tables, which nodes make themselves. Identities have numbers; so have predicates. Programs and
/// what their slots mean are named by digests of what they say.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "artefact/bundle/number_set.h"
#include "ir/decision/lowered.h"

namespace polecat::bundle {

/// The first bytes of the SHA-256 of a record's content.
using ContentId = std::array<std::uint8_t, 16>;

/// Which identities a predicate holds of. Of sets with ports: at which ports.
struct PredicateRecord {
    decision::Predicate predicate;
    NumberSet yes, unknown;
    struct Port {
        net::Protocol protocol = 0;
        std::uint16_t port = 0;
        auto operator<=>(const Port&) const = default;
    };
    std::map<Port, NumberSet> members; ///< none of these sets is empty
};
using PredicateRecords = std::map<std::uint32_t, PredicateRecord>; ///< by number

/// `program`: its predicates by their numbers in the bundle, lists of them in the order of their
/// texts.
struct ProgramRecord {
    decision::Program program;
    NumberSet own;        ///< identities of endpoints that run it
    bool any_own = false; ///< or packets of any other address
};

/// What the slots of a program are in a group; spans are those of Origins.
struct SlotsRecord {
    std::vector<decision::Slot> slots;
    std::vector<decision::PolicyBlock> policies;
};

struct GroupPart {
    ContentId program{}, slots{};
    auto operator<=>(const GroupPart&) const = default;
};
struct GroupRecord {
    std::map<decision::Group::Key, GroupPart> programs;
    auto operator<=>(const GroupRecord&) const = default;
};

struct EndpointRecord {
    std::string name;
    decision::Object::Kind kind = decision::Object::Kind::Workload;
    std::string interface_name;
    std::vector<net::Address> addresses;
    std::vector<net::Cidr> other_sources;
    bool host_network = false;
    bool unread = false;
    std::uint32_t group = 0; ///< of the node's
    auto operator<=>(const EndpointRecord&) const = default;
};

/// What runs on a node. "": host endpoints of which it is not known where they are.
struct NodeRecord {
    std::vector<GroupRecord> groups;
    std::vector<EndpointRecord> endpoints; ///< sorted
};

/// Workloads of one look: what a node goes by for one that came after the bundle.
struct TemplateRecord {
    std::string space;       ///< namespace
    selector::Labels labels; ///< effective
    std::vector<policy::EndpointPort> ports;
    GroupRecord group;
};

/// Of the cluster as a whole.
struct SettingsRecord {
    policy::FelixSettings felix;
    std::map<std::string, policy::FelixSettings> felix_of_nodes;
    std::vector<decision::NodeInfo> nodes; ///< sorted
    std::vector<decision::PodPool> pools;  ///< sorted
};

/// Numbers of identities of all addresses that no endpoint has, by the first of a range, and
/// namespaces' blocks of numbers.
struct RangesRecord {
    std::map<net::Address, std::uint32_t> ranges;
    std::map<std::string, std::uint32_t> blocks;
};

using AddressNumbers = std::map<net::Address, std::uint32_t>;

/// Where things stand in the manifests. Spans' files are indices of `files`. Apart from all else,
/// so that a line that moved changes nothing that a node enforces.
struct Origins {
    std::vector<std::string> files; ///< sorted
    /// Slots, then policies, of a SlotsRecord.
    std::map<ContentId, std::vector<Span>> slots;
    std::map<std::string, std::vector<Span>> endpoints; ///< of a node, as NodeRecord has them
};

struct Contents {
    SettingsRecord settings;
    RangesRecord ranges;
    AddressNumbers addresses; ///< of endpoints and members of services
    PredicateRecords predicates;
    std::map<ContentId, ProgramRecord> programs;
    std::map<ContentId, SlotsRecord> slots;
    std::map<std::string, NodeRecord> nodes;
    std::vector<TemplateRecord> templates; ///< sorted by what they look like
    Origins origins;
};

} // namespace polecat::bundle
