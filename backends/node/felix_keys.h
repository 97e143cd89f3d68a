/// What the rules of nodes make of the keys of FelixConfiguration.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "ir/policy/cluster.h"
#include "support/diag/diagnostic.h"

namespace polecat::backends {

enum class FelixUse : std::uint8_t {
    Followed,
    NotFollowed, ///< it changes what Felix lets through or how it answers; told where it is given
    WithoutEffect,
};
/// nullopt: a key that is not known here.
std::optional<FelixUse> use_of_felix_key(std::string_view key);

/// Reports what is not followed.
void report_felix_keys(const policy::Cluster& cluster, diag::Diagnostics& diagnostics);

} // namespace polecat::backends
