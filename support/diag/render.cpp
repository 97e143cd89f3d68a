#include "support/diag/render.h"

#include <utility>

namespace polecat::diag {

namespace {

constexpr std::pair<std::string_view, Format> kFormats[] = {
    {"text", Format::Text},     {"json", Format::Json},     {"sarif", Format::Sarif},
    {"github", Format::Github}, {"gitlab", Format::Gitlab}, {"junit", Format::Junit}};

} // namespace

std::vector<std::string> format_names() {
    std::vector<std::string> out;
    for (const auto& [name, format] : kFormats)
        out.emplace_back(name);
    return out;
}

std::optional<Format> find_format(std::string_view name) {
    for (const auto& [known, format] : kFormats)
        if (known == name)
            return format;
    return std::nullopt;
}

std::string render(Format format, std::span<const Diagnostic> list, const Sources& sources,
                   TextOptions text, const ReportOptions& report) {
    switch (format) {
    case Format::Text:
        return render_text(list, sources, text);
    case Format::Json:
        return render_json(list, sources);
    case Format::Sarif:
        return render_sarif(list, sources, report);
    case Format::Github:
        return render_github(list, sources, report);
    case Format::Gitlab:
        return render_gitlab(list, sources, report);
    case Format::Junit:
        return render_junit(list, sources, report);
    }
    return {};
}

} // namespace polecat::diag
