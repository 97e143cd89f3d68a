#include "frontend/unrendered.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "frontend/assertions.h"
#include "frontend/kinds/groups.h"
#include "frontend/kustomizations.h"
#include "frontend/passed_by.h"
#include "frontend/yaml/node.h"
#include "support/listed.h"

namespace polecat::frontend {

namespace fs = std::filesystem;

namespace {

using Tool = RenderFolder::Tool;

// --- helm ----------------------------------------------------------------------------------------

/// `web.template.yaml`, `template.yaml`, `web.yaml.tmpl`: somebody fills it in.
bool is_template_name(const std::string& path) {
    const std::string name = "." + name_of(path);
    return name.find(".template.") != std::string::npos ||
           name.find(".tmpl.") != std::string::npos || name.find(".tpl.") != std::string::npos;
}

/// The outermost chart that a file belongs to: charts hold charts.
std::optional<std::size_t> chart_of(const std::map<std::string, std::size_t>& charts,
                                    const std::string& path) {
    std::optional<std::size_t> out;
    for (fs::path folder = folder_of(path);; folder = folder.parent_path()) {
        if (const auto found = charts.find(folder.empty() ? "." : folder.generic_string());
            found != charts.end())
            out = found->second;
        if (folder.empty() || folder == "." || folder == folder.parent_path())
            return out;
    }
}

bool is_in_templates(const std::string& path) {
    const fs::path whole(path);
    return std::find(whole.begin(), whole.end(), "templates") != whole.end();
}

void add_charts(const std::vector<File>& files, Layout& layout) {
    std::map<std::string, std::size_t> charts; // folder -> its Chart.yaml
    for (std::size_t i = 0; i < files.size(); ++i)
        if (name_of(files[i].path) == "Chart.yaml" && files[i].use == File::Use::Read)
            charts.emplace(folder_of(files[i].path), i);
    std::map<std::size_t, RenderFolder> found; // by Chart.yaml
    for (std::size_t i = 0; i < files.size(); ++i) {
        const auto chart = chart_of(charts, files[i].path);
        if (!chart || files[i].named || !is_in_templates(files[i].path) ||
            !yaml::looks_like_template(files[i].text))
            continue;
        RenderFolder& folder = found[*chart];
        folder.folder = folder_of(files[*chart].path);
        folder.file = *chart;
        ++folder.unread;
        folder.has_policy = folder.has_policy || mentions_policy(files[i].text);
        layout.parts[i] = "a template of a chart";
    }
    for (auto& [chart, folder] : found)
        layout.folders.push_back(std::move(folder));
}

// --- messages ------------------------------------------------------------------------------------

/// What makes manifests of templates, by folder.
class Tools {
  public:
    explicit Tools(const std::vector<File>& files) {
        for (const File& each : files) {
            if (name_of(each.path) == "Chart.yaml")
                charts_.emplace(folder_of(each.path), charts_.size());
            if (is_kustomization_name(each.path))
                kustomizations_.insert(folder_of(each.path));
        }
    }

    /// How the file becomes a manifest: only commands that work there.
    std::string hint_for(const std::string& path, bool is_variable) const {
        const std::string folder = folder_of(path);
        if (is_variable)
            return "replace the variables first: `" +
                   (kustomizations_.contains(folder)
                        ? "kubectl kustomize " + shell_quoted(folder) + " | flux envsubst --strict"
                        : "envsubst < " + shell_quoted(path)) +
                   " | polecat lint -`";
        if (const auto chart = chart_of(charts_, path))
            return fmt::format("render it first: `helm template {} | polecat lint -`",
                               shell_quoted(folder_at(*chart)));
        return "render it first with the tool that it is a template of, and lint what comes out";
    }

  private:
    const std::string& folder_at(std::size_t number) const {
        return std::find_if(charts_.begin(), charts_.end(),
                            [&](const auto& each) { return each.second == number; })
            ->first;
    }

    std::map<std::string, std::size_t> charts_; ///< folder -> a number
    std::set<std::string> kustomizations_;      ///< folders
};

diag::Diagnostic& report_folder(const RenderFolder& each, const std::vector<FileId>& ids,
                                diag::Diagnostics& diagnostics) {
    constexpr std::size_t kMost = 5;
    const bool chart = each.tool == Tool::Helm;
    const Span place{ids[each.file], 1, 1, 1};
    auto& diagnostic = chart ? diagnostics.report(diag::Code::UnrenderedChart, place,
                                                  {std::to_string(each.unread),
                                                   each.unread == 1 ? " template" : " templates"})
                             : diagnostics.report(diag::Code::UnbuiltKustomization, place,
                                                  {listed(each.changes, kMost)});
    return diagnostic.with_hint(fmt::format(
        "`{} | polecat lint -`, or `--render` to have polecat run it", render_command(each)));
}

} // namespace

std::string shell_quoted(const std::string& path) {
    const bool plain = path.find_first_of(" '\"$&;()<>|*?[]#~`\\!") == std::string::npos;
    return plain ? path : "'" + path + "'";
}

Layout layout_of(const std::vector<File>& files) {
    Layout out;
    out.parts.resize(files.size());
    out.placements.resize(files.size());
    add_charts(files, out);
    add_kustomizations(files, out);
    mark_assertions(files, out.parts);
    std::stable_sort(out.folders.begin(), out.folders.end(),
                     [](const auto& a, const auto& b) { return a.file < b.file; });
    return out;
}

std::string render_command(const RenderFolder& folder) {
    return (folder.tool == Tool::Helm ? "helm template " : "kubectl kustomize ") +
           shell_quoted(folder.folder);
}

void report_unrendered(const Layout& layout, const std::vector<FileId>& ids,
                       diag::Diagnostics& diagnostics) {
    std::map<Tool, std::vector<const RenderFolder*>> without; // policies
    for (const RenderFolder& each : layout.folders)
        if (each.is_unused && each.has_policy)
            diagnostics
                .report(diag::Code::UnusedComponent, {ids[each.file], 1, 1, 1}, {each.folder})
                .with_hint("name it under `components:` of the kustomization that it is for, or "
                           "leave the folder out");
        else if (each.tool == Tool::Helm ||
                 !each.changes.empty()) { // else it says what its files say
            if (each.has_policy) {
                report_folder(each, ids, diagnostics).with_fact("policies", "true");
            } else {
                without[each.tool].push_back(&each);
            }
        }
    for (const auto& [tool, folders] : without) {
        auto& diagnostic = report_folder(*folders.front(), ids, diagnostics);
        diagnostic.severity = diag::Severity::Note;
        std::vector<std::string> names;
        for (const RenderFolder* each : folders)
            names.push_back(each->folder);
        if (names.size() > 1)
            diagnostic.with_note(
                fmt::format("{} such folders without policies: {}", names.size(), listed(names)));
    }
}

void merge_templates(const Sources& sources, const std::vector<File>& files,
                     const std::vector<FileId>& ids, diag::Diagnostics& diagnostics) {
    std::map<std::uint32_t, bool> named;
    for (std::size_t i = 0; i < files.size(); ++i)
        named[ids[i].value] = files[i].named;
    const auto is_of_policy = [](const diag::Diagnostic& each) {
        return is_kind_of_policy(each.object.substr(0, each.object.find(' ')));
    };
    const auto is_unnamed_template = [&](const diag::Diagnostic& each) {
        const auto file = named.find(each.span.file.value);
        return file != named.end() && !file->second && !is_of_policy(each) &&
               (is_in_templates(sources.path(each.span.file)) ||
                is_template_name(sources.path(each.span.file)));
    };
    const auto concerns = [&](const diag::Diagnostic& each) {
        // In what policy is made of it is refused as it stands: each is told.
        const bool blank = each.code == diag::Code::PlaceholderLeft && !is_of_policy(each);
        return (each.code == diag::Code::UnrenderedTemplate ||
                each.code == diag::Code::UnreplacedVariable || blank) &&
               named.contains(each.span.file.value);
    };
    const auto folder = [&](const diag::Diagnostic& each) {
        return folder_of(sources.path(each.span.file));
    };
    using Key = std::tuple<diag::Code, std::string>;
    std::map<Key, std::size_t> places;
    std::set<Key> of_policies;
    for (const diag::Diagnostic& each : diagnostics.list())
        if (concerns(each)) {
            const Key key{each.code, folder(each)};
            ++places[key];
            if (mentions_policy(sources.text(each.span.file)))
                of_policies.insert(key);
        }
    std::set<Key> told;
    const Tools tools(files);
    diagnostics.keep_if([&](diag::Diagnostic& each) {
        // Another tool fills in what it is called.
        if (each.code == diag::Code::ObjectName && is_unnamed_template(each)) {
            each.severity = diag::Severity::Note;
            each.as_usual();
        }
        if (!concerns(each))
            return true;
        const Key key{each.code, folder(each)};
        const bool beside_policies =
            of_policies.contains(key) && !mentions_policy(sources.text(each.span.file));
        const bool said_of_template =
            each.code == diag::Code::UnreplacedVariable &&
            places.contains({diag::Code::UnrenderedTemplate, folder(each)}) &&
            (!of_policies.contains(key) ||
             of_policies.contains({diag::Code::UnrenderedTemplate, folder(each)}));
        if (beside_policies || said_of_template || !told.insert(key).second)
            return false;
        if (each.code != diag::Code::PlaceholderLeft)
            each.hint =
                tools.hint_for(sources.path(each.span.file), !each.fact("variable").empty());
        if (places[key] > 1)
            each.with_note(fmt::format("and in {} more place{} of this folder", places[key] - 1,
                                       places[key] == 2 ? "" : "s"));
        if (!named[each.span.file.value])
            each.severity =
                of_policies.contains(key) ? diag::Severity::Warning : diag::Severity::Note;
        return true;
    });
}

} // namespace polecat::frontend
