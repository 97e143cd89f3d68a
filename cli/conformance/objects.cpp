#include "cli/conformance/objects.h"

#include <fstream>
#include <sstream>
#include <stdexcept>

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

std::string read_file(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    if (!in)
        throw std::runtime_error("cannot read " + path);
    std::stringstream text;
    text << in.rdbuf();
    return std::move(text).str();
}

} // namespace polecat::conformance
