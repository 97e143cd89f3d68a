/// What packets meet before and after the programs of workloads and of host endpoints, whoever
/// judges: rules of policies (backends/iptables) or the BPF classifier (backends/bpf). Chains of
/// programs are not in it: `polecat-from`, `-to`, `-from-r` and `-to-r`, in which RETURN allows and
/// `-g polecat-deny` does not, and those of host_programs().
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "artefact/iptables/ruleset.h"
#include "backends/node/node_image.h"

namespace polecat::iptables {

struct Frame {
    policy::HostAction to_host = policy::HostAction::Drop;
    std::vector<std::string> interface_prefixes{"cali"};
    std::optional<std::uint16_t> dropped_vxlan_port = 4789;
    bool drops_ipip = true;
    std::vector<backends::AttachPoint> attached; ///< sorted
    /// Sorted; with a block of addresses each, if only that of a family.
    std::vector<backends::NodeImage::FailsafePort> failsafe_in, failsafe_out;
    backends::Tunnels tunnels;
    auto operator<=>(const Frame&) const = default;
};
/// As rules say it: failsafe ports and tunnels only where somebody asks them.
Frame frame_of(const backends::NodeImage& image);
/// The same for settings whose `attached` was changed.
Frame as_written(Frame settings);

// --- host endpoints ------------------------------------------------------------------------------

/// Where programs of a hook are asked: a chain that looks at interfaces.
struct HostStage {
    const char* chain;
    In table;
    decision::Hook hook;
    decision::Direction direction;

    bool incoming() const { return direction == decision::Direction::Ingress; }
    bool is_of(const backends::AttachPoint& point) const {
        return point.hook == hook && point.direction == direction;
    }
};
inline constexpr HostStage kHostIn{"polecat-host-in", In::Filter, decision::Hook::Normal,
                                   decision::Direction::Ingress},
    kHostOut{"polecat-host-out", In::Mangle, decision::Hook::Normal, decision::Direction::Egress},
    kThroughIn{"polecat-through-in", In::Filter, decision::Hook::Forward,
               decision::Direction::Ingress},
    kThroughOut{"polecat-through-out", In::Filter, decision::Hook::Forward,
                decision::Direction::Egress},
    kEarlyIn{"polecat-early-in", In::Mangle, decision::Hook::PreDnat, decision::Direction::Ingress},
    kRawIn{"polecat-raw-in", In::Raw, decision::Hook::Untracked, decision::Direction::Ingress},
    kRawOut{"polecat-raw-out", In::Raw, decision::Hook::Untracked, decision::Direction::Egress};
inline constexpr HostStage kHostStages[] = {kHostIn,  kHostOut, kThroughIn, kThroughOut,
                                            kEarlyIn, kRawIn,   kRawOut};

/// A place where a program of a host endpoint is asked: a chain that is gone to, of that table.
/// There RETURN says that the packet goes on: at hooks Normal and Forward because it is allowed, at
/// the others because nothing matched. `-g polecat-deny` denies. Allowed by preDNAT or untracked
/// policy is `-g polecat-taken`, which is of every table, or where `through` `-g polecat-onward`.
struct HostProgram {
    backends::AttachPoint point;
    In table = In::Filter;
    /// Untracked policy, asked once more of packets that are forwarded.
    bool through = false;
    auto operator<=>(const HostProgram&) const = default;
};
/// All of a family.
std::vector<HostProgram> host_programs(const Frame& settings, net::Family family);
/// Whether an Allow of such a program is told from nothing that matched.
inline bool tells(decision::Hook hook) {
    return hook == decision::Hook::PreDnat || hook == decision::Hook::Untracked;
}
/// The chain that a program goes to where it allows; empty: it returns.
std::string allowing_chain(const HostProgram& program);
/// The chain of a program where it begins.
std::string first_chain(const HostProgram& program);
/// The same, however programs are named.
using HostChainOf = std::function<std::string(const HostProgram&)>;

// --- chains, sets and hooks ----------------------------------------------------------------------

std::vector<Chain> frame(const Frame& settings, net::Family family,
                         const HostChainOf& host_chain_of);
/// Sets that its rules ask beside those of workloads.
std::vector<Set> frame_sets(const Frame& settings, net::Family family);
/// What these chains were made from; throws std::runtime_error where they are not of this form.
/// Names of programs are what stands between "polecat-" and "-0".
Frame read_frame(const Ruleset& rules);

/// The rules that send packets to these chains.
std::vector<HookRule> hooks_of(const Table& table);

inline Rule plain(std::vector<Match> matches, Target::Kind kind, std::string name = {}) {
    return {std::move(matches), {}, {kind, std::move(name), {}, {}}};
}
inline Rule jump(std::vector<Match> matches, std::string chain) {
    return plain(std::move(matches), Target::Kind::Jump, std::move(chain));
}
inline Rule go_to(std::vector<Match> matches, std::string chain) {
    return plain(std::move(matches), Target::Kind::Goto, std::move(chain));
}
inline Rule drop(std::vector<Match> matches, std::string why) {
    return {std::move(matches), std::move(why), {Target::Kind::Drop, {}, {}, {}}};
}
inline Rule remember(bool denied) {
    return {{}, {}, {Target::Kind::SetFlowMark, {}, {denied, {}}, {}}};
}

inline constexpr const char* kPodsText = "pods of this node";
/// Addresses with interfaces; empty.
Set set_of_endpoints(std::string name, std::string what, net::Family family);

} // namespace polecat::iptables
