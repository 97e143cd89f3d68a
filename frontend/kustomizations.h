/// What files of kustomize say. Private to frontend/unrendered.
#pragma once

#include <vector>

#include "frontend/unrendered.h"

namespace polecat::frontend {

bool is_kustomization_name(const std::string& path);

/// Adds the kustomizations among the files, which of these are no manifests of their own, and the
/// namespaces that kustomize gives.
void add_kustomizations(const std::vector<File>& files, Layout& layout);

} // namespace polecat::frontend
