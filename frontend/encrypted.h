/// Objects that sops encrypted, whole or in part (getsops.io).
#pragma once

#include <vector>

#include "frontend/yaml/node.h"
#include "ir/policy/cluster.h"
#include "support/diag/diagnostic.h"

namespace polecat::frontend {

/// Moves the documents of which something can't be known from `documents` to `encrypted`, and takes
/// what sops adds off all others: whoever decrypts them does so as well. Of Secrets only the values
/// are hidden, which nobody asks for.
void set_encrypted_apart(std::vector<yaml::Document>& documents,
                         std::vector<yaml::Document>& encrypted);

/// What they say counts as not known, which is said once.
void add_encrypted(const std::vector<yaml::Document>& encrypted, policy::Cluster& cluster,
                   diag::Diagnostics& diagnostics);

} // namespace polecat::frontend
