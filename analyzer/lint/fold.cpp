#include "analyzer/lint/fold.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "support/listed.h"

namespace polecat::lint {

namespace {

/// What Kubernetes means by something, and what the input lacks as a whole.
constexpr diag::Code kOnce[] = {diag::Code::EveryNamespace, diag::Code::NoDefaultDeny,
                                diag::Code::UnreadKind};

/// What must be mended at each place, but reads as one thing where there are many.
constexpr diag::Code kOnceOfMany[] = {
    diag::Code::ForeignPolicy,        diag::Code::UnrenderedChart,
    diag::Code::UnbuiltKustomization, diag::Code::UnrenderedTemplate,
    diag::Code::UnreplacedVariable,   diag::Code::UnprocessedTemplate,
    diag::Code::DuplicateObject,      diag::Code::EqualPriority,
    diag::Code::LegacyApiVersion,     diag::Code::TypesOmitted,
    diag::Code::NamespaceOmitted,     diag::Code::StagedLeftBehind,
    diag::Code::RedundantPolicy,      diag::Code::WorldIngress,
    diag::Code::WorldEgress,          diag::Code::OldAdminPolicy,
    diag::Code::NodePortOpen};
constexpr std::size_t kFew = 3;
constexpr std::size_t kMostMirrors = 5;

template <std::size_t Size> bool is_in(const diag::Code (&codes)[Size], diag::Code code) {
    return std::find(std::begin(codes), std::end(codes), code) != std::end(codes);
}

std::string fact_of(const diag::Diagnostic& finding, std::string_view key) {
    for (const auto& [each, value] : finding.facts)
        if (each == key)
            return value;
    return {};
}

/// Places that have objects in common, and how many.
struct Mirror {
    std::set<std::string> places;
    std::size_t objects = 0;
    bool apart = false; ///< some of these can't be in one cluster
};

/// Chains of places are one, those with the most objects first.
std::vector<Mirror> mirrors_of(const std::vector<diag::Diagnostic>& variants) {
    std::vector<Mirror> out;
    for (const diag::Diagnostic& each : variants) {
        Mirror joined{
            {fact_of(each, "first"), fact_of(each, "second")}, 1, fact_of(each, "apart") == "true"};
        std::erase_if(out, [&](const Mirror& other) {
            const bool meets =
                std::any_of(joined.places.begin(), joined.places.end(),
                            [&](const std::string& place) { return other.places.contains(place); });
            if (meets) {
                joined.places.insert(other.places.begin(), other.places.end());
                joined.objects += other.objects;
                joined.apart = joined.apart || other.apart;
            }
            return meets;
        });
        out.push_back(std::move(joined));
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const auto& a, const auto& b) { return a.objects > b.objects; });
    return out;
}

/// "12 in deploy/dev, deploy/prod".
std::vector<std::string> shown(const std::vector<Mirror>& mirrors) {
    std::vector<std::string> out;
    for (const Mirror& each : mirrors)
        out.push_back(fmt::format("{} in {}", each.objects,
                                  listed({each.places.begin(), each.places.end()}, 5)));
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
    const std::vector<Mirror> mirrors = mirrors_of(variants);
    const bool apart = std::any_of(mirrors.begin(), mirrors.end(), [](const Mirror& each) {
        return each.apart && each.objects > each.places.size();
    });
    out.message = fmt::format(
        "{} objects stand in more than one place, and {}{}", variants.size(),
        differ == 0 ? "all agree" : fmt::format("{} differ{}", differ, differ == 1 ? "s" : ""),
        apart ? ": the input looks like variants of one cluster" : "");
    out.object.clear();
    out.facts.clear();
    std::vector<std::string> places = shown(mirrors);
    if (places.size() > kMostMirrors) {
        places.resize(kMostMirrors);
        places.push_back(fmt::format("{} more", mirrors.size() - kMostMirrors));
    }
    out.with_note(fmt::format("{}", fmt::join(places, "; ")));
    out.with_note(apart ? "the last of each counts here, and of namespaces that stand in several "
                          "variants only what is certain is said (--all shows each object)"
                        : "the last of each counts here (--all shows each object)");
    if (!apart)
        out.hint = "one place for each will do";
    out.as_usual(differ == 0 || !apart);
    return out;
}

/// The object it is about, or the first words: "v1 ConfigMap: 3 objects not read".
std::string shown_of(const diag::Diagnostic& finding) {
    return finding.object.empty() ? finding.message.substr(0, finding.message.find(':'))
                                  : finding.object;
}

} // namespace

void fold(diag::Diagnostics& findings) {
    using Key = std::pair<diag::Code, diag::Severity>;
    const auto key_of = [](const diag::Diagnostic& each) {
        const bool whole = each.code == diag::Code::SeveralVariants;
        return Key{each.code, whole ? diag::Severity::Note : each.severity};
    };
    std::map<Key, std::vector<diag::Diagnostic>> alike;
    for (const diag::Diagnostic& each : findings.list())
        if (is_in(kOnce, each.code) || each.code == diag::Code::SeveralVariants ||
            (is_in(kOnceOfMany, each.code) && each.severity != diag::Severity::Error))
            alike[key_of(each)].push_back(each);
    std::erase_if(alike, [](const auto& each) {
        return is_in(kOnceOfMany, each.first.first) && each.second.size() <= kFew;
    });
    findings.keep_if([&](diag::Diagnostic& each) {
        const auto found = alike.find(key_of(each));
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
        const auto telling =
            std::find_if(all.begin(), all.end(), [](const auto& other) { return !other.usual; });
        each = telling == all.end() ? all.front() : *telling;
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
