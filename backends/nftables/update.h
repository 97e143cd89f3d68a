/// The smallest change of a loaded ruleset where only members come and go: pods of known and of new
/// identities. Elements are added and deleted in place; no chain is touched.
#pragma once

#include <optional>
#include <string>

#include "artefact/nft/ruleset.h"

namespace polecat::backends {

/// Text for `nft -f`; empty: nothing to do. nullopt: chains or maps differ, which a new generation
/// of the whole ruleset must bring. Order, each a transaction's part after the other: addresses
/// that go lose their identity first; classes and rows of new identities come before anything
/// refers to them; interfaces next; addresses get their identity last.
std::optional<std::string> element_update(const nft::Ruleset& from, const nft::Ruleset& to);

} // namespace polecat::backends
