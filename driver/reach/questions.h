/// `polecat reach` with an open end, or without a port: what is asked, as questions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "driver/reach/ask.h"
#include "ir/expectation.h"

namespace polecat::driver {

struct Asked {
    std::string from, to;
    std::vector<expectation::Traffic> traffic; ///< empty: every protocol and port
    std::optional<std::uint16_t> source_port;
    bool explain = false;
};

/// A service is a question for each of its ports, and so is what leads to backends elsewhere.
Result<std::vector<Question>> questions_of(const decision::LoweredCluster& cluster,
                                           const Asked& asked);

} // namespace polecat::driver
