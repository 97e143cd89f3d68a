/// Warnings about what the selectors, rules and peers of policies select, counted the way
/// network-config-analyzer counts those of reading them (docs/conformance.md).
#pragma once

#include <string>
#include <vector>

#include "tests/conformance/runner/configuration.h"

namespace polecat::conformance {

struct SelectionWarning {
    enum class Kind {
        Nothing,    ///< selects nothing
        Everything, ///< selects all there is
        Unclear,    ///< fields that are left out, or that do nothing together
    };
    Kind kind = Kind::Nothing;
    std::string text; ///< "NetworkPolicy shop/web: selector selects nothing"
};

std::vector<SelectionWarning> selection_warnings(const Configuration& configuration);

} // namespace polecat::conformance
