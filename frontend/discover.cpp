#include "frontend/discover.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>
#include <sstream>

#include "support/letters.h"
#include "support/read_file.h"

namespace polecat::frontend {

namespace fs = std::filesystem;

namespace {

/// Files below a folder, in path order.
std::vector<fs::path> files_below(const fs::path& folder, std::error_code& error) {
    std::vector<fs::path> out;
    for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end;
         it.increment(error)) {
        std::error_code dangling;
        const bool is_folder = it->is_directory(dangling);
        if (is_folder && is_of_tools(it->path().string()))
            it.disable_recursion_pending();
        else if (is_manifest_name(it->path().string()) && !is_folder)
            out.push_back(it->path());
    }
    std::sort(out.begin(), out.end());
    return out;
}

void report_unreadable(const std::string& path, const std::string& why,
                       diag::Diagnostics& diagnostics) {
    diagnostics.report(diag::Code::UnreadableFile, Span{}, {path, why});
}

std::optional<std::string> text_of(const std::string& path, diag::Diagnostics& diagnostics) {
    if (path == "-") {
        std::stringstream text;
        text << std::cin.rdbuf();
        return std::move(text).str();
    }
    auto text = read_file(path);
    if (text)
        return std::move(*text);
    report_unreadable(path, text.error(), diagnostics);
    return std::nullopt;
}

} // namespace

std::string folder_of(const std::string& path) {
    const std::string out = fs::path(path).parent_path().lexically_normal().generic_string();
    return out.empty() ? "." : out;
}

std::string name_of(const std::string& path) {
    return fs::path(path).filename().string();
}

bool is_of_tools(const std::string& folder) {
    const fs::path path(folder);
    std::error_code unknown;
    return path.filename() == ".git" || path.filename() == "node_modules" ||
           (path.filename() == "vendor" && fs::exists(path / "modules.txt", unknown));
}

bool is_manifest_name(const std::string& path) {
    const std::string name = fs::path(path).filename().string();
    const std::string extension = lower_case(fs::path(path).extension().string());
    if (name == "Kustomization")
        return true;
    return (extension == ".yaml" || extension == ".yml" || extension == ".json") &&
           name.find(".policytest.") == std::string::npos && name != ".polecat.yaml" &&
           name != ".polecat-baseline.json";
}

std::vector<File> read_files(const std::vector<std::string>& paths, diag::Diagnostics& diagnostics,
                             const std::function<bool(const std::string&)>& excluded) {
    std::vector<File> out;
    std::set<fs::path> seen; // a file that two of the paths lead to is read once
    const auto read_once = [&](const std::string& path, bool named) {
        std::error_code error;
        const fs::path real = fs::canonical(path, error);
        if (!error && !seen.insert(real).second)
            return;
        if (!named && error == std::errc::no_such_file_or_directory) {
            out.push_back({path, "", false, {}, File::Use::Read, true});
            return;
        }
        if (auto text = text_of(path, diagnostics))
            out.push_back({path, std::move(*text), named});
    };
    for (const std::string& path : paths) {
        std::error_code error;
        if (path != "-" && fs::is_directory(path, error)) {
            const auto files = files_below(path, error);
            if (error)
                report_unreadable(path, error.message(), diagnostics);
            else if (files.empty())
                diagnostics.report(diag::Code::NoManifests, Span{}, {path})
                    .with_hint("manifests end in .yaml, .yml or .json");
            for (const fs::path& file : files)
                if (!excluded || !excluded(file.string()))
                    read_once(file.string(), false);
        } else if (path != "-" && !fs::exists(path, error)) {
            report_unreadable(path, "no such file or folder", diagnostics);
        } else {
            read_once(path, true);
        }
    }
    return out;
}

} // namespace polecat::frontend
