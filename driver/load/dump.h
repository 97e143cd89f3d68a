/// `polecat dump`: what this machine's kernel has, as a folder that `verify --rules` and `diff
/// --rules` read.
#pragma once

#include <string>

#include "driver/compile/folder_kind.h"
#include "driver/load/load.h"

namespace polecat::driver {

/// Of `target`: Nftables, Iptables or Bpf. The folder must be new or empty. Nothing is written
/// while a load is under way: it waits for that, then is an error.
Result<bool> dump(const std::string& folder, FolderKind target, const LoadOptions& options);

} // namespace polecat::driver
