/// What brings a node from the rules that it holds to others without a packet lost or let through:
/// fill what nothing refers to yet, switch in one small transaction, delete what is left over.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "artefact/nft/transaction.h"
#include "backends/nftables/nftables.h"
#include "backends/node/work.h"

namespace polecat::backends {

struct Plan {
    struct Step {
        std::string what; ///< for people
        nft::Transaction does;
        Work work; ///< what that has the kernel do
        /// For `nft -f`.
        std::string text() const { return nft::print(does); }
    };
    std::vector<Step> steps;
    /// Some step says `$generation`: flows are judged anew, under the next number.
    bool judges_anew = false;
    /// Addresses that come or go: connections to and from them were judged as somebody else's, so
    /// whoever applies the plan deletes them from conntrack.
    std::vector<net::Address> forget;
    nft::Ruleset result; ///< what the node holds afterwards
    /// Programs that can't take the place of one of their name: how rules and logs call them, and
    /// the name that they were compiled under.
    std::map<std::string, std::string> renamed;
};

/// `from`: what the node holds, also when a plan was broken off there. An error when that is not
/// ours to change step by step; plan_from_nothing() then replaces it.
Result<Plan> plan(const nft::Ruleset& from, const NodeImage& to);
/// The same for who knows what read_back() makes of `from`, of which packets can come to every
/// part.
Result<Plan> plan(const nft::Ruleset& from, const NodeImage& before, const NodeImage& to);
Plan plan_from_nothing(const NodeImage& to);
/// A plan from nothing in two steps, for who has the number of the generation for both: all that no
/// hook leads to, then the hooks. In one transaction the kernel has rules judge some packets before
/// elements of sets of ranges can be found (nf_tables_commit: the sets are told last), which drops
/// them. Broken off in between, nothing is judged yet: without_hooks().
Plan hooks_last(Plan from_nothing);
bool without_hooks(const nft::Ruleset& rules);

} // namespace polecat::backends
