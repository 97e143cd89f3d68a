#include "frontend/objects.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>

#include "ir/policy/scope.h"

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
    if (kind == "Namespace" && !placement.space.empty()) {
        // Where the label repeats the name, the API server writes it anew.
        if (const Node* labels = meta.find("labels"); labels != nullptr && labels->is_mapping())
            if (auto* label = const_cast<Node*>(labels->find(policy::kNameLabel)))
                if (label->text == name->text)
                    *label = text_node(placement.space, label->span);
        *name = text_node(placement.space, name->span);
    } else if (kind != "Namespace" && kind != "CustomResourceDefinition" &&
               !(placement.prefix + placement.suffix).empty())
        *name = text_node(placement.prefix + name->text + placement.suffix, name->span);
}

// --- labels that kustomize adds
// ---------------------------------------------------------------------

Node* member_at(Node& node, std::string_view key) {
    return node.is_mapping() ? const_cast<Node*>(node.find(key)) : nullptr;
}

/// The mapping there; one that is absent or null is made, where `make` says so.
Node* mapping_in(Node* node, std::string_view key, bool make = false) {
    if (node == nullptr || !node->is_mapping())
        return nullptr;
    Node* found = member_at(*node, key);
    if (make && (found == nullptr || found->is_null())) {
        Node fresh;
        fresh.kind = Node::Kind::Mapping;
        fresh.span = node->span;
        if (found != nullptr)
            *found = fresh;
        else
            node->members.push_back({std::string(key), node->span, fresh});
        found = member_at(*node, key);
    }
    return found != nullptr && found->is_mapping() ? found : nullptr;
}

void set_label(Node* labels, const AddedLabel& added) {
    if (labels == nullptr)
        return;
    Node value;
    value.kind = Node::Kind::Scalar;
    value.quoted = true;
    value.text = added.value;
    value.span = labels->span;
    if (Node* there = member_at(*labels, added.label))
        *there = value;
    else
        labels->members.push_back({added.label, labels->span, value});
}

/// The template of the pods that the object makes; nullptr: it makes none.
Node* template_of(Node& root, const std::string& kind) {
    static constexpr std::string_view kMakers[] = {
        "Deployment", "StatefulSet",           "DaemonSet",   "ReplicaSet",
        "Job",        "ReplicationController", "PodTemplate", "CronJob"};
    if (std::find(std::begin(kMakers), std::end(kMakers), kind) == std::end(kMakers))
        return nullptr;
    Node* spec = mapping_in(&root, "spec");
    if (kind == "CronJob")
        spec = mapping_in(mapping_in(spec, "jobTemplate"), "spec");
    return mapping_in(kind == "PodTemplate" ? &root : spec, "template");
}

/// Peers of a NetworkPolicy; selectors without labels stay as they are.
void add_to_peers(Node* spec, std::string_view rules, std::string_view peers,
                  const AddedLabel& added) {
    Node* list = spec == nullptr ? nullptr : member_at(*spec, rules);
    if (list == nullptr)
        return;
    for (Node& rule : list->items)
        if (Node* ends = member_at(rule, peers))
            for (Node& each : ends->items)
                set_label(mapping_in(mapping_in(&each, "podSelector"), "matchLabels"), added);
}

void add_to_selectors(Node& root, const std::string& kind, const AddedLabel& added) {
    Node* spec = mapping_in(&root, "spec");
    if (kind == "Service") {
        set_label(mapping_in(spec, "selector", true), added);
    } else if (kind == "NetworkPolicy" &&
               scalar_text(root, "apiVersion").starts_with("networking.k8s.io/")) {
        set_label(mapping_in(mapping_in(spec, "podSelector"), "matchLabels"), added);
        add_to_peers(spec, "ingress", "from", added);
        add_to_peers(spec, "egress", "to", added);
    }
}

/// To an object, or to each of a list.
void add_labels(Node& root, const std::vector<AddedLabel>& labels) {
    const std::string kind = scalar_text(root, "kind");
    if (labels.empty())
        return;
    if (kind.ends_with("List")) {
        if (Node* items = member_at(root, "items"))
            for (Node& item : items->items)
                add_labels(item, labels);
        return;
    }
    for (const AddedLabel& each : labels) {
        set_label(mapping_in(mapping_in(&root, "metadata"), "labels", true), each);
        if (each.pods)
            set_label(
                mapping_in(mapping_in(template_of(root, kind), "metadata", true), "labels", true),
                each);
        if (each.selectors)
            add_to_selectors(root, kind, each);
    }
}

// --- what kustomize makes of a document
// -------------------------------------------------------------

void place_document(yaml::Document& document, const Placement& placement) {
    each_metadata(document.root, [&](Node& meta, const std::string& kind) {
        place_object(meta, kind, placement);
    });
    add_labels(document.root, placement.labels);
}

/// Those that every one of them gives.
std::vector<AddedLabel> labels_of_all(const std::vector<Placement>& placements) {
    std::vector<AddedLabel> out = placements.front().labels;
    std::erase_if(out, [&](const AddedLabel& label) {
        return std::any_of(placements.begin(), placements.end(), [&](const Placement& each) {
            return std::find(each.labels.begin(), each.labels.end(), label) == each.labels.end();
        });
    });
    return out;
}

} // namespace

void put_into_namespace(std::vector<yaml::Document>& documents, const std::string& space) {
    for (yaml::Document& each : documents)
        each_metadata(each.root, [&](Node& meta, const std::string& kind) {
            set_namespace(meta, kind, space, false);
        });
}

bool agree_on_names(const std::vector<Placement>& placements) {
    return std::all_of(placements.begin(), placements.end(), [&](const Placement& each) {
        const Placement& first = placements.front();
        return each.space == first.space && each.prefix == first.prefix &&
               each.suffix == first.suffix;
    });
}

bool agree_on_labels(const std::vector<Placement>& placements,
                     const std::function<bool(const std::string&)>& asked) {
    const auto telling = [&](const Placement& each) {
        std::vector<AddedLabel> out = each.labels;
        std::erase_if(
            out, [&](const AddedLabel& label) { return !label.selectors && !asked(label.label); });
        return out;
    };
    return std::all_of(placements.begin(), placements.end(), [&](const Placement& each) {
        return each.labels_known && telling(each) == telling(placements.front());
    });
}

bool gives_unknown_namespace(const std::vector<Placement>& placements) {
    return !agree_on_names(placements) &&
           std::any_of(placements.begin(), placements.end(),
                       [](const Placement& each) { return !each.space.empty(); });
}

void place(std::vector<yaml::Document>& documents, const std::vector<Placement>& placements) {
    std::map<std::string, std::vector<Placement>> by_space; // a Namespace has no other names
    for (const Placement& each : placements)
        by_space[each.space].push_back(each);
    const auto common = [](const std::vector<Placement>& of) {
        Placement out = of.back();
        out.labels = labels_of_all(of);
        if (!agree_on_names(of))
            out.space = out.prefix = out.suffix = "";
        return out;
    };
    std::vector<yaml::Document> out;
    for (yaml::Document& each : documents) {
        if (scalar_text(each.root, "kind") != "Namespace") {
            place_document(each, common(placements));
            out.push_back(std::move(each));
            continue;
        }
        for (const auto& [space, of] : by_space) {
            Placement here = common(of);
            here.space = space;
            out.push_back(each);
            place_document(out.back(), here);
        }
    }
    documents = std::move(out);
}

} // namespace polecat::frontend
