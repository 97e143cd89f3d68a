/// Objects of which a kustomization makes one name.
#pragma once

#include <string>

#include "frontend/objects.h"
#include "support/source.h"

namespace polecat::frontend {

/// `metadata.name`; nullptr: there is none.
const yaml::Node* name_node(const yaml::Node& root);
/// Of a kind that has one; empty: the object says none.
std::string space_of(const Object& object);

/// A kustomization gives this Namespace another name than its file says.
bool is_renamed(const Object& object, const Sources* sources);

/// What a kustomization makes of the two, where it gives them one name; empty: it doesn't.
std::string joined_by(const Object& first, const Object& second, const Sources* sources);

} // namespace polecat::frontend
