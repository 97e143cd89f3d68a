/// Renderers of diagnostics. Each returns the whole text; nothing here prints.
#pragma once

#include <span>
#include <string>

#include "support/diag/diagnostic.h"

namespace polecat::diag {

struct TextOptions {
    bool colour = false;
};

/// For people: "path:line:col: error[PC1002]: message [slug]", source excerpt with carets, labels,
/// notes, hint.
std::string render_text(std::span<const Diagnostic> list, const Sources& sources,
                        TextOptions options = {});

/// One JSON object a line (schema: docs/json.md).
std::string render_json(std::span<const Diagnostic> list, const Sources& sources);

/// SARIF 2.1.0 (OASIS standard), one run.
std::string render_sarif(std::span<const Diagnostic> list, const Sources& sources);

} // namespace polecat::diag
