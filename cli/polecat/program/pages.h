/// The pages of docs/diagnostics, built into the program (cmake/embed_docs.cmake).
#pragma once

#include <string_view>

namespace polecat::cli {

/// The page of "PC1002"; empty when there is none (a test sees to it that there is).
std::string_view page_of(std::string_view label);

} // namespace polecat::cli
