/// Has the installed helm and kustomize make manifests of charts and kustomizations.
#pragma once

#include <string>
#include <vector>

#include "driver/input/input.h"
#include "frontend/discover.h"

namespace polecat::driver {

struct RenderRun {
    struct Failure {
        std::size_t file = 0; ///< the first folder's Chart.yaml or kustomization.yaml, among files
        std::vector<std::string> folders;
        std::string why;
    };
    bool rendered = false;
    std::vector<Failure> failures;
};

/// Options or `.polecat.yaml` ask for it.
bool wants_rendering(const InputOptions& options);

/// Where options or `.polecat.yaml` ask for it: adds what was made to `files`, and leaves those it
/// was made from as sources. Each chart is rendered, and each kustomization that no other one
/// builds from.
RenderRun render(std::vector<frontend::File>& files, const InputOptions& options);

} // namespace polecat::driver
