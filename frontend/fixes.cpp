#include "frontend/fixes.h"

#include <algorithm>
#include <map>
#include <optional>

#include "frontend/insertion.h"
#include "frontend/yaml/layout.h"

namespace polecat::frontend {

namespace {

/// A fix as bytes.
struct Edit : TextEdit {
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
            Edit edit{{}, each};
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
    std::string place(Edit& edit) {
        const diag::Fix& fix = edit.fix();
        if (fix.addition)
            return place_addition(edit);
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
        edit.text = fix.replacement;
        return {};
    }

    std::string place_addition(Edit& edit) {
        if (!insertion_)
            insertion_.emplace(text_);
        const Result<TextEdit> placed = insertion_->place(edit.fix());
        if (!placed)
            return placed.error();
        static_cast<TextEdit&>(edit) = *placed;
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
        FixedFile made{file_, {}, {}, {}};
        std::size_t done = 0;
        const Edit* last = nullptr;
        for (const Edit& each : edits) {
            const bool there = last != nullptr && each.begin == last->begin;
            const bool same = there && each.text == last->text;
            if (!same && (there || each.begin < done))
                continue;
            made.mended.push_back(*each.finding);
            if (same)
                continue;
            made.text.append(text_, done, each.begin - done);
            made.text += each.text;
            if (const std::size_t lines = yaml::count_breaks(each.text); lines != 0)
                made.new_lines.insert(made.new_lines.begin(),
                                      {insertion_->lines().place_of(each.begin).first,
                                       static_cast<std::uint32_t>(lines)});
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
    std::optional<Insertion> insertion_; ///< once there is something to add
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

void place_additions(diag::Diagnostics& findings, const Sources& sources) {
    std::map<FileId, Insertion> files;
    findings.keep_if([&](diag::Diagnostic& finding) {
        std::erase_if(finding.fixes, [&](diag::Fix& fix) {
            const FileId file = fix.span.file;
            if (!fix.addition)
                return false;
            if (file.value >= sources.size())
                return true;
            const Insertion& insertion = files.try_emplace(file, sources.text(file)).first->second;
            const Result<TextEdit> placed = insertion.place(fix);
            if (!placed)
                return true;
            const auto [line, column] = insertion.lines().place_of(placed->begin);
            fix.span = {file, line, column,
                        static_cast<std::uint32_t>(placed->end - placed->begin)}; // mostly nothing
            fix.replacement = placed->text;
            fix.addition.reset();
            return false;
        });
        return true;
    });
}

} // namespace polecat::frontend
