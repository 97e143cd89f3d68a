#include "tests/conformance/runner/objects.h"

#include <stdexcept>

#include "support/read_file.h"

namespace polecat::conformance {

LoadedText load_text(const std::string& text) {
    LoadedText out;
    const FileId file = out.sources.add("object", text);
    const auto documents = yaml::read_documents(out.sources, file, out.diagnostics);
    frontend::load_documents(documents, out.cluster, out.diagnostics);
    return out;
}

std::string first_error(const LoadedText& loaded) {
    for (const diag::Diagnostic& each : loaded.diagnostics.list())
        if (each.severity == diag::Severity::Error)
            return diag::label(each.code) + " " + each.message;
    return "";
}

std::string suite_file(const std::string& path) {
    auto text = read_file(path);
    if (!text)
        throw std::runtime_error(path + ": " + text.error());
    return std::move(*text);
}

} // namespace polecat::conformance
