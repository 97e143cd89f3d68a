#include "frontend/kustomizations.h"

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>

#include "frontend/kinds/groups.h"
#include "frontend/kustomize_patches.h"
#include "frontend/passed_by.h"
#include "frontend/yaml/node.h"
#include "support/letters.h"

namespace polecat::frontend {

namespace fs = std::filesystem;

namespace {

using yaml::Node;
using Tool = RenderFolder::Tool;

constexpr const char* kFileOfKustomize = "a file of kustomize";

std::string below(const std::string& folder, const std::string& name) {
    std::string out = (fs::path(folder) / name).lexically_normal().generic_string();
    while (out.size() > 1 && out.back() == '/')
        out.pop_back();
    return out;
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

/// As kustomize's reader takes it; nullopt: it refuses that.
std::optional<bool> bool_of(const std::string& said) {
    const std::string text = lower_case(said);
    for (const char* yes : {"true", "yes", "on", "y"})
        if (text == yes)
            return true;
    for (const char* no : {"false", "no", "off", "n"})
        if (text == no)
            return false;
    return std::nullopt;
}

/// What `labels` and `commonLabels` give; nullopt: not to be said of what polecat reads.
std::optional<std::vector<AddedLabel>> labels_in(const Node& root) {
    std::vector<AddedLabel> out;
    bool plain = true;
    const auto add = [&](const Node* pairs, bool pods, bool selectors) {
        for (std::size_t i = 0; pairs != nullptr && i < pairs->members.size(); ++i) {
            const yaml::Member& each = pairs->members[i];
            plain = plain && each.value.is_scalar();
            out.push_back({each.key, each.value.text, pods, selectors});
        }
    };
    if (const Node* labels = root.find("labels"))
        for (const Node& each : labels->items) {
            const auto says = [&](std::string_view key) {
                const bool there = each.is_mapping() && each.find(key) != nullptr;
                const auto said = there ? bool_of(scalar_text(each, key)) : std::optional(false);
                plain = plain && said.has_value();
                return said.value_or(false);
            };
            plain = plain && each.is_mapping() && each.find("fields") == nullptr;
            add(each.is_mapping() ? each.find("pairs") : nullptr,
                says("includeSelectors") || says("includeTemplates"), says("includeSelectors"));
        }
    add(root.find("commonLabels"), true, true);
    return plain ? std::optional(out) : std::nullopt;
}

RenderFolder read_kustomization(const Node& root, const std::string& folder, std::size_t file) {
    RenderFolder out;
    out.tool = Tool::Kustomize;
    out.folder = folder;
    out.file = file;
    out.is_component = scalar_text(root, "kind") == "Component";
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
            out.changes.push_back(each.key);
    }
    if (elsewhere)
        out.changes.push_back("resources of other repositories");
    out.placement = {scalar_text(root, "namespace"),
                     scalar_text(root, "namePrefix"),
                     scalar_text(root, "nameSuffix"),
                     {},
                     true};
    if (auto labels = labels_in(root))
        out.placement.labels = std::move(*labels);
    else
        out.placement.labels_known = false;
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

    std::optional<std::size_t> kustomization_at(const std::string& folder) const {
        const auto found = by_folder_.find(folder);
        return found == by_folder_.end() ? std::nullopt : std::optional(found->second);
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
        const auto folder = kustomization_at(path);
        return folder && has_policy(*folder);
    }

    const std::vector<File>& files_;
    const std::vector<RenderFolder>& found_;
    std::map<std::string, std::size_t> by_path_, by_folder_;
    std::set<std::size_t> seen_;
};

/// What kustomizations make of the names of objects of files: the outermost namespace counts,
/// prefixes and suffixes add up, and a base that two of them build from may have two.
class Placements {
  public:
    Placements(const Tree& tree, const std::vector<RenderFolder>& found, std::size_t files)
        : tree_(tree), found_(found), of_file_(files) {
        std::set<std::size_t> used;
        for (const RenderFolder& each : found)
            for (const std::string& path : each.resources)
                if (const auto folder = tree.kustomization_at(path))
                    used.insert(*folder);
        for (std::size_t i = 0; i < found.size(); ++i)
            if (!used.contains(i) && !found[i].is_component)
                visit(i, {}, 0);
    }

    std::vector<Placement> of(std::size_t file) const {
        return {of_file_[file].begin(), of_file_[file].end()};
    }
    using Agree = std::function<bool(const std::vector<Placement>&)>;
    /// Every file of this folder is read as its kustomization has it, as far as `agree` goes.
    bool knows(const RenderFolder& folder, const Agree& agree, std::size_t depth = 0) const {
        return std::all_of(
            folder.resources.begin(), folder.resources.end(), [&](const std::string& path) {
                const auto file = tree_.file_at(path);
                const auto below = tree_.kustomization_at(path);
                return file ? !of_file_[*file].empty() && agree(of(*file))
                            : below && depth < kDeepest && knows(found_[*below], agree, depth + 1);
            });
    }

  private:
    void visit(std::size_t at, const Placement& outer, std::size_t depth) {
        const RenderFolder& each = found_[at];
        const Placement& own = each.placement;
        Placement here{outer.space.empty() ? own.space : outer.space, outer.prefix + own.prefix,
                       own.suffix + outer.suffix, own.labels,
                       own.labels_known && outer.labels_known};
        here.labels.insert(here.labels.end(), outer.labels.begin(), outer.labels.end());
        for (const std::string& path : each.resources)
            if (const auto file = tree_.file_at(path))
                of_file_[*file].insert(here);
            else if (const auto folder = tree_.kustomization_at(path); folder && depth < kDeepest)
                visit(*folder, here, depth + 1);
    }

    static constexpr std::size_t kDeepest = 20; // kustomize refuses a circle
    const Tree& tree_;
    const std::vector<RenderFolder>& found_;
    std::vector<std::set<Placement>> of_file_;
};

/// By a kustomization, or by an object that has components of its own (Flux's Kustomization).
bool is_named(const std::string& component, const std::vector<RenderFolder>& found,
              const std::vector<File>& files) {
    const std::string name = "/" + name_of(component);
    return std::any_of(found.begin(), found.end(),
                       [&](const RenderFolder& each) {
                           return std::find(each.resources.begin(), each.resources.end(),
                                            component) != each.resources.end();
                       }) ||
           std::any_of(files.begin(), files.end(), [&](const File& each) {
               const std::size_t at = each.text.find("components:");
               return at != std::string::npos && !is_kustomization_name(each.path) &&
                      each.text.find(name, at) != std::string::npos;
           });
}

/// Patches of what is not read are no change.
void drop_idle_patches(const Node& root, const std::vector<File>& files, const Tree& tree,
                       RenderFolder& folder) {
    const auto text_of = [&](const std::string& name) -> std::optional<std::string> {
        const auto file = tree.file_at(below(folder.folder, name));
        return file ? std::optional(files[*file].text) : std::nullopt;
    };
    std::erase_if(folder.changes, [&](const std::string& field) {
        return field.starts_with("patches") && patches_leave_policy(*root.find(field), text_of);
    });
}

} // namespace

bool is_kustomization_name(const std::string& path) {
    const std::string name = name_of(path);
    return name == "kustomization.yaml" || name == "kustomization.yml" || name == "Kustomization";
}

void add_kustomizations(const std::vector<File>& files, Layout& layout) {
    std::vector<RenderFolder> found;
    std::vector<Node> roots;
    for (std::size_t i = 0; i < files.size(); ++i)
        if (is_kustomization_name(files[i].path) && files[i].use == File::Use::Read)
            if (auto root = kustomization_in(files[i])) {
                found.push_back(read_kustomization(*root, folder_of(files[i].path), i));
                roots.push_back(std::move(*root));
                layout.parts[i] = kFileOfKustomize;
            }
    Tree tree(files, found);
    for (std::size_t i = 0; i < found.size(); ++i)
        drop_idle_patches(roots[i], files, tree, found[i]);
    std::set<std::size_t> resources; // a patch here may be a manifest there
    for (const RenderFolder& each : found)
        for (const std::string& path : each.resources)
            if (const auto file = tree.file_at(path))
                resources.insert(*file);
    const Placements placements(tree, found, files.size());
    for (std::size_t i = 0; i < files.size(); ++i)
        layout.placements[i] = placements.of(i);
    std::vector<const std::string*> askers;
    for (const File& each : files)
        if (mentions_policy(each.text) || each.text.find("kind: Service") != std::string::npos)
            askers.push_back(&each.text);
    const auto asked = [&](const std::string& label) {
        return std::any_of(askers.begin(), askers.end(), [&](const std::string* text) {
            return text->find(label) != std::string::npos;
        });
    };
    const auto agree = [&](const auto& all) { return agree_on_labels(all, asked); };
    for (RenderFolder& each : found) {
        const bool names = placements.knows(each, agree_on_names);
        const bool labels = placements.knows(each, agree);
        std::erase_if(each.changes, [&](const std::string& field) {
            return (names &&
                    (field == "namespace" || field == "namePrefix" || field == "nameSuffix")) ||
                   (labels && (field == "labels" || field == "commonLabels"));
        });
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        for (const std::string& path : found[i].parts)
            if (const auto file = tree.file_at(path);
                file && !files[*file].named && !resources.contains(*file))
                layout.parts[*file] = kFileOfKustomize;
        tree.forget();
        found[i].has_policy = tree.has_policy(i);
        found[i].is_unused = found[i].is_component && !is_named(found[i].folder, found, files);
        layout.folders.push_back(found[i]);
    }
}

} // namespace polecat::frontend
