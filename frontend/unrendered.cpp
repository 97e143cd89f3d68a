#include "frontend/unrendered.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "frontend/kinds/groups.h"
#include "frontend/passed_by.h"
#include "frontend/yaml/node.h"
#include "support/listed.h"

namespace polecat::frontend {

namespace fs = std::filesystem;

namespace {

using yaml::Node;
using Tool = RenderFolder::Tool;

constexpr const char* kFileOfKustomize = "a file of kustomize";

std::string folder_of(const std::string& path) {
    const std::string out = fs::path(path).parent_path().lexically_normal().generic_string();
    return out.empty() ? "." : out;
}

std::string below(const std::string& folder, const std::string& name) {
    std::string out = (fs::path(folder) / name).lexically_normal().generic_string();
    while (out.size() > 1 && out.back() == '/')
        out.pop_back();
    return out;
}

std::string name_of(const std::string& path) {
    return fs::path(path).filename().string();
}

// --- kustomize -----------------------------------------------------------------------------------

bool is_kustomization_name(const std::string& path) {
    const std::string name = name_of(path);
    return name == "kustomization.yaml" || name == "kustomization.yml" || name == "Kustomization";
}

/// The file's one document, unless it is an object of another group or can't be read.
std::optional<Node> kustomization_in(const File& file) {
    Sources sources;
    diag::Diagnostics unused; // what is wrong with it is reported when it is read as a manifest
    const FileId id = sources.add(file.path, file.text);
    auto documents = yaml::read_documents(sources, id, unused);
    if (unused.has_errors() || documents.size() != 1 || !documents[0].root.is_mapping())
        return std::nullopt;
    const std::string version = scalar_text(documents[0].root, "apiVersion");
    if (!version.empty() && !version.starts_with("kustomize.config.k8s.io/"))
        return std::nullopt;
    return std::move(documents[0].root);
}

/// Fields that leave names, namespaces, labels and policies as they are.
bool changes_nothing(std::string_view key) {
    static constexpr std::string_view kKeys[] = {"apiVersion",
                                                 "kind",
                                                 "metadata",
                                                 "resources",
                                                 "bases",
                                                 "images",
                                                 "replicas",
                                                 "commonAnnotations",
                                                 "generatorOptions",
                                                 "secretGenerator",
                                                 "configMapGenerator",
                                                 "buildMetadata",
                                                 "openapi",
                                                 "crds",
                                                 "sortOptions",
                                                 "configurations",
                                                 "validators"};
    return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

bool is_empty(const Node& node) {
    return node.is_null() ||
           (node.is_scalar() ? node.text.empty() : node.items.empty() && node.members.empty());
}

bool is_elsewhere(const std::string& resource) {
    return resource.find("://") != std::string::npos ||
           resource.find("?ref=") != std::string::npos || resource.starts_with("git@") ||
           resource.starts_with("github.com/");
}

/// Names of files below `node`: texts, and those under `path`, `valuesFile`, `files` and the like;
/// "key=file" as generators have it.
void add_files(const Node& node, const std::string& folder, std::vector<std::string>& out) {
    if (node.is_scalar() && node.text.find('\n') == std::string::npos && !is_elsewhere(node.text))
        out.push_back(below(folder, node.text.substr(node.text.find('=') + 1)));
    for (const Node& each : node.items)
        add_files(each, folder, out);
    for (const yaml::Member& each : node.members)
        if (each.key == "path" || each.key == "files" || each.key == "envs" || each.key == "env" ||
            each.key == "valuesFile" || each.key == "additionalValuesFiles")
            add_files(each.value, folder, out);
}

RenderFolder read_kustomization(const Node& root, const std::string& folder, std::size_t file) {
    RenderFolder out;
    out.tool = Tool::Kustomize;
    out.folder = folder;
    out.file = file;
    out.is_component = scalar_text(root, "kind") == "Component";
    std::vector<std::string> changes;
    bool elsewhere = false;
    for (const yaml::Member& each : root.members) {
        if (each.key == "resources" || each.key == "bases" || each.key == "components") {
            add_files(each.value, folder, out.resources);
            for (const Node& item : each.value.items)
                elsewhere = elsewhere || (item.is_scalar() && is_elsewhere(item.text));
        } else if (each.key != "namespace") {
            add_files(each.value, folder, out.parts);
        }
        if (!changes_nothing(each.key) && !is_empty(each.value))
            changes.push_back(each.key);
    }
    if (elsewhere)
        changes.push_back("resources of other repositories");
    constexpr std::size_t kMost = 5;
    out.changes = listed(changes, kMost);
    return out;
}

/// Files by path, and kustomizations by folder: what a kustomization builds from.
class Tree {
  public:
    Tree(const std::vector<File>& files, const std::vector<RenderFolder>& found)
        : files_(files), found_(found) {
        for (std::size_t i = 0; i < files.size(); ++i)
            by_path_.emplace(below(".", files[i].path), i);
        for (std::size_t i = 0; i < found.size(); ++i)
            by_folder_.emplace(found[i].folder, i);
    }

    std::optional<std::size_t> file_at(const std::string& path) const {
        const auto found = by_path_.find(path);
        return found == by_path_.end() ? std::nullopt : std::optional(found->second);
    }

    bool has_policy(std::size_t kustomization) {
        if (!seen_.insert(kustomization).second)
            return false;
        const RenderFolder& each = found_[kustomization];
        for (const auto* paths : {&each.resources, &each.parts})
            for (const std::string& path : *paths)
                if (mentions_policy_at(path))
                    return true;
        return false;
    }
    void forget() { seen_.clear(); }

  private:
    bool mentions_policy_at(const std::string& path) {
        if (const auto file = file_at(path))
            return mentions_policy(files_[*file].text);
        const auto folder = by_folder_.find(path);
        return folder != by_folder_.end() && has_policy(folder->second);
    }

    const std::vector<File>& files_;
    const std::vector<RenderFolder>& found_;
    std::map<std::string, std::size_t> by_path_, by_folder_;
    std::set<std::size_t> seen_;
};

void add_kustomizations(const std::vector<File>& files, Layout& layout) {
    std::vector<RenderFolder> found;
    for (std::size_t i = 0; i < files.size(); ++i)
        if (is_kustomization_name(files[i].path) && files[i].use == File::Use::Read)
            if (const auto root = kustomization_in(files[i])) {
                found.push_back(read_kustomization(*root, folder_of(files[i].path), i));
                layout.parts[i] = kFileOfKustomize;
            }
    Tree tree(files, found);
    std::set<std::size_t> resources; // a patch here may be a manifest there
    for (const RenderFolder& each : found)
        for (const std::string& path : each.resources)
            if (const auto file = tree.file_at(path))
                resources.insert(*file);
    for (std::size_t i = 0; i < found.size(); ++i) {
        for (const std::string& path : found[i].parts)
            if (const auto file = tree.file_at(path);
                file && !files[*file].named && !resources.contains(*file))
                layout.parts[*file] = kFileOfKustomize;
        tree.forget();
        found[i].has_policy = tree.has_policy(i);
        layout.folders.push_back(std::move(found[i]));
    }
}

// --- helm ----------------------------------------------------------------------------------------

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

/// For a shell: as it is, or in quotes.
std::string quoted(const std::string& path) {
    const bool plain = path.find_first_of(" '\"$&;()<>|*?[]#~`\\!") == std::string::npos;
    return plain ? path : "'" + path + "'";
}

std::string hint_for(const std::string& folder, bool is_variable) {
    if (is_variable)
        return fmt::format("replace the variables first: `kubectl kustomize {} | flux envsubst "
                           "--strict | polecat lint -`",
                           quoted(folder));
    const bool templates = name_of(folder) == "templates";
    return fmt::format("render it first: `helm template {} | polecat lint -`",
                       quoted(templates ? folder_of(folder) : folder));
}

} // namespace

Layout layout_of(const std::vector<File>& files) {
    Layout out;
    out.parts.resize(files.size());
    add_charts(files, out);
    add_kustomizations(files, out);
    std::stable_sort(out.folders.begin(), out.folders.end(),
                     [](const auto& a, const auto& b) { return a.file < b.file; });
    return out;
}

std::string render_command(const RenderFolder& folder) {
    return (folder.tool == Tool::Helm ? "helm template " : "kubectl kustomize ") +
           quoted(folder.folder);
}

void report_unrendered(const Layout& layout, const std::vector<FileId>& ids,
                       diag::Diagnostics& diagnostics) {
    for (const RenderFolder& each : layout.folders) {
        const bool chart = each.tool == Tool::Helm;
        if (!chart && each.changes.empty())
            continue; // it says what its files say
        const Span place{ids[each.file], 1, 1, 1};
        auto& diagnostic =
            chart ? diagnostics.report(diag::Code::UnrenderedChart, place,
                                       {std::to_string(each.unread),
                                        each.unread == 1 ? " template" : " templates"})
                  : diagnostics.report(diag::Code::UnbuiltKustomization, place, {each.changes});
        diagnostic.with_hint(fmt::format(
            "`{} | polecat lint -`, or `--render` to have polecat run it", render_command(each)));
        if (!each.has_policy)
            diagnostic.severity = diag::Severity::Note;
    }
}

void merge_templates(const Sources& sources, const std::vector<File>& files,
                     const std::vector<FileId>& ids, diag::Diagnostics& diagnostics) {
    std::map<std::uint32_t, bool> named;
    for (std::size_t i = 0; i < files.size(); ++i)
        named[ids[i].value] = files[i].named;
    const auto concerns = [&](const diag::Diagnostic& each) {
        return (each.code == diag::Code::UnrenderedTemplate ||
                each.code == diag::Code::UnreplacedVariable) &&
               named.contains(each.span.file.value);
    };
    const auto folder = [&](const diag::Diagnostic& each) {
        return folder_of(sources.path(each.span.file));
    };
    using Key = std::tuple<diag::Code, std::string>;
    std::map<Key, std::size_t> places;
    for (const diag::Diagnostic& each : diagnostics.list())
        if (concerns(each))
            ++places[{each.code, folder(each)}];
    std::set<Key> told;
    diagnostics.keep_if([&](diag::Diagnostic& each) {
        if (!concerns(each))
            return true;
        const Key key{each.code, folder(each)};
        if (!told.insert(key).second)
            return false;
        const bool is_variable = each.code == diag::Code::UnreplacedVariable;
        each.hint = hint_for(folder(each), is_variable || !each.notes.empty());
        if (places[key] > 1)
            each.with_note(fmt::format("and in {} more place{} of this folder", places[key] - 1,
                                       places[key] == 2 ? "" : "s"));
        if (!named[each.span.file.value])
            each.severity = diag::Severity::Warning;
        return true;
    });
}

} // namespace polecat::frontend
