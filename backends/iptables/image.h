/// What a node's iptables and ipset enforce: programs as lists of rules in the order of the
/// policies, the sets that rules ask, and the pods that are governed. Equal images, equal rules.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "artefact/iptables/ruleset.h"
#include "backends/iptables/frame.h"
#include "ir/decision/program.h"

namespace polecat::iptables {

/// One rule; a rule of a policy that asks for one of several things is several.
struct FilterRule {
    std::vector<iptables::Match> matches; ///< as packets in a flow's own direction are asked
    decision::Action action = decision::Action::Allow;
    std::uint32_t slot = 0;
    std::string what; ///< "ingress[0] of NetworkPolicy shop/web"
    auto operator<=>(const FilterRule&) const = default;
};

/// A tier or a profile, or what is left at the end: there Allow at other hooks than Normal says
/// that nothing matched.
struct FilterStage {
    enum class End : std::uint8_t { Deny, Allow, Next };
    std::vector<FilterRule> rules;
    End end = End::Deny;
    std::uint32_t slot = 0;
    std::string what;
    auto operator<=>(const FilterStage&) const = default;
};

struct FilterProgram {
    decision::Hook hook = decision::Hook::Normal;
    net::Family family = net::Family::V4;
    std::vector<FilterStage> stages; ///< at least one; the last does not end with Next
    auto operator<=>(const FilterProgram&) const = default;
};

/// One address of a local endpoint, with the names of its programs.
struct FilteredPod {
    std::string interface;
    net::Cidr nets;
    std::string egress, ingress;
    auto operator<=>(const FilteredPod&) const = default;
};

struct FilterImage {
    std::map<std::string, iptables::Set> sets;     ///< of predicates that rules ask
    std::map<std::string, FilterProgram> programs; ///< by a digest of what they say
    std::vector<FilteredPod> pods;                 ///< sorted
    Frame frame;                                   ///< as_written()
    auto operator<=>(const FilterImage&) const = default;
};

} // namespace polecat::iptables
