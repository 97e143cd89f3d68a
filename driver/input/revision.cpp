#include "driver/input/revision.h"

#include <fmt/format.h>

#include "driver/input/render.h"
#include "frontend/load.h"
#include "runtime/git.h"
#include "runtime/temporary_folder.h"

namespace polecat::driver {

namespace {

/// All of the revision below this folder: kustomizations build from files beside the paths. What a
/// partial clone left out of it is missed by the tool that needs it.
Result<runtime::TemporaryFolder> copy_of(const std::string& revision) {
    auto folder = runtime::TemporaryFolder::make();
    if (!folder)
        return folder;
    const auto tree = runtime::git_tree(revision, {"."}, [](const std::string&) { return true; });
    if (!tree)
        return Error{tree.error()};
    for (const runtime::GitFile& each : tree->files)
        if (const auto done = folder->write(each.path, each.text); !done)
            return Error{done.error()};
    return folder;
}

} // namespace

Result<Input> read_revision(const std::string& revision, const std::vector<std::string>& paths,
                            const InputOptions& options, yaml::EarlierDocuments& earlier) {
    auto found = runtime::git_tree(revision, paths, frontend::is_manifest_name);
    if (!found)
        return Error{found.error()};
    if (!found->outside.empty())
        return Error{fmt::format("{} is a symbolic link in {}, which leads out of the repository; "
                                 "compare two folders instead",
                                 found->outside.front(), revision)};
    if (!found->absent.empty())
        return Error{fmt::format("the content of {} in {} is not here; fetch it: `git fetch "
                                 "--refetch --no-filter`",
                                 found->absent.front(), revision)};
    for (const std::string& each : found->dangling)
        fmt::print(stderr, "polecat: note: {} is a symbolic link that leads to nothing in {}\n",
                   each, revision);
    for (const std::string& each : found->submodules)
        fmt::print(stderr,
                   "polecat: note: {} is a submodule in {}: what it holds is not compared\n", each,
                   revision);
    std::vector<frontend::File> files;
    for (runtime::GitFile& each : found->files)
        files.push_back({each.path, std::move(each.text), false, revision + ":"});
    if (!wants_rendering(options))
        return read_version(std::move(files), options, earlier);
    const auto folder = copy_of(revision);
    if (!folder)
        return Error{folder.error()};
    InputOptions there = options;
    there.folder = folder->path();
    return read_version(std::move(files), there, earlier);
}

} // namespace polecat::driver
