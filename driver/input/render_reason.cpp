#include "driver/input/render_reason.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <sstream>
#include <string_view>

namespace polecat::driver {

namespace {

bool has_one_of(std::string_view text, std::initializer_list<std::string_view> parts) {
    return std::any_of(parts.begin(), parts.end(), [&](std::string_view part) {
        return text.find(part) != std::string_view::npos;
    });
}

/// Without warnings, and with what klog puts before an error (`E1130 ... err=`) taken off.
std::string essence(const std::string& printed) {
    std::istringstream lines(printed);
    std::string out;
    for (std::string line; std::getline(lines, line);) {
        const std::size_t first = line.find_first_not_of(" \t\r");
        if (first == std::string::npos || line.find("arning: ") < 16 || line.starts_with("WARNING"))
            continue;
        out += (out.empty() ? "" : "\n") + line.substr(first);
    }
    constexpr std::string_view kMark = "err=";
    if (const std::size_t at = out.find(kMark);
        at != std::string::npos && out.substr(0, at).find("run.go") != std::string::npos) {
        out.erase(0, at + kMark.size());
        const std::size_t begin = out.find_first_not_of("<\"\n ");
        out.erase(0, begin == std::string::npos ? out.size() : begin);
    } else if (const std::size_t error = out.find("\nError"); error != std::string::npos) {
        out.erase(0, error + 1);
    }
    return out;
}

std::string address_in(const std::string& text) {
    for (const std::string_view begin : {"https://", "http://", "git@", "ssh://"})
        if (const std::size_t at = text.find(begin); at != std::string::npos)
            return text.substr(at, text.find_first_of("'\" \n\\", at) - at);
    return "another host";
}

constexpr const char* kMissesFile = "it names a file that is not there: ";

/// kustomize: "evalsymlink failure on '/path/to/env/a.env' : lstat /path/to/env: no such file ...".
std::string file_missed_in(const std::string& text) {
    constexpr std::string_view kMark = "evalsymlink failure on '";
    const std::size_t at = text.find(kMark);
    if (at == std::string::npos || !has_one_of(text, {"no such file"}))
        return "";
    const std::size_t begin = at + kMark.size();
    const std::string path = text.substr(begin, text.find('\'', begin) - begin);
    const std::string here = std::filesystem::current_path().string() + "/";
    return path.starts_with(here) ? path.substr(here.size()) : path;
}

} // namespace

std::string reason_in(const std::string& printed) {
    constexpr std::size_t kMost = 300;
    std::string out = essence(printed);
    for (const std::string_view link :
         {"accumulating resources from '", "accumulating components: "})
        if (const std::size_t at = out.rfind(link); at != std::string::npos)
            out.erase(0, at);
    if (has_one_of(out,
                   {"dial tcp", "Could not resolve", "no such host", "proxyconnect",
                    "unable to access", "git fetch", "connection refused", "no 'git' program"}))
        return "it needs " + address_in(out) + ", and is given no network";
    if (const std::string name = file_missed_in(out); !name.empty())
        return kMissesFile + name;
    if (has_one_of(out, {"must specify --enable-helm"}))
        return "it has helm fetch a chart, and is given no network";
    out = out.substr(0, out.find('\n'));
    if (out.size() > kMost)
        out = out.substr(0, kMost) + "...";
    while (!out.empty() && (out.back() == '"' || out.back() == '\r' || out.back() == ' '))
        out.pop_back();
    return out;
}

std::string kind_of_reason(const std::string& reason) {
    const std::size_t at = reason.find(kMissesFile);
    return reason.substr(0, at == std::string::npos ? at : at + std::string(kMissesFile).size());
}

bool is_kept_back(const std::string& reason) {
    return has_one_of(reason, {"is given no network", "missing in charts/ directory",
                               "external plugins disabled", "plugin root", "alpha-plugins",
                               "unable to find plugin"});
}

} // namespace polecat::driver
