#include "driver/compile/unfinished.h"

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "driver/compile/folder.h"
#include "support/read_file.h"

namespace polecat::driver {

namespace {

namespace fs = std::filesystem;

/// Before the reason; node names have no tab, and one that had is still marked as such.
constexpr char kBehindNode = '\t';

std::string unfinished_path(const std::string& folder) {
    return (fs::path(folder) / kUnfinishedFile).string();
}

} // namespace

Result<std::map<std::string, std::string>> unfinished_in(const std::string& folder) {
    std::map<std::string, std::string> out;
    const std::string path = unfinished_path(folder);
    if (!fs::exists(path))
        return out;
    const auto text = read_file(path);
    if (!text)
        return Error{path + ": " + text.error()};
    for (std::size_t at = 0; at < text->size();) {
        const std::size_t end = std::min(text->find('\n', at), text->size());
        const std::string line = text->substr(at, end - at);
        const std::size_t tab = line.find(kBehindNode);
        if (tab == std::string::npos)
            return Error{path + " is not as written"};
        out[line.substr(0, tab)] = line.substr(tab + 1);
        at = end + 1;
    }
    return out;
}

std::string unfinished(const std::string& folder, const std::string& node) {
    const auto all = unfinished_in(folder);
    if (!all)
        return all.error();
    const auto found = all->find(node);
    return found == all->end() ? "" : found->second;
}

Result<UnfinishedNodes> UnfinishedNodes::begin(std::string folder,
                                               const std::set<std::string>& nodes) {
    auto before = unfinished_in(folder);
    if (!before)
        return Error{before.error()};
    for (const std::string& node : nodes)
        (*before)[node] = "the last compile of it was broken off: compile it again";
    UnfinishedNodes out(std::move(folder), std::move(*before));
    const auto done = out.write();
    return done ? Result<UnfinishedNodes>(std::move(out)) : Error{done.error()};
}

void UnfinishedNodes::refused(const std::string& node, const std::string& why) {
    std::string line = fmt::format("the last compile refused it ({})", why);
    std::replace(line.begin(), line.end(), '\n', ' ');
    why_[node] = line + ": files that it has are of an earlier one";
}

Result<bool> UnfinishedNodes::write() const {
    if (why_.empty()) {
        std::error_code error;
        fs::remove(unfinished_path(folder_), error);
        return error ? Result<bool>(Error{error.message()}) : Result<bool>(true);
    }
    std::string text;
    for (const auto& [node, why] : why_)
        text += node + kBehindNode + why + "\n";
    return write_in_folder(folder_, kUnfinishedFile, text);
}

} // namespace polecat::driver
