/// What of the input was not read, told beside answers that do without it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "driver/input/input.h"

namespace polecat::driver {

/// Whether there is nothing to answer from: a path can't be read, or there is no manifest.
bool leaves_nothing(const diag::Diagnostics& diagnostics);
/// The same, and where nothing of the manifests could be read, if that matters; tells it.
bool is_unusable(const Input& input, bool needs_objects = true);

/// How many answers may be others, once what could not be read is mended.
struct Hanging {
    std::size_t some = 0, all = 0;
    void add(bool hangs) {
        some += hangs ? 1 : 0;
        ++all;
    }
};

bool is_partly_unread(const Input& input);

/// What could not be read, how many answers hang on it, and whose policies were not read, a line
/// each; empty: everything was read.
std::vector<std::string> unread_lines(const Input& input, const Hanging& hanging);
/// The same to standard error: call it before the answers are printed.
void tell_unread(const Input& input, const Hanging& hanging);

/// The answer hangs on something that could not be read. `reason`: of a verdict `depends`.
bool hangs_on_unread(const std::string& reason);
/// Endpoints of these whose policy does, in one direction where one is given.
Hanging endpoints_in_doubt(const Input& input, const decision::LoweredCluster& cluster,
                           const std::vector<decision::ObjectId>& endpoints,
                           std::optional<decision::Direction> direction = std::nullopt);
Hanging endpoints_in_doubt(const Input& input, const decision::LoweredCluster& cluster); ///< of all

} // namespace polecat::driver
