/// What packets can come to in a ruleset. The rest is what a plan filled or had not deleted yet
/// when it was broken off.
#pragma once

#include <string>

#include "artefact/nft/ruleset.h"

namespace polecat::backends {

nft::Ruleset without_unreachable(const nft::Ruleset& ruleset);
/// The transaction that deletes the rest; empty when there is none.
std::string delete_unreachable(const nft::Ruleset& ruleset);

} // namespace polecat::backends
