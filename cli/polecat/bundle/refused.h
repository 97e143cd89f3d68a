/// Commands that read bundles.
#pragma once

#include <string>

#include "artefact/bundle/manifest.h"

namespace polecat::cli {

/// Tells why, and ends the command with the code for bad input.
[[noreturn]] void end_refused(const std::string& folder, const bundle::Refused& refused);

/// What `act` gives; where it throws bundle::Refused, that ends the command.
template <class Act> auto of_bundle(const std::string& folder, const Act& act) {
    try {
        return act();
    } catch (const bundle::Refused& refused) {
        end_refused(folder, refused);
    }
}

} // namespace polecat::cli
