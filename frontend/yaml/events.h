/// From libyaml's events to nodes. Private to frontend/yaml.
#pragma once

#include "frontend/yaml/node.h"

namespace polecat::yaml {

/// Reads the documents of `text`, whose first line is `first_line` of the file (1 for a whole
/// file). Returns true when the text was read to its end; false after an error that ends the
/// stream, which is reported.
bool read_stream(std::string_view text, FileId file, std::uint32_t first_line, const Limits& limits,
                 diag::Diagnostics& diagnostics, std::vector<Document>& out);

} // namespace polecat::yaml
