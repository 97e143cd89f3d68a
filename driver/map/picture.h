/// The graph that `polecat map --format svg|dot` and `polecat report` draw.
#pragma once

#include <string>

#include "analyzer/flows/map.h"
#include "backends/graph/graph.h"

namespace polecat::driver {

/// What one box of a picture stands for. Endpoints that no policy tells apart are one box of their
/// namespace at the finest.
struct Grouping {
    enum class By { Auto, Workload, Namespace, Label };
    By by = By::Auto;
    std::string key; ///< of the label
};

/// More boxes than this: by namespace, where nothing else was asked for.
inline constexpr std::size_t kMostWorkloads = 200;
/// More outside ranges than this are one box where endpoints are grouped.
inline constexpr std::size_t kMostOutside = 6;

/// "auto", "workload", "namespace", "label:KEY".
Result<Grouping> grouping_named(const std::string& text);

/// Every pair of boxes with something allowed or in doubt is an edge; what was put together is said
/// in the notes. Condensed where arrows would be many.
backends::Graph picture_of(const decision::LoweredCluster& cluster,
                           const analyzer::ConnectivityMap& map, net::Family family,
                           const Grouping& grouping);

} // namespace polecat::driver
