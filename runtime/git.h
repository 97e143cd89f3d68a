/// Files of a git revision, read through the `git` program in the current folder's repository.
#pragma once

#include <functional>
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
    std::vector<GitFile> files;        ///< links have the text of what they lead to
    std::vector<std::string> absent;   ///< files whose content a partial clone left out
    std::vector<std::string> dangling; ///< links that lead to nothing in the revision
    std::vector<std::string> outside;  ///< links that lead out of the repository
    std::vector<std::string> submodules;
};

/// An error says what git said. `wanted`: the paths whose content counts.
Result<GitTree> git_tree(const std::string& revision, const std::vector<std::string>& paths,
                         const std::function<bool(const std::string&)>& wanted);
/// The commit that both descend from.
Result<std::string> git_merge_base(const std::string& a, const std::string& b);

} // namespace polecat::runtime
