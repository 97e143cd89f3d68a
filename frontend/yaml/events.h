/// From libyaml's events to nodes. Private to frontend/yaml.
#pragma once

#include "frontend/yaml/node.h"

namespace polecat::yaml {

/// What was read of one file so far, against its limits.
struct Budget {
    const Limits& limits;
    std::size_t nodes = 0;
    std::size_t copied = 0; ///< by anchors, aliases and merges
    bool spent = false;     ///< a limit was reached: the rest of the file is not read
};

/// Reads the documents of `text`, whose first line is `first_line` of the file (1 for a whole
/// file). Returns true when the text was read to its end; false after an error that ends the
/// stream, which is reported.
bool read_stream(std::string_view text, FileId file, std::uint32_t first_line, Budget& budget,
                 diag::Diagnostics& diagnostics, std::vector<Document>& out);

} // namespace polecat::yaml
