/// What a user chose of lint: severities of rules, which rules count, what makes a run fail.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "analyzer/lint/context.h"
#include "support/diag/diagnostic.h"
#include "support/result.h"

namespace polecat::lint {

/// What is not read protects nothing: errors of reading are always reported as they are.
bool is_reading_error(const diag::Diagnostic& diagnostic);

struct Choice {
    std::map<diag::Code, std::optional<diag::Severity>> severities;  ///< nullopt: off
    std::set<diag::Code> only;                                       ///< empty: all
    std::optional<diag::Severity> fail_on = diag::Severity::Warning; ///< nullopt: never
};

/// Gives findings their chosen severity and drops what is off or not among `only`.
void apply(const Choice& choice, diag::Diagnostics& findings);
/// True when a finding is as bad as `fail_on` or worse.
bool fails(const Choice& choice, const diag::Diagnostics& findings);

/// The texts of `.polecat.yaml` and of options. Errors say what is wrong and what was meant.
Result<diag::Code> rule_named(std::string_view text); ///< a slug or a code
/// error, warning, note, or off.
Result<std::optional<diag::Severity>> severity_named(std::string_view text);
/// error, warning, note, or never.
Result<std::optional<diag::Severity>> fail_on_named(std::string_view text);
Result<Dataplane> dataplane_named(std::string_view text);
/// The newest release of Calico that rules know, as below; later ones are taken for it.
inline constexpr int kNewestCalico = 332;
Result<int> version_named(std::string_view text); ///< "3.32"
/// False for rules whose findings are errors of reading: their severity is not a choice.
bool may_choose_severity(diag::Code code);

} // namespace polecat::lint
