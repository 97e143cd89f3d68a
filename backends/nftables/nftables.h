/// The nftables backend: a node's image to a ruleset and back (docs/nftables.md). The same policy
/// is the same ruleset: the number of a generation comes into it when it is loaded.
#pragma once

#include <optional>

#include "artefact/nft/ruleset.h"
#include "backends/nftables/generation.h"
#include "backends/node/node_image.h"
#include "support/result.h"

namespace polecat::backends {

nft::Ruleset emit(const NodeImage& image);

/// Recovers the image from a ruleset, ours or the kernel's listing. A ruleset that is not exactly
/// of emit()'s form is an error: nothing may stand in it that this reader does not understand.
Result<NodeImage> read_back(const nft::Ruleset& ruleset);

/// The number that a loaded ruleset was given; nullopt: that of a bundle, which has none yet.
std::optional<Generation> generation_of(const nft::Ruleset& ruleset);

} // namespace polecat::backends
