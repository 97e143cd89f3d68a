#include "frontend/load.h"

#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "frontend/assertions.h"
#include "frontend/doubles.h"
#include "frontend/encrypted.h"
#include "frontend/kinds/foreign_policies.h"
#include "frontend/kinds/pod_makers.h"
#include "frontend/kinds/unread.h"
#include "frontend/objects.h"
#include "frontend/openshift_templates.h"
#include "frontend/placeholders.h"
#include "frontend/rendered.h"
#include "frontend/replicas.h"
#include "frontend/unrendered.h"
#include "support/diag/fix.h"
#include "support/listed.h"

namespace polecat::frontend {

namespace {

// --- objects -------------------------------------------------------------------------------------

/// The API fills in what the storage leaves open: a policy without types means another thing there.
void report_legacy(const Object& object, diag::Diagnostics& diagnostics) {
    constexpr const char* kApi = "projectcalico.org/v3";
    const yaml::Node& root = *object.root;
    const yaml::Node* version = root.find("apiVersion");
    const Span place = version != nullptr ? version->span : root.span;
    auto& diagnostic = diagnostics.report(diag::Code::LegacyApiVersion, place, {object.type.kind});
    diagnostic.about(object_label(root, object.type.kind))
        .with_hint(std::string("write `apiVersion: ") + kApi + "`");
    const yaml::Node* spec = root.find("spec");
    const yaml::Node* types = spec != nullptr && spec->is_mapping() ? spec->find("types") : nullptr;
    const bool same = !is_policy_name(object.type.kind) ||
                      (types != nullptr && types->is_sequence() && !types->items.empty());
    if (same && version != nullptr && !object.in_typed_list)
        diagnostic.with_fix(
            diag::replace_text(place, object.type.api_version, kApi, "name Calico's API"));
}

/// Kubernetes has served no policy of this group since 1.16: applying it fails.
bool is_gone(const TypeMeta& type) {
    return type.api_version == "extensions/v1beta1" && type.kind == "NetworkPolicy";
}

void report_gone(const Object& object, diag::Diagnostics& diagnostics) {
    constexpr const char* kApi = "networking.k8s.io/v1";
    const yaml::Node* version = object.root->find("apiVersion");
    const Span place = version != nullptr ? version->span : object.root->span;
    auto& diagnostic =
        diagnostics.report(diag::Code::GoneApi, place, {object.type.api_version, object.type.kind});
    diagnostic.about(object_label(*object.root, object.type.kind))
        .with_note("it is not counted: what it was to protect is open")
        .with_hint(std::string("write `apiVersion: ") + kApi + "`");
    if (version != nullptr)
        diagnostic.with_fix(diag::replace_text(place, object.type.api_version, kApi,
                                               "name the API that is served"));
}

/// The API server drops it, and what looks limited to a namespace is not.
void check_no_namespace(const Object& object, diag::Diagnostics& diagnostics) {
    const yaml::Node* meta = object.root->find("metadata");
    const yaml::Node* space =
        meta != nullptr && meta->is_mapping() ? meta->find("namespace") : nullptr;
    if (space == nullptr || !space->is_scalar() || space->text.empty() ||
        !is_global_kind(object.type.kind))
        return;
    auto& diagnostic = diagnostics.report(diag::Code::NamespaceOfGlobal, space->span,
                                          {object.type.kind, space->text});
    diagnostic.about(object_label(*object.root, object.type.kind));
    if (is_policy_name(object.type.kind))
        diagnostic.with_hint("limit it by a namespaceSelector, or write a policy that has a "
                             "namespace");
    else
        diagnostic.severity = diag::Severity::Note;
}

void read_object(const Object& object, policy::Cluster& cluster, diag::Diagnostics& diagnostics) {
    const auto& [api_version, kind] = object.type;
    diag::Diagnostics found;
    ObjectContext context{*object.root, api_version,
                          kind,         cluster,
                          found,        object.type.group() == "crd.projectcalico.org"};
    if (context.legacy_crd)
        report_legacy(object, found);
    check_no_namespace(object, found);
    UnreadWatch watch(cluster, found);
    object.row->read(context);
    const std::vector<Placeholder> placeholders = placeholders_of(*object.root);
    settle_placeholders(placeholders, is_policy_like(object.type), object_label(context), found);
    if (kind == "Secret" || kind == "Ingress") { // what it is called matters to no answer
        const bool is_named =
            std::none_of(placeholders.begin(), placeholders.end(),
                         [](const Placeholder& each) { return each.in_metadata; });
        found.keep_if([&](diag::Diagnostic& each) {
            const bool of_name =
                each.code == diag::Code::ObjectName || each.code == diag::Code::LabelSyntax;
            if (of_name) {
                each.severity = diag::Severity::Note;
                each.as_usual();
            }
            return each.code != diag::Code::UnreplacedVariable &&
                   each.code != diag::Code::PlaceholderLeft && (is_named || !of_name);
        });
    }
    watch.settle(*object.root, api_version, kind, object.contested);
    diagnostics.append(found);
}

/// What lacks its apiVersion or kind, also a list of such; reading reported it.
void add_untyped(const yaml::Node& root, const TypeMeta& type, policy::Cluster& cluster) {
    if (const yaml::Node* items = root.find("items"); items != nullptr && items->is_sequence())
        for (const yaml::Node& each : items->items)
            add_untyped(each, {scalar_text(each, "apiVersion"), scalar_text(each, "kind")},
                        cluster);
    else if (looks_like_policy(root, type))
        add_unread_object(root, type.api_version,
                          type.kind.empty() ? "NetworkPolicy" : type.kind.c_str(), root.span,
                          cluster);
    else if (!type.kind.empty() || (!type.api_version.empty() && root.find("metadata") != nullptr))
        add_unread_object(root, type.api_version, type.kind, root.span, cluster);
}

void load_object(const Object& object, policy::Cluster& cluster, diag::Diagnostics& diagnostics) {
    const auto& [api_version, kind] = object.type;
    const yaml::Node& root = *object.root;
    if (object.untyped) {
        add_untyped(root, object.type, cluster);
    } else if (is_gone(object.type)) {
        report_gone(object, diagnostics);
    } else if (object.row != nullptr) {
        read_object(object, cluster, diagnostics);
    } else if (is_foreign_policy(object.type.group(), kind, root) ||
               (!is_slip(object.type) && kind.find("NetworkPolicy") != std::string::npos)) {
        note_foreign_policy(root, api_version, kind, cluster);
    } else if (is_slip(object.type)) {
        report_unknown_kind(root, object.type, diagnostics);
        add_unread_object(root, api_version, kind, root.span, cluster);
    } else {
        policy::UnreadKind& unread = cluster.unread_kinds[api_version + " " + kind];
        if (unread.count++ == 0)
            unread.first = root.span;
        if (makes_pods(object.type.group(), kind, root))
            note_unread_pods(root, kind, cluster);
    }
}

void load_objects(const std::vector<Object>& objects, policy::Cluster& cluster,
                  diag::Diagnostics& diagnostics) {
    for (const Object& each : objects)
        load_object(each, cluster, diagnostics);
}

// --- files ---------------------------------------------------------------------------------------

bool has_manifest(const std::vector<yaml::Document>& documents) {
    return std::any_of(documents.begin(), documents.end(), [](const yaml::Document& each) {
        return why_no_manifest(each.root).empty();
    });
}

bool is_part(const yaml::Document& document) {
    return is_part_of_workload(document.root);
}

/// The documents of some files, and what was passed by.
class FileReader {
  public:
    FileReader(Sources& sources, diag::Diagnostics& diagnostics, const LoadOptions& options)
        : sources_(sources), diagnostics_(diagnostics), options_(options) {}

    /// `part`: what else the file belongs to, if anything. `placements`: what kustomize
    /// makes of the names of its objects.
    void read(const File& file, FileId id, const std::string& part,
              const std::vector<Placement>& placements) {
        if (file.use == File::Use::Source)
            return read_source(id);
        if (part == kAssertion)
            return pass_by(id, file, part);
        if (!part.empty())
            return pass_by(file, part);
        if (file.dangles)
            return pass_by(id, file, "a link to what is not there");
        if (const std::string why = why_no_manifest_at(file.path); !why.empty() && !file.named)
            return pass_by(id, file, why);
        const std::string no_text = why_no_text(file.text);
        if (!no_text.empty() && !file.named)
            return pass_by(id, file, no_text);
        if (no_text.starts_with("encrypted")) {
            diagnostics_.report(diag::Code::UnreadableFile, Span{id, 1, 1, 1},
                                {file.path, "it is " + no_text});
            return;
        }
        diag::Diagnostics found;
        std::vector<yaml::Document> read = options_.earlier != nullptr
                                               ? options_.earlier->read(sources_, id, found)
                                               : yaml::read_documents(sources_, id, found);
        const bool as_written = found.list().empty() && placements.empty() &&
                                options_.space.empty() && file.use == File::Use::Read;
        if (as_written)
            as_written_.insert(id);
        if (!file.named && (found.has_errors() || !read.empty()) && !has_manifest(read) &&
            (!found.has_errors() || !may_be_manifest(file.text) ||
             name_of(file.path) == "Chart.yaml"))
            return pass_by(id, file,
                           read.empty() ? "it can't be read, and has no apiVersion"
                                        : why_no_manifest(read.front().root));
        if (!file.named && !read.empty() && std::all_of(read.begin(), read.end(), is_part))
            return pass_by(id, file, "a part of a workload, as patches have it");
        if (!file.named)
            std::erase_if(read, [&](const yaml::Document& each) {
                const std::string why = why_no_manifest(each.root);
                if (why.empty())
                    return false;
                pass_by(id, file, "a document of it: " + why);
                ++documents_passed_by_;
                return true;
            });
        found.keep_if([&](diag::Diagnostic& each) {
            if (each.severity == diag::Severity::Error)
                lost.push_back(each.span);
            if (file.named || static_cast<unsigned>(each.code) >= 2000 ||
                may_matter(each.span, sources_))
                return true;
            each.severity = diag::Severity::Note;
            return each.code != diag::Code::YamlKey;
        });
        diagnostics_.append(found);
        set_encrypted_apart(read, encrypted);
        if (!placements.empty())
            place(read, placements);
        if (file.use == File::Use::Rendered)
            std::move(read.begin(), read.end(), std::back_inserter(rendered_));
        else
            std::move(read.begin(), read.end(), std::back_inserter(documents));
    }

    /// After the last file.
    void finish() {
        point_to_sources(rendered_, sources_of_rendered_);
        std::move(rendered_.begin(), rendered_.end(), std::back_inserter(documents));
    }

    /// The trees are not needed any more: for a version that is read later.
    void give_to(yaml::EarlierDocuments& later) {
        for (auto first = documents.begin(); first != documents.end();) {
            const FileId file = first->file;
            const auto last = std::find_if(first, documents.end(),
                                           [&](const auto& each) { return each.file != file; });
            if (as_written_.contains(file))
                later.keep(sources_.text(file),
                           {std::move_iterator(first), std::move_iterator(last)});
            first = last;
        }
    }

    /// One line for all of them, files and documents that stand beside manifests; what belongs to
    /// charts and kustomizations is said with these.
    void report_passed_by() {
        constexpr std::size_t kMost = 3;
        if (!names_.empty())
            diagnostics_
                .report(diag::Code::PassedBy, first_,
                        {what_was_passed_by(), names_.size() == 1 ? "holds" : "hold",
                         listed(names_, kMost)})
                .with_hint("--list-skipped says for each file why");
    }

    std::vector<yaml::Document> documents;
    std::vector<yaml::Document> encrypted; ///< by sops, at least in part
    std::vector<Span> lost;                ///< places in documents that could not be read
    std::vector<PassedBy> passed_by;

  private:
    /// "2 files and 1 document".
    std::string what_was_passed_by() const {
        const std::size_t files = names_.size() - documents_passed_by_;
        const std::string within = counted(documents_passed_by_, "document");
        if (documents_passed_by_ == 0 || files == 0)
            return files == 0 ? within : counted(files, "file");
        return counted(files, "file") + " and " + within;
    }
    /// What is wrong with it was said by the tool that read it.
    void read_source(FileId id) {
        diag::Diagnostics unused;
        std::vector<yaml::Document> read = yaml::read_documents(sources_, id, unused);
        std::move(read.begin(), read.end(), std::back_inserter(sources_of_rendered_));
    }
    void pass_by(const File& file, std::string why) {
        passed_by.push_back({file.revision + file.path, std::move(why)});
    }
    void pass_by(FileId id, const File& file, std::string why) {
        if (names_.empty())
            first_ = {id, 1, 1, 1};
        names_.push_back(file.path);
        pass_by(file, std::move(why));
    }

    Sources& sources_;
    diag::Diagnostics& diagnostics_;
    const LoadOptions& options_;
    std::set<FileId> as_written_; ///< their documents say what their texts say, nothing else
    std::vector<yaml::Document> rendered_, sources_of_rendered_;
    std::vector<std::string> names_; ///< of files, again for each document passed by
    std::size_t documents_passed_by_ = 0;
    Span first_;
};

std::string names_of(const std::vector<File>& files) {
    constexpr std::size_t kMost = 3;
    std::vector<std::string> names;
    for (const File& each : files)
        names.push_back(each.revision + each.path);
    return names.empty() ? "no files" : listed(names, kMost);
}

} // namespace

void load_documents(const std::vector<yaml::Document>& documents, policy::Cluster& cluster,
                    diag::Diagnostics& diagnostics) {
    std::vector<Object> objects = objects_of(documents, diagnostics);
    drop_doubles(objects, nullptr, Variants::Unknown, cluster, diagnostics);
    report_unprocessed(objects, nullptr, diagnostics);
    load_objects(objects, cluster, diagnostics);
}

policy::Cluster load_files(std::vector<File> files, Sources& sources,
                           diag::Diagnostics& diagnostics, const LoadOptions& options,
                           std::vector<PassedBy>* passed_by) {
    const Layout layout = layout_of(files);
    FileReader reader(sources, diagnostics, options);
    std::vector<FileId> ids;
    for (std::size_t i = 0; i < files.size(); ++i) {
        ids.push_back(sources.add(files[i].revision + files[i].path, files[i].text));
        reader.read(files[i], ids.back(), layout.parts[i], layout.placements[i]);
    }
    reader.finish();
    if (!options.space.empty())
        put_into_namespace(reader.documents, options.space);
    policy::Cluster cluster;
    for (std::size_t i = 0; i < files.size(); ++i)
        if (gives_unknown_namespace(layout.placements[i])) {
            cluster.placed_elsewhere.insert(ids[i]);
            if (files[i].text.find("containers:") != std::string::npos) // its pods go to each
                for (const Placement& each : layout.placements[i])
                    cluster.spaces_in_part.insert(each.space);
        }
    std::vector<Object> objects = objects_of(reader.documents, diagnostics);
    note_unplaced(objects, sources, cluster);
    drop_doubles(objects, &sources, options.variants, cluster, diagnostics);
    load_objects(objects, cluster, diagnostics);
    report_unprocessed(objects, &sources, diagnostics);
    tell_replicas_apart(files, cluster);
    add_unread_documents(reader.lost, sources, cluster);
    add_encrypted(reader.encrypted, cluster, diagnostics);
    reader.report_passed_by();
    report_unrendered(layout, ids, diagnostics);
    merge_templates(sources, files, ids, diagnostics);
    if (reader.documents.empty() && !diagnostics.has_errors())
        diagnostics
            .report(diag::Code::NoManifests, Span{},
                    {layout.folders.empty() ? names_of(files)
                                            : counted(files.size(), "file") + ", of which " +
                                                  counted(layout.folders.size(), "folder") +
                                                  " must be rendered first"})
            .with_hint(layout.folders.empty()
                           ? "there is no object in them"
                           : fmt::format("render them first: `{} | polecat lint -`, or `--render`",
                                         render_command(layout.folders.front())));
    report_foreign_policies(cluster, diagnostics);
    for (const auto& [kind, unread] : cluster.unread_kinds)
        diagnostics.report(diag::Code::UnreadKind, unread.first,
                           {kind, counted(unread.count, "object")});
    if (passed_by != nullptr)
        *passed_by = std::move(reader.passed_by);
    if (options.earlier != nullptr)
        reader.give_to(*options.earlier);
    return cluster;
}

policy::Cluster load(const std::vector<std::string>& paths, Sources& sources,
                     diag::Diagnostics& diagnostics) {
    return load_files(read_files(paths, diagnostics), sources, diagnostics);
}

} // namespace polecat::frontend
