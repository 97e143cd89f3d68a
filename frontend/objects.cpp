#include "frontend/objects.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <tuple>

namespace polecat::frontend {

namespace {

using yaml::Member;
using yaml::Node;

// --- lists ---------------------------------------------------------------------------------------

/// `implied`: of a typed list (PodList), whose items may leave it out.
void add_objects(const Node& root, const TypeMeta& implied, diag::Diagnostics& diagnostics,
                 std::vector<Object>& out);

std::optional<TypeMeta> type_of(const Node& root, const TypeMeta& implied,
                                diag::Diagnostics& diagnostics) {
    if (!root.is_mapping()) {
        report_wrong_type(diagnostics, root, "the document", "a mapping", "");
        return std::nullopt;
    }
    TypeMeta out{scalar_text(root, "apiVersion"), scalar_text(root, "kind")};
    if (out.api_version.empty() && out.kind.empty())
        out = implied;
    if (!out.api_version.empty() && !out.kind.empty())
        return out;
    diagnostics
        .report(diag::Code::MissingKind, root.span,
                {out.api_version.empty() ? "apiVersion" : "kind"})
        .with_hint("a manifest starts with apiVersion and kind");
    return std::nullopt;
}

void add_items(const Node& root, const TypeMeta& type, diag::Diagnostics& diagnostics,
               std::vector<Object>& out) {
    const Node* items = root.find("items");
    if (items == nullptr || items->is_null())
        return;
    if (!items->is_sequence()) {
        report_wrong_type(diagnostics, *items, "items", "a list", type.kind);
        return;
    }
    const TypeMeta implied =
        type.kind == "List" ? TypeMeta{}
                            : TypeMeta{type.api_version, type.kind.substr(0, type.kind.size() - 4)};
    for (const Node& item : items->items)
        add_objects(item, implied, diagnostics, out);
}

/// Expectation files of `polecat test` lie beside manifests.
bool is_expectation(const TypeMeta& type) {
    return type.api_version == "polecat/v1" &&
           (type.kind == "PolicyTest" || type.kind == "PolicyDiffTest");
}

bool is_list(const Node& root, const TypeMeta& type) {
    return type.kind.ends_with("List") && find_kind(type.api_version, type.kind) == nullptr &&
           (type.kind.size() == 4 || root.find("items") != nullptr);
}

void add_objects(const Node& root, const TypeMeta& implied, diag::Diagnostics& diagnostics,
                 std::vector<Object>& out) {
    const auto type = type_of(root, implied, diagnostics);
    if (!type && root.is_mapping())
        out.push_back({&root,
                       {scalar_text(root, "apiVersion"), scalar_text(root, "kind")},
                       nullptr,
                       false,
                       true});
    if (!type || is_expectation(*type))
        return;
    if (is_list(root, *type))
        add_items(root, *type, diagnostics, out);
    else
        out.push_back({&root, *type, find_kind(type->api_version, type->kind)});
}

// --- objects that stand twice --------------------------------------------------------------------

/// What the API server writes into an object, which says nothing about what was meant.
bool is_server_side(std::string_view key) {
    static constexpr std::string_view kKeys[] = {
        "managedFields",     "resourceVersion", "uid",
        "creationTimestamp", "generation",      "kubectl.kubernetes.io/last-applied-configuration"};
    return std::find(std::begin(kKeys), std::end(kKeys), key) != std::end(kKeys);
}

bool same(const Node& a, const Node& b);

/// Every member of `a` is in `b`, and says the same there.
bool has_members(const Node& a, const Node& b) {
    return std::all_of(a.members.begin(), a.members.end(), [&](const Member& each) {
        const Node* other = b.find(each.key);
        return is_server_side(each.key) || (other != nullptr && same(each.value, *other));
    });
}

bool same(const Node& a, const Node& b) {
    if (a.kind != b.kind)
        return false;
    if (a.is_mapping())
        return has_members(a, b) && has_members(b, a);
    if (a.is_sequence())
        return std::equal(a.items.begin(), a.items.end(), b.items.begin(), b.items.end(), same);
    return a.is_null() || (a.text == b.text && yaml::resolve_scalar(a) == yaml::resolve_scalar(b));
}

/// Group (Calico's, whichever of its names, or Kubernetes'), kind, namespace, name.
using Identity = std::tuple<bool, std::string, std::string, std::string>;

bool is_calico(const TypeMeta& type) {
    return type.api_version.find("projectcalico.org/") != std::string::npos;
}

const Node* name_node(const Node& root) {
    const Node* meta = root.find("metadata");
    return meta != nullptr && meta->is_mapping() ? meta->find("name") : nullptr;
}

std::optional<Identity> identity_of(const Object& object) {
    const Node* name = name_node(*object.root);
    if (object.row == nullptr || name == nullptr || !name->is_scalar() || name->text.empty())
        return std::nullopt;
    std::string space;
    if (!is_global_kind(object.type.kind)) {
        space = scalar_text(*object.root->find("metadata"), "namespace");
        space = space.empty() ? "default" : space;
    }
    return Identity{is_calico(object.type), object.type.kind, space, name->text};
}

void report_double(const Object& first, const Object& second, bool equal,
                   diag::Diagnostics& diagnostics) {
    const std::string label = object_label(*second.root, second.type.kind);
    auto& diagnostic =
        diagnostics.report(diag::Code::DuplicateObject, name_node(*second.root)->span, {label});
    diagnostic.about(label).with_label(name_node(*first.root)->span, "first here");
    if (equal) {
        diagnostic.severity = diag::Severity::Note;
        diagnostic.with_hint("both say the same; one of them can go");
        return;
    }
    // Of Kubernetes' own kinds the last one applied counts, and which one that is seldom matters to
    // policy; of two policies that differ nobody can say which is meant.
    diagnostic.severity =
        is_policy_like(second.type) ? diag::Severity::Error : diag::Severity::Warning;
    diagnostic
        .with_note("the two differ: the one that is applied last replaces the other, and here that "
                   "is taken to be this one")
        .with_hint("keep one; where they are for two clusters, ask about each on its own");
}

} // namespace

std::vector<Object> objects_of(const std::vector<yaml::Document>& documents,
                               diag::Diagnostics& diagnostics) {
    std::vector<Object> out;
    for (const yaml::Document& document : documents)
        add_objects(document.root, {}, diagnostics, out);
    return out;
}

void drop_doubles(std::vector<Object>& objects, diag::Diagnostics& diagnostics) {
    std::map<Identity, std::size_t> seen;
    std::vector<bool> dropped(objects.size(), false);
    for (std::size_t i = 0; i < objects.size(); ++i) {
        auto identity = identity_of(objects[i]);
        if (!identity)
            continue;
        const auto [known, fresh] = seen.emplace(std::move(*identity), i);
        if (fresh)
            continue;
        const Object& first = objects[known->second];
        const bool equal = same(*first.root, *objects[i].root);
        report_double(first, objects[i], equal, diagnostics);
        objects[i].contested = first.contested || (!equal && is_policy_like(objects[i].type));
        dropped[known->second] = true;
        known->second = i;
    }
    std::size_t at = 0;
    std::erase_if(objects, [&](const Object&) { return dropped[at++]; });
}

namespace {

Node text_node(const std::string& text, const Span& span) {
    Node out;
    out.kind = Node::Kind::Scalar;
    out.quoted = true;
    out.text = text;
    out.span = span;
    return out;
}

/// Calls `act` with the metadata and kind of each object.
void each_metadata(Node& root, const std::function<void(Node&, const std::string&)>& act) {
    const std::string kind = scalar_text(root, "kind");
    if (kind.ends_with("List")) {
        if (Node* items = const_cast<Node*>(root.find("items")); items != nullptr)
            for (Node& item : items->items)
                each_metadata(item, act);
    } else if (Node* meta = const_cast<Node*>(root.find("metadata"));
               meta != nullptr && meta->is_mapping()) {
        act(*meta, kind);
    }
}

void set_namespace(Node& meta, const std::string& kind, const std::string& space, bool replace) {
    if (is_global_kind(kind))
        return;
    Node* there = const_cast<Node*>(meta.find("namespace"));
    if (there == nullptr)
        meta.members.push_back({"namespace", meta.span, text_node(space, meta.span)});
    else if (replace || there->is_null() || (there->is_scalar() && there->text.empty()))
        *there = text_node(space, there->span);
}

void place_object(Node& meta, const std::string& kind, const Placement& placement) {
    if (!placement.space.empty())
        set_namespace(meta, kind, placement.space, true);
    Node* name = const_cast<Node*>(meta.find("name"));
    if (name == nullptr || !name->is_scalar())
        return;
    if (kind == "Namespace" && !placement.space.empty())
        *name = text_node(placement.space, name->span);
    else if (kind != "Namespace" && kind != "CustomResourceDefinition" &&
             !(placement.prefix + placement.suffix).empty())
        *name = text_node(placement.prefix + name->text + placement.suffix, name->span);
}

void place_document(yaml::Document& document, const Placement& placement) {
    each_metadata(document.root, [&](Node& meta, const std::string& kind) {
        place_object(meta, kind, placement);
    });
}

} // namespace

void put_into_namespace(std::vector<yaml::Document>& documents, const std::string& space) {
    for (yaml::Document& each : documents)
        each_metadata(each.root, [&](Node& meta, const std::string& kind) {
            set_namespace(meta, kind, space, false);
        });
}

void place(std::vector<yaml::Document>& documents, const std::vector<Placement>& placements) {
    std::vector<yaml::Document> out;
    for (yaml::Document& each : documents) {
        const bool is_space = scalar_text(each.root, "kind") == "Namespace";
        for (std::size_t i = 0; is_space && i + 1 < placements.size(); ++i) {
            out.push_back(each);
            place_document(out.back(), placements[i]);
        }
        out.push_back(std::move(each));
        if (is_space || placements.size() == 1)
            place_document(out.back(), placements.back());
    }
    documents = std::move(out);
}

} // namespace polecat::frontend
