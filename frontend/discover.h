/// Which files are read: those that are named, and those below folders.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "support/diag/diagnostic.h"

namespace polecat::frontend {

/// A text and where it is from: a file, or a file of a revision of a repository.
struct File {
    std::string path, text;
    /// By the user: such a file is to hold manifests. What a folder holds beside them is passed by.
    bool named = true;
    std::string revision = {}; ///< "main:", shown before the path
    /// Another tool made it, or made another text of it: only that one is read, and findings in it
    /// point to where the object stands in its sources.
    enum class Use { Read, Rendered, Source } use = Use::Read;
    bool dangles = false; ///< a link to what is not there, which a folder holds
};

/// "charts/web" of "charts/web/Chart.yaml", "." where there is none; the last part of a path.
std::string folder_of(const std::string& path);
std::string name_of(const std::string& path);

/// Ends in .yaml, .yml or .json, or is a file of kustomize, and is no file of expectations,
/// configuration or baseline.
bool is_manifest_name(const std::string& path);

/// A folder that git, npm or Go keeps for itself: manifests in it are of others.
bool is_of_tools(const std::string& folder);

/// Every file with the name of a manifest below the given files and folders ("-": standard input),
/// in path order, once, but those in folders that are `excluded`. What can't be read is reported.
std::vector<File> read_files(const std::vector<std::string>& paths, diag::Diagnostics& diagnostics,
                             const std::function<bool(const std::string&)>& excluded = {});

} // namespace polecat::frontend
