#include "backends/nftables/generation.h"

#include <vector>

#include "artefact/nft/ruleset.h"

namespace polecat::backends {

std::string free_generations(unsigned lowest) {
    std::vector<std::uint32_t> all;
    for (std::uint16_t number = 1; number <= Generation::kLast; ++number)
        all.push_back(Generation{number}.bits(lowest));
    return "# The numbers of generations that no connection of this node has (docs/nftables.md).\n"
           "# Load it once after a start, before the first ruleset. If the node has run rules of\n"
           "# polecat since its start, have it forget its connections first: conntrack -F\n" +
           nft::print_free_generations(nft::Ruleset{}.table, all);
}

} // namespace polecat::backends
