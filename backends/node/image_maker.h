/// A program's table as identities see it: the image that nodes hold.
#pragma once

#include <string>
#include <vector>

#include "backends/node/node_image.h"
#include "backends/node/numbers.h"
#include "ir/decision/table.h"

namespace polecat::backends {

/// Numbers of identities, and what they are for one side of a program.
struct NumberedEnds {
    std::vector<std::uint32_t> numbers; ///< sorted
    decision::EndKinds kinds;

    /// By kind.
    std::vector<std::uint16_t> classes(const decision::Side& side) const;
};

struct MadeImage {
    ProgramImage image;
    Numbers::Program record; ///< for the next compile
    std::string too_large;   ///< why it is more than a backend can hold; empty: it is not

    /// What the name of the program has of it.
    std::string usual_text() const;
};

/// `otherwise`: the slot of packets that nothing matched. `base`: what survives is numbered so.
MadeImage make_image(const decision::Table& table, decision::SlotId otherwise,
                     const Numbers::Program& base, const NumberedEnds& own,
                     const NumberedEnds& others);

} // namespace polecat::backends
