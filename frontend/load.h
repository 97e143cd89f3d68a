/// Loading: files, folders and standard input into a policy::Cluster.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "frontend/discover.h"
#include "frontend/doubles.h"
#include "frontend/passed_by.h"
#include "frontend/yaml/earlier.h"
#include "ir/policy/cluster.h"
#include "support/diag/diagnostic.h"
#include "support/source.h"

namespace polecat::frontend {

struct LoadOptions {
    std::string space; ///< where objects without a namespace go; empty: `default`
    Variants variants = Variants::Unknown;
    /// Of another version of the cluster, read before; what this one reads is added. `sources` must
    /// outlive it.
    yaml::EarlierDocuments* earlier = nullptr;
};

/// Reads files that are in memory. Whatever can't be understood is reported; has_errors() then
/// means that the cluster is not to be used. What no manifest is in a folder is passed by, and
/// added to `passed_by`.
policy::Cluster load_files(std::vector<File> files, Sources& sources,
                           diag::Diagnostics& diagnostics, const LoadOptions& options = {},
                           std::vector<PassedBy>* passed_by = nullptr);

/// read_files() and load_files().
policy::Cluster load(const std::vector<std::string>& paths, Sources& sources,
                     diag::Diagnostics& diagnostics);

/// The same for documents that are already read (tests, `conversion` and `validator` suites).
void load_documents(const std::vector<yaml::Document>& documents, policy::Cluster& cluster,
                    diag::Diagnostics& diagnostics);

/// Checks between objects (tier exists, profiles and services that nobody defines, ...), after all
/// documents. A policy whose tier is not there, or could not be read, has no known place.
void check_references(policy::Cluster& cluster, diag::Diagnostics& diagnostics);

} // namespace polecat::frontend
