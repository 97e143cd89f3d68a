/// What the reports for other programs (SARIF, GitHub, GitLab, JUnit) share.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "support/diag/diagnostic.h"

namespace polecat::diag {

/// The path without "." and "..", relative to `root` (absolute, or empty) where it lies below it,
/// else absolute. "-" (standard input) stays as it is.
std::string report_path(const std::string& path, const std::string& root);

/// A path of `report_path` as an RFC 3986 reference: "a%20b.yaml", "file:///tmp/x".
std::string to_uri(const std::string& path);

/// One for each diagnostic: 32 hex digits that stay when lines move, are the same on every machine,
/// and differ within the list. Made from the code, the file, the object and the text of the line;
/// equal ones are counted.
std::vector<std::string> fingerprints(std::span<const Diagnostic> list, const Sources& sources,
                                      const std::string& root);

/// Object, notes, witness, proof, hint and fix: what stands beside the message, in order.
std::vector<std::string> details(const Diagnostic& diagnostic);

} // namespace polecat::diag
