/// What brings a node's classifier and the rules around it to others: who goes is shut out, then
/// the tables, then who comes is let in, then, under the next number, what flows were judged as
/// before.
#pragma once

#include <string>
#include <vector>

#include "backends/bpf/bpf.h"

namespace polecat::bpf {

/// What a node holds.
struct Held {
    std::vector<std::uint32_t> tables; ///< those in use; none: the classifier is new
    iptables::Ruleset rules;           ///< of ours
    bool unfinished = false;           ///< who changed the tables last did not come to the end
};

struct Plan {
    struct Step {
        enum class Kind {
            Sets,    ///< `ipset restore`
            Words,   ///< of the tables in use; none: that what follows is under way
            Tables,  ///< all of them, into the half that is not in use, which then is
            Rules,   ///< `iptables-restore --noflush`, or of the other family
            Deletes, ///< the same of chains that go; without a number
        };
        Kind kind = Kind::Sets;
        std::string what; ///< for people
        std::string text;
        net::Family family = net::Family::V4; ///< of rules
        std::vector<WordChange> words;
        bool next_number = false; ///< of rules: these and those behind have another one
    };
    std::vector<Step> steps; ///< in this order; one that fails ends the plan
    /// Rules have a place for the next number (`@G@`).
    bool judges_anew = false;
    /// Addresses that come or go: then their connections are deleted from conntrack.
    std::vector<net::Address> forget;
};

/// `tables` is what emit() makes of the image of `to`. Ended between two steps, and begun anew at
/// what the node holds then, it comes to the same end. `alone`: as iptables::plan() has it.
Plan plan(const Held& from, const Image& tables, const Node& to, const std::string& pins = kPins,
          bool alone = true);

} // namespace polecat::bpf
