/// The smallest change of a loaded ruleset where only members come and go: pods of known and of new
/// identities. Elements are added and deleted in place; no chain is touched.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "artefact/nft/ruleset.h"

namespace polecat::backends {

struct ElementUpdate {
    std::string text; ///< for `nft -f`; empty: nothing to do
    /// Those that get or lose an endpoint: connections to and from them were judged as somebody
    /// else's, so whoever loads the text deletes them from conntrack.
    std::vector<net::Address> flush;
};

/// nullopt: chains or maps differ, or something that stays changes its meaning (another identity of
/// an address, another program of an interface), which a new generation of the whole ruleset must
/// bring. Order, each a transaction's part after the other: addresses
/// that go lose their identity first; classes and rows of new identities come before anything
/// refers to them; interfaces next; addresses get their identity last.
std::optional<ElementUpdate> element_update(const nft::Ruleset& from, const nft::Ruleset& to);

} // namespace polecat::backends
