/// What packets meet before and after the programs of workloads, whoever judges: rules of policies
/// (backends/iptables) or the BPF classifier (backends/bpf). The chains `polecat-from`, `-to`,
/// `-from-r` and `-to-r` are not in it: in those RETURN allows, `-g polecat-deny` does not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "artefact/iptables/ruleset.h"
#include "ir/policy/objects.h"

namespace polecat::iptables {

struct Frame {
    policy::HostAction to_host = policy::HostAction::Drop;
    std::vector<std::string> interface_prefixes;
    std::optional<std::uint16_t> dropped_vxlan_port;
    bool drops_ipip = true;
};
std::vector<Chain> frame(const Frame& settings, net::Family family);

inline Rule plain(std::vector<Match> matches, Target::Kind kind, std::string name = {}) {
    return {std::move(matches), {}, {kind, std::move(name), {}}};
}
inline Rule jump(std::vector<Match> matches, std::string chain) {
    return plain(std::move(matches), Target::Kind::Jump, std::move(chain));
}
inline Rule go_to(std::vector<Match> matches, std::string chain) {
    return plain(std::move(matches), Target::Kind::Goto, std::move(chain));
}
inline Rule drop(std::vector<Match> matches, std::string why) {
    return {std::move(matches), std::move(why), {Target::Kind::Drop, {}, {}}};
}

inline constexpr const char* kPodsText = "pods of this node";
/// Addresses with interfaces; empty.
Set set_of_endpoints(std::string name, std::string what, net::Family family);

} // namespace polecat::iptables
