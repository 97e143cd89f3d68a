/// Diagnostics: what polecat tells its users about their input. Each has a stable code from the
/// registry codes.def, a primary span, and may have labels, notes, a hint and fixes.
/// Wording: lower case, no full stop, what was seen first, then the rule, then the hint.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/source.h"

namespace polecat::diag {

enum class Severity : std::uint8_t { Note, Warning, Error };
std::string_view to_string(Severity severity);

/// One enumerator for each row of codes.def.
enum class Code : std::uint16_t {
#define POLECAT_DIAG(name, number, slug, severity, text) name = number,
#include "support/diag/codes.def"
#undef POLECAT_DIAG
};

/// A row of the registry.
struct CodeInfo {
    Code code;
    std::string_view name; ///< the enumerator's spelling
    std::string_view slug; ///< "duplicate-key"
    Severity severity;     ///< default severity
    std::string_view text; ///< message with {0}, {1}, ... for the arguments
};

/// All rows, by number.
std::span<const CodeInfo> all_codes();
const CodeInfo& info(Code code);
/// "PC1002".
std::string label(Code code);
/// Finds "PC1002", "pc1002", "1002" or a slug.
std::optional<Code> find_code(std::string_view text);

/// A second place that belongs to the story ("first defined here").
struct Label {
    Span span;
    std::string text;
};

/// What is to be added to a manifest. Only its text says where and in which style: frontend/fixes.
struct Addition {
    bool to_object = false; ///< `path` begins at the object, else at the innermost mapping
    std::string path;       ///< "spec.egress"; fields that are not there are added
    /// YAML in brackets: `{a: b}` are fields of the mapping at `path`, `[a]` items of the sequence.
    std::string content;
    std::string after;                ///< the field that they follow, where it is there
    std::optional<std::size_t> index; ///< of the first item among those of the sequence; none: last
};

/// A machine-applicable change: replace what `span` covers, which must read `original`, by
/// `replacement`; or add something to the object or mapping that holds `span`. Made by the
/// functions of support/diag/fix.h.
struct Fix {
    Span span;
    std::string replacement;
    std::string description;
    std::string original;
    std::optional<Addition> addition = std::nullopt;
};

/// A flow that shows what a finding says.
struct Witness {
    std::string from, to, traffic;
    bool operator==(const Witness&) const = default;
};

std::string to_string(const Witness& witness); ///< "shop/web -> shop/db  TCP 5432"

struct Diagnostic {
    Code code{};
    Severity severity = Severity::Error;
    Span span;
    std::string message;
    /// "NetworkPolicy default/web": the object it is about, where there is one.
    std::string object;
    std::vector<Label> labels;
    std::vector<std::string> notes;
    std::optional<std::string> hint;
    std::vector<Fix> fixes;
    std::optional<Witness> witness;
    /// What it speaks of, for programs: {"selector", "app == 'web'"}, {"label", "team"}.
    std::vector<std::pair<std::string, std::string>> facts;
    /// How far a claim holds and how it was reached: "for every endpoint that could exist (Z3)".
    std::string proof;
    /// A note that is true of most input, and meant so: reports for people only count it
    /// (digest.h).
    bool usual = false;

    Diagnostic& with_label(Span where, std::string text);
    Diagnostic& with_note(std::string text);
    Diagnostic& with_hint(std::string text);
    Diagnostic& with_fix(std::optional<Fix> fix); ///< nullopt: there is none
    Diagnostic& with_witness(Witness flow);
    Diagnostic& with_proof(std::string text);
    Diagnostic& with_fact(std::string key, std::string value);
    /// The value of a fact; empty: there is none.
    std::string_view fact(std::string_view key) const;
    Diagnostic& about(std::string object_name);
    Diagnostic& as_usual(bool usually = true);
};

/// Collects diagnostics. Never prints. Not thread-safe.
class Diagnostics {
  public:
    /// The message is the code's text with {n} replaced by args[n].
    /// The reference is good until the next report.
    Diagnostic& report(Code code, Span span, std::initializer_list<std::string_view> args = {});
    Diagnostic& report(Code code, Span span, std::span<const std::string> args);

    void append(const Diagnostics& other);
    /// Drops those for which `keep` is false; `keep` may change what stays.
    void keep_if(const std::function<bool(Diagnostic&)>& keep);

    const std::vector<Diagnostic>& list() const { return list_; }
    std::size_t count(Severity severity) const;
    bool has_errors() const { return count(Severity::Error) != 0; }
    /// Orders by file, line, column, code; drops exact repeats.
    void sort();

  private:
    std::vector<Diagnostic> list_;
};

/// Whether something was read without errors: looks at what is reported from here on.
class Watch {
  public:
    explicit Watch(const Diagnostics& diagnostics)
        : diagnostics_(diagnostics), from_(diagnostics.list().size()) {}
    /// The place of the first error since; nullopt: there was none.
    std::optional<Span> error() const;
    /// What `act` reports is not looked at: it sees to its own errors.
    template <class Act> auto leaving_out(const Act& act) {
        first_ = error();
        auto result = act();
        from_ = diagnostics_.list().size();
        return result;
    }

  private:
    const Diagnostics& diagnostics_;
    std::size_t from_;
    std::optional<Span> first_; ///< of what comes before `from_`
};

/// The candidate nearest to `word` by edit distance, when it is near enough to be a slip.
std::optional<std::string> nearest(std::string_view word,
                                   std::span<const std::string_view> candidates);

} // namespace polecat::diag
