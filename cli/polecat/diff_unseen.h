/// Changes of policies that no flow of `polecat diff` shows.
#pragma once

#include <string>
#include <vector>

#include "cli/polecat/diff_print.h"

namespace polecat::cli {

/// Policies that were added, changed or are gone, that no row of the report names, and whose own
/// endpoints or peers are not all in the input: what they do to the others is not compared.
std::vector<std::string> unseen_changes(const DiffReport& report, const policy::Cluster& base,
                                        const policy::Cluster& head);

} // namespace polecat::cli
