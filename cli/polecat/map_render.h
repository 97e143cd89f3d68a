/// Rows of `polecat map` as text, JSON (docs/json.md), CSV, Markdown, DOT and SVG.
#pragma once

#include <string>

#include "cli/polecat/map_rows.h"
#include "support/result.h"

namespace polecat::cli {

/// format: text, json, csv, md, dot, svg. One call for each IP family.
Result<std::string> render_map(const MapRows& rows, const analyzer::ConnectivityMap& map,
                               const std::string& format, bool expanded);

} // namespace polecat::cli
