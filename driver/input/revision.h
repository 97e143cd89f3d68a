/// Manifests of a revision of the git repository here.
#pragma once

#include <string>
#include <vector>

#include "driver/input/versions.h"
#include "support/result.h"

namespace polecat::driver {

/// What lies below the paths in the revision; helm and kustomize get a copy of it, where they are
/// asked for. `earlier`: as in read_version().
Result<Input> read_revision(const std::string& revision, const std::vector<std::string>& paths,
                            const InputOptions& options, yaml::EarlierDocuments& earlier);

} // namespace polecat::driver
