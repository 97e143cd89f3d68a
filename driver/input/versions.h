/// Two versions of one cluster: of the second, what differs is read.
#pragma once

#include <string>
#include <vector>

#include "driver/input/input.h"
#include "frontend/yaml/earlier.h"

namespace polecat::driver {

/// As read_input(). `earlier`: empty for the first version, which is to outlive it.
Input read_version(const std::vector<std::string>& paths, const InputOptions& options,
                   yaml::EarlierDocuments& earlier);
/// The same for files that are in memory.
Input read_version(std::vector<frontend::File> files, const InputOptions& options,
                   yaml::EarlierDocuments& earlier);

} // namespace polecat::driver
