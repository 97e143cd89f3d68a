/// `polecat diff` in words: text, JSON, Markdown.
#pragma once

#include <string>

#include "cli/common/diff_rows.h"
#include "cli/common/input.h"

namespace polecat::cli {

/// Policies by name: "NetworkPolicy shop/db".
struct PolicyChanges {
    std::vector<std::string> added, gone, changed;
};

struct DiffReport {
    const Input& base;
    const Input& head;
    const analyzer::Diff& diff;
    std::vector<DiffRow> rows;
    PolicyChanges policies;
};

PolicyChanges policy_changes(const policy::Cluster& base, const policy::Cluster& head);

std::string diff_text(const DiffReport& report);
std::string diff_json(const DiffReport& report);
std::string diff_markdown(const DiffReport& report);

} // namespace polecat::cli
