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

/// A file that was read already, from a revision of a repository for example.
struct File {
    std::string path, text;
};
policy::Cluster load_files(std::vector<File> files, Sources& sources,
                           diag::Diagnostics& diagnostics);
/// Ends in .yaml, .yml or .json, and is no file of expectations, configuration or baseline.
bool is_manifest_name(const std::string& path);

/// The same for documents that are already read (tests, `conversion` and `validator` suites).
void load_documents(const std::vector<yaml::Document>& documents, policy::Cluster& cluster,
                    diag::Diagnostics& diagnostics);

/// Checks between objects (tier exists, two objects of one name, ...), after all documents.
/// A policy whose tier is not there, or could not be read, has no known place.
void check_references(policy::Cluster& cluster, diag::Diagnostics& diagnostics);

} // namespace polecat::frontend
