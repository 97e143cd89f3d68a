/// A rollout in words: text, JSON, Markdown.
#pragma once

#include <string>
#include <vector>

#include "driver/rollout/groups.h"

namespace polecat::cli {

/// `over`: what is over a limit, a line each. `whole`: no list is cut short.
std::string rollout_text(const driver::Rollout& rollout, const std::vector<std::string>& over,
                         bool whole);
std::string rollout_markdown(const driver::Rollout& rollout, const std::vector<std::string>& over);
std::string rollout_json(const driver::Rollout& rollout, const std::vector<std::string>& over);

} // namespace polecat::cli
