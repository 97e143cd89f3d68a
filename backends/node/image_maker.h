/// From a program's table to its image, with the numbers of a base. For backends/node/programs.cpp.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "backends/node/ends.h"
#include "backends/node/programs.h"

namespace polecat::backends {

/// The two sides of a program.
struct ProgramEnds {
    const FamilyEnds& ends;
    std::vector<std::size_t> own_places;
    EndKinds own, others;

    /// Kinds that those of the own side are of.
    std::vector<decision::Identity> own_kinds() const {
        std::set<std::uint32_t> kinds;
        for (const std::size_t at : own_places)
            kinds.insert(own.of[at]);
        std::vector<decision::Identity> out;
        for (const std::uint32_t kind : kinds)
            out.push_back(own.list[kind]);
        return out;
    }
};

struct MadeImage {
    std::string too_large; ///< why it is more than a backend can hold; empty: it is not
    Numbers::Program record;
    std::string usual_text; ///< rows that are usual, as text
    ProgramImage image;
};

/// `table`: flattened for these sides. `otherwise`: the slot of packets that nothing matched.
MadeImage make_image(const decision::Table& table, decision::SlotId otherwise,
                     const Numbers::Program& base, const ProgramEnds& sides);

} // namespace polecat::backends
