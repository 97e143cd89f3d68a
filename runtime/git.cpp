#include "runtime/git.h"

#include <algorithm>
#include <charconv>

#include "runtime/process.h"

namespace polecat::runtime {

namespace {

Result<std::string> git(std::vector<std::string> arguments, const std::string& input) {
    arguments.insert(arguments.begin(), "git");
    auto output = run_program(arguments, input);
    if (!output)
        return Error{output.error()};
    if (output->exit_code != 0)
        return Error{"git: " + output->error.substr(0, output->error.find('\n'))};
    return std::move(output->out);
}

struct Entry {
    std::string mode, object, path;
};

/// "MODE TYPE OBJECT\tPATH", each ended by a zero byte.
std::vector<Entry> entries_of(const std::string& listing) {
    std::vector<Entry> out;
    for (std::size_t at = 0; at < listing.size();) {
        const std::size_t end = std::min(listing.find('\0', at), listing.size());
        const std::string line = listing.substr(at, end - at);
        const std::size_t tab = line.find('\t'), space = line.find(' ');
        const std::size_t last = line.rfind(' ', tab);
        if (tab != std::string::npos && space != std::string::npos)
            out.push_back({line.substr(0, space), line.substr(last + 1, tab - last - 1),
                           line.substr(tab + 1)});
        at = end + 1;
    }
    return out;
}

/// "OBJECT blob SIZE\n" and the content, for each object asked for.
Result<std::vector<GitFile>> contents_of(const std::vector<Entry>& entries,
                                         const std::string& batch) {
    std::vector<GitFile> out;
    std::size_t at = 0;
    for (const Entry& entry : entries) {
        const std::size_t line_end = batch.find('\n', at);
        const std::size_t space = batch.rfind(' ', line_end);
        std::size_t size = 0;
        if (line_end == std::string::npos || space == std::string::npos || space < at)
            return Error{"git: no content of " + entry.path};
        const auto [end, failure] =
            std::from_chars(batch.data() + space + 1, batch.data() + line_end, size);
        if (failure != std::errc{} || line_end + 1 + size > batch.size())
            return Error{"git: no content of " + entry.path};
        out.push_back({entry.path, batch.substr(line_end + 1, size)});
        at = line_end + 1 + size + 1;
    }
    return out;
}

} // namespace

Result<GitTree> git_tree(const std::string& revision, const std::vector<std::string>& paths) {
    if (revision.empty() || revision[0] == '-')
        return Error{"`" + revision + "` is no revision"};
    std::vector<std::string> arguments{"ls-tree", "-r", "-z", revision, "--"};
    arguments.insert(arguments.end(), paths.begin(), paths.end());
    const auto listing = git(std::move(arguments), "");
    if (!listing)
        return Error{listing.error()};
    GitTree out;
    std::vector<Entry> entries;
    std::string wanted;
    for (Entry& entry : entries_of(*listing)) {
        if (entry.mode == "120000") {
            out.links.push_back(std::move(entry.path));
        } else if (entry.mode == "160000") {
            out.submodules.push_back(std::move(entry.path));
        } else {
            wanted += entry.object + "\n";
            entries.push_back(std::move(entry));
        }
    }
    const auto batch = git({"cat-file", "--batch"}, wanted);
    if (!batch)
        return Error{batch.error()};
    auto files = contents_of(entries, *batch);
    if (!files)
        return Error{files.error()};
    out.files = std::move(*files);
    return out;
}

Result<std::string> git_merge_base(const std::string& a, const std::string& b) {
    for (const std::string& each : {a, b})
        if (each.empty() || each[0] == '-')
            return Error{"`" + each + "` is no revision"};
    auto found = git({"merge-base", a, b}, "");
    if (found && found->ends_with('\n'))
        found->pop_back();
    return found;
}

} // namespace polecat::runtime
