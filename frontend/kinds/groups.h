/// What is known of kinds that are not read: which of them look like policy, and what was meant.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frontend/yaml/node.h"
#include "support/diag/diagnostic.h"

namespace polecat::frontend {

/// apiVersion and kind.
struct TypeMeta {
    std::string api_version, kind;

    /// "networking.k8s.io"; "v1" for Kubernetes' first group, whatever the version.
    std::string group() const;
};

/// The text of a scalar member of a mapping, else "".
std::string scalar_text(const yaml::Node& root, std::string_view key);
inline std::string scalar_text(const yaml::Node* mapping, std::string_view key) {
    return mapping != nullptr ? scalar_text(*mapping, key) : std::string();
}

/// Groups in which an unknown kind is a slip, since a policy that is not read is an open door; ours
/// is one of them.
bool is_policy_group(std::string_view group);
/// Nearly the name of a kind of policy.
bool is_policy_name(std::string_view kind);
/// A kind of policy, or one that policy is made of: what it says decides.
bool is_policy_like(const TypeMeta& type);
/// The same by the kind alone, for those that answers about policy hang on.
bool is_kind_of_policy(std::string_view kind);
/// A kind that is not read and should perhaps be: it has a policy's name or group, or is nearly a
/// kind that is read.
bool is_slip(const TypeMeta& type);
/// The kinds that are read and that this one may be: itself, those that are spelt nearly so, the
/// nearest first, or those of the group where it is not given. Empty: it is none of them.
std::vector<std::string> kinds_meant(const TypeMeta& type);
/// Answers may hang on an object of it, even where it is not what it should be.
bool may_decide(const TypeMeta& type);

/// UnknownKind at the object's kind, with what was probably meant.
void report_unknown_kind(const yaml::Node& root, const TypeMeta& type,
                         diag::Diagnostics& diagnostics);

} // namespace polecat::frontend
