/// `polecat diff --rules`: what of nodes' rules a change touches before it is rolled out, why, and
/// in which transactions. What can't be told of a node is said, never left out.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backends/node/work.h"
#include "driver/rollout/parts.h"
#include "driver/rollout/reasons.h"
#include "driver/rollout/side.h"

namespace polecat::driver {

/// One transaction.
struct RolloutStep {
    std::string what; ///< for people
    backends::Work work;
    std::size_t bytes = 0; ///< of its text
    double seconds = 0;    ///< an estimate: costs.h
};

struct NodeRollout {
    enum class State : std::uint8_t {
        Same,    ///< nothing is loaded
        Changes, ///< by the steps
        Fresh,   ///< BASE has nothing for it: the whole ruleset is loaded
        Left,    ///< HEAD has nothing for it: whoever takes its rules away does that by hand
        NotTold, ///< see `why`
    };
    std::string node;
    State state = State::NotTold;
    std::string why;
    PartList parts;
    std::map<std::string, ProgramUse> uses; ///< of programs that come, go or change
    std::vector<RolloutStep> steps;
    bool judges_anew = false;         ///< flows that are established are judged again
    std::vector<net::Address> forget; ///< their connections are deleted from conntrack
    std::vector<std::size_t> reasons; ///< indices into Rollout::reasons, sorted
    bool unexplained = false;         ///< something changes and no reason is known for it

    std::size_t bytes() const;
    double seconds() const;
    bool is_touched() const { return state == State::Changes || state == State::Fresh; }
};

struct Rollout {
    std::string target;     ///< "nftables", "iptables", "bpf"
    std::string base, head; ///< in words: "base/ (manifests)"
    std::vector<std::string> notes;
    std::vector<Reason> reasons;
    std::vector<NodeRollout> nodes; ///< by name

    std::size_t count(NodeRollout::State state) const;
};

struct RolloutRequest {
    std::string node; ///< empty: all
    std::string target = "nftables";
};

/// Numbers HEAD as BASE does, which is what a rollout does.
Rollout roll_out(RulesSide& base, RulesSide& head, const RolloutRequest& request);

} // namespace polecat::driver
