/// What `nft -nn list ruleset` shows of a node: our table beside those of others, which may drop
/// what ours accept, write marks of flows, or take flows past every rule. Source: nft(8).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "support/result.h"

namespace polecat::nft {

/// Where tables of others meet packets that ours judge. A chain is "ip filter FORWARD".
struct OtherTables {
    /// A chain at a hook whose policy is to drop: what its rules do not accept is lost.
    struct Drops {
        std::string chain, hook;
        auto operator<=>(const Drops&) const = default;
    };
    /// Bits of the conntrack mark that a chain may change.
    struct Marks {
        std::string chain;
        std::uint32_t bits = 0;
        auto operator<=>(const Marks&) const = default;
    };
    std::vector<Drops> drops;
    std::vector<Marks> marks;
    /// Chains that give flows to a flowtable, or packets to another interface, past every hook.
    std::vector<std::string> offloads;
    /// Statements that this version does not know, and that may be any of these.
    std::vector<std::string> unknown;
};

struct Listing {
    std::string ours; ///< the table of that name, for parse()
    OtherTables others;
};

/// `table`: the name of ours. A text with one table only is taken for ours, whatever its name.
Result<Listing> read_listing(std::string_view text, const std::string& table);

} // namespace polecat::nft
