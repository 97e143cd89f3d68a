/// Whether patches of kustomize change what polecat reads.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "frontend/yaml/node.h"

namespace polecat::frontend {

/// The text of a file beside the kustomization, by the name that it gives; nullopt: not there.
using TextOfPatch = std::function<std::optional<std::string>(const std::string&)>;

/// `patches`: the value of `patches`, `patchesStrategicMerge` or `patchesJson6902`. True: all of
/// them are of kinds that are not read, or of fields of workloads that say nothing of policy
/// (resources, arguments, volumes, ...). In doubt false.
bool patches_leave_policy(const yaml::Node& patches, const TextOfPatch& text_of);

} // namespace polecat::frontend
