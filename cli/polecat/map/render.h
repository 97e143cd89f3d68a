/// Rows of `polecat map` as text, JSON (docs/json.md), CSV and Markdown.
#pragma once

#include <functional>
#include <string>

#include "driver/map/row_texts.h"

namespace polecat::cli {

/// Takes text piece by piece: that of a large cluster is larger than the map.
using TextSink = std::function<void(const std::string&)>;
/// format: text, json, csv, md. One call for each IP family.
void render_map(const driver::MapRows& rows, const analyzer::ConnectivityMap& map,
                const std::string& format, bool expanded, const TextSink& sink);

/// With more ends than this text calls them by number, after a list of them.
inline constexpr std::size_t kNamedEnds = 24;
/// "G1-G4", "G1 G2" or "G1" of the ends `first` to `last`.
void append_numbers(std::string& out, std::uint32_t first, std::uint32_t last);

} // namespace polecat::cli
