/// `polecat diff` in words: text, JSON, Markdown.
#pragma once

#include <string>

#include "driver/diff/report.h"

namespace polecat::cli {

/// "Z3: 12 equal programs confirmed, ...".
std::string proof_text(const smt::DiffProof& proof);
std::string diff_text(const driver::DiffReport& report);
std::string diff_json(const driver::DiffReport& report);
std::string diff_markdown(const driver::DiffReport& report);

} // namespace polecat::cli
