/// Finds the place of an addition in the text of a file, and writes it in the style of the file:
/// indented like its neighbours, or within brackets; every other byte stays.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "frontend/yaml/lines.h"
#include "frontend/yaml/outline.h"
#include "frontend/yaml/style.h"
#include "support/diag/diagnostic.h"
#include "support/result.h"

namespace polecat::frontend {

/// A change of a text.
struct TextEdit {
    std::size_t begin = 0, end = 0; ///< bytes that go
    std::string text;               ///< what comes
};

class Insertion {
  public:
    /// Of a file; the text must outlive this.
    explicit Insertion(std::string_view text);

    /// `fix` has an addition. Fails where the place is not there, or where the text is of a form
    /// that can't be extended without touching more of it.
    Result<TextEdit> place(const diag::Fix& fix) const;
    const yaml::Lines& lines() const { return lines_; }

  private:
    std::string_view text_;
    yaml::Lines lines_;
    std::optional<yaml::Outline> outline_;
    std::vector<yaml::Style> styles_; ///< of its documents
};

} // namespace polecat::frontend
