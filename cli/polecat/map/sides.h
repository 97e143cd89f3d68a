/// `polecat map --rows sides`: what each end lets through by itself, as text or JSON
/// (docs/json.md). Its size follows the policies, where rows of pairs follow the square of the
/// groups.
#pragma once

#include <string>
#include <vector>

#include "analyzer/flows/sides.h"

namespace polecat::cli {

/// format: text or json. One call for each IP family. `unread`: what was not read, for JSON.
std::string render_sides(const decision::LoweredCluster& cluster, const analyzer::Sides& sides,
                         net::Family family, const std::string& format,
                         const std::vector<std::string>& unread);

} // namespace polecat::cli
