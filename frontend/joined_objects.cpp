#include "frontend/joined_objects.h"

#include <algorithm>
#include <string_view>

#include "frontend/discover.h"
#include "frontend/kustomizations.h"

namespace polecat::frontend {

using yaml::Node;

const Node* name_node(const Node& root) {
    const Node* meta = root.find("metadata");
    return meta != nullptr && meta->is_mapping() ? meta->find("name") : nullptr;
}

std::string space_of(const Object& object) {
    const Node* meta = object.root->find("metadata");
    return meta != nullptr && meta->is_mapping() ? scalar_text(*meta, "namespace") : "";
}

namespace {

/// The kustomization that gives the object another namespace than the file says; empty: none.
std::string moved_by(const Object& object, const Sources* sources) {
    const Node* meta = object.root->find("metadata");
    const Node* space = meta == nullptr ? nullptr : meta->find("namespace");
    if (sources == nullptr || space == nullptr || !space->span.known() ||
        sources->line(space->span.file, space->span.line).find(space->text) !=
            std::string_view::npos)
        return {};
    const bool given = space->span != meta->span; // else --namespace may have given it
    for (std::string folder = folder_of(sources->path(space->span.file));;
         folder = folder_of(folder)) {
        for (std::uint32_t i = 0; i < sources->size(); ++i)
            if (const std::string& path = sources->path(FileId{i});
                is_kustomization_name(path) && folder_of(path) == folder &&
                sources->text(FileId{i}).find("namespace:") != std::string_view::npos)
                return path;
        if (folder.empty() || folder == "." || folder == "/" || folder_of(folder) == folder)
            return given ? "a kustomization" : "";
    }
}

} // namespace

bool is_renamed(const Object& object, const Sources* sources) {
    const Node& name = *name_node(*object.root);
    if (object.type.kind != "Namespace" || sources == nullptr || !name.span.known())
        return false;
    const std::string_view line = sources->line(name.span.file, name.span.line);
    std::string_view written =
        line.substr(std::min<std::size_t>(name.span.column - 1, line.size()));
    written.remove_prefix(std::min(written.find_first_not_of("'\""), written.size()));
    const std::size_t end = name.text.size();
    return !written.starts_with(name.text) ||
           (end < written.size() &&
            std::string_view(" \t\r'\",}").find(written[end]) == std::string_view::npos);
}

std::string joined_by(const Object& first, const Object& second, const Sources* sources) {
    const bool in_one_file = first.root->span.file == second.root->span.file;
    if (in_one_file && (is_renamed(first, sources) || is_renamed(second, sources)))
        return "a kustomization gives every Namespace the name `" + name_node(*second.root)->text +
               "`";
    const std::string by = moved_by(second, sources);
    return by.empty() || by != moved_by(first, sources)
               ? ""
               : by + " puts both into namespace `" + space_of(second) + "`";
}

} // namespace polecat::frontend
