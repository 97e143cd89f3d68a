#include "support/source.h"

#include <algorithm>

namespace polecat {

FileId Sources::add(std::string path, std::string text) {
    files_.push_back(File{std::move(path), std::move(text), {}});
    return FileId{static_cast<std::uint32_t>(files_.size() - 1)};
}

const std::string& Sources::path(FileId file) const {
    return files_.at(file.value).path;
}

const std::string& Sources::text(FileId file) const {
    return files_.at(file.value).text;
}

std::string_view Sources::line(FileId file, std::uint32_t line) const {
    const File& entry = files_.at(file.value);
    if (entry.line_starts.empty()) {
        entry.line_starts.push_back(0);
        for (std::size_t i = 0; i < entry.text.size(); ++i)
            if (entry.text[i] == '\n' || (entry.text[i] == '\r' && // YAML 1.1 breaks at either
                                          entry.text.compare(i, 2, "\r\n") != 0))
                entry.line_starts.push_back(static_cast<std::uint32_t>(i + 1));
    }
    if (line == 0 || line > entry.line_starts.size())
        return {};
    const std::size_t begin = entry.line_starts[line - 1];
    const std::size_t end = entry.text.find_first_of("\r\n", begin);
    return std::string_view(entry.text).substr(begin, end == std::string::npos ? end : end - begin);
}

std::string Sources::describe(const Span& span) const {
    if (span.file.value >= files_.size())
        return "(no file)";
    std::string text = path(span.file);
    if (span.known())
        text += ":" + std::to_string(span.line) + ":" + std::to_string(span.column);
    return text;
}

} // namespace polecat
