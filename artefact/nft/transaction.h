/// What changes a table at once, all of it or nothing: what plans are made of. Its text is for
/// `nft -f`, its messages are netlink's (runtime/netlink); both have the kernel do the same.
#pragma once

#include <string>
#include <vector>

#include "artefact/nft/ruleset.h"

namespace polecat::nft {

/// In the order in which it is done.
struct Transaction {
    /// `$generation` is taken out of the free ones: by who loads the text, not by who keeps count.
    bool takes_generation = false;
    bool replaces = false; ///< the table goes first, with whatever is in it
    Ruleset made;          ///< maps and chains that are not there yet; names the table
    /// Elements of maps that are there, which are all that these name of their map.
    std::vector<Map> elements_out, elements_in;
    std::vector<Chain> rewritten;  ///< emptied, and filled with these rules
    std::vector<Map> maps_out;     ///< by name and kind
    std::vector<Chain> chains_out; ///< by name

    bool empty() const;
};

/// Text for `nft -f`; empty where there is nothing to do.
std::string print(const Transaction& transaction);

/// What brings a ruleset into the kernel in place of whatever its table held.
Transaction replacing(Ruleset ruleset);

} // namespace polecat::nft
