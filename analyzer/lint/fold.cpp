#include "analyzer/lint/fold.h"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "support/listed.h"

namespace polecat::lint {

namespace {

/// What Kubernetes means by something, and what the input lacks as a whole.
constexpr diag::Code kOnce[] = {diag::Code::EveryNamespace, diag::Code::NoDefaultDeny,
                                diag::Code::UnreadKind};

/// The object it is about, or the first words: "v1 ConfigMap: 3 objects not read".
std::string shown_of(const diag::Diagnostic& finding) {
    return finding.object.empty() ? finding.message.substr(0, finding.message.find(':'))
                                  : finding.object;
}

} // namespace

void fold(diag::Diagnostics& findings) {
    std::map<diag::Code, std::vector<diag::Diagnostic>> alike;
    for (const diag::Diagnostic& each : findings.list())
        if (std::find(std::begin(kOnce), std::end(kOnce), each.code) != std::end(kOnce))
            alike[each.code].push_back(each);
    findings.keep_if([&](diag::Diagnostic& each) {
        const auto found = alike.find(each.code);
        if (found == alike.end())
            return true;
        const std::vector<diag::Diagnostic> all = std::move(found->second);
        found->second.clear();
        if (all.size() < 2)
            return !all.empty(); // empty: it was told
        std::vector<std::string> others;
        for (const diag::Diagnostic& other : all)
            if (const std::string name = shown_of(other);
                name != shown_of(each) &&
                std::find(others.begin(), others.end(), name) == others.end())
                others.push_back(name);
        each.message += fmt::format(" (and {} more)", all.size() - 1);
        if (!others.empty())
            each.notes.push_back("the same of " + listed(others, 10));
        return true;
    });
}

} // namespace polecat::lint
