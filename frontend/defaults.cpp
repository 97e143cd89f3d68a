#include "frontend/defaults.h"

#include <algorithm>
#include <array>
#include <string>

#include "frontend/kinds/schema/schema.h"

namespace polecat::frontend {

using yaml::Member;
using yaml::Node;

namespace {

struct DefaultRow {
    std::string_view kind;
    std::string_view path; ///< a default is filled in where its parent is there
    std::string_view value;
};

/// Of the kinds that have no schema table, and fields that Go always writes (bpfLogLevel).
constexpr std::array kDefaults{
    DefaultRow{"FelixConfiguration", "spec.bpfLogLevel", ""},
    DefaultRow{"StagedGlobalNetworkPolicy", "spec.stagedAction", "Set"},
    DefaultRow{"StagedKubernetesNetworkPolicy", "spec.stagedAction", "Set"},
    DefaultRow{"StagedNetworkPolicy", "spec.stagedAction", "Set"},
    DefaultRow{"Tier", "spec.defaultAction", "Deny"},
};

/// Kinds whose tier `""` means `default` and whose types depend on their rules.
bool is_tiered_policy(std::string_view kind) {
    return kind == "NetworkPolicy" || kind == "GlobalNetworkPolicy" ||
           kind == "StagedNetworkPolicy" || kind == "StagedGlobalNetworkPolicy";
}

Node scalar(std::string_view value, bool quoted) {
    Node out;
    out.kind = Node::Kind::Scalar;
    out.quoted = quoted;
    out.text = std::string(value);
    return out;
}

Node* find(Node& mapping, std::string_view key) {
    return const_cast<Node*>(mapping.find(key));
}

Node& add(Node& mapping, std::string_view key, Node value) {
    mapping.members.push_back(Member{std::string(key), Span{}, std::move(value)});
    return mapping.members.back().value;
}

bool is_absent(const Node* node) {
    return node == nullptr || node->is_null();
}

void put(Node& mapping, std::string_view key, Node value) {
    if (Node* there = find(mapping, key))
        *there = std::move(value);
    else
        add(mapping, key, std::move(value));
}

void fill(Node& mapping, std::string_view path, std::string_view value) {
    const std::size_t dot = path.find('.');
    const std::string_view key = path.substr(0, dot);
    Node* there = find(mapping, key);
    if (dot != std::string_view::npos) {
        if (there != nullptr && there->is_mapping())
            fill(*there, path.substr(dot + 1), value);
        return;
    }
    // A number or a boolean is written plain, all else as text.
    const bool plain = value == "true" || value == "false" || value == "0";
    if (is_absent(there))
        put(mapping, key, scalar(value, !plain));
}

bool has_items(const Node& spec, std::string_view key) {
    const Node* list = spec.find(key);
    return list != nullptr && list->is_sequence() && !list->items.empty();
}

void fill_types(Node& spec) {
    if (has_items(spec, "types"))
        return;
    const DefaultTypes types = default_types(has_items(spec, "ingress"), has_items(spec, "egress"));
    Node list;
    list.kind = Node::Kind::Sequence;
    if (types.ingress)
        list.items.push_back(scalar("Ingress", true));
    if (types.egress)
        list.items.push_back(scalar("Egress", true));
    put(spec, "types", std::move(list));
}

/// The label by which tools list the policies of a tier.
void fill_tier_label(Node& object, const std::string& tier) {
    Node* meta = find(object, "metadata");
    if (meta == nullptr || !meta->is_mapping())
        return;
    Node* labels = find(*meta, "labels");
    if (is_absent(labels)) {
        Node empty;
        empty.kind = Node::Kind::Mapping;
        put(*meta, "labels", std::move(empty));
        labels = find(*meta, "labels");
    }
    if (labels->is_mapping() && is_absent(find(*labels, "projectcalico.org/tier")))
        put(*labels, "projectcalico.org/tier", scalar(tier, true));
}

} // namespace

DefaultTypes default_types(bool has_ingress_rules, bool has_egress_rules) {
    return {has_ingress_rules || !has_egress_rules, has_egress_rules};
}

void apply_defaults(Node& object, std::string_view kind) {
    if (!object.is_mapping())
        return;
    Node* spec = find(object, "spec");
    if (spec == nullptr || !spec->is_mapping())
        return;
    if (is_tiered_policy(kind)) {
        fill_types(*spec);
        Node* tier = find(*spec, "tier");
        if (is_absent(tier) || tier->text.empty())
            put(*spec, "tier", scalar("default", true));
        fill_tier_label(object, find(*spec, "tier")->text);
        spec = find(object, "spec");
    }
    for (const DefaultRow& row : kDefaults)
        if (row.kind == kind)
            fill(object, row.path, row.value);
    if (const KindSchema* schema = find_schema(kind))
        for (const FieldRow& row : schema->rows)
            if (!row.default_value.empty())
                fill(*spec, row.path, row.default_value);
}

} // namespace polecat::frontend
