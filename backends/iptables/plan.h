/// What brings a node's chains and sets to others: members of sets that come or go, new chains and
/// the switch to them in one transaction for each family, then what nothing leads to any more.
#pragma once

#include <string>
#include <vector>

#include "backends/iptables/iptables.h"
#include "backends/node/work.h"

namespace polecat::iptables {

struct Plan {
    struct Step {
        std::string what;    ///< for people
        std::string command; ///< that takes the text: "ipset restore", "iptables-restore --noflush"
        std::string text;
        backends::Work work; ///< of sets maps_in and elements_in
        /// This step and those behind it have places for a generation (`@G@`) that none before had:
        /// flows are judged anew, under the next number.
        bool next_number = false;
    };
    std::vector<Step> steps;  ///< in this order; one that fails ends the plan
    bool judges_anew = false; ///< some step does
    /// Addresses that come or go: whoever applies the plan deletes their connections from
    /// conntrack.
    std::vector<net::Address> forget;
    Ruleset result; ///< what the node holds afterwards
};

/// `from`: what the node holds. Where that is not of emit()'s form, as after a plan that was broken
/// off, whatever differs is written and flows are judged anew, under a number that no part of it
/// has. An error when there is nothing of ours. `alone`: no rules of nftables stand beside these,
/// so that the bit of theirs is free for policy of host endpoints that changes.
Result<Plan> plan(const Ruleset& from, const FilterImage& to, bool alone = true);
/// Through what crossing() has, one after the other. Where there are some, flows are to be judged
/// anew after the last.
std::vector<Plan> plans_on_the_way(const Ruleset& from, const Ruleset& to);
/// Without the number of a generation, which a listing has.
Chain unnumbered(Chain chain);
/// Whether it says the number, so that it is written with every other one.
bool says_number(const Chain& chain);

/// The hooks of `to` that `from` does not have.
std::vector<HookRule> missing_hooks(const Table& from, const Table& to);
/// Text that takes away the hooks and chains that `from` has and `to` has not, in all tables;
/// empty: there are none.
std::string deletions(const Table& from, const Table& to);

/// What a text of ipset or iptables-restore does, counted line by line; chains that it declares are
/// chains_in, those that are there already as well.
backends::Work work_of(const std::string& text);

/// What `compile` writes, in the order in which it is loaded.
Plan plan_from_nothing(const FilterImage& to);

} // namespace polecat::iptables
