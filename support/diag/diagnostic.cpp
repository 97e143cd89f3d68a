#include "support/diag/diagnostic.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <stdexcept>
#include <tuple>
#include <utility>

#include "support/letters.h"

namespace polecat::diag {

namespace {

constexpr auto Note [[maybe_unused]] = Severity::Note;
constexpr auto Warning [[maybe_unused]] = Severity::Warning;
constexpr auto Error [[maybe_unused]] = Severity::Error;

constexpr CodeInfo kCodes[] = {
#define POLECAT_DIAG(name, number, slug, severity, text) {Code::name, #name, slug, severity, text},
#include "support/diag/codes.def"
#undef POLECAT_DIAG
};

/// Replaces {n} by args[n]. A row whose text asks for more than it is given is a programming error.
std::string fill(std::string_view text, std::span<const std::string> args) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '{' && i + 2 < text.size() && text[i + 2] == '}') {
            const auto index = static_cast<std::size_t>(text[i + 1] - '0');
            if (index >= args.size())
                throw std::logic_error("diagnostic text lacks an argument: " + std::string(text));
            out += args[index];
            i += 2;
        } else {
            out += text[i];
        }
    }
    return out;
}

/// Insertions, deletions, substitutions and swaps of neighbours ("fornt"), regardless of case.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    const auto same = [&](std::size_t i, std::size_t j) {
        return lower_case(a[i - 1]) == lower_case(b[j - 1]);
    };
    std::vector<std::size_t> before, previous, row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before = std::exchange(previous, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min(
                {previous[j] + 1, row[j - 1] + 1, previous[j - 1] + (same(i, j) ? 0U : 1U)});
            if (i > 1 && j > 1 && same(i, j - 1) && same(i - 1, j))
                row[j] = std::min(row[j], before[j - 2] + 1);
        }
    }
    return row[b.size()];
}

} // namespace

std::string_view to_string(Severity severity) {
    switch (severity) {
    case Severity::Note:
        return "note";
    case Severity::Warning:
        return "warning";
    case Severity::Error:
        return "error";
    }
    return "";
}

std::span<const CodeInfo> all_codes() {
    return kCodes;
}

const CodeInfo& info(Code code) {
    const auto* row = std::find_if(std::begin(kCodes), std::end(kCodes),
                                   [&](const CodeInfo& each) { return each.code == code; });
    if (row == std::end(kCodes))
        throw std::logic_error("code without a row in codes.def");
    return *row;
}

std::string label(Code code) {
    return "PC" + std::to_string(static_cast<unsigned>(code));
}

std::optional<Code> find_code(std::string_view text) {
    const bool prefixed =
        text.size() > 2 && (text.substr(0, 2) == "PC" || text.substr(0, 2) == "pc");
    for (const CodeInfo& row : kCodes)
        if (row.slug == text || label(row.code).substr(2) == (prefixed ? text.substr(2) : text))
            return row.code;
    return std::nullopt;
}

std::string to_string(const Witness& witness) {
    return witness.from + " -> " + witness.to + "  " + witness.traffic;
}

Diagnostic& Diagnostic::with_label(Span where, std::string text) {
    if (where.known()) // what no file says has no place to show
        labels.push_back({where, std::move(text)});
    return *this;
}

Diagnostic& Diagnostic::with_note(std::string text) {
    notes.push_back(std::move(text));
    return *this;
}

Diagnostic& Diagnostic::with_hint(std::string text) {
    hint = std::move(text);
    return *this;
}

Diagnostic& Diagnostic::with_fix(std::optional<Fix> fix) {
    if (fix)
        fixes.push_back(std::move(*fix));
    return *this;
}

Diagnostic& Diagnostic::with_witness(Witness flow) {
    witness = std::move(flow);
    return *this;
}

Diagnostic& Diagnostic::with_fact(std::string key, std::string value) {
    facts.emplace_back(std::move(key), std::move(value));
    return *this;
}

Diagnostic& Diagnostic::with_proof(std::string text) {
    proof = std::move(text);
    return *this;
}

std::string_view Diagnostic::fact(std::string_view key) const {
    for (const auto& [each, value] : facts)
        if (each == key)
            return value;
    return {};
}

Diagnostic& Diagnostic::about(std::string object_name) {
    object = std::move(object_name);
    return *this;
}

Diagnostic& Diagnostic::as_usual(bool usually) {
    usual = usually;
    return *this;
}

Diagnostic& Diagnostics::report(Code code, Span span,
                                std::initializer_list<std::string_view> args) {
    const std::vector<std::string> texts(args.begin(), args.end());
    return report(code, span, std::span<const std::string>(texts));
}

Diagnostic& Diagnostics::report(Code code, Span span, std::span<const std::string> args) {
    const CodeInfo& row = info(code);
    Diagnostic made;
    made.code = code;
    made.severity = row.severity;
    made.span = span;
    made.message = fill(row.text, args);
    list_.push_back(std::move(made));
    return list_.back();
}

void Diagnostics::append(const Diagnostics& other) {
    list_.insert(list_.end(), other.list_.begin(), other.list_.end());
}

std::optional<Span> Watch::error() const {
    if (first_)
        return first_;
    const auto& list = diagnostics_.list();
    for (std::size_t i = from_; i < list.size(); ++i)
        if (list[i].severity == Severity::Error)
            return list[i].span;
    return std::nullopt;
}

void Diagnostics::keep_if(const std::function<bool(Diagnostic&)>& keep) {
    std::vector<Diagnostic> kept;
    for (Diagnostic& each : list_)
        if (keep(each))
            kept.push_back(std::move(each));
    list_ = std::move(kept);
}

std::size_t Diagnostics::count(Severity severity) const {
    return static_cast<std::size_t>(
        std::count_if(list_.begin(), list_.end(),
                      [&](const Diagnostic& each) { return each.severity == severity; }));
}

void Diagnostics::sort() {
    const auto key = [](const Diagnostic& d) {
        return std::tie(d.span, d.code, d.message, d.object);
    };
    std::stable_sort(list_.begin(), list_.end(),
                     [&](const auto& a, const auto& b) { return key(a) < key(b); });
    list_.erase(std::unique(list_.begin(), list_.end(),
                            [&](const auto& a, const auto& b) { return key(a) == key(b); }),
                list_.end());
}

std::optional<std::string> nearest(std::string_view word,
                                   std::span<const std::string_view> candidates) {
    if (std::find(candidates.begin(), candidates.end(), word) != candidates.end())
        return std::string(word);
    const std::size_t limit = std::max<std::size_t>(1, word.size() / 3);
    std::size_t best = limit + 1;
    std::optional<std::string> found;
    for (std::string_view candidate : candidates) {
        if (candidate.size() > word.size() + limit || word.size() > candidate.size() + limit)
            continue;
        const std::size_t distance = edit_distance(word, candidate);
        if (distance < best) {
            best = distance;
            found = std::string(candidate);
        }
    }
    return found;
}

} // namespace polecat::diag
