/// Rules of Calico policies and profiles, source-shaped: what a manifest says, each field with its
/// span. Source: api/pkg/apis/projectcalico/v3/policy_common.go.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ir/net/address.h"
#include "ir/net/protocol.h"
#include "ir/selector/selector.h"
#include "support/box.h"
#include "support/source.h"

namespace polecat::policy {

enum class Action : std::uint8_t { Allow, Deny, Pass, Log };
enum class Direction : std::uint8_t { Ingress, Egress };
std::string_view to_string(Action action); ///< as in manifests

/// A selector as written, and its parsed form.
struct SelectorField {
    std::string text;
    selector::Selector parsed;
    Span span;
};

/// A number, a range, or the name of a port that endpoints declare.
struct Port {
    std::variant<net::PortRange, std::string> value;
    Span span;
};

struct ServiceAccountMatch {
    std::vector<At<std::string>> names;
    Box<SelectorField> selector;
    Span span;
};

/// `space` is empty when the manifest gives none.
struct ServiceMatch {
    std::string name;
    std::string space;
    Span span;
};

/// What a rule asks of one end of a flow. Absent fields ask nothing. Who reads all of it unpacks it
/// (`const auto& [...]`), so that it does not compile until it reads a new field as well; the same
/// of Rule.
struct EntityRule {
    std::vector<At<net::Cidr>> nets;
    std::vector<At<net::Cidr>> not_nets;
    Box<SelectorField> selector;
    Box<SelectorField> not_selector;
    Box<SelectorField> namespace_selector;
    Box<ServiceAccountMatch> service_accounts;
    Box<ServiceMatch> services;
    std::vector<Port> ports;
    std::vector<Port> not_ports;
    std::vector<At<std::string>> domains; ///< Calico Enterprise
    /// Kubernetes ClusterNetworkPolicy `nodes` peers: a selector over Node labels; the peer is the
    /// nodes' addresses.
    Box<SelectorField> nodes;
    Span span;
};

/// Type alone, or type and code.
struct IcmpMatch {
    std::optional<std::uint8_t> type;
    std::optional<std::uint8_t> code;
    Span span;
};

struct HttpPath {
    enum class Kind : std::uint8_t { Exact, Prefix };
    Kind kind = Kind::Exact;
    std::string text;
};

struct HttpMatch {
    std::vector<std::string> methods; ///< empty: any
    std::vector<HttpPath> paths;      ///< empty: any
    Span span;
};

struct Rule {
    Action action = Action::Allow;
    std::optional<At<int>> ip_version; ///< 4 or 6
    std::optional<At<net::Protocol>> protocol;
    std::optional<At<net::Protocol>> not_protocol;
    Box<IcmpMatch> icmp;
    Box<IcmpMatch> not_icmp;
    EntityRule source;
    EntityRule destination;
    Box<HttpMatch> http;
    std::string name;                 ///< of a ClusterNetworkPolicy rule
    std::uint32_t manifest_index = 0; ///< index in the manifest's list of that direction
    Span span;                        ///< the first key of the rule
    Span action_span;
    /// Known: here is something that could not be read. The rule then stands for any rule with its
    /// action, or for any at all.
    Span unread;
    bool any_action = false;
};

/// Nothing is asked of this end: whoever it is, it matches.
bool asks_nothing(const EntityRule& end);
/// Matches every packet, whatever its ends are. A selector asks something, also all(): addresses
/// that Calico knows nothing of don't match it.
bool asks_nothing(const Rule& rule);

} // namespace polecat::policy
