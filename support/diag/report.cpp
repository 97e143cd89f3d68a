#include "support/diag/report.h"

#include <filesystem>
#include <map>

#include "support/diag/fix.h"
#include "support/sha2.h"

namespace polecat::diag {

namespace fs = std::filesystem;

namespace {

std::string_view trimmed(std::string_view line) {
    const std::size_t first = line.find_first_not_of(" \t");
    if (first == std::string_view::npos)
        return {};
    return line.substr(first, line.find_last_not_of(" \t") - first + 1);
}

std::string short_hash(std::string_view text) {
    constexpr char kDigits[] = "0123456789abcdef";
    const auto digest = sha224(text);
    std::string out;
    for (std::size_t i = 0; i < 16; ++i) {
        out += kDigits[digest[i] >> 4];
        out += kDigits[digest[i] & 15];
    }
    return out;
}

} // namespace

std::string report_path(const std::string& path, const std::string& root) {
    if (path == "-")
        return path;
    if (root.empty())
        return fs::path(path).lexically_normal().generic_string();
    const fs::path base = fs::path(root).lexically_normal();
    const fs::path whole = (base / path).lexically_normal();
    const fs::path below = whole.lexically_relative(base);
    return (below.empty() || *below.begin() == ".." ? whole : below).generic_string();
}

std::string to_uri(const std::string& path) {
    constexpr char kDigits[] = "0123456789ABCDEF";
    constexpr std::string_view kPlain =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
    std::string out = path.starts_with('/') ? "file://" : "";
    for (const char each : path) {
        const auto byte = static_cast<unsigned char>(each);
        if (kPlain.find(each) != std::string_view::npos)
            out += each;
        else
            out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
    return out;
}

std::vector<std::string> fingerprints(std::span<const Diagnostic> list, const Sources& sources,
                                      const std::string& root) {
    std::map<std::string, std::size_t> seen;
    std::vector<std::string> out;
    for (const Diagnostic& d : list) {
        const bool placed = d.span.file.value < sources.size();
        std::string key = label(d.code) + '\0' + d.object + '\0';
        if (placed)
            key += report_path(sources.path(d.span.file), root) + '\0';
        key += placed && d.span.known() ? trimmed(sources.line(d.span.file, d.span.line))
                                        : std::string_view(d.message);
        const std::size_t nth = ++seen[key];
        out.push_back(short_hash(key + '\0' + std::to_string(nth)));
    }
    return out;
}

std::vector<std::string> details(const Diagnostic& d) {
    std::vector<std::string> out;
    if (!d.object.empty())
        out.push_back("in " + d.object);
    for (const std::string& note : d.notes)
        out.push_back("note: " + note);
    if (d.witness)
        out.push_back("witness: " + to_string(*d.witness));
    if (!d.proof.empty())
        out.push_back("holds: " + d.proof);
    if (d.hint)
        out.push_back("hint: " + *d.hint);
    if (const std::string fix = fix_line(d); !fix.empty())
        out.push_back(fix);
    return out;
}

} // namespace polecat::diag
