/// Tags of scalars, and what was meant where a document does not parse. Private to frontend/yaml.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "frontend/yaml/node.h"

namespace polecat::yaml {

/// Gives a scalar the type that its tag (empty: none) says, as Kubernetes' reader does. `source` is
/// the scalar as it is written, tag and all. What Kubernetes' reader would drop in silence (a tag
/// that is not of YAML, such as `!has(app)`) or refuse is reported; false then.
bool apply_tag(std::string_view tag, std::string_view source, Node& scalar,
               diag::Diagnostics& diagnostics);

/// Text cut from a document, by the characters that libyaml counts. Asked in order.
class SourceText {
  public:
    explicit SourceText(std::string_view text) : text_(text) {}
    /// From the character `begin` up to `end`.
    std::string_view cut(std::size_t begin, std::size_t end);
    /// The line that has number `line`, from 0.
    std::string_view line(std::size_t line) const;

  private:
    std::size_t byte_of(std::size_t from, std::size_t characters) const;

    std::string_view text_;
    std::size_t byte_ = 0, index_ = 0;
};

/// What to do about text around line `line` that does not parse, where that is known: a value that
/// begins with `!`, a separator that is none.
std::optional<std::string> hint_for(const SourceText& source, std::size_t line);

} // namespace polecat::yaml
