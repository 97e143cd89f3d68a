#include "frontend/assertions.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <string_view>

#include "frontend/yaml/node.h"

namespace polecat::frontend {

namespace fs = std::filesystem;

namespace {

using yaml::Node;

/// "01-assert.yaml", "02-errors-gone.yaml" of kuttl's steps; others are named by who uses them.
bool is_named_so(std::string_view name) {
    const std::string_view stem = name.substr(0, name.find('.'));
    std::size_t at = 0;
    while (at < stem.size() && std::isdigit(static_cast<unsigned char>(stem[at])) != 0)
        ++at;
    if (stem == "assert" || stem.ends_with("-assert"))
        return true;
    if (at == 0 || at >= stem.size() || stem[at] != '-')
        return false;
    const std::string_view step = stem.substr(at + 1);
    return step == "assert" || step == "errors" || step == "error" || step.starts_with("assert-") ||
           step.starts_with("errors-");
}

/// Names of files below `node`.
void add_names(const Node& node, const std::string& folder, std::set<std::string>& out) {
    if (node.is_scalar() && node.text.find('\n') == std::string::npos)
        out.insert((fs::path(folder) / node.text).lexically_normal().generic_string());
    for (const Node& each : node.items)
        add_names(each, folder, out);
    if (const Node* file = node.is_mapping() ? node.find("file") : nullptr; file != nullptr)
        add_names(*file, folder, out);
}

/// What the steps of a test compare with: `assert: {file: NAME}` of chainsaw, `assert: [NAME]` of
/// kuttl; its patches are parts of objects as well.
void add_compared(const Node& node, const std::string& folder, std::set<std::string>& out) {
    for (const Node& each : node.items)
        add_compared(each, folder, out);
    for (const yaml::Member& each : node.members)
        if (each.key == "assert" || each.key == "error" || each.key == "patch")
            add_names(each.value, folder, out);
        else
            add_compared(each.value, folder, out);
}

bool speaks_of(std::string_view text, std::string_view word) {
    return text.find(word) != std::string_view::npos;
}

void add_compared(const File& file, std::set<std::string>& out) {
    if (!speaks_of(file.text, "chainsaw.kyverno.io") && !speaks_of(file.text, "kuttl.dev"))
        return;
    Sources sources;
    diag::Diagnostics unused;
    const FileId id = sources.add(file.path, file.text);
    for (const yaml::Document& each : yaml::read_documents(sources, id, unused))
        add_compared(each.root, folder_of(file.path), out);
}

} // namespace

void mark_assertions(const std::vector<File>& files, std::vector<std::string>& parts) {
    std::set<std::string> compared;
    for (const File& each : files)
        add_compared(each, compared);
    for (std::size_t i = 0; i < files.size(); ++i) {
        const File& file = files[i];
        const bool is_one =
            is_named_so(name_of(file.path)) || speaks_of(file.text, "kind: TestAssert") ||
            compared.contains(fs::path(file.path).lexically_normal().generic_string());
        if (is_one && !file.named && parts[i].empty() && file.use == File::Use::Read)
            parts[i] = kAssertion;
    }
}

} // namespace polecat::frontend
