/// Schemas of the Calico kinds that polecat checks but does not (all of it) lower: which fields a
/// `spec` has, of which type, with which values. Tables of rows, one file a family of kinds; the
/// rules between fields are in rules.cpp.
/// Source: the CRDs of Calico v3.32 (api/config/crd) and libcalico-go/lib/validator/v3.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "frontend/yaml/node.h"
#include "ir/policy/settings.h"
#include "support/diag/diagnostic.h"

namespace polecat::frontend {

/// `path` below spec: "communities[].name"; `[]` is an item of a list.
/// `type` is one of
///   any | object | map | list | bool | string | intstr | asn
///   int [LOW..HIGH]           duration (Go's 1h30m)
///   enum A|B                  fold A|B (case does not count; may be empty)
///   re REGEX                  (ECMAScript, whole value)
///   cidr | cidr4 | cidr6      ip | ip4 | ip6          cidrs (a CIDR or an address)
///   selector
/// A leading "!" means that the field must be there.
struct FieldRow {
    std::string_view path;
    std::string_view type;
    std::string_view default_value = {};
};

struct KindSchema {
    std::string_view kind;
    std::span<const FieldRow> rows;
};

/// nullptr: no schema for this kind.
const KindSchema* find_schema(std::string_view kind);

/// The fields of `spec`, typed. Reports everything that the schema does not allow. `object` and
/// `path` name it in messages.
policy::Settings read_schema(const KindSchema& schema, const yaml::Node& spec,
                             const std::string& object, diag::Diagnostics& diagnostics,
                             const std::string& path = "spec");

/// Rules that tie fields of one object together ("ipipMode and vxlanMode cannot both be enabled").
/// `name` is metadata.name.
void check_rules(std::string_view kind, std::string_view name, const yaml::Node& spec,
                 const std::string& object, diag::Diagnostics& diagnostics);

} // namespace polecat::frontend
