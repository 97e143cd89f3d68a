/// Answers to questions with an open end, as text and as JSON (docs/json.md).
#pragma once

#include <string>
#include <vector>

#include "driver/reach/ask.h"

namespace polecat::cli {

/// `hanging`: the rows that hang on what of the input was not read are added to it.
std::string answer_text(const decision::LoweredCluster& cluster, const driver::Input& input,
                        const std::vector<driver::Question>& questions, driver::Hanging& hanging);
/// Each entry names what was not read.
std::string answer_json(const decision::LoweredCluster& cluster, const driver::Input& input,
                        const std::vector<driver::Question>& questions, driver::Hanging& hanging);

} // namespace polecat::cli
