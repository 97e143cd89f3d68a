/// Loading: files, folders and standard input into a policy::Cluster.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "frontend/yaml/node.h"
#include "ir/policy/cluster.h"
#include "support/diag/diagnostic.h"
#include "support/source.h"

namespace polecat::frontend {

/// Reads every *.yaml, *.yml and *.json below the given files and folders ("-": standard input),
/// in path order, but those in folders that are `excluded`. Whatever can't be understood is
/// reported; has_errors() then means that the cluster is not to be used.
policy::Cluster load(const std::vector<std::string>& paths, Sources& sources,
                     diag::Diagnostics& diagnostics,
                     const std::function<bool(const std::string&)>& excluded = {});

/// The same for the texts that `sources` holds.
policy::Cluster load_sources(const Sources& sources, diag::Diagnostics& diagnostics);

/// The same for documents that are already read (tests, `conversion` and `validator` suites).
void load_documents(const std::vector<yaml::Document>& documents, policy::Cluster& cluster,
                    diag::Diagnostics& diagnostics);

/// Checks between objects (tier exists, two objects of one name, ...), after all documents.
void check_references(const policy::Cluster& cluster, diag::Diagnostics& diagnostics);

} // namespace polecat::frontend
