#include "support/glob.h"

#include <vector>

namespace polecat {

namespace {

using Parts = std::vector<std::string_view>;

Parts parts_of(std::string_view path) {
    Parts out;
    while (!path.empty()) {
        const std::size_t end = path.find('/');
        const std::string_view part = path.substr(0, end);
        if (!part.empty() && part != ".")
            out.push_back(part);
        path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    }
    return out;
}

/// One name. Goes back to the last `*` only: that is enough, and not exponential.
bool name_matches(std::string_view pattern, std::string_view name) {
    std::size_t p = 0, n = 0, star = std::string_view::npos, retry = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            retry = n;
        } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++retry;
        } else {
            return false;
        }
    }
    while (p < pattern.size() && pattern[p] == '*')
        ++p;
    return p == pattern.size();
}

} // namespace

bool glob_matches(std::string_view pattern, std::string_view path) {
    Parts wanted = parts_of(pattern);
    const Parts names = parts_of(path);
    const std::string_view body = pattern.substr(0, pattern.find_last_not_of('/') + 1);
    if (wanted.empty())
        return false;
    if (body.find('/') == std::string_view::npos)
        wanted.insert(wanted.begin(), "**");
    // reached[n]: the parts of the pattern so far mean the first n names.
    std::vector<bool> reached(names.size() + 1, false);
    reached[0] = true;
    for (const std::string_view part : wanted) {
        std::vector<bool> next(names.size() + 1, false);
        for (std::size_t n = 0; n <= names.size(); ++n) {
            if (part == "**")
                next[n] = reached[n] || (n > 0 && next[n - 1]);
            else if (n > 0)
                next[n] = reached[n - 1] && name_matches(part, names[n - 1]);
        }
        reached = std::move(next);
    }
    for (std::size_t n = 1; n <= names.size(); ++n)
        if (reached[n])
            return true;
    return false;
}

} // namespace polecat
