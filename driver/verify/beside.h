/// What tables of others on a node do to what polecat's rules have judged.
#pragma once

#include <string>
#include <vector>

#include "artefact/nft/listing.h"
#include "backends/node/node_image.h"

namespace polecat::driver {

struct Beside {
    std::vector<std::string> breaks; ///< with it the rules are not the policy
    std::vector<std::string> notes;  ///< what is let through may be lost later
};

Beside beside(const nft::OtherTables& others, const backends::NodeImage& image);

} // namespace polecat::driver
