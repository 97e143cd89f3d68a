#include "frontend/objects.h"

#include <algorithm>
#include <functional>
#include <optional>

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
    for (const Node& item : items->items) {
        const std::size_t first = out.size();
        add_objects(item, implied, diagnostics, out);
        for (std::size_t i = first; i < out.size(); ++i)
            out[i].in_typed_list = !implied.kind.empty();
    }
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

} // namespace

std::vector<Object> objects_of(const std::vector<yaml::Document>& documents,
                               diag::Diagnostics& diagnostics) {
    std::vector<Object> out;
    for (const yaml::Document& document : documents)
        add_objects(document.root, {}, diagnostics, out);
    return out;
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

bool gives_unknown_namespace(const std::vector<Placement>& placements) {
    return placements.size() > 1 &&
           std::any_of(placements.begin(), placements.end(),
                       [](const Placement& each) { return !each.space.empty(); });
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
