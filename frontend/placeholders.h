/// Texts that somebody was to replace before the object is applied: `{{ .Values.app }}` of
/// templates, `${APP}` of Flux and envsubst, `<node-name>` and `__NODE__` by hand.
#pragma once

#include <string>
#include <vector>

#include "frontend/yaml/node.h"
#include "support/diag/diagnostic.h"

namespace polecat::frontend {

struct Placeholder {
    Span span; ///< of the whole text it stands in
    std::string text;
    bool is_variable = false; ///< `${APP}`
    bool in_metadata = false; ///< in a name, a namespace, labels: of the object or its pods
    bool is_space = false;    ///< in metadata.namespace
    /// A form without rules, `<node-name>`: it counts only where its text is refused.
    bool is_blank = false;
    Span key{}; ///< of a blank: of the field that it is the value of
};

/// Not a name or a label yet: no check of what it says holds.
bool holds_placeholder(const std::string& text);

/// All of an object, annotations apart: tools keep templates of their own in them.
std::vector<Placeholder> placeholders_of(const yaml::Node& root);

/// An error at a text that is read and holds one. Of names and labels: see below.
void report_placeholder(const yaml::Node& text, const std::string& object,
                        diag::Diagnostics& diagnostics);

/// What reading said of such texts ("not a name") is wrong: they are not rendered, which is said
/// instead. In names and labels it is a warning, and the text counts as it stands; elsewhere, and
/// in a policy's namespace, an error: nobody knows what the object says. Of an object that is no
/// policy only what was read counts.
void settle_placeholders(const std::vector<Placeholder>& placeholders, bool is_policy,
                         const std::string& object, diag::Diagnostics& found);

} // namespace polecat::frontend
