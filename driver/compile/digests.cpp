#include "driver/compile/digests.h"

#include <filesystem>

#include <fmt/format.h>

#include "artefact/bundle/manifest.h"
#include "driver/compile/bird.h"
#include "driver/compile/folder.h"
#include "driver/compile/unfinished.h"
#include "support/read_file.h"
#include "support/sha2.h"

namespace polecat::driver {

namespace {

namespace fs = std::filesystem;
using FileTexts = std::map<std::string, std::string>;

constexpr const char* kCompileAgain = ": compile again";

std::string digest_line(const std::string& name, const std::string& text) {
    return fmt::format("{}  {}\n", bundle::hex(sha256(text)), name);
}

std::string node_line(const std::string& node) {
    return "# node " + node + "\n";
}

/// Another node of the folder that has this file; empty: none.
std::string owner_of(const std::string& folder, const std::string& line) {
    for (const std::string& node : nodes_in(folder)) {
        const auto listed = read_file(path_in(folder, node, kDigestsFile));
        if (listed && listed->find(line) != std::string::npos)
            return node;
    }
    return {};
}

/// The first that is not as listed. `found`: what stands there.
std::string first_unlisted(const std::string& folder, const std::string& node,
                           const std::string& listed, const FileTexts& found) {
    if (!listed.starts_with(node_line(node)))
        return fmt::format("{} is not of node {} (it says `{}`){}",
                           path_in(folder, node, kDigestsFile), node,
                           listed.substr(0, listed.find('\n')), kCompileAgain);
    for (const auto& [name, text] : found) {
        const std::string path = path_in(folder, node, name.c_str());
        const std::string line = digest_line(name, text);
        if (listed.find(line) != std::string::npos)
            continue;
        if (listed.find("  " + name + "\n") == std::string::npos)
            return path + " is no file of this compile: take it away";
        const std::string owner = owner_of(folder, line);
        return owner.empty() ? path +
                                   " was changed, or is of another compile than the files "
                                   "beside it" +
                                   kCompileAgain
                             : fmt::format("{} is that of node {}{}", path, owner, kCompileAgain);
    }
    return path_in(folder, node, kDigestsFile) + " lists files that are not there" + kCompileAgain;
}

} // namespace

std::string digests_of(const std::string& node, const FileTexts& files) {
    std::string out = node_line(node);
    for (const auto& [name, text] : files)
        out += digest_line(name, text);
    return out;
}

std::string digests_lack(const std::string& folder, const std::string& node) {
    const std::string path = path_in(folder, node, kDigestsFile);
    const auto listed = read_file(path);
    if (!listed)
        return path + " is missing: an earlier polecat compiled this, or not all of it was "
                      "copied; compile again";
    FileTexts found;
    for (const auto& each : fs::directory_iterator(fs::path(path).parent_path())) {
        const std::string name = each.path().filename().string();
        if (name == kDigestsFile || name == kBirdFile) // of another target, beside any
            continue;
        auto text = read_file(each.path().string());
        if (!text)
            return each.path().string() + ": " + text.error();
        found.emplace(name, std::move(*text));
    }
    return *listed == digests_of(node, found) ? "" : first_unlisted(folder, node, *listed, found);
}

std::string not_whole(const std::string& folder, const std::string& node) {
    if (const std::string why = unfinished(folder, node); !why.empty())
        return fmt::format("{}, node {}: {}", folder, node, why);
    return fs::exists(path_in(folder, node, "")) ? digests_lack(folder, node) : "";
}

} // namespace polecat::driver
