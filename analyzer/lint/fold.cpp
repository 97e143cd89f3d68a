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

/// What must be mended at each place, but reads as one thing where there are many.
constexpr diag::Code kOnceOfMany[] = {
    diag::Code::RedundantPolicy,

    diag::Code::ForeignPolicy,        diag::Code::LegacyApiVersion,
    diag::Code::StagedLeftBehind,

    diag::Code::NamespaceOmitted,     diag::Code::TypesOmitted,
    diag::Code::OldAdminPolicy,       diag::Code::EqualPriority,
    diag::Code::WorldIngress,         diag::Code::WorldEgress,
    diag::Code::NodePortOpen,         diag::Code::UnrenderedChart,
    diag::Code::UnbuiltKustomization, diag::Code::UnrenderedTemplate,
    diag::Code::UnreplacedVariable,   diag::Code::UnprocessedTemplate};
constexpr std::size_t kFew = 3;

template <std::size_t Size> bool is_in(const diag::Code (&codes)[Size], diag::Code code) {
    return std::find(std::begin(codes), std::end(codes), code) != std::end(codes);
}

std::string fact_of(const diag::Diagnostic& finding, std::string_view key) {
    for (const auto& [each, value] : finding.facts)
        if (each == key)
            return value;
    return {};
}

/// "12 in deploy/dev and in deploy/prod", those with the most first.
std::vector<std::string> pairs_of(const std::vector<diag::Diagnostic>& variants) {
    std::map<std::string, std::size_t> counts;
    for (const diag::Diagnostic& each : variants)
        ++counts[fact_of(each, "first") + " and in " + fact_of(each, "second")];
    std::vector<std::pair<std::size_t, std::string>> pairs;
    for (const auto& [names, count] : counts)
        pairs.emplace_back(count, names);
    std::stable_sort(pairs.begin(), pairs.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<std::string> out;
    for (const auto& [count, names] : pairs)
        out.push_back(fmt::format("{} in {}", count, names));
    return out;
}

/// All of them as one finding, at the first that differs.
diag::Diagnostic told_once(const std::vector<diag::Diagnostic>& variants) {
    diag::Diagnostic out =
        *std::max_element(variants.begin(), variants.end(),
                          [](const auto& a, const auto& b) { return a.severity < b.severity; });
    const auto differ = std::count_if(variants.begin(), variants.end(), [](const auto& each) {
        return fact_of(each, "differ") == "true";
    });
    const bool apart = std::any_of(variants.begin(), variants.end(), [](const auto& each) {
        return fact_of(each, "apart") == "true";
    });
    out.message = fmt::format(
        "{} objects stand in more than one place, and {}{}", variants.size(),
        differ == 0 ? "all agree" : fmt::format("{} differ{}", differ, differ == 1 ? "s" : ""),
        apart ? ": the input looks like variants of one cluster" : "");
    out.object.clear();
    out.facts.clear();
    out.with_note(listed(pairs_of(variants), 5));
    out.with_note(apart ? "the last of each counts here, and of namespaces that stand in several "
                          "variants only what is certain is said (--all shows each object)"
                        : "the last of each counts here (--all shows each object)");
    if (!apart)
        out.hint = "one place for each will do";
    return out;
}

/// The object it is about, or the first words: "v1 ConfigMap: 3 objects not read".
std::string shown_of(const diag::Diagnostic& finding) {
    return finding.object.empty() ? finding.message.substr(0, finding.message.find(':'))
                                  : finding.object;
}

} // namespace

void fold(diag::Diagnostics& findings) {
    std::map<diag::Code, std::vector<diag::Diagnostic>> alike;
    for (const diag::Diagnostic& each : findings.list())
        if (is_in(kOnce, each.code) || is_in(kOnceOfMany, each.code) ||
            each.code == diag::Code::SeveralVariants)
            alike[each.code].push_back(each);
    std::erase_if(alike, [](const auto& each) {
        return is_in(kOnceOfMany, each.first) && each.second.size() <= kFew;
    });
    findings.keep_if([&](diag::Diagnostic& each) {
        const auto found = alike.find(each.code);
        if (found == alike.end())
            return true;
        const std::vector<diag::Diagnostic> all = std::move(found->second);
        found->second.clear();
        if (all.size() < 2)
            return !all.empty(); // empty: it was told
        if (each.code == diag::Code::SeveralVariants) {
            each = told_once(all);
            return true;
        }
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
