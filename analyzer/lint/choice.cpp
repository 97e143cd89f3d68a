#include "analyzer/lint/choice.h"

#include <array>
#include <charconv>
#include <span>
#include <vector>

#include <fmt/format.h>

namespace polecat::lint {

namespace {

using diag::Severity;

unsigned number_of(diag::Code code) {
    return static_cast<unsigned>(code);
}

/// Codes that `polecat lint` reports: of reading, of policy, and of steering lint.
bool is_lint_code(diag::Code code) {
    return number_of(code) < 5000 || number_of(code) / 1000 == 8;
}

std::string meant(std::string_view text, std::span<const std::string_view> known) {
    const auto near = diag::nearest(text, known);
    return near ? fmt::format("; did you mean `{}`?", *near) : "";
}

/// A severity, or the word for none.
Result<std::optional<Severity>> severity_or(std::string_view text, std::string_view none) {
    const std::array<std::string_view, 4> known{"error", "warning", "note", none};
    for (const Severity each : {Severity::Error, Severity::Warning, Severity::Note})
        if (to_string(each) == text)
            return std::optional(each);
    if (text == none)
        return std::optional<Severity>();
    return Error{
        fmt::format("`{}` is not error, warning, note or {}{}", text, none, meant(text, known))};
}

} // namespace

bool is_reading_error(const diag::Diagnostic& diagnostic) {
    return diagnostic.severity == Severity::Error && number_of(diagnostic.code) < 4000;
}

void apply(const Choice& choice, diag::Diagnostics& findings) {
    findings.keep_if([&](diag::Diagnostic& each) {
        if (is_reading_error(each))
            return true;
        if (!choice.only.empty() && !choice.only.contains(each.code))
            return false;
        const auto chosen = choice.severities.find(each.code);
        if (chosen == choice.severities.end())
            return true;
        each.severity = chosen->second.value_or(each.severity);
        return chosen->second.has_value();
    });
}

bool fails(const Choice& choice, const diag::Diagnostics& findings) {
    if (!choice.fail_on)
        return false;
    for (const Severity each : {Severity::Note, Severity::Warning, Severity::Error})
        if (each >= *choice.fail_on && findings.count(each) != 0)
            return true;
    return false;
}

Result<diag::Code> rule_named(std::string_view text) {
    const auto found = diag::find_code(text);
    if (found && is_lint_code(*found))
        return *found;
    std::vector<std::string_view> known;
    for (const diag::CodeInfo& each : diag::all_codes())
        if (is_lint_code(each.code))
            known.push_back(each.slug);
    return Error{fmt::format("`{}`, which is no rule of lint{}", text, meant(text, known))};
}

bool may_choose_severity(diag::Code code) {
    return number_of(code) >= 4000 || diag::info(code).severity != Severity::Error;
}

Result<std::optional<Severity>> severity_named(std::string_view text) {
    return severity_or(text, "off");
}

Result<std::optional<Severity>> fail_on_named(std::string_view text) {
    return severity_or(text, "never");
}

Result<Dataplane> dataplane_named(std::string_view text) {
    static constexpr std::string_view kNames[] = {"iptables", "nftables", "bpf", "polecat"};
    static constexpr Dataplane kValues[] = {Dataplane::Iptables, Dataplane::Nftables,
                                            Dataplane::Bpf, Dataplane::Polecat};
    for (std::size_t i = 0; i < std::size(kNames); ++i)
        if (kNames[i] == text)
            return kValues[i];
    return Error{
        fmt::format("`{}` is not iptables, nftables, bpf or polecat{}", text, meant(text, kNames))};
}

Result<int> version_named(std::string_view text) {
    const std::size_t dot = text.find('.');
    int major = 0, minor = 0;
    const auto number = [](std::string_view digits, int& out) {
        const char* end = digits.data() + digits.size();
        const auto [at, error] = std::from_chars(digits.data(), end, out);
        return !digits.empty() && error == std::errc{} && at == end;
    };
    if (dot == std::string_view::npos || !number(text.substr(0, dot), major) ||
        !number(text.substr(dot + 1), minor) || major != 3 || minor < 0 || minor > 99)
        return Error{fmt::format("`{}` is not a release of Calico such as 3.32", text)};
    return major * 100 + minor;
}

} // namespace polecat::lint
