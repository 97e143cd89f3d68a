/// Rows of `polecat map` as text, JSON (docs/json.md), CSV and Markdown.
#pragma once

#include <string>

#include "cli/polecat/map_rows.h"

namespace polecat::cli {

/// format: text, json, csv, md. One call for each IP family.
std::string render_map(const MapRows& rows, const analyzer::ConnectivityMap& map,
                       const std::string& format, bool expanded);

} // namespace polecat::cli
