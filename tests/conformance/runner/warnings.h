/// The query `parserWarnings`: what reading and lint say of manifests.
#pragma once

#include <string>
#include <vector>

namespace polecat::conformance {

/// What was found instead of as many warnings; empty: it holds.
std::string judge_warnings(const std::vector<std::string>& manifests, std::size_t wanted);

} // namespace polecat::conformance
