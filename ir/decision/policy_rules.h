/// Rules of every policy, lowered without looking at endpoints: for questions about endpoints that
/// don't exist.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "ir/decision/lowered.h"
#include "ir/policy/objects.h"

namespace polecat::decision {

struct PolicyRules {
    /// One of the normal hook. A staged one is asked about, and takes nothing from others.
    struct Policy {
        const policy::Policy* policy = nullptr;
        std::uint32_t tier = 0;
        selector::Selector subject;
        /// By direction, then family (IPv4 first): a program of one stage that is no program of any
        /// endpoint; the slot of an entry is its rule's index in the manifest.
        std::array<std::array<ProgramId, 2>, 2> programs;
    };
    std::vector<Policy> list; ///< in order of evaluation
    std::vector<bool> passes; ///< by tier: it ends in Pass
    LoweredCluster rules;     ///< programs and their predicates only
};

} // namespace polecat::decision
