#include "frontend/encrypted.h"

#include <algorithm>
#include <iterator>
#include <string>

#include "frontend/kinds/groups.h"
#include "frontend/kinds/kinds.h"
#include "frontend/kinds/unread.h"
#include "support/listed.h"

namespace polecat::frontend {

namespace {

using yaml::Node;

bool holds_encrypted(const Node& node) {
    return (node.is_scalar() && node.text.starts_with("ENC[")) ||
           std::any_of(node.items.begin(), node.items.end(), holds_encrypted) ||
           std::any_of(node.members.begin(), node.members.end(),
                       [](const yaml::Member& each) { return holds_encrypted(each.value); });
}

/// Takes off what sops adds.
bool was_encrypted(Node& root) {
    if (!root.is_mapping())
        return false;
    return std::erase_if(root.members, [](const yaml::Member& each) {
               return each.key == "sops" && each.value.is_mapping() &&
                      (each.value.find("mac") != nullptr || each.value.find("version") != nullptr);
           }) != 0;
}

TypeMeta type_of(const Node& root) {
    return {scalar_text(root, "apiVersion"), scalar_text(root, "kind")};
}

/// Notes what the object, or each of a list of them, leaves unknown.
void add_object(const Node& root, policy::Cluster& cluster, std::vector<std::string>& names) {
    const TypeMeta type = type_of(root);
    if (const Node* items = root.find("items"); items != nullptr && items->is_sequence()) {
        for (const Node& each : items->items)
            if (each.is_mapping())
                add_object(each, cluster, names);
    } else if ((!type.api_version.empty() || is_policy_name(type.kind)) && may_decide(type)) {
        add_unread_object(root, type.api_version, type.kind, root.span, cluster);
        names.push_back(object_label(root, type.kind));
    }
}

} // namespace

void set_encrypted_apart(std::vector<yaml::Document>& documents,
                         std::vector<yaml::Document>& encrypted) {
    const auto apart =
        std::stable_partition(documents.begin(), documents.end(), [](yaml::Document& each) {
            return !was_encrypted(each.root) || scalar_text(each.root, "kind") == "Secret" ||
                   !holds_encrypted(each.root);
        });
    std::move(apart, documents.end(), std::back_inserter(encrypted));
    documents.erase(apart, documents.end());
}

void add_encrypted(const std::vector<yaml::Document>& encrypted, policy::Cluster& cluster,
                   diag::Diagnostics& diagnostics) {
    constexpr std::size_t kMost = 3;
    std::vector<std::string> names;
    Span first;
    for (const yaml::Document& each : encrypted) {
        const bool none = names.empty();
        add_object(each.root, cluster, names);
        if (none && !names.empty())
            first = each.root.span;
    }
    if (!names.empty())
        diagnostics.report(diag::Code::EncryptedObject, first, {listed(names, kMost)})
            .with_note("answers that may hang on what they say are `depends`")
            .with_hint("decrypt what is asked about: `sops -d FILE | polecat lint -`");
}

} // namespace polecat::frontend
