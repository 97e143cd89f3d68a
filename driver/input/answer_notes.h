/// What a reader of answers about a whole cluster has to know beside them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "ir/decision/lowered.h"

namespace polecat::driver {

/// Said where policies are there, but nothing that they could govern.
inline constexpr std::string_view kNobody =
    "no endpoint in the input: there is nobody to ask about";

/// Policy of host endpoints at other hooks than the normal one stands on the way of flows, and
/// answers about all of them do not follow it; empty: there is none.
std::string hooks_note(const decision::LoweredCluster& cluster);

/// The same and kNobody, for output that has no room for them: to standard error.
void tell_notes(const decision::LoweredCluster& cluster);

} // namespace polecat::driver
