#include "runtime/git.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>

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

/// Takes answers of `git cat-file --batch` apart: a line, and as much text as it announces.
class Batch {
  public:
    explicit Batch(const std::string& text) : text_(text) {}

    struct Answer {
        std::string_view what; ///< "blob", "missing", "dangling", "symlink", ...
        std::string_view content;
    };
    /// nullopt: git said something else.
    std::optional<Answer> next() {
        const std::size_t end = text_.find('\n', at_);
        if (end == std::string::npos)
            return std::nullopt;
        const std::string_view line(text_.data() + at_, end - at_);
        at_ = end + 1;
        const std::size_t space = line.rfind(' ');
        if (space == std::string_view::npos)
            return std::nullopt;
        const std::string_view last = line.substr(space + 1);
        if (last == "missing" || last == "ambiguous")
            return Answer{"missing", {}};
        std::size_t size = 0;
        const auto [stop, failure] = std::from_chars(last.data(), last.data() + last.size(), size);
        if (failure != std::errc{} || size > text_.size() - at_)
            return std::nullopt;
        const std::string_view content(text_.data() + at_, size);
        at_ = std::min(at_ + size + 1, text_.size());
        const std::string_view what = line.substr(0, space);
        return Answer{what.substr(what.rfind(' ') + 1), content}; // "OBJECT blob", or "dangling"
    }

  private:
    const std::string& text_;
    std::size_t at_ = 0;
};

/// The contents of files, by object; of links, by what they lead to.
Result<bool> add_contents(const std::string& revision, const std::vector<Entry>& entries,
                          bool links, GitTree& out) {
    std::string asked;
    for (const Entry& each : entries)
        asked += (links ? revision + ":./" + each.path : each.object) + "\n";
    std::vector<std::string> arguments{"cat-file", "--batch"};
    if (links)
        arguments.emplace_back("--follow-symlinks");
    const auto text = entries.empty() ? Result<std::string>("") : git(std::move(arguments), asked);
    if (!text)
        return Error{text.error()};
    Batch batch(*text);
    for (const Entry& each : entries) {
        const auto answer = batch.next();
        if (!answer)
            return Error{"git: no content of " + each.path};
        if (answer->what == "blob")
            out.files.push_back({each.path, std::string(answer->content)});
        else if (!links)
            out.absent.push_back(each.path);
        else
            (answer->what == "symlink" ? out.outside : out.dangling).push_back(each.path);
    }
    return true;
}

} // namespace

Result<GitTree> git_tree(const std::string& revision, const std::vector<std::string>& paths,
                         const std::function<bool(const std::string&)>& wanted) {
    if (revision.empty() || revision[0] == '-')
        return Error{"`" + revision + "` is no revision"};
    std::vector<std::string> arguments{"ls-tree", "-r", "-z", revision, "--"};
    arguments.insert(arguments.end(), paths.begin(), paths.end());
    const auto listing = git(std::move(arguments), "");
    if (!listing)
        return Error{listing.error()};
    GitTree out;
    std::vector<Entry> files, links;
    for (Entry& entry : entries_of(*listing)) {
        if (entry.mode == "160000")
            out.submodules.push_back(std::move(entry.path));
        else if (wanted(entry.path) && entry.path.find('\n') == std::string::npos)
            (entry.mode == "120000" ? links : files).push_back(std::move(entry));
    }
    for (const bool of_links : {false, true})
        if (const auto done = add_contents(revision, of_links ? links : files, of_links, out);
            !done)
            return Error{done.error()};
    std::sort(out.files.begin(), out.files.end(),
              [](const GitFile& a, const GitFile& b) { return a.path < b.path; });
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
