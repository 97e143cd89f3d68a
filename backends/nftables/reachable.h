/// What packets can come to in a ruleset. The rest is what a plan filled or had not deleted yet
/// when it was broken off.
#pragma once

#include "artefact/nft/transaction.h"

namespace polecat::backends {

nft::Ruleset without_unreachable(const nft::Ruleset& ruleset);
/// What deletes the rest; empty when there is none.
nft::Transaction delete_unreachable(const nft::Ruleset& ruleset);

} // namespace polecat::backends
