#include "support/diag/notes.h"

#include <algorithm>
#include <iterator>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "support/diag/printable.h"
#include "support/listed.h"

namespace polecat::diag {

namespace {

/// Facts about the input as a whole, and what could go.
constexpr Code kSummed[] = {
    Code::DuplicateKey,         Code::YamlSyntax,       Code::ForeignPolicy,
    Code::UnprocessedTemplate,  Code::SeveralVariants,  Code::DuplicateObject,
    Code::UnbuiltKustomization, Code::LegacyApiVersion, Code::NoDefaultDeny,
    Code::UnprotectedWorkload,  Code::WorldIngress,     Code::WorldEgress,
    Code::NodePortOpen,         Code::ShadowedRule,     Code::RedundantRule,
    Code::RedundantPolicy,      Code::StagedLeftBehind, Code::NetworkSetUnused};

/// What no answer hangs on was not read: one line for all of it. The second is the plural; what
/// comes after "(and" of many is in the message.
struct Unread {
    Code code;
    const char* what;
    const char* more; ///< how to see or change it
};
constexpr Unread kUnread[] = {{Code::PassedBy, "", "--list-skipped"},
                              {Code::UnreadKind, "", ""},
                              {Code::UnrenderedTemplate, "templates", ""},
                              {Code::PlaceholderLeft, "placeholders", ""},
                              {Code::UnreplacedVariable, "variables", ""},
                              {Code::UnrenderedChart, "charts", "--render"},
                              {Code::UnbuiltKustomization, "kustomizations", "--render"}};

/// What Kubernetes means by something that is written every day, advice on style, and mistakes in
/// objects that no answer hangs on.
constexpr Code kCounted[] = {Code::EveryNamespace,     Code::NamespaceOmitted,
                             Code::TypesOmitted,       Code::PeerAndOr,
                             Code::PolicyOrderMissing, Code::NamespaceOfGlobal,
                             Code::SelectorNoEffect,   Code::SelectorVariants,
                             Code::DuplicateKey,       Code::YamlSyntax};

template <std::size_t Size> bool is_in(const Code (&codes)[Size], Code code) {
    return std::find(std::begin(codes), std::end(codes), code) != std::end(codes);
}

/// Folders whose files are input of tests, or put away: nobody applies them.
class TestData {
  public:
    explicit TestData(const Sources& sources) {
        bool others = false;
        for (std::uint32_t i = 0; i < sources.size(); ++i) {
            within_.push_back(is_test_data(sources.path(FileId{i})));
            others = others || !within_.back();
        }
        if (!others)
            within_.clear(); // they are what is asked about
    }

    bool holds(const Diagnostic& d) const {
        return d.span.file.value < within_.size() && within_[d.span.file.value];
    }

  private:
    static bool is_test_data(const std::string& path) {
        static constexpr std::string_view kFolders[] = {
            "/test/",           "/tests/",         "/testdata/",    "/test-data/",
            "/testutils/",      "/e2e/",           "/fixtures/",    "/mock_data/",
            "/.chainsaw-test/", "/.kyverno-test/", "/conformance/", "/archive/",
            "/archived/",       "/_archived/",     "/.archived/",   "/_archive/"};
        // There `test` and its like are clusters that run.
        static constexpr std::string_view kEnvironments[] = {"/overlays/", "/environments/",
                                                             "/envs/", "/clusters/"};
        const std::string whole = "/" + path;
        const auto holds = [&](std::string_view each) {
            return whole.find(each) != std::string::npos;
        };
        return std::any_of(std::begin(kFolders), std::end(kFolders), holds) &&
               std::none_of(std::begin(kEnvironments), std::end(kEnvironments), holds);
    }

    std::vector<bool> within_; ///< by file
};

/// A finding in one line.
std::string line_of(const Diagnostic& d, const Sources& sources) {
    std::string out = fmt::format("{}: {}[{}]: {}", printable(sources.describe(d.span)),
                                  to_string(d.severity), label(d.code), printable(d.message));
    for (const std::string& note : d.notes)
        if (note.starts_with("the same of "))
            out += ", " + printable(note);
    if (d.hint)
        out += ": " + printable(*d.hint);
    return out + fmt::format(" [{}]", info(d.code).slug);
}

/// Of what is read, but not as it is applied, policies may be a part.
const Unread* unread_row(const Diagnostic& d) {
    const Code code = d.code;
    if (d.fact("policies") == "true")
        return nullptr;
    const auto* row = std::find_if(std::begin(kUnread), std::end(kUnread),
                                   [&](const Unread& each) { return each.code == code; });
    return row == std::end(kUnread) ? nullptr : row;
}

/// "in tests and archives: 2 errors, 1 warning, 3 notes (--all)": all that no other line counts.
std::string test_data_line(std::span<const Diagnostic> list, const Sources& sources) {
    const TestData test_data(sources);
    std::size_t errors = 0, warnings = 0, notes = 0;
    const Diagnostic* first = nullptr;
    for (const Diagnostic& each : list) {
        if (!test_data.holds(each) || shown_as(each) == Shown::Counted ||
            unread_row(each) != nullptr)
            continue;
        ++(each.severity == Severity::Error     ? errors
           : each.severity == Severity::Warning ? warnings
                                                : notes);
        const bool worse = first == nullptr || first->severity < each.severity;
        first = worse ? &each : first;
    }
    if (first == nullptr)
        return "";
    std::vector<std::string> counts;
    for (const auto& [count, what] :
         {std::pair(errors, "error"), std::pair(warnings, "warning"), std::pair(notes, "note")})
        if (count != 0)
            counts.push_back(counted(count, what));
    return fmt::format("in tests and archives: {} (--all), the first at {}\n",
                       fmt::join(counts, ", "), printable(sources.describe(first->span)));
}

/// "9 files hold no manifests", "v1 ConfigMap (and 15 more)"; of others what they are.
std::string unread_words(const Unread& row, const Diagnostic& d) {
    std::string out = row.what;
    if (out.empty()) {
        const std::size_t many = d.message.find(" (and ");
        out = d.message.substr(0, d.message.find(':'));
        if (many != std::string::npos && d.code == Code::UnreadKind)
            out += d.message.substr(many);
    }
    return printable(out) + (*row.more == '\0' ? "" : fmt::format(" ({})", row.more));
}

/// "not read, and without policies: ...".
std::string unread_line(std::span<const Diagnostic> list) {
    std::vector<std::string> words;
    for (const Unread& row : kUnread)
        for (const Diagnostic& each : list)
            if (each.code == row.code && shown_as(each) == Shown::Summed) {
                words.push_back(unread_words(row, each));
                break;
            }
    return words.empty()
               ? ""
               : fmt::format("not read, and no policy in it: {}\n", fmt::join(words, ", "));
}

} // namespace

Shown shown_as(const Diagnostic& finding) {
    if (finding.severity != Severity::Note)
        return Shown::Listed;
    if (finding.usual || is_in(kCounted, finding.code))
        return Shown::Counted;
    const bool summed = is_in(kSummed, finding.code) || unread_row(finding) != nullptr;
    return summed ? Shown::Summed : Shown::Listed;
}

std::vector<Diagnostic> listed_of(std::span<const Diagnostic> list, const Sources& sources) {
    const TestData test_data(sources);
    std::vector<Diagnostic> out;
    std::copy_if(list.begin(), list.end(), std::back_inserter(out), [&](const Diagnostic& each) {
        return shown_as(each) == Shown::Listed && !test_data.holds(each);
    });
    return out;
}

std::string closing_lines(std::span<const Diagnostic> list, const Sources& sources) {
    std::map<Code, std::vector<const Diagnostic*>> summed;
    std::map<Code, std::size_t> counts;
    std::size_t all = 0;
    const TestData test_data(sources);
    for (const Diagnostic& each : list)
        if (const Shown shown = shown_as(each);
            shown == Shown::Summed && !test_data.holds(each) && unread_row(each) == nullptr)
            summed[each.code].push_back(&each);
        else if (shown == Shown::Counted)
            all += 1, ++counts[each.code];
    std::string out;
    for (const auto& [code, findings] : summed) {
        if (code == Code::SeveralVariants) { // how the input was read: no finding
            for (const Diagnostic* each : findings)
                out += fmt::format(
                    "variants ({}): {}{}{}\n", label(code), printable(each->message),
                    each->notes.empty() ? "" : " (" + printable(each->notes.front()) + ")",
                    each->hint ? ": " + printable(*each->hint) : "");
            continue;
        }
        out += line_of(*findings.front(), sources);
        if (findings.size() > 1)
            out += fmt::format(" and {} more (--only {})", grouped_digits(findings.size() - 1),
                               label(code));
        out += "\n";
    }
    out += test_data_line(list, sources) + unread_line(list);
    if (all == 0)
        return out;
    std::vector<std::string> rules;
    for (const auto& [code, count] : counts)
        rules.push_back(counts.size() == 1
                            ? std::string(info(code).slug) // counted already
                            : fmt::format("{} {}", grouped_digits(count), info(code).slug));
    return out +
           fmt::format("not shown: {} (--all): {}\n", counted(all, "note"), fmt::join(rules, ", "));
}

} // namespace polecat::diag
