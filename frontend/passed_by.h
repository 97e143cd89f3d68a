/// What folders hold beside manifests: values of charts, dashboards, workflows, encrypted files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "frontend/kinds/groups.h"
#include "frontend/yaml/node.h"

namespace polecat::frontend {

/// A file of a folder that is no manifest, and why it was taken for none.
struct PassedBy {
    std::string path, why;
};

/// What a file is by its name or folder that is never a manifest ("a helmfile"); empty: it may be.
std::string why_no_manifest_at(const std::string& path);

/// What a file is that no text is read from ("encrypted by git-crypt", "no text"); empty: text.
std::string why_no_text(std::string_view text);

/// A text that could not be read might have been a manifest: it has a line `apiVersion:`, or words
/// that only policies have.
bool may_be_manifest(std::string_view text);

/// It has a line `kind: ` with the name of a policy.
bool mentions_policy(std::string_view text);

/// Its kind is one of policy, or its spec can be of nothing else.
bool looks_like_policy(const yaml::Node& root, const TypeMeta& type);

/// A part of a workload, as patches have it: no pod could come of it. Taken for an object it would
/// replace the whole one.
bool is_part_of_workload(const yaml::Node& root);

/// Why a document of a folder is no manifest; empty: it is one, or was meant to be one. What looks
/// like a policy and lacks its apiVersion or kind was meant to be one.
std::string why_no_manifest(const yaml::Node& root);

} // namespace polecat::frontend
