#include "frontend/fixes.h"

#include <algorithm>
#include <map>
#include <optional>

#include "frontend/yaml/layout.h"

namespace polecat::frontend {

namespace {

/// A fix as bytes.
struct Edit {
    std::size_t begin = 0, end = 0;
    const diag::Diagnostic* finding = nullptr;

    const diag::Fix& fix() const { return finding->fixes.front(); }
};

class Editor {
  public:
    Editor(FileId file, const Sources& sources, Fixes& out)
        : file_(file), text_(sources.text(file)), layout_(yaml::layout_of(text_, file)), out_(out) {
    }

    void run(const std::vector<const diag::Diagnostic*>& findings) {
        std::vector<Edit> edits;
        for (const diag::Diagnostic* each : findings) {
            Edit edit{0, 0, each};
            if (const std::string why = place(edit); why.empty())
                edits.push_back(edit);
            else
                out_.refused.push_back({*each, why});
        }
        std::stable_sort(edits.begin(), edits.end(),
                         [](const Edit& a, const Edit& b) { return a.begin < b.begin; });
        apply(edits);
    }

  private:
    /// Fills in the bytes; why not, or empty.
    std::string place(Edit& edit) const {
        const diag::Fix& fix = edit.fix();
        if (!layout_)
            return "its text can't be taken apart";
        if (layout_->aliases)
            return "the file has YAML aliases, so what is edited may count in several places";
        const yaml::ScalarPlace* scalar = scalar_at(fix.span);
        if (scalar == nullptr || scalar->block)
            return "what it changes is not a word of its own in the text";
        const std::size_t quote = scalar->quoted ? 1 : 0;
        if (scalar->end - scalar->begin != fix.original.size() + 2 * quote ||
            text_.compare(scalar->begin + quote, fix.original.size(), fix.original) != 0)
            return "the text does not read `" + fix.original + "`";
        edit.begin = scalar->begin + quote;
        edit.end = edit.begin + fix.original.size();
        return {};
    }

    /// The scalar whose text, within quotes, begins at `span`.
    const yaml::ScalarPlace* scalar_at(const Span& span) const {
        auto each = std::lower_bound(
            layout_->scalars.begin(), layout_->scalars.end(), span.line,
            [](const yaml::ScalarPlace& a, std::uint32_t line) { return a.line < line; });
        for (; each != layout_->scalars.end() && each->line == span.line; ++each)
            if (each->column + (each->quoted ? 1 : 0) == span.column)
                return &*each;
        return nullptr;
    }

    void apply(const std::vector<Edit>& edits) {
        FixedFile made{file_, {}, {}};
        std::size_t done = 0;
        const Edit* last = nullptr;
        for (const Edit& each : edits) {
            const bool same = last != nullptr && each.begin == last->begin &&
                              each.fix().replacement == last->fix().replacement;
            if (!same && each.begin < done)
                continue;
            made.mended.push_back(*each.finding);
            if (same)
                continue;
            made.text.append(text_, done, each.begin - done);
            made.text += each.fix().replacement;
            done = each.end;
            last = &each;
        }
        if (last == nullptr)
            return;
        made.text.append(text_, done);
        out_.files.push_back(std::move(made));
    }

    FileId file_;
    const std::string& text_;
    std::optional<yaml::Layout> layout_;
    Fixes& out_;
};

} // namespace

Fixes apply_fixes(const std::vector<diag::Diagnostic>& findings, const Sources& sources) {
    std::map<FileId, std::vector<const diag::Diagnostic*>> by_file;
    for (const diag::Diagnostic& each : findings)
        if (!each.fixes.empty() && each.fixes.front().span.file.value < sources.size())
            by_file[each.fixes.front().span.file].push_back(&each);
    Fixes out;
    for (const auto& [file, list] : by_file)
        Editor(file, sources, out).run(list);
    return out;
}

} // namespace polecat::frontend
