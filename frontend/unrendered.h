/// Charts and folders of kustomize: what lies in them is no manifest before another tool made one
/// of it.
#pragma once

#include <string>
#include <vector>

#include "frontend/discover.h"
#include "frontend/objects.h"
#include "support/source.h"

namespace polecat::frontend {

/// A folder from which another tool makes manifests.
struct RenderFolder {
    enum class Tool { Helm, Kustomize };
    Tool tool = Tool::Helm;
    std::string folder;               ///< "charts/web"; "." for the current one
    std::size_t file = 0;             ///< its Chart.yaml or kustomization.yaml, among the files
    std::vector<std::string> changes; ///< of kustomize: the fields by which it changes something
    Placement placement;              ///< of kustomize: what it makes of names
    std::size_t unread = 0;           ///< of a chart: its templates
    bool has_policy = false;          ///< among what it makes
    /// Of kustomize: folders and files that it builds from.
    std::vector<std::string> resources;
    std::vector<std::string> parts; ///< of kustomize: patches and the like
    bool is_component = false;      ///< of kustomize: nothing by itself
    bool is_unused = false;         ///< a component that no kustomization here names
};

/// What files are for: one that is a part of a chart or of a kustomization is no manifest.
struct Layout {
    std::vector<RenderFolder> folders; ///< in the order of their files
    std::vector<std::string> parts;    ///< for each file: why it is no manifest of its own, or ""
    /// For each file: what the kustomizations that build from it make of the names of its
    /// objects.
    std::vector<std::vector<Placement>> placements;
};
Layout layout_of(const std::vector<File>& files);

/// A path for a shell: as it is, or in quotes.
std::string shell_quoted(const std::string& path);

/// The command that prints the manifests of such a folder.
std::string render_command(const RenderFolder& folder);

/// Says of each folder, once, that its manifests are not read as they are applied; of those without
/// policies in one note. `ids`: of files.
void report_unrendered(const Layout& layout, const std::vector<FileId>& ids,
                       diag::Diagnostics& diagnostics);

/// Many places of a folder where a template was to be replaced are one finding.
void merge_templates(const Sources& sources, const std::vector<File>& files,
                     const std::vector<FileId>& ids, diag::Diagnostics& diagnostics);

} // namespace polecat::frontend
