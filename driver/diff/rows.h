/// The rows that `polecat diff` shows: changes of both families with names in place of numbers.
#pragma once

#include <string>
#include <vector>

#include "analyzer/diff/diff.h"

namespace polecat::driver {

struct DiffRow {
    analyzer::ChangeKind kind = analyzer::ChangeKind::Opened;
    std::string family; ///< "IPv4", "IPv6"; empty: the same in both
    std::string from, to;
    std::vector<std::string> sources, destinations; ///< all of them
    std::string connections;
    std::string example; ///< "shop/web -> shop/db TCP 5432"
    std::vector<analyzer::Cause> causes;
};

std::vector<DiffRow> diff_rows(const analyzer::Diff& diff, const decision::LoweredCluster& head);

/// Some ends of a family in words, as rows name them.
std::string shown_ends(const analyzer::FamilyDiff& family, const std::vector<std::uint32_t>& ends,
                       const decision::LoweredCluster& head);

/// "opened", "perhaps opened", "closed", "perhaps closed".
std::string_view to_string(analyzer::ChangeKind kind);

} // namespace polecat::driver
