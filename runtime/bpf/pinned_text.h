/// A text that the kernel keeps beside pinned programs: what their maps do not say of themselves.
#pragma once

#include <optional>
#include <string>

#include "support/result.h"

namespace polecat::runtime {

/// In a folder of bpffs, in place of the text that had this name, at once.
Result<bool> pin_text(const std::string& folder, const std::string& name, const std::string& text);
/// nullopt: there is none.
Result<std::optional<std::string>> pinned_text(const std::string& folder, const std::string& name);

} // namespace polecat::runtime
