#include "analyzer/lint/suppression.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "analyzer/lint/choice.h"

namespace polecat::lint {

namespace {

using policy::Suppression;

constexpr std::string_view kBlanks = " \t\r\n";

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(kBlanks);
    if (first == std::string_view::npos)
        return {};
    return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

/// Calls act(part) for the parts between separators.
template <class Act> void split(std::string_view text, char separator, const Act& act) {
    for (;;) {
        const std::size_t end = text.find(separator);
        act(trimmed(text.substr(0, end)));
        if (end == std::string_view::npos)
            return;
        text.remove_prefix(end + 1);
    }
}

/// The end of "a,b, c" in "a,b, c because": a comma joins, blanks around it too.
std::size_t end_of_rules(std::string_view text) {
    std::size_t end = 0;
    for (;;) {
        end = std::min(text.find_first_of(" \t", end), text.size());
        const std::size_t next = text.find_first_not_of(" \t", end);
        if (next == std::string_view::npos)
            return end;
        const bool joined = text[next] == ',' || (end > 0 && text[end - 1] == ',');
        if (!joined)
            return end;
        end = text[next] == ',' ? next + 1 : next;
        end = std::min(text.find_first_not_of(" \t", end), text.size());
    }
}

/// A reason has a word in it.
bool is_reason(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte >= 0x80 || (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
               (byte >= 'A' && byte <= 'Z');
    });
}

/// One rule of a suppression.
struct Entry {
    const Suppression* from;
    diag::Code code;
    bool used = false;
    bool met_error = false; ///< a finding of the rule that can't be suppressed
};

class Suppressor {
  public:
    Suppressor(std::span<const Suppression> suppressions, diag::Diagnostics& reports)
        : reports_(reports) {
        for (const Suppression& each : suppressions)
            if (each.annotation)
                split(each.text, ';', [&](std::string_view part) { annotation(each, part); });
            else
                comment(each);
    }

    bool takes(const diag::Diagnostic& finding) {
        const auto of_file = entries_.find(finding.span.file);
        if (of_file == entries_.end() || !finding.span.known())
            return false;
        const policy::Position place{finding.span.line, finding.span.column};
        bool taken = false;
        for (Entry& each : of_file->second) {
            if (each.code != finding.code || place < each.from->begin || place >= each.from->end)
                continue;
            (is_reading_error(finding) ? each.met_error : each.used) = true;
            taken = taken || !is_reading_error(finding);
        }
        return taken;
    }

    void report_idle(bool loads) {
        for (const auto& [file, entries] : entries_)
            for (const Entry& each : entries) {
                const std::string slug(diag::info(each.code).slug);
                if (each.met_error)
                    reports_.report(diag::Code::SuppressionOfError, each.from->span, {slug})
                        .with_hint("mend it");
                else if (!each.used && loads)
                    reports_.report(diag::Code::SuppressionUnused, each.from->span, {slug})
                        .with_hint("remove it, or put it on the line of the finding or above it");
            }
    }

  private:
    void comment(const Suppression& from) {
        const std::string_view text = trimmed(from.text);
        const std::size_t end = end_of_rules(text);
        add(from, text.substr(0, end), text.substr(end));
    }

    /// "SLUG: REASON"; an empty one after the last `;` is no matter.
    void annotation(const Suppression& from, std::string_view part) {
        if (part.empty() && !trimmed(from.text).empty())
            return;
        const std::size_t colon = part.find(':');
        add(from, part.substr(0, colon),
            colon == std::string_view::npos ? "" : part.substr(colon + 1));
    }

    void add(const Suppression& from, std::string_view rules, std::string_view reason) {
        split(rules, ',', [&](std::string_view name) {
            const auto code = rule_named(name);
            if (name.empty())
                reports_.report(diag::Code::SuppressionUnknown, from.span, {"no rule"})
                    .with_hint(hint(from));
            else if (!code)
                reports_.report(diag::Code::SuppressionUnknown, from.span, {code.error()});
            else if (!is_reason(reason))
                reports_.report(diag::Code::SuppressionWithoutReason, from.span, {name})
                    .with_hint(hint(from));
            else
                entries_[from.span.file].push_back({&from, *code});
        });
    }

    static std::string hint(const Suppression& from) {
        return from.annotation ? "write `RULE: why it is meant so`"
                               : "write `# polecat:ignore RULE why it is meant so`";
    }

    diag::Diagnostics& reports_;
    std::map<FileId, std::vector<Entry>> entries_;
};

} // namespace

std::size_t suppress(std::span<const Suppression> suppressions, bool loads,
                     diag::Diagnostics& findings) {
    diag::Diagnostics reports;
    Suppressor suppressor(suppressions, reports);
    std::size_t taken = 0;
    findings.keep_if([&](const diag::Diagnostic& each) {
        const bool suppressed = suppressor.takes(each);
        taken += suppressed ? 1 : 0;
        return !suppressed;
    });
    suppressor.report_idle(loads);
    findings.append(reports);
    findings.sort();
    return taken;
}

} // namespace polecat::lint
