#include "support/diag/digest.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "support/diag/notes.h"
#include "support/diag/printable.h"
#include "support/listed.h"

namespace polecat::diag {

namespace {

/// Findings of one rule that are shown whole where it is no error.
constexpr std::size_t kShown = 5;
/// Places that a line names of findings that are not shown.
constexpr std::size_t kPlaces = 3;

/// Input that is not what the cluster has: one cause, and one command or decision for all of it.
std::size_t shown_of(const Diagnostic& d) {
    static constexpr Code kOne[] = {Code::UnrenderedTemplate,   Code::PlaceholderLeft,
                                    Code::UnreplacedVariable,   Code::UnrenderedChart,
                                    Code::UnbuiltKustomization, Code::ForeignPolicy,
                                    Code::UnusedComponent};
    return std::find(std::begin(kOne), std::end(kOne), d.code) == std::end(kOne) ? kShown : 1;
}

/// One finding, and those of other places that say the same.
struct Group {
    const Diagnostic* first;
    std::vector<const Diagnostic*> others;
};

/// Codes below 3000 are what the readers report (codes.def).
bool is_of_reading(const Diagnostic& d) {
    return static_cast<unsigned>(d.code) < 3000;
}

bool mended_before(const Group& a, const Group& b) {
    const auto key = [](const Diagnostic& d) {
        return std::pair(d.severity == Severity::Error     ? 0
                         : d.severity == Severity::Warning ? 1
                                                           : 2,
                         !is_of_reading(d));
    };
    return key(*a.first) < key(*b.first);
}

std::vector<Group> groups_of(std::span<const Diagnostic> list) {
    std::vector<Group> out;
    std::map<std::tuple<Severity, Code, std::string_view>, std::size_t> seen;
    for (const Diagnostic& d : list) {
        // Rules of one policy that a note says the same of differ in their numbers only.
        const bool by_object = d.severity == Severity::Note && !d.object.empty();
        const auto [place, fresh] =
            seen.try_emplace({d.severity, d.code, by_object ? d.object : d.message}, out.size());
        if (fresh)
            out.push_back({&d, {}});
        else
            out[place->second].others.push_back(&d);
    }
    std::stable_sort(out.begin(), out.end(), mended_before);
    return out;
}

/// "1,450 more in 312 files: a.yaml:3:1, b.yaml:7:5, ...".
std::string more(const std::vector<const Diagnostic*>& findings, const Sources& sources) {
    std::set<std::uint32_t> files;
    std::string places;
    for (std::size_t i = 0; i < findings.size(); ++i) {
        files.insert(findings[i]->span.file.value);
        if (i >= kPlaces)
            continue;
        places += i == 0 ? "" : ", ";
        places += printable(sources.describe(findings[i]->span));
    }
    return grouped_digits(findings.size()) + " more in " + counted(files.size(), "file") + ": " +
           places + (findings.size() > kPlaces ? ", ..." : "");
}

} // namespace

std::string render_digest(std::span<const Diagnostic> list, const Sources& sources,
                          TextOptions options, bool every_note) {
    const std::vector<Diagnostic> shown_whole =
        every_note ? std::vector<Diagnostic>(list.begin(), list.end()) : listed_of(list, sources);
    const std::vector<Group> groups = groups_of(shown_whole);
    std::map<std::pair<Severity, Code>, std::size_t> shown;
    std::map<std::pair<Severity, Code>, std::vector<const Diagnostic*>> left;
    for (const Group& group : groups) {
        const Diagnostic& d = *group.first;
        if (d.severity == Severity::Error || ++shown[{d.severity, d.code}] <= shown_of(d))
            continue;
        std::vector<const Diagnostic*>& rest = left[{d.severity, d.code}];
        rest.push_back(&d);
        rest.insert(rest.end(), group.others.begin(), group.others.end());
    }
    std::string out;
    shown.clear();
    for (const Group& group : groups) {
        const Diagnostic& d = *group.first;
        const std::pair key(d.severity, d.code);
        if (d.severity != Severity::Error && shown[key] == shown_of(d))
            continue;
        out += render_text({group.first, 1}, sources, options);
        if (!group.others.empty())
            out += "  the same: " + more(group.others, sources) + "\n";
        if (++shown[key] == shown_of(d) && left.contains(key))
            out += "of " + label(d.code) + " " + std::string(info(d.code).slug) + ": " +
                   more(left.at(key), sources) + "   (--only " + label(d.code) + " --all)\n";
    }
    return every_note ? out : out + closing_lines(list, sources);
}

std::string rule_counts(std::span<const Diagnostic> list) {
    constexpr std::size_t kFew = 10, kRules = 10;
    std::map<Code, std::size_t> counts;
    for (const Diagnostic& d : list)
        ++counts[d.code];
    if (list.size() <= kFew)
        return "";
    std::vector<std::pair<Code, std::size_t>> rules(counts.begin(), counts.end());
    std::stable_sort(rules.begin(), rules.end(),
                     [](const auto& a, const auto& b) { return a.second > b.second; });
    std::string out;
    for (std::size_t i = 0; i < std::min(kRules, rules.size()); ++i) {
        out += fmt::format("{:>8}  {}  {}\n", grouped_digits(rules[i].second),
                           label(rules[i].first), info(rules[i].first).slug);
    }
    if (rules.size() > kRules)
        out += fmt::format("          and {}\n", counted(rules.size() - kRules, "other rule"));
    return out;
}

} // namespace polecat::diag
