/// path: which programs a flow crosses, in order, and judge_flow: the verdict of all of them.
/// Source: felix/rules/{static,dispatch,endpoints}.go, felix/dataplane/linux/endpoint_mgr.go;
/// calico-policy.md 1.8 has the table that the tests follow row by row.
///
/// Where the manifests do not tell on which node something is, or which source address a packet has
/// when it leaves a node (ir/path/leaving.h), every way is followed; a verdict that hangs on it is
/// `depends`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ir/decision/eval.h"
#include "ir/decision/lowered.h"
#include "ir/path/reason.h"

namespace polecat::ir {

/// An end as people name it: an endpoint of the world (with or without address), a node's own
/// network, a service (destination only), or an address.
struct PathEnd {
    std::optional<decision::ObjectId> endpoint;
    std::string node;
    std::string service; ///< "namespace/name"
    std::optional<net::Address> address;
};

enum class Route : std::uint8_t {
    /// The source's egress and the destination's ingress, each at the normal hook; services are
    /// resolved. What expectations without `at` mean.
    Ends,
    /// Everything on the way: host endpoints, failsafes, workload to host, forwarding.
    Wire,
};

struct PathQuery {
    PathEnd source, destination;
    /// Protocol, ports, ICMP and HTTP. Its ends are filled by path; its family too, unless given.
    decision::Flow packet;
    std::optional<net::Family> family;
    Route route = Route::Ends;
};

/// What a flow's headers look like from a hop on, where that changes.
struct Rewrite {
    std::optional<decision::End> source, destination;
    std::optional<std::uint16_t> destination_port;
};

/// What may come before, or in place of, the program of a hop.
enum class HopTrait : std::uint8_t {
    Failsafes = 1,           ///< failsafe ports come before this host endpoint's policy
    SkippedOnceAccepted = 2, ///< where an earlier hook on this node accepted the packet
    RouterIcmp = 4,          ///< ICMPv6 that routers need goes through (workload to its own host)
    /// A pod's packets that are VXLAN or IPIP themselves are dropped, unless Felix is told not to.
    DropsEncapsulation = 8,
};
class HopTraits {
  public:
    constexpr HopTraits() = default;
    constexpr HopTraits(HopTrait one) : bits_(static_cast<std::uint8_t>(one)) {} // NOLINT: implicit
    constexpr HopTraits operator|(HopTraits other) const {
        HopTraits out;
        out.bits_ = static_cast<std::uint8_t>(bits_ | other.bits_);
        return out;
    }
    constexpr bool has(HopTrait one) const { return (bits_ & static_cast<std::uint8_t>(one)) != 0; }

  private:
    std::uint8_t bits_ = 0;
};
constexpr HopTraits operator|(HopTrait a, HopTrait b) {
    return HopTraits(a) | b;
}

/// A question that a way asks.
struct Hop {
    decision::ObjectId endpoint;
    decision::Direction direction = decision::Direction::Ingress;
    decision::Hook hook = decision::Hook::Normal;
    std::optional<Rewrite> rewrite; ///< before this hop
    /// The first on its node: what hooks of another node accepted is forgotten.
    bool enters_node = false;
    HopTraits traits;
    /// Asked of the answers, which come back through this interface: untracked policy that takes
    /// them cuts them off from their connection.
    bool of_answers = false;
    std::optional<decision::ObjectId> answered_pod; ///< whom they are for
    bool translates = false;                        ///< this node has to undo a translation
};

/// One way that a flow may take.
struct Path {
    decision::Flow flow; ///< as it starts
    std::vector<Hop> hops;
    /// What happens after the last hop.
    decision::Verdict end = decision::Verdict::Allow;
    std::optional<Reason> end_reason;
    std::string assumption; ///< what was assumed where there are other ways: "through eth0"
};

/// All ways; never empty.
std::vector<Path> paths(const decision::LoweredCluster& cluster, const PathQuery& query);

/// An end as a program sees it: what holds its address, or the endpoint alone.
decision::End packet_end(const decision::LoweredCluster& cluster, const PathEnd& end);

struct HopVerdict {
    Hop hop;
    decision::Flow flow; ///< as the hop saw it
    const decision::GroupProgram* program = nullptr;
    decision::Decision decision;
    /// Why the program was not asked: let through, or dropped.
    enum class Skipped : std::uint8_t {
        No,
        Failsafe,
        Accepted,
        RouterIcmp,
        Encapsulation, ///< dropped
        NotTranslated, ///< dropped: an untracked packet keeps the service's address
        NoConnection,  ///< dropped: the answer to an untracked packet, or one that became untracked
    };
    Skipped skipped = Skipped::No;
    decision::Verdict verdict = decision::Verdict::Allow;
};

struct WayVerdict {
    decision::Verdict verdict = decision::Verdict::Deny;
    std::string reason;     ///< Depends, and what no policy decided
    std::string assumption; ///< Path::assumption
    std::vector<HopVerdict> hops;
};

struct FlowVerdict {
    decision::Verdict verdict = decision::Verdict::Deny;
    std::string reason; ///< Depends, and what no policy decided
    /// Every way, once for all on which the same rules decide alike. Never empty.
    std::vector<WayVerdict> ways;
};

/// Every way must lead to the same verdict; otherwise Depends.
FlowVerdict judge_flow(const decision::LoweredCluster& cluster, const PathQuery& query);

} // namespace polecat::ir
