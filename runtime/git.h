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

/// Regular files below `paths` in a revision, in path order. An error says what git said; so does
/// a symbolic link among them, since what it leads to is not in the listing.
Result<std::vector<GitFile>> git_files(const std::string& revision,
                                       const std::vector<std::string>& paths);
/// The commit that both descend from.
Result<std::string> git_merge_base(const std::string& a, const std::string& b);

} // namespace polecat::runtime
