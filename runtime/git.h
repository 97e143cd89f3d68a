/// Files of a git revision, read through the `git` program in the current folder's repository.
#pragma once

#include <string>
#include <vector>

#include "support/result.h"

namespace polecat::runtime {

struct GitFile {
    std::string path; ///< relative to the current folder
    std::string text;
};

/// What lies below some paths in a revision, in path order.
struct GitTree {
    std::vector<GitFile> files;
    /// Symbolic links and submodules: what they lead to is not in the listing.
    std::vector<std::string> links, submodules;
};

/// An error says what git said.
Result<GitTree> git_tree(const std::string& revision, const std::vector<std::string>& paths);
/// The commit that both descend from.
Result<std::string> git_merge_base(const std::string& a, const std::string& b);

} // namespace polecat::runtime
