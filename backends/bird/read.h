/// The parts of read_back(), as those of emit(). Each throws Failure. Private to backends/bird.
#pragma once

#include <vector>

#include "backends/bird/tokens.h"
#include "ir/routing/node.h"

namespace polecat::bird {

/// A block in braces, whatever it holds.
void skip_block(Cursor& in);
/// `debug all;`, or `states` after `debug`, or nothing.
routing::Logging read_debug(Cursor& in, std::string_view states);
/// read_filters.cpp: every function 'import_...' and 'export_...'.
void read_filters(Cursor& in, routing::FamilyRouting& into);
std::vector<routing::Community> read_communities(Cursor& in); ///< X.add((...)); up to `}`
/// read_rules.cpp
void read_rules(Cursor& in, routing::FamilyRouting& into);
/// Prefixes announced as blackholes: of blocks.
using Blackholes = std::vector<net::Cidr>;
void add_originated(const Blackholes& blackholes, routing::FamilyRouting& into);
/// read_sessions.cpp
void read_sessions(Cursor& in, routing::NodeRouting& node, routing::FamilyRouting& into);

} // namespace polecat::bird
