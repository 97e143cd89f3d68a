/// Documents taken apart into objects, lists as well, and where those without a namespace go.
#pragma once

#include <compare>
#include <functional>
#include <string>
#include <vector>

#include "frontend/kinds/groups.h"
#include "frontend/kinds/kinds.h"
#include "frontend/yaml/node.h"
#include "support/diag/diagnostic.h"

namespace polecat::frontend {

struct Object {
    const yaml::Node* root = nullptr;
    TypeMeta type;
    const KindRow* row = nullptr; ///< nullptr: polecat does not read this kind
    /// Another object of this kind and name says something else, and either may be meant.
    bool contested = false;
    bool untyped = false;       ///< apiVersion or kind is missing, which was reported
    bool in_typed_list = false; ///< an item of an IPPoolList, which says the same apiVersion
};

/// The objects of documents and of lists in them, in order. What has no apiVersion or kind is
/// reported; expectation files that lie beside manifests are left out.
std::vector<Object> objects_of(const std::vector<yaml::Document>& documents,
                               diag::Diagnostics& diagnostics);

/// Writes `space` into the metadata of every object of a kind that has a namespace and gives
/// none, as kubectl and helm do.
void put_into_namespace(std::vector<yaml::Document>& documents, const std::string& space);

/// A label that kustomize gives every object, and more of an object than its own metadata.
struct AddedLabel {
    std::string label, value;
    bool pods = false;      ///< those that workloads make
    bool selectors = false; ///< of services and of policies
    auto operator<=>(const AddedLabel&) const = default;
};

/// What kustomize makes of names and labels; empty: it leaves them.
struct Placement {
    std::string space; ///< of every object, and the name of a Namespace
    std::string prefix, suffix;
    std::vector<AddedLabel> labels; ///< later ones replace earlier ones
    bool labels_known = true;       ///< else it adds others that can't be said
    auto operator<=>(const Placement&) const = default;
};
/// They give names in one way, whatever labels they add.
bool agree_on_names(const std::vector<Placement>& placements);
/// They add the same labels, all of them known; labels that selectors don't get may differ where
/// nobody asks for them (`asked`).
bool agree_on_labels(const std::vector<Placement>& placements,
                     const std::function<bool(const std::string&)>& asked);
/// They put objects into namespaces, and into different ones.
bool gives_unknown_namespace(const std::vector<Placement>& placements);
/// Gives the objects of a file the names and labels that kustomizations give them. Where names
/// differ, only a Namespace is one object for each; others keep the name and place that they give
/// themselves, and get the labels that all give.
void place(std::vector<yaml::Document>& documents, const std::vector<Placement>& placements);

} // namespace polecat::frontend
